//! Reading the secret through the Parameters and Secrets extension.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use snapsentry::deadline::Deadline;
use snapsentry::settings::{Environment, InvalidConfiguration, read_secret, secret_reference};
use snapsentry::transport::{Request, Response, Transport, TransportError};
use tokio::time::Instant;

use crate::settings::world::{PASSWORD, WORD, keeps_secrets};

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:snapsentry/cloud-AbCdEf";

type Answer = Result<Response, TransportError>;

/// Gives its answers one by one, the last one again and again; no answer hangs.
#[derive(Default)]
struct Extension {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<(Request, Instant)>>,
}

impl Extension {
    fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Self::default()
        }
    }
}

impl Transport for Extension {
    fn send(&self, deadline: Deadline, request: Request) -> BoxFuture<'_, Answer> {
        self.asked.lock().unwrap().push((request, Instant::now()));
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 | 1 => answers.front().cloned_answer(),
            _ => answers.pop_front(),
        };
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => {
                    let _ = deadline.bound(std::future::pending::<()>()).await;
                    Err(TransportError::TimedOut)
                }
            }
        })
    }
}

trait Again {
    fn cloned_answer(&self) -> Option<Answer>;
}

impl Again for Option<&Answer> {
    fn cloned_answer(&self) -> Option<Answer> {
        self.map(|answer| match answer {
            Ok(answer) => Ok(response(answer.status().as_u16(), answer.body().clone())),
            Err(error) => Err(error.clone()),
        })
    }
}

fn response(status: u16, body: impl Into<Bytes>) -> Response {
    http::Response::builder()
        .status(status)
        .body(body.into())
        .unwrap()
}

fn value(secret: &Value) -> Answer {
    Ok(response(200, secret.to_string()))
}

fn environment(more: &[(&str, &str)]) -> Environment {
    let base = [
        ("SNAPSENTRY_CREDENTIALS_SECRET", ARN),
        ("AWS_SESSION_TOKEN", WORD),
    ];
    base.iter().chain(more).copied().collect()
}

async fn read(
    extension: &Extension,
    environment: &Environment,
) -> Result<SecretString, InvalidConfiguration> {
    let reference = secret_reference(environment).expect("a secret is named");
    keeps_secrets(&format!("{reference:?}"));
    read_secret(
        extension,
        Deadline::after(Duration::from_secs(60)),
        &reference,
    )
    .await
}

#[test]
fn without_a_name_there_is_no_secret_to_read() {
    assert!(secret_reference(&Environment::default()).is_none());
    let empty = [("SNAPSENTRY_CREDENTIALS_SECRET", "")]
        .into_iter()
        .collect();
    assert!(secret_reference(&empty).is_none());
    let blank = [("SNAPSENTRY_CREDENTIALS_SECRET", " ")]
        .into_iter()
        .collect();
    assert!(secret_reference(&blank).is_none());
}

#[tokio::test]
async fn the_extension_is_asked_as_aws_documents_it() {
    let extension = Extension::of([value(&json!({
        "ARN": ARN, "Name": "snapsentry/cloud", "VersionId": "1", "CreatedDate": "2026-11-22",
        "SecretString": PASSWORD
    }))]);
    let secret = read(&extension, &environment(&[])).await.unwrap();
    assert_eq!(secret.expose_secret(), PASSWORD);
    let asked = extension.asked.lock().unwrap();
    let (request, _) = &asked[0];
    assert_eq!(asked.len(), 1);
    assert_eq!(request.method(), "GET");
    let uri = request.uri().to_string();
    let (address, id) = uri.split_once("?secretId=").unwrap();
    assert_eq!(address, "http://localhost:2773/secretsmanager/get");
    let decoded = percent_encoding::percent_decode_str(id)
        .decode_utf8()
        .unwrap();
    assert_eq!(decoded, ARN);
    assert!(!id.contains(['/', ':', '&', '+']), "{id}");
    let token = &request.headers()["X-Aws-Parameters-Secrets-Token"];
    assert_eq!(token, WORD);
    assert!(token.is_sensitive());
}

