//! Reads the secret through the AWS Parameters and Secrets Lambda Extension, an HTTP server
//! beside the function: no SDK, no signing, and its cache is shared by all invocations of a
//! sandbox. It answers during invocations only, never while the sandbox starts.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::deadline::Deadline;
use crate::settings::InvalidConfiguration;
use crate::settings::environment::Environment;
use crate::settings::layers::quoted;
use crate::transport::{Request, Response, Transport, TransportError};

const DEFAULT_PORT: u16 = 2773;
const TOKEN_HEADER: &str = "X-Aws-Parameters-Secrets-Token";

/// The longest that one answer is waited for: the extension itself waits without end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pauses before another try. The extension may still be starting when the first invocation
/// of a sandbox is already there.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// Which secret to read, and how to reach the extension.
#[derive(Clone)]
pub struct SecretReference {
    id: String,
    port: Result<u16, String>,
    token: Option<String>,
}

/// Without the session token.
impl fmt::Debug for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretReference")
            .field("id", &self.id)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// The secret that the environment names; `None` where it names none.
pub fn secret_reference(environment: &Environment) -> Option<SecretReference> {
    let id = environment.get("SNAPSENTRY_CREDENTIALS_SECRET")?.trim();
    if id.is_empty() {
        return None;
    }
    let port = match environment.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT") {
        None => Ok(DEFAULT_PORT),
        Some(text) => match text.trim().parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(text.to_owned()),
        },
    };
    Some(SecretReference {
        id: id.to_owned(),
        port,
        token: environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
    })
}

/// Reads the secret's string. Must be called during an invocation.
///
/// # Errors
/// [`InvalidConfiguration`] that says what to mend; never with anything of the secret in it.
pub async fn read_secret(
    transport: &dyn Transport,
    deadline: Deadline,
    reference: &SecretReference,
) -> Result<SecretString, InvalidConfiguration> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let answer = transport
            .send(deadline.within(PATIENCE), reference.request()?)
            .await;
        match pauses.next() {
            Some(pause) if may_still_start(&answer) && deadline.fits(pause) => {
                tokio::time::sleep(pause).await;
            }
            _ => {
                return match answer {
                    Ok(answer) => reference.secret_in(&answer),
                    Err(error) => Err(reference.unreachable(&error)),
                };
            }
        }
    }
}

/// Whether the same request may get another answer in a moment.
fn may_still_start(answer: &Result<Response, TransportError>) -> bool {
    match answer {
        Err(TransportError::Connect(_) | TransportError::Interrupted(_)) => true,
        Err(TransportError::TimedOut | TransportError::TooLarge { .. }) => false,
        Ok(answer) => {
            answer.status().is_server_error()
                || answer.status() == StatusCode::TOO_MANY_REQUESTS
                || says(answer, "not ready")
        }
    }
}

fn says(answer: &Response, word: &str) -> bool {
    !answer.status().is_success() && String::from_utf8_lossy(answer.body()).contains(word)
}

impl SecretReference {
    fn request(&self) -> Result<Request, InvalidConfiguration> {
        let port = self.port.as_ref().map_err(|text| {
            InvalidConfiguration::new(format!(
                "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: {} is not accepted; accepted is a port \
                 from 1 to 65535",
                quoted(text)
            ))
        })?;
        let id = utf8_percent_encode(&self.id, NON_ALPHANUMERIC);
        let mut request = http::Request::builder().method(Method::GET).uri(format!(
            "http://localhost:{port}/secretsmanager/get?secretId={id}"
        ));
        if let Some(token) = &self.token {
            let mut token = HeaderValue::from_str(token).map_err(|_| {
                InvalidConfiguration::new("AWS_SESSION_TOKEN: its value (not shown) is no token")
            })?;
            token.set_sensitive(true);
            request = request.header(TOKEN_HEADER, token);
        }
        request
            .body(Bytes::new())
            .map_err(|_| self.fault("its name makes no valid request"))
    }

    fn secret_in(&self, answer: &Response) -> Result<SecretString, InvalidConfiguration> {
        if !answer.status().is_success() {
            return Err(self.refused(answer));
        }
        // Errors of the JSON reader quote what they find, so none of them is passed on.
        let value: Map<String, Value> = serde_json::from_slice(answer.body()).map_err(|_| {
            self.fault(
                "the extension's answer is not the JSON of GetSecretValue; check that \
                 PARAMETERS_SECRETS_EXTENSION_HTTP_PORT is the extension's port",
            )
        })?;
        let text = value.get("SecretString").and_then(Value::as_str);
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => Ok(SecretString::from(text)),
            None => Err(self.fault(
                "the secret has no text (SecretString); store a JSON object of variables or a \
                 clouds.yaml as its string, not as binary",
            )),
        }
    }

    /// What a refusal means. Only words of AWS that are looked for here decide; the answer
    /// itself is not repeated.
    fn refused(&self, answer: &Response) -> InvalidConfiguration {
        let status = answer.status().as_u16();
        let says = |word: &str| says(answer, word);
        if says("ResourceNotFoundException") {
            self.fault(
                "there is no such secret in this account and region; check its name or ARN (one \
                 of another account needs the full ARN)",
            )
        } else if says("AccessDenied") && says("kms") || says("DecryptionFailure") {
            self.fault(
                "its encryption key refuses the function; allow its role kms:Decrypt on the \
                 secret's KMS key",
            )
        } else if says("AccessDenied") {
            self.fault(
                "access denied; allow the function's role secretsmanager:GetSecretValue on the \
                 secret (and kms:Decrypt on its key, if it has one of its own)",
            )
        } else if says("InvalidRequestException") {
            self.fault("the secret is marked for deletion; restore it, or name another")
        } else if status == 401 || status == 403 {
            self.fault(&format!(
                "the extension refused the session token ({status}); AWS_SESSION_TOKEN has to be \
                 the function's own, which Lambda sets, and the role has to allow \
                 secretsmanager:GetSecretValue (access denied)"
            ))
        } else if says("not ready") {
            self.fault("the extension is not ready yet; the next invocation will find it so")
        } else {
            self.fault(&format!(
                "the extension answered {status}; its own log lines, beside these, say why"
            ))
        }
    }

    fn unreachable(&self, error: &TransportError) -> InvalidConfiguration {
        let port = self.port.as_ref().copied().unwrap_or(DEFAULT_PORT);
        self.fault(&match error {
            TransportError::TimedOut => "the extension did not answer in time; check that the \
                function can reach Secrets Manager (in a VPC it needs an endpoint or a NAT), and \
                set SECRETS_MANAGER_TIMEOUT_MILLIS"
                .to_owned(),
            TransportError::TooLarge { .. } => "the extension's answer is too large".to_owned(),
            TransportError::Connect(_) | TransportError::Interrupted(_) => format!(
                "the AWS Parameters and Secrets Lambda Extension cannot be reached at \
                 localhost:{port} ({error}); add its layer to the function, or set \
                 PARAMETERS_SECRETS_EXTENSION_HTTP_PORT to its port"
            ),
        })
    }

    /// The name or ARN; not shown where it looks like neither, since somebody may have put the
    /// secret itself there.
    fn shown(&self) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:-!".contains(c);
        if self.id.chars().all(is_plain) {
            quoted(&self.id)
        } else {
            "its value (not shown, as it is neither a name nor an ARN)".to_owned()
        }
    }

    fn fault(&self, problem: &str) -> InvalidConfiguration {
        InvalidConfiguration::new(format!(
            "SNAPSENTRY_CREDENTIALS_SECRET: {}: {problem}",
            self.shown()
        ))
    }
}
