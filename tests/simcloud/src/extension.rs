//! The AWS Parameters and Secrets Lambda Extension as a function sees it: an HTTP interface on
//! localhost that gives secrets to whoever has the sandbox's session token.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use url::form_urlencoded;

use crate::answer;
use crate::cloud::Interrupted;
use crate::wire::{Handler, Listener};

/// What a request for a secret gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The secret's string.
    Secret(String),
    /// A secret that has bytes and no string.
    Binary,
    /// An answer of this status with this text, such as 400 and an `AccessDeniedException`.
    Status(u16, String),
    /// No answer.
    Hang,
    /// The connection is reset.
    Reset,
}

impl Reply {
    /// The 400 of a role that may not read the secret.
    pub fn access_denied() -> Self {
        let text = "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/demo is \
                    not authorized to perform: secretsmanager:GetSecretValue";
        Self::Status(400, text.into())
    }

    /// The 400 of a secret that is not there.
    pub fn not_found() -> Self {
        let text = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
        Self::Status(400, text.into())
    }
}

/// A request that the extension got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The secret asked for.
    pub secret_id: String,
    /// Whether the session token was the right one.
    pub authorized: bool,
}

#[derive(Debug)]
struct Inner {
    session_token: String,
    replies: VecDeque<Reply>,
    reads: Vec<Read>,
}

/// A running extension. It ends when it is dropped.
#[derive(Debug)]
pub struct Extension {
    inner: Arc<Mutex<Inner>>,
    listener: Listener,
}

impl Extension {
    /// Starts on a free port. Every request gets the next of the replies; the last one goes on
    /// for ever: `[Secret(old), Secret(new)]` is a rotation after one read.
    ///
    /// # Errors
    /// If no port could be had.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let inner = Arc::new(Mutex::new(Inner {
            session_token: "not-a-secret-session-token".into(),
            replies: replies.into_iter().collect(),
            reads: Vec::new(),
        }));
        let listener = Listener::bind(0, Secrets(Arc::clone(&inner))).await?;
        Ok(Self { inner, listener })
    }

    /// The port, for `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`.
    pub fn port(&self) -> u16 {
        self.listener.address().port()
    }

    /// The variables that lead a function to this extension and let it in.
    pub fn env(&self) -> Vec<(String, String)> {
        vec![
            (
                "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT".into(),
                self.port().to_string(),
            ),
            (
                "AWS_SESSION_TOKEN".into(),
                lock(&self.inner).session_token.clone(),
            ),
        ]
    }

    /// Sets what comes from now on.
    pub fn set(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.inner).replies = replies.into_iter().collect();
    }

    /// The requests so far.
    pub fn reads(&self) -> Vec<Read> {
        lock(&self.inner).reads.clone()
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Secrets(Arc<Mutex<Inner>>);

impl Secrets {
    /// Counts a read and decides what it gets.
    fn reply(&self, request: &Request<Bytes>, secret_id: &str) -> Reply {
        let mut inner = lock(&self.0);
        let token = request.headers().get("x-aws-parameters-secrets-token");
        let authorized = token.is_some_and(|token| *token == inner.session_token);
        inner.reads.push(Read {
            secret_id: secret_id.to_owned(),
            authorized,
        });
        if !authorized {
            return Reply::Status(401, "The request is not authorized.".into());
        }
        let next = if inner.replies.len() > 1 {
            inner.replies.pop_front()
        } else {
            inner.replies.front().cloned()
        };
        next.unwrap_or_else(Reply::not_found)
    }
}

impl Handler for Secrets {
    async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Interrupted> {
        if request.uri().path() != "/secretsmanager/get" {
            return Ok(answer::with_body(404, "text/plain", "not found"));
        }
        let query = request.uri().query().unwrap_or("").as_bytes();
        let secret_id = form_urlencoded::parse(query)
            .find(|(key, _)| key == "secretId")
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default();
        let mut value = json!({
            "ARN": format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{secret_id}"),
            "Name": secret_id, "CreatedDate": "2026-11-22T09:10:00Z",
            "VersionId": "00000000-0000-4000-8000-000000000001", "VersionStages": ["AWSCURRENT"],
            "ResultMetadata": {},
        });
        match self.reply(&request, &secret_id) {
            Reply::Secret(text) => value["SecretString"] = json!(text),
            Reply::Binary => value["SecretBinary"] = json!("bm90LWEtc2VjcmV0"),
            Reply::Status(status, text) => {
                return Ok(answer::with_body(status, "text/plain", text));
            }
            Reply::Hang => std::future::pending().await,
            Reply::Reset => return Err(Interrupted::Reset),
        }
        Ok(answer::json(200, value.to_string()))
    }
}
