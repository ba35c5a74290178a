//! The Runtime API: hands out one event at a time and takes its answer.

use std::process::ExitStatus;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc, watch};

use super::Failure;
use crate::answer;
use crate::cloud::Interrupted;
use crate::wire::Handler;

/// An event on its way to the function.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) deadline: u64,
    pub(super) payload: Bytes,
}

/// How far the function has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// How often it has asked for an event.
    pub(super) polls: u64,
    /// The last answer and the invocation it is for.
    posted: Option<(String, Result<Value, Failure>)>,
    pub(super) init_failure: Option<Failure>,
    pub(super) exit: Option<ExitStatus>,
}

impl Progress {
    pub(super) fn posted(&self, id: &str) -> Option<Result<Value, Failure>> {
        let (posted_for, result) = self.posted.as_ref()?;
        (posted_for == id).then(|| result.clone())
    }
}

/// The API of one function.
#[derive(Clone, Debug)]
pub(super) struct RuntimeApi {
    hand_out: mpsc::UnboundedSender<Event>,
    events: Arc<Mutex<mpsc::UnboundedReceiver<Event>>>,
    progress: watch::Sender<Progress>,
}

impl RuntimeApi {
    pub(super) fn new() -> Self {
        let (hand_out, events) = mpsc::unbounded_channel();
        let events = Arc::new(Mutex::new(events));
        Self {
            hand_out,
            events,
            progress: watch::Sender::new(Progress::default()),
        }
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn hand_out(&self, event: Event) {
        self.hand_out
            .send(event)
            .expect("the receiver is part of this API");
    }

    pub(super) fn exited(&self, status: ExitStatus) {
        self.progress
            .send_modify(|progress| progress.exit = Some(status));
    }

    async fn next(&self) -> Response<Bytes> {
        self.progress.send_modify(|progress| progress.polls += 1);
        let event = self
            .events
            .lock()
            .await
            .recv()
            .await
            .expect("this API holds a sender");
        let mut answer = answer::json(200, event.payload);
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:snapsentry";
        answer::set(&mut answer, "lambda-runtime-aws-request-id", &event.id);
        answer::set(
            &mut answer,
            "lambda-runtime-deadline-ms",
            &event.deadline.to_string(),
        );
        answer::set(&mut answer, "lambda-runtime-invoked-function-arn", arn);
        answer
    }

    fn post(&self, id: &str, result: Result<Value, Failure>) -> Response<Bytes> {
        self.progress
            .send_modify(|progress| progress.posted = Some((id.to_owned(), result)));
        answer::json(202, r#"{"status":"OK"}"#)
    }
}

fn failure(body: &[u8]) -> Failure {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    Failure {
        error_type: text("errorType"),
        error_message: text("errorMessage"),
    }
}

impl Handler for RuntimeApi {
    async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Interrupted> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let body = request.into_body();
        Ok(match segments.as_slice() {
            [_, "runtime", "invocation", "next"] => self.next().await,
            [_, "runtime", "invocation", id, "response"] => {
                // An answer need not be JSON for the API; text is then handed on as such.
                let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
                let value = serde_json::from_slice(&body).unwrap_or_else(|_| text());
                self.post(id, Ok(value))
            }
            [_, "runtime", "invocation", id, "error"] => self.post(id, Err(failure(&body))),
            [_, "runtime", "init", "error"] => {
                let failure = failure(&body);
                self.progress
                    .send_modify(|progress| progress.init_failure = Some(failure));
                answer::json(202, r#"{"status":"OK"}"#)
            }
            // An extension inside the function registers to hear of SIGTERM.
            [_, "extension", "register"] => {
                let about = json!({ "functionName": "snapsentry", "functionVersion": "$LATEST" });
                let mut answer = answer::json(200, about.to_string());
                answer::set(&mut answer, "lambda-extension-identifier", "internal");
                answer
            }
            [_, "extension", "event", "next"] => std::future::pending().await,
            _ => answer::json(404, r#"{"errorType":"NotFound"}"#),
        })
    }
}