#[tokio::test]
async fn the_port_can_be_set_and_is_checked() {
    let port = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT";
    let extension = Extension::of([value(&json!({"SecretString": "{}"}))]);
    read(&extension, &environment(&[(port, "4000")]))
        .await
        .unwrap();
    let authority = extension.asked.lock().unwrap()[0]
        .0
        .uri()
        .authority()
        .unwrap()
        .to_string();
    assert_eq!(authority, "localhost:4000");
    for wrong in ["0", "65536", "-1", "http", "27 73"] {
        let extension = Extension::of([]);
        let error = read(&extension, &environment(&[(port, wrong)]))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(port) && text.contains(wrong) && text.contains("65535"),
            "{text}"
        );
        assert!(extension.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn without_a_session_token_the_extension_is_asked_all_the_same() {
    let named = [("SNAPSENTRY_CREDENTIALS_SECRET", "cloud")]
        .into_iter()
        .collect();
    let extension = Extension::of([value(&json!({"SecretString": "{}"}))]);
    read(&extension, &named).await.unwrap();
    assert!(extension.asked.lock().unwrap()[0].0.headers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_refusal_says_what_to_mend_and_nothing_of_the_answer() {
    let aws = |status, kind: &str| {
        let body = format!("an error occurred: api error {kind}: {PASSWORD}");
        Ok(response(status, body))
    };
    let refused = || TransportError::Connect("connection refused".to_owned());
    let rows: Vec<(Answer, &[&str])> = vec![
        (
            aws(400, "ResourceNotFoundException"),
            &["no such secret", "ARN"],
        ),
        (
            aws(400, "AccessDeniedException"),
            &["access denied", "secretsmanager:GetSecretValue"],
        ),
        (
            aws(403, "AccessDeniedException"),
            &["access denied", "secretsmanager:GetSecretValue"],
        ),
        (
            aws(400, "AccessDeniedException: Access to KMS (kms:Decrypt)"),
            &["kms:Decrypt"],
        ),
        (aws(400, "DecryptionFailure"), &["kms:Decrypt"]),
        (
            aws(400, "InvalidRequestException"),
            &["marked for deletion"],
        ),
        (
            aws(401, "nothing known"),
            &["AWS_SESSION_TOKEN", "access denied"],
        ),
        (
            aws(403, "nothing known"),
            &["AWS_SESSION_TOKEN", "access denied"],
        ),
        (
            aws(400, "not ready to serve traffic, please wait"),
            &["not ready"],
        ),
        (aws(500, "nothing known"), &["500", "log"]),
        (aws(418, "nothing known"), &["418", "log"]),
        (
            aws(200, "no JSON"),
            &["GetSecretValue", "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"],
        ),
        (value(&json!([PASSWORD])), &["GetSecretValue"]),
        (
            value(&json!({"SecretString": {"x": PASSWORD}})),
            &["SecretString"],
        ),
        (
            value(&json!({"SecretBinary": PASSWORD})),
            &["SecretString", "binary"],
        ),
        (value(&json!({"SecretString": null})), &["SecretString"]),
        (value(&json!({"SecretString": "  "})), &["SecretString"]),
        (
            Err(refused()),
            &[
                "localhost:2773",
                "layer",
                "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT",
            ],
        ),
        (
            Err(TransportError::Interrupted("reset".to_owned())),
            &["localhost:2773", "layer"],
        ),
        (
            Err(TransportError::TimedOut),
            &["in time", "SECRETS_MANAGER_TIMEOUT_MILLIS"],
        ),
        (Err(TransportError::TooLarge { limit: 1 }), &["too large"]),
    ];
    for (answer, words) in rows {
        let label = format!("{:?}", answer.as_ref().map(Response::status));
        let error = read(&Extension::of([answer]), &environment(&[]))
            .await
            .unwrap_err();
        let text = error.to_string();
        for word in ["SNAPSENTRY_CREDENTIALS_SECRET", ARN].iter().chain(words) {
            assert!(text.contains(word), "{label} lacks {word:?}: {text}");
        }
        keeps_secrets(&format!("{text} {error:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_is_still_starting_is_asked_again() {
    let starting = [
        Err(TransportError::Connect("connection refused".to_owned())),
        Ok(response(400, "not ready to serve traffic, please wait")),
        Ok(response(503, "")),
    ];
    let found = value(&json!({"SecretString": PASSWORD}));
    let extension = Extension::of(starting.into_iter().chain([found]));
    assert!(read(&extension, &environment(&[])).await.is_ok());
    let asked = extension.asked.lock().unwrap();
    let start = asked[0].1;
    let after: Vec<_> = asked
        .iter()
        .map(|(_, at)| (*at - start).as_millis())
        .collect();
    assert_eq!(after, [0, 100, 300, 700]);
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_for_good_is_asked_for_once_or_four_times() {
    let denied = Extension::of([Ok(response(400, "AccessDeniedException"))]);
    assert!(read(&denied, &environment(&[])).await.is_err());
    assert_eq!(denied.asked.lock().unwrap().len(), 1);
    let absent = Extension::of([Err(TransportError::Connect("refused".to_owned()))]);
    assert!(read(&absent, &environment(&[])).await.is_err());
    assert_eq!(absent.asked.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_extension_is_given_up_after_seconds_and_never_past_the_deadline() {
    for (deadline, waited) in [(60_000, 5_000), (1_500, 1_500)] {
        let reference = secret_reference(&environment(&[])).unwrap();
        let hanging = Extension::default();
        let start = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(deadline));
        let error = read_secret(&hanging, deadline, &reference)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("in time"), "{error}");
        assert_eq!(start.elapsed().as_millis(), waited);
    }
}
