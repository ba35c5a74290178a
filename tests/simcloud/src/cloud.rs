//! The cloud, and the way of a request into it and out of it.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::attendance::End;
use crate::call::Call;
use crate::config::Config;
use crate::faults::{self, Misfortune};
use crate::hooks::{self, Action, When};
use crate::journal::{Entry, Outcome};
use crate::route::{Service, Target};
use crate::state::State;

/// An embedded OpenStack cloud with Keystone, Cinder and a little of Nova. Clones are the same
/// cloud.
#[derive(Clone)]
pub struct Cloud(pub(crate) Arc<Mutex<State>>);

/// No whole answer came.
#[derive(Clone, Debug)]
pub enum Interrupted {
    /// No connection was made.
    Refused,
    /// The connection was reset before any answer.
    Reset,
    /// The connection was lost in the middle of this answer: its `Content-Length` says more
    /// than its body has.
    Truncated(Response<Bytes>),
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
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
                End::Interrupted(Interrupted::Reset | Interrupted::Refused) => Outcome::Reset,
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
        let misfortune = faults::befall(&mut state.faults, call.now, service, route, |text| {
            call.contains(text)
        });
        let actions = hooks::take(&mut state.hooks, service, route);
        let latency = state.draw_latency();
        (call, misfortune, latency, actions)
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
