//! The other things a function talks to: the secrets extension and a webhook.

use std::time::Duration;

use serde_json::Value;
use simcloud::extension::{Extension, Reply};
use simcloud::webhook::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one request and reads the answer until the connection ends.
async fn exchange(port: u16, head: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let length = body.len();
    let text = format!("{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    Ok((head[9..12].parse().expect("a status"), body.to_owned()))
}

async fn secret(extension: &Extension, token: &str) -> std::io::Result<(u16, String)> {
    let path = "/secretsmanager/get?secretId=team%2Fopenstack";
    let head = format!("GET {path} HTTP/1.1\r\nX-Aws-Parameters-Secrets-Token: {token}");
    exchange(extension.port(), &head, "").await
}

const TOKEN: &str = "not-a-secret-session-token";

#[tokio::test]
async fn a_secret_rotates_after_its_reads_and_needs_the_token() {
    let replies = ["old", "new"].map(|text| Reply::Secret(text.into()));
    let extension = Extension::start(replies).await.expect("a port");
    let (status, _) = secret(&extension, "wrong").await.expect("an answer");
    assert_eq!(status, 401);
    for expected in ["old", "new", "new"] {
        let (status, body) = secret(&extension, TOKEN).await.expect("an answer");
        let value: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            (status, &value["SecretString"]),
            (200, &Value::from(expected))
        );
        assert_eq!(value["Name"], "team/openstack");
    }
    let reads = extension.reads();
    assert_eq!(reads.iter().filter(|read| read.authorized).count(), 3);
    assert!(
        extension
            .env()
            .contains(&("AWS_SESSION_TOKEN".into(), TOKEN.into()))
    );
}

#[tokio::test]
async fn a_secret_can_be_denied_binary_reset_or_never_come() {
    let extension = Extension::start([Reply::access_denied()])
        .await
        .expect("a port");
    let (status, body) = secret(&extension, TOKEN).await.expect("an answer");
    assert!(
        status == 400 && body.contains("AccessDeniedException"),
        "{body}"
    );
    extension.set([Reply::Binary]);
    let (_, body) = secret(&extension, TOKEN).await.expect("an answer");
    assert!(!body.contains("SecretString"));
    extension.set([Reply::Reset]);
    assert!(secret(&extension, TOKEN).await.is_err());
    extension.set([Reply::Hang]);
    let patience = Duration::from_millis(300);
    assert!(
        tokio::time::timeout(patience, secret(&extension, TOKEN))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_webhook_remembers_what_it_was_sent_and_answers_as_told() {
    let webhook = Webhook::start().await.expect("a port");
    let port = webhook.port();
    assert_eq!(
        webhook.url("/hook"),
        format!("http://127.0.0.1:{port}/hook")
    );
    let head = "POST /hook?key=not-a-secret HTTP/1.1\r\nAuthorization: Basic bm90LWEtc2VjcmV0";
    let body = r#"{"service":"snapsentry"}"#;
    assert_eq!(exchange(port, head, body).await.expect("an answer").0, 204);
    webhook.answer_with(500, Duration::from_secs(1));
    let sent = || exchange(port, head, body);
    let (first, second) = futures::future::join(sent(), sent()).await;
    assert_eq!(first.expect("an answer").0, 500);
    assert_eq!(second.expect("an answer").0, 500);
    let received = webhook.received();
    assert_eq!((received.len(), webhook.max_open()), (3, 2));
    assert_eq!(received[0].json()["service"], "snapsentry");
    assert_eq!(
        received[0].header("authorization"),
        "Basic bm90LWEtc2VjcmV0"
    );
    assert_eq!(received[0].path, "/hook?key=not-a-secret");
}
