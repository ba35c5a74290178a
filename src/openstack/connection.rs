//! One pass's way to the cloud: every request goes through [`Connection::send`].
//!
//! It bounds the number of requests in flight, gives each its time-out and its run id, counts
//! them, and remembers how slow the cloud has been, so that nothing is begun that would not fit
//! before the deadline.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use rand::rngs::StdRng;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use super::catalogue::EndpointChoice;
use super::credential::Auth;
use super::error::{Error, ErrorKind, LoginError};
use super::retry::RetryConfig;
use super::session::Session;
use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::transport::{Request, Response, Transport, TransportError};

/// The Cinder version that is asked for: the first in which snapshots can be listed by metadata.
const MICROVERSION: HeaderValue = HeaderValue::from_static("volume 3.22");
/// The most of the cloud's own message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// The right to have one request in flight.
pub type Permit = OwnedSemaphorePermit;

/// What a request is for: answers of one kind take similar times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Login,
    List,
    Read,
    Create,
    Delete,
    Write,
}

/// What a connection is made from.
pub struct ConnectionParts {
    /// The seam through which requests leave.
    pub transport: Arc<dyn Transport>,
    /// What outlives this pass.
    pub session: Arc<Session>,
    /// Where to log in, and as whom.
    pub auth: Auth,
    /// Which endpoints to use.
    pub endpoint: EndpointChoice,
    /// How requests are tried again.
    pub retry: RetryConfig,
    /// The most requests in flight at a time.
    pub max_concurrency: usize,
    /// `req-` and a UUID; goes with every request as `X-OpenStack-Request-ID`.
    pub run_id: String,
    /// The pass's wall clock.
    pub clock: Clock,
    /// Where randomness comes from.
    pub rng: StdRng,
}

/// One pass's way to the cloud.
pub struct Connection {
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
    slowest: Mutex<BTreeMap<Kind, Duration>>,
    no_microversion: AtomicBool,
}

/// A request that is about to leave.
pub(super) struct Outgoing<'a> {
    pub(super) kind: Kind,
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    pub(super) body: Option<Bytes>,
}

/// The service that a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    BlockStorage,
    Compute,
}

/// A call with a token.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) kind: Kind,
    pub(super) service: Service,
    pub(super) method: Method,
    /// Below the service's address, with the query.
    pub(super) path: &'a str,
    pub(super) body: Option<Bytes>,
}

