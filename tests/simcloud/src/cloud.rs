//! The way of a request through the cloud: arrival, misfortune, work, answer.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use rand::RngExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::answer::{self, Answer};
use crate::call::{self, Call};
use crate::config::{Config, Latency};
use crate::faults::{self, Kind, Misfortune};
use crate::hooks::{self, Action, When};
use crate::journal::{Entry, Outcome};
use crate::keystone;
use crate::route::{Route, Service, Target};
use crate::state::State;

/// An embedded OpenStack cloud with Keystone, Cinder and a little of Nova. Clones are the same
/// cloud.
#[derive(Clone)]
pub struct Cloud(pub(crate) Arc<Mutex<State>>);

/// No whole answer came.
#[derive(Clone, Debug)]
pub enum Interrupted {
    /// The connection was reset before any answer.
    Reset,
    /// The connection was lost in the middle of this answer: its `Content-Length` says more
    /// than its body has.
    Truncated(Response<Bytes>),
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("connection reset"),
            Self::Truncated(part) => {
                write!(
                    f,
                    "connection lost after {} bytes of the body",
                    part.body().len()
                )
            }
        }
    }
}

impl std::error::Error for Interrupted {}

/// How the handling of a request ends.
enum End {
    Answer(Answer),
    Interrupted(Interrupted),
    Hang,
}

impl Cloud {
    /// A cloud without volumes.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Mutex::new(State::new(config))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere is reported there; the state is whole after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles a request, in process or for a server.
    ///
    /// The cloud goes on working when the future is dropped, like a server whose client has
    /// gone: the work is then done without anybody to hear of it. A hang never resolves. Must be
    /// called in a tokio runtime with time enabled.
    ///
    /// # Errors
    /// [`Interrupted`] where a fault loses the connection.
    pub async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Interrupted> {
        let arrived = Instant::now();
        let (call, misfortune, latency, actions) = self.arrive(request, arrived);
        let _in_flight = InFlight {
            cloud: self.clone(),
            sequence: call.sequence,
        };
        let (answer, waiting) = oneshot::channel();
        let cloud = self.clone();
        tokio::spawn(async move {
            let sequence = call.sequence;
            let end = cloud
                .attend(call, misfortune, arrived, latency, actions)
                .await;
            let outcome = match &end {
                End::Answer(answer) => Outcome::Answered(answer.status().as_u16()),
                End::Interrupted(Interrupted::Reset) => Outcome::Reset,
                End::Interrupted(Interrupted::Truncated(part)) => {
                    Outcome::Truncated(part.status().as_u16())
                }
                End::Hang => Outcome::Hung,
            };
            let request_id = match &end {
                End::Answer(answer) => answer.headers().get("x-openstack-request-id").cloned(),
                _ => None,
            };
            let client_gone = answer.is_closed();
            {
                let mut state = cloud.lock();
                if let Some(entry) = state.journal.entry(sequence) {
                    entry.outcome = outcome;
                    entry.answered = (outcome != Outcome::Hung).then(Instant::now);
                    entry.client_gone = client_gone;
                    entry.answered_request_id =
                        request_id.and_then(|id| id.to_str().ok().map(str::to_owned));
                }
            }
            // A client that has gone meanwhile is the journal's matter, not ours.
            let _ = match end {
                End::Answer(response) => answer.send(Ok(response)).is_ok(),
                End::Interrupted(interrupted) => answer.send(Err(interrupted)).is_ok(),
                End::Hang => false,
            };
        });
        match waiting.await {
            Ok(result) => result,
            Err(_) => pending().await,
        }
    }

