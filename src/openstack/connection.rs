//! One pass's way to the cloud: every request goes through [`Connection::send`].
//!
//! It bounds the number of requests in flight, gives each its time-out and its run id, and counts
//! them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use rand::rngs::StdRng;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::auth::Session;
use super::catalogue::EndpointChoice;
use super::credential::Auth;
use super::error::{Error, ErrorKind, LoginError};
use super::observed::Observed;
use super::response::{path_of, refusal, request_id, without_secrets};
use super::retry::RetryConfig;
use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::lock::lock;
use crate::transport::{Request, Response, Transport, TransportError};

/// The right to have one request in flight.
pub(crate) type Permit = OwnedSemaphorePermit;

/// What a request is for: answers of one kind take similar times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequestKind {
    Login,
    List,
    Read,
    Create,
    Delete,
    Write,
}

/// What a connection is made from.
pub(crate) struct ConnectionParts {
    /// The seam through which requests leave.
    pub transport: Arc<dyn Transport>,
    /// What outlives this pass.
    pub session: Arc<Session>,
    /// Where to log in, and as whom.
    pub auth: Auth,
    /// Which endpoints to use.
    pub endpoint: EndpointChoice,
    pub retry: RetryConfig,
    /// The most requests in flight at a time.
    pub max_concurrency: usize,
    /// The longest time between two looks at what is being created.
    pub poll_interval: Duration,
    /// `req-` and a UUID; goes with every request as `X-OpenStack-Request-ID`.
    pub run_id: String,
    pub clock: Clock,
    /// Where randomness comes from.
    pub rng: StdRng,
}

/// One pass's way to the cloud.
pub(crate) struct Connection {
    transport: Arc<dyn Transport>,
    pub(super) session: Arc<Session>,
    pub(super) auth: Auth,
    pub(super) endpoint: EndpointChoice,
    pub(super) retry: RetryConfig,
    run_id: String,
    /// The session's number for this pass.
    pub(super) invocation: u64,
    pub(super) clock: Clock,
    rng: Mutex<StdRng>,
    in_flight: Arc<Semaphore>,
    max_concurrency: usize,
    sent: AtomicU64,
    retried: AtomicU64,
    pub(super) observed: Observed,
}

/// A request that is about to leave.
pub(super) struct Outgoing<'a> {
    pub(super) kind: RequestKind,
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    pub(super) body: Option<Bytes>,
}

impl Connection {
    /// A connection; nothing is sent yet.
    pub(crate) fn new(parts: ConnectionParts) -> Self {
        Self {
            transport: parts.transport,
            invocation: parts.session.next_invocation(),
            session: parts.session,
            auth: parts.auth,
            endpoint: parts.endpoint,
            retry: parts.retry,
            run_id: parts.run_id,
            clock: parts.clock,
            rng: Mutex::new(parts.rng),
            in_flight: Arc::new(Semaphore::new(parts.max_concurrency)),
            max_concurrency: parts.max_concurrency,
            sent: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            observed: Observed::default(),
        }
    }

    /// How many requests have been sent, and how many of them were retries.
    pub(crate) fn requests(&self) -> (u64, u64) {
        (
            self.sent.load(Ordering::Relaxed),
            self.retried.load(Ordering::Relaxed),
        )
    }

    /// The most requests that can be in flight at a time.
    pub(crate) fn max_concurrency(&self) -> usize {
        self.max_concurrency
    }

    pub(super) fn has_compute(&self) -> bool {
        self.session
            .usable(self.clock.now())
            .is_some_and(|token| token.compute.is_some())
    }

    pub(super) fn count_retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn with_rng<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut lock(&self.rng))
    }

    /// Waits until this many requests may leave at one moment.
    ///
    /// # Errors
    /// Out of time.
    pub(crate) async fn reserve(
        &self,
        deadline: Deadline,
        requests: usize,
    ) -> Result<Vec<Permit>, Error> {
        let count = u32::try_from(requests).unwrap_or(u32::MAX);
        let mut all = deadline
            .bound(self.in_flight.clone().acquire_many_owned(count))
            .await
            .map_err(|_| Error::out_of_time(None))?
            .expect("the semaphore is never closed");
        let mut permits = Vec::with_capacity(requests);
        while permits.len() + 1 < requests {
            permits.extend(all.split(1));
        }
        permits.push(all);
        Ok(permits)
    }

    /// Sends one request, once, and turns everything but a success into an error.
    pub(super) async fn send(
        &self,
        deadline: Deadline,
        outgoing: Outgoing<'_>,
        permit: Option<Permit>,
    ) -> Result<Response, Error> {
        let permit = match permit {
            Some(permit) => permit,
            None => deadline
                .bound(self.in_flight.clone().acquire_owned())
                .await
                .map_err(|_| Error::out_of_time(None))?
                .expect("the semaphore is never closed"),
        };
        if deadline.remaining().is_zero() {
            return Err(Error::out_of_time(None));
        }
        // Waiting for a permit, or for a fresh token, took time.
        if matches!(outgoing.kind, RequestKind::Create | RequestKind::Delete) {
            self.observed.check_time(deadline, outgoing.kind)?;
        }
        let request = self.build(&outgoing)?;
        let begun = Instant::now();
        self.observed.leaves(outgoing.kind, begun);
        self.sent.fetch_add(1, Ordering::Relaxed);
        let attempt = deadline.within(self.retry.operation_timeout);
        let answer = attempt
            .bound(self.transport.send(attempt, request))
            .await
            .unwrap_or(Err(TransportError::TimedOut));
        drop(permit);
        let took = begun.elapsed();
        let path = path_of(outgoing.url);
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(method = %outgoing.method, path, %error, ms = took.as_millis() as u64, "no answer");
                return Err(Error::new(ErrorKind::Transport(error)).of(outgoing.method, path));
            }
        };
        self.observed.took(outgoing.kind, took);
        tracing::debug!(
            method = %outgoing.method,
            path,
            status = response.status().as_u16(),
            openstack_request_id = request_id(&response),
            ms = took.as_millis() as u64,
            "answered"
        );
        if response.status().is_success() {
            if outgoing.kind == RequestKind::List {
                self.observed.compare_clocks(&response, self.clock.now());
            }
            return Ok(response);
        }
        let refusal = refusal(&response, outgoing.headers, &self.auth, self.clock.now());
        Err(Error::new(refusal)
            .of(outgoing.method, path)
            .under(request_id(&response)))
    }

    fn build(&self, outgoing: &Outgoing<'_>) -> Result<Request, Error> {
        let mut builder = http::Request::builder()
            .method(outgoing.method.clone())
            .uri(outgoing.url)
            .header(header::ACCEPT, "application/json")
            .header("x-openstack-request-id", &self.run_id);
        for (name, value) in outgoing.headers {
            builder = builder.header(name, value);
        }
        if outgoing.body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
        }
        builder
            .body(outgoing.body.clone().unwrap_or_default())
            .map_err(|error| {
                let what = format!(
                    "the address {} cannot be used ({error}); correct OS_AUTH_URL or the catalogue",
                    without_secrets(outgoing.url)
                );
                Error::new(ErrorKind::Login(LoginError::NoEndpoint(what)))
                    .of(outgoing.method.clone(), path_of(outgoing.url))
            })
    }
}
