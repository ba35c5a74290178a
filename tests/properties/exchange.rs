//! What stands where the network is: the embedded cloud, whose answers are spoilt on their way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use seam::Way;
use serde_json::Value;
use simcloud::Cloud;
use snapsentry::deadline::Deadline;
use snapsentry::transport::{Request, Response, TransportError};

use crate::damage::HUGE;

/// More than any pass of these tests has to send: some look in vain until their time is over.
const MOST_REQUESTS: usize = 5_000;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Login,
    Volumes,
    Volume,
    Snapshots,
    Snapshot,
    Create,
    Delete,
    Write,
    Server,
}

impl Call {
    pub(crate) const ALL: [Self; 9] = [
        Self::Login,
        Self::Volumes,
        Self::Volume,
        Self::Snapshots,
        Self::Snapshot,
        Self::Create,
        Self::Delete,
        Self::Write,
        Self::Server,
    ];

    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_get = request.method() == Method::GET;
        match path {
            _ if path.ends_with("/auth/tokens") => Self::Login,
            _ if path.contains("/servers/") => Self::Server,
            _ if path.ends_with("/volumes/detail") => Self::Volumes,
            _ if path.ends_with("/snapshots/detail") => Self::Snapshots,
            _ if path.ends_with("/snapshots") => Self::Create,
            _ if path.contains("/snapshots/") && is_get => Self::Snapshot,
            _ if path.contains("/snapshots/") => Self::Delete,
            _ if is_get => Self::Volume,
            _ => Self::Write,
        }
    }
}

/// What happens to an answer.
pub(crate) type Spoil = Box<dyn Fn(Call, &mut Response) + Send + Sync>;

/// One request, and the answer as it was shown.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) call: Call,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Exchange {
    /// The body, where it is JSON and the answer a success.
    pub(crate) fn shown(&self) -> Option<Value> {
        let is_success = (200..300).contains(&self.status);
        // No tree of values can hold some of what may be skipped.
        let text = String::from_utf8_lossy(&self.body).replace(HUGE, "0");
        is_success.then(|| serde_json::from_str(&text).ok())?
    }

    /// Whether it was to change something.
    pub(crate) fn writes(&self) -> bool {
        self.method != Method::GET && self.call != Call::Login
    }
}

/// What has gone out and come in. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<(Vec<Exchange>, Vec<String>)>>);

impl Record {
    fn kept(&self) -> MutexGuard<'_, (Vec<Exchange>, Vec<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.kept().0.clone()
    }

    /// Lines on standard output.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.kept().1.clone()
    }
}

/// The way of one pass's requests.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) cloud: Cloud,
    pub(crate) record: Record,
    pub(crate) spoil: Arc<Spoil>,
}

impl Way for Outside {
    async fn send(&self, deadline: Deadline, request: Request) -> Result<Response, TransportError> {
        let call = Call::of(&request);
        let (method, url) = (request.method().clone(), request.uri().to_string());
        // Under a paused clock, a pass that goes round in circles would never end.
        let sent = self.record.kept().0.len();
        assert!(sent < MOST_REQUESTS, "the pass does not stop: {url}");
        let mut answer = seam::answered(&self.cloud, deadline, request, usize::MAX).await?;
        (self.spoil)(call, &mut answer);
        self.record.kept().0.push(Exchange {
            call,
            method,
            url,
            status: answer.status().as_u16(),
            body: answer.body().clone(),
        });
        Ok(answer)
    }

    fn print(&self, line: &str) {
        self.record.kept().1.push(line.to_owned());
    }
}

/// Puts a header into an answer, where its value can be sent at all.
pub(crate) fn set_header(answer: &mut Response, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        answer
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

/// Gives an answer another status.
pub(crate) fn set_status(answer: &mut Response, status: u16) {
    *answer.status_mut() = StatusCode::from_u16(status).expect("drawn from 200 to 599");
}