    fn arrive(
        &self,
        request: Request<Bytes>,
        arrived: Instant,
    ) -> (Call, Misfortune, Duration, Vec<(When, Action)>) {
        let (parts, body) = request.into_parts();
        let target = Target::of(&parts.method, parts.uri.path(), &body);
        let mut state = self.lock();
        state.settle();
        state.sequence += 1;
        let call = Call {
            sequence: state.sequence,
            tick: state.next_tick(),
            now: state.now(),
            parts,
            body,
            target,
            request_id: format!("req-{}", state.new_id()),
        };
        let (service, route) = (call.target.service, call.target.route);
        let entry = Entry {
            sequence: call.sequence,
            at: call.now,
            arrived,
            answered: None,
            method: call.parts.method.to_string(),
            path: call
                .parts
                .uri
                .path_and_query()
                .map_or("/", |p| p.as_str())
                .to_owned(),
            route,
            request_id: call.header("x-openstack-request-id").map(str::to_owned),
            api_version: call.header("openstack-api-version").map(str::to_owned),
            body: if service == Service::Identity {
                Bytes::new()
            } else {
                call.body.clone()
            },
            worked: false,
            outcome: Outcome::Waiting,
            answered_request_id: None,
            client_gone: false,
        };
        let journal = &mut state.journal;
        journal.entries.push(entry);
        *journal.counts.entry(route).or_default() += 1;
        journal.in_flight += 1;
        journal.max_in_flight = journal.max_in_flight.max(journal.in_flight);
        let misfortune = faults::befall(&mut state.faults, service, route, |text| {
            call.contains(text)
        });
        let actions = hooks::take(&mut state.hooks, service, route);
        let latency = state.draw_latency();
        (call, misfortune, latency, actions)
    }

    async fn attend(
        &self,
        mut call: Call,
        misfortune: Misfortune,
        arrived: Instant,
        latency: Duration,
        actions: Vec<(When, Action)>,
    ) -> End {
        let work_at = arrived + latency / 2 + misfortune.before;
        let answer_at = work_at + latency / 2 + misfortune.after;
        wait_until(work_at).await;
        let (before, after): (Vec<_>, Vec<_>) = actions
            .into_iter()
            .partition(|(when, _)| *when == When::Before);
        for (_, action) in before {
            action(self);
        }
        if let Some(early) = self.without_work(&mut call, misfortune.kind.as_ref()) {
            wait_until(answer_at).await;
            return early;
        }
        let answer = self.work(&mut call);
        for (_, action) in after {
            action(self);
        }
        wait_until(answer_at).await;
        spoil(answer, misfortune.kind)
    }

    fn work(&self, call: &mut Call) -> Answer {
        let mut state = self.lock();
        state.settle();
        call.now = state.now();
        let answer = call::work(&mut state, call);
        if let Some(entry) = state.journal.entry(call.sequence) {
            entry.worked = true;
        }
        answer
    }

    /// How a misfortune ends that keeps the work from being done now.
    fn without_work(&self, call: &mut Call, kind: Option<&Kind>) -> Option<End> {
        let mut answer = match kind? {
            Kind::ResetBefore => return Some(End::Interrupted(Interrupted::Reset)),
            Kind::HangBefore => return Some(End::Hang),
            Kind::Status {
                code,
                headers,
                body,
            } => {
                let mut answer = match body {
                    Some(body) => answer::json(*code, body.clone()),
                    None => plain_fault(call, *code),
                };
                for (name, value) in headers {
                    answer::set(&mut answer, name, value);
                }
                answer
            }
            Kind::RateLimit { retry_after } => {
                let mut answer = plain_fault(call, 429);
                if let Some(value) = retry_after {
                    answer::set(&mut answer, "retry-after", value);
                }
                answer
            }
            Kind::LateWork { code, delay } => {
                if delay.is_zero() {
                    self.work(call);
                } else {
                    let mut state = self.lock();
                    let delay = chrono::TimeDelta::from_std(*delay).unwrap_or_default();
                    let at = state.now() + delay;
                    state.work_later(at, call.clone());
                }
                plain_fault(call, *code)
            }
            Kind::Unauthorized => answer::unauthorized(&keystone::address(call)),
            Kind::ExpireToken => {
                let mut state = self.lock();
                let now = state.now();
                let token = call.header("x-auth-token").unwrap_or("").to_owned();
                if let Some(token) = state.tokens.get_mut(&token) {
                    token.expires_at = now;
                }
                return None;
            }
            Kind::Redirect { code, location } => {
                let mut answer = answer::html(*code, "Moved", "The resource is elsewhere.");
                answer::set(&mut answer, "location", location);
                answer
            }
            _ => return None,
        };
        call::finish(call, &mut answer);
        Some(End::Answer(answer))
    }
}

