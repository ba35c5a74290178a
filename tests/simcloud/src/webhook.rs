//! A receiver of notifications that remembers what it was sent.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::answer;
use crate::cloud::Interrupted;
use crate::wire::{Handler, Listener};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Notification {
    /// tokio's clock when it came.
    pub arrived: Instant,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Notification {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's value; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }
}

#[derive(Debug)]
struct Inner {
    status: u16,
    delay: Duration,
    received: Vec<Notification>,
    open: usize,
    max_open: usize,
}

/// A running receiver. It ends when it is dropped.
#[derive(Debug)]
pub struct Webhook {
    inner: Arc<Mutex<Inner>>,
    listener: Listener,
}

impl Webhook {
    /// Starts on a free port and answers 204 at once.
    ///
    /// # Errors
    /// If no port could be had.
    pub async fn start() -> io::Result<Self> {
        let inner = Arc::new(Mutex::new(Inner {
            status: 204,
            delay: Duration::ZERO,
            received: Vec::new(),
            open: 0,
            max_open: 0,
        }));
        let listener = Listener::bind(0, Receiver(Arc::clone(&inner))).await?;
        Ok(Self { inner, listener })
    }

    /// An address at this receiver; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener.address())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.listener.address().port()
    }

    /// Sets what is answered from now on, and after how long. [`Duration::MAX`] is never.
    pub fn answer_with(&self, status: u16, delay: Duration) {
        let mut inner = lock(&self.inner);
        inner.status = status;
        inner.delay = delay;
    }

    /// Everything that came so far.
    pub fn received(&self) -> Vec<Notification> {
        lock(&self.inner).received.clone()
    }

    /// Most requests that were open at one moment.
    pub fn max_open(&self) -> usize {
        lock(&self.inner).max_open
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Receiver(Arc<Mutex<Inner>>);

/// Counts a request as open until it is answered or its client has gone.
struct Open<'a>(&'a Mutex<Inner>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(self.0).open -= 1;
    }
}

impl Handler for Receiver {
    async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Interrupted> {
        let (parts, body) = request.into_parts();
        let (status, delay) = {
            let mut inner = lock(&self.0);
            inner.received.push(Notification {
                arrived: Instant::now(),
                method: parts.method.to_string(),
                path: parts.uri.to_string(),
                headers: parts.headers,
                body,
            });
            inner.open += 1;
            inner.max_open = inner.max_open.max(inner.open);
            (inner.status, inner.delay)
        };
        let _open = Open(&self.0);
        if !delay.is_zero() {
            sleep(delay).await;
        }
        Ok(answer::with_body(status, "text/plain", ""))
    }
}