impl Connection {
    /// A connection; nothing is sent yet.
    pub fn new(parts: ConnectionParts) -> Self {
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
            slowest: Mutex::default(),
            no_microversion: AtomicBool::new(false),
        }
    }

    /// How many requests have been sent, and how many of them were retries.
    pub fn requests(&self) -> (u64, u64) {
        (
            self.sent.load(Ordering::Relaxed),
            self.retried.load(Ordering::Relaxed),
        )
    }

    /// The most requests that can be in flight at a time.
    pub fn max_concurrency(&self) -> usize {
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
        draw(&mut locked(&self.rng))
    }

    /// Waits until this many requests may leave at one moment.
    ///
    /// # Errors
    /// Out of time.
    pub async fn reserve(&self, deadline: Deadline, requests: usize) -> Result<Vec<Permit>, Error> {
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

    /// Refuses to begin what would probably not be done before the deadline, judged by the
    /// slowest answer of its kind, or before the first by the slowest of any but listings.
    pub(super) fn begin(&self, deadline: Deadline, kind: Kind) -> Result<(), Error> {
        let slowest = locked(&self.slowest);
        let expected = slowest.get(&kind).copied().unwrap_or_else(|| {
            slowest
                .iter()
                .filter(|(kind, _)| **kind != Kind::List)
                .map(|(_, slowest)| *slowest)
                .max()
                .unwrap_or_default()
        });
        if deadline.fits(expected) {
            Ok(())
        } else {
            Err(Error::out_of_time(None))
        }
    }

    /// Makes one call. A 401 fetches one fresh token, shared by all who were refused with the
    /// old one, and the call is made once more; a 401 with a token that was itself fetched
    /// because of a 401 is final.
    ///
    /// Where a `permit` is handed in, the request leaves without waiting for one.
    pub(super) async fn call(
        &self,
        deadline: Deadline,
        call: &Call<'_>,
        mut permit: Option<Permit>,
    ) -> Result<Response, Error> {
        let mut refused = None;
        loop {
            let token = match self.session.usable(self.clock.now()) {
                Some(token) if refused.is_none() => token,
                _ => {
                    // Logging in needs a permit of its own.
                    permit = None;
                    self.token(deadline, refused.as_deref()).await?
                }
            };
            let base = match call.service {
                Service::BlockStorage => Some(&token.block_storage),
                Service::Compute => token.compute.as_ref(),
            };
            let base = base.map(Url::as_str).unwrap_or_default();
            let url = format!("{base}{}", call.path);
            let mut headers = vec![(
                HeaderName::from_static("x-auth-token"),
                token.header.clone(),
            )];
            let with_version =
                call.service == Service::BlockStorage && self.asks_for_microversion();
            if with_version {
                headers.push((
                    HeaderName::from_static("openstack-api-version"),
                    MICROVERSION,
                ));
            }
            let outgoing = Outgoing {
                kind: call.kind,
                method: call.method.clone(),
                url: &url,
                headers: &headers,
                body: call.body.clone(),
            };
            let error = match self.send(deadline, outgoing, permit.take()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match error.status() {
                Some(StatusCode::UNAUTHORIZED)
                    if refused.is_none()
                        && token.replaced_a_refused_one_in != Some(self.invocation) =>
                {
                    tracing::debug!(%error, "the token was refused; fetching a fresh one");
                    refused = Some(token);
                    self.count_retry();
                }
                Some(StatusCode::NOT_ACCEPTABLE) if with_version => {
                    tracing::debug!(%error, "the cloud does not know this microversion");
                    self.go_on_without_microversion();
                }
                _ => return Err(error),
            }
        }
    }

    /// Whether a microversion is still asked for.
    pub(super) fn asks_for_microversion(&self) -> bool {
        !self.no_microversion.load(Ordering::Relaxed)
    }

    /// Stops asking for a microversion.
    pub(super) fn go_on_without_microversion(&self) {
        self.no_microversion.store(true, Ordering::Relaxed);
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
        if matches!(outgoing.kind, Kind::Create | Kind::Delete) {
            self.begin(deadline, outgoing.kind)?;
        }
        let request = self.build(&outgoing)?;
        let begun = Instant::now();
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
                return Err(Error {
                    request: Some((outgoing.method, path)),
                    request_id: None,
                    kind: ErrorKind::Transport(error),
                });
            }
        };
        let mut slowest = locked(&self.slowest);
        let so_far = slowest.entry(outgoing.kind).or_default();
        *so_far = took.max(*so_far);
        drop(slowest);
        tracing::debug!(
            method = %outgoing.method,
            path,
            status = response.status().as_u16(),
            openstack_request_id = request_id(&response),
            ms = took.as_millis() as u64,
            "answered"
        );
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Error {
            request_id: request_id(&response),
            kind: self.refusal(&response, &outgoing),
            request: Some((outgoing.method, path)),
        })
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
            .map_err(|error| Error {
                request: Some((outgoing.method.clone(), path_of(outgoing.url))),
                request_id: None,
                kind: ErrorKind::Login(LoginError::NoEndpoint(format!(
                    "the address {} cannot be used ({error}); correct OS_AUTH_URL or the catalogue",
                    without_secrets(outgoing.url)
                ))),
            })
    }

    fn refusal(&self, response: &Response, outgoing: &Outgoing<'_>) -> ErrorKind {
        if response.status().is_redirection() {
            return ErrorKind::Redirect {
                location: response
                    .headers()
                    .get(header::LOCATION)
                    .and_then(|location| location.to_str().ok())
                    .map_or_else(|| "nowhere".into(), without_secrets),
            };
        }
        ErrorKind::Status {
            status: response.status(),
            message: self.without_secrets(message(response), outgoing),
            retry_after: self.retry_after(response),
        }
    }

    /// A text without what was sent in confidence, should some cloud repeat it in an error.
    fn without_secrets(&self, text: String, outgoing: &Outgoing<'_>) -> String {
        let tokens = outgoing
            .headers
            .iter()
            .filter(|(_, value)| value.is_sensitive())
            .filter_map(|(_, value)| value.to_str().ok());
        tokens.fold(self.auth.without_secrets(text), |text, token| {
            text.replace(token, "***")
        })
    }

    /// `Retry-After` in seconds, or as a date by the pass's clock.
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if is_number(value.trim()) {
            // One that is too large to hold is too long to wait, however long it is.
            let seconds = value.trim().parse().unwrap_or(u64::MAX);
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(value.trim()).ok()?;
        let wait = date.to_utc() - self.clock.now();
        Some(wait.to_std().unwrap_or_default())
    }

    /// Reads a success's body as JSON.
    pub(super) fn parse<T: DeserializeOwned>(
        &self,
        method: &Method,
        url: &str,
        response: &Response,
    ) -> Result<T, Error> {
        serde_json::from_slice(response.body()).map_err(|error| {
            // serde's own message may quote the body, and a token's body is nobody's business.
            let what = format!(
                "{} bytes that are not the expected JSON ({:?} error at line {}, column {})",
                response.body().len(),
                error.classify(),
                error.line(),
                error.column()
            );
            self.unexpected(method, url, response, &what)
        })
    }

    /// An error about a success that is not what it has to be.
    pub(super) fn unexpected(
        &self,
        method: &Method,
        url: &str,
        response: &Response,
        what: &str,
    ) -> Error {
        Error {
            request: Some((method.clone(), path_of(url))),
            request_id: request_id(response),
            kind: ErrorKind::Body(what.to_owned()),
        }
    }
}

/// A mutex whose holder panicked still guards plain values that are whole.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The id that the cloud gave the request.
pub(super) fn request_id(response: &Response) -> Option<String> {
    ["x-openstack-request-id", "x-compute-request-id"]
        .iter()
        .find_map(|name| response.headers().get(*name))
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned)
}

fn path_of(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        |url| url.path().to_owned(),
    )
}

fn without_secrets(address: &str) -> String {
    let shown = address.split(['?', '#']).next().unwrap_or_default();
    match Url::parse(shown) {
        Ok(mut url) => {
            // Neither fails on an address with a host, and another has neither part.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => shown.to_owned(),
    }
}

/// The cloud's own words: Cinder and Keystone wrap them in an object of one key.
fn message(response: &Response) -> String {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(response.body()) else {
        return response
            .status()
            .canonical_reason()
            .unwrap_or_default()
            .to_owned();
    };
    let text = body
        .as_object()
        .and_then(|envelope| {
            envelope
                .values()
                .chain([&body])
                .find_map(|inner| inner.get("message")?.as_str())
        })
        .unwrap_or_default();
    let mut shortened: String = text.chars().take(LONGEST_MESSAGE).collect();
    if shortened.len() < text.len() {
        shortened.push('…');
    }
    shortened
}