async fn wait_until(instant: Instant) {
    if instant > Instant::now() {
        sleep_until(instant).await;
    }
}

fn plain_fault(call: &Call, status: u16) -> Answer {
    let text = format!("The embedded cloud was told to answer {status}.");
    match (call.target.service, status) {
        (_, 401) => answer::unauthorized(&keystone::address(call)),
        (Service::Identity, _) => answer::keystone_error(status, &text),
        _ => answer::fault(status, &text),
    }
}

/// What becomes of an answer to work that was done.
fn spoil(mut answer: Answer, kind: Option<Kind>) -> End {
    match kind {
        Some(Kind::ResetAfter) => End::Interrupted(Interrupted::Reset),
        Some(Kind::HangAfter) => End::Hang,
        Some(Kind::Truncate) => {
            // An answer without a body is cut before its first byte.
            if answer.body().is_empty() {
                return End::Interrupted(Interrupted::Reset);
            }
            let half = answer.body().slice(..answer.body().len() / 2);
            *answer.body_mut() = half;
            End::Interrupted(Interrupted::Truncated(answer))
        }
        Some(Kind::NotJson) => {
            let page = Bytes::from_static(b"<html><body><h1>It works!</h1></body></html>");
            answer::set(&mut answer, "content-type", "text/html; charset=UTF-8");
            answer::set(&mut answer, "content-length", &page.len().to_string());
            *answer.body_mut() = page;
            End::Answer(answer)
        }
        Some(Kind::Oversized { bytes }) => {
            answer::set(&mut answer, "content-length", &bytes.to_string());
            *answer.body_mut() = vec![b' '; bytes].into();
            End::Answer(answer)
        }
        _ => End::Answer(answer),
    }
}

impl State {
    fn draw_latency(&mut self) -> Duration {
        match self.config.latency {
            Latency::None => Duration::ZERO,
            Latency::Fixed(latency) => latency,
            Latency::LogNormal { median, sigma } => {
                // Box and Muller: two even draws make a normal one.
                let (u, v): (f64, f64) = (self.weather.random(), self.weather.random());
                let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                median.mul_f64((sigma * normal).exp())
            }
        }
    }
}

/// Counts a request as in flight until its client has the answer or has gone.
struct InFlight {
    cloud: Cloud,
    sequence: u64,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.cloud.lock();
        state.journal.in_flight = state.journal.in_flight.saturating_sub(1);
        if let Some(entry) = state.journal.entry(self.sequence) {
            // Nobody stops waiting without an answer but by leaving.
            entry.client_gone |= matches!(entry.outcome, Outcome::Waiting | Outcome::Hung);
        }
    }
}

impl Route {
    /// Whether the call changes something.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::CreateSnapshot
                | Self::DeleteSnapshot
                | Self::ForceDelete
                | Self::SnapshotAction
                | Self::UpdateVolume
                | Self::MergeVolumeMetadata
                | Self::ReplaceVolumeMetadata
                | Self::SetVolumeMetadataKey
                | Self::DeleteVolumeMetadataKey
                | Self::MergeSnapshotMetadata
                | Self::ReplaceSnapshotMetadata
        )
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Cloud")
            .field("volumes", &state.volumes.len())
            .field("snapshots", &state.snapshots.len())
            .field("requests", &state.sequence)
            .finish_non_exhaustive()
    }
}
