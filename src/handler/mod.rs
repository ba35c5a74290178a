//! One invocation, from event to answer.
//!
//! [`Handler::handle`] is the whole of it: read the event, get the settings of the cloud that is
//! meant ([`warm`]), do the work there ([`invocation`], [`mod@report`]) or list the clouds
//! ([`targets`]), and print one metrics line, whatever came of it.

mod invocation;
mod report;
mod targets;
mod time_limit;
mod warm;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use lambda_runtime::Diagnostic;
use rand::RngExt;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::Instant;
use tracing::Instrument;

use crate::clock::Clock;
use crate::error::InvocationError;
use crate::event::{Event, EventLabels, InvalidEvent, Phase};
use crate::lock::lock;
use crate::platform::Platform;
use crate::report::{Figures, Metrics, ProjectLabel, metrics_line};
use crate::settings::{Environment, Files, TimeBounds, served_phases};
use crate::widget;
use invocation::InvocationContext;
use warm::{KnownSecret, WarmStates};

/// What the runtime tells of an invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's id for it.
    pub request_id: String,
    /// When Lambda will end it.
    pub deadline: DateTime<Utc>,
    /// The time now: when the event arrived.
    pub now: DateTime<Utc>,
    /// What randomness is drawn from.
    pub seed: u64,
    /// The ARN that was invoked: what a click on a dashboard invokes again.
    pub invoked_function_arn: String,
}

/// Serves invocations, one after another. What outlives one is kept here: the secret as it was read
/// last and, for each of the clouds that were used last, settings, certificates, and the token with
/// its catalogue.
pub struct Handler {
    environment: Environment,
    files: Box<dyn Files + Send + Sync>,
    platform: Box<dyn Platform>,
    secret: Mutex<KnownSecret>,
    clouds: Mutex<WarmStates>,
    has_told_of_missing_deadline: AtomicBool,
}

/// How an invocation ended, and what is known of it then.
struct Ended {
    result: Result<Box<RawValue>, InvocationError>,
    stats: InvocationStats,
}

/// What the metrics tell of an invocation.
#[derive(Default)]
struct InvocationStats {
    sent: u64,
    retried: u64,
    figures: Figures,
    project: Option<ProjectLabel>,
}

impl From<InvocationError> for Ended {
    fn from(error: InvocationError) -> Self {
        Self {
            result: Err(error),
            stats: InvocationStats::default(),
        }
    }
}

impl Handler {
    /// A handler on this platform. Nothing is read or sent before the first invocation.
    pub fn new(
        environment: Environment,
        files: Box<dyn Files + Send + Sync>,
        platform: Box<dyn Platform>,
    ) -> Self {
        Self {
            environment,
            files,
            platform,
            secret: Mutex::default(),
            clouds: Mutex::default(),
            has_told_of_missing_deadline: AtomicBool::new(false),
        }
    }

    /// Serves one invocation and gives its answer.
    ///
    /// # Errors
    /// Type and message of the error, when the invocation as a whole could not do its work.
    pub async fn handle(
        &self,
        payload: &Value,
        invocation: &Invocation,
    ) -> Result<Box<RawValue>, Diagnostic> {
        let begun = Instant::now();
        let clock = Clock::showing(invocation.now);
        let run_id = format!("req-{}", invocation.request_id);
        let labels = EventLabels::of(payload);
        let span = tracing::info_span!(
            "run",
            run_id,
            phase = labels.phase.map_or("unknown", Phase::as_str),
            cloud = labels.cloud.as_ref().map(|cloud| cloud.as_str()),
            lambda_request_id = invocation.request_id
        );
        async {
            let work = self.dispatch(payload, invocation, &run_id, begun);
            // A panic is a mistake of ours; it is measured, and then reported by the runtime.
            let ended = AssertUnwindSafe(work).catch_unwind().await;
            let (result, stats) = match ended {
                Ok(Ok(ended) | Err(ended)) => (Ok(ended.result), ended.stats),
                Err(panic) => (Err(panic), InvocationStats::default()),
            };
            let error_type = match &result {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => {
                    let error_type = error.error_type();
                    tracing::error!(error_type, %error, "invocation failed");
                    Some(error_type)
                }
                Err(_) => Some("Panic"),
            };
            // Of the end: an alarm looks at the newest period alone, which a pass that waits for a
            // backend that hangs has long left behind when it prints.
            self.print_metrics(labels, clock.now(), begun, &stats, error_type);
            let result = result.unwrap_or_else(|panic| resume_unwind(panic));
            result.map_err(Diagnostic::from)
        }
        .instrument(span)
        .await
    }

    async fn dispatch(
        &self,
        payload: &Value,
        invocation: &Invocation,
        run_id: &str,
        begun: Instant,
    ) -> Result<Ended, Ended> {
        let clock = Clock::showing(invocation.now);
        let event = Event::parse(payload).map_err(InvocationError::from)?;
        // What the environment says holds before the secret is asked for.
        self.serves(event.phase(), self.environment.get("SNAPSENTRY_PHASES"))?;
        let deadline = self.deadline(invocation, begun, TimeBounds::of(&self.environment));
        if event != Event::Describe {
            self.ask_for_secret(deadline).await?;
        }
        self.serves(event.phase(), self.text("SNAPSENTRY_PHASES").as_deref())?;
        lock(&self.clouds).forget_stale_listings(invocation.now);
        match event {
            Event::Describe => Ok(Ended {
                result: Ok(json(&widget::DOCUMENTATION)),
                stats: InvocationStats::default(),
            }),
            Event::Targets(request) => Ok(self.targets(run_id, invocation.now, request)?),
            Event::Cloud { cloud, request } => {
                let warm = self.warm_state(cloud.as_ref())?;
                let context = InvocationContext {
                    request,
                    cloud: cloud.as_ref(),
                    run_id,
                    clock,
                    // The secret may set the bounds, and could not be read without some.
                    deadline: self.deadline(invocation, begun, warm.settings.time_bounds()),
                    begun,
                    seed: invocation.seed,
                    invoked_function_arn: &invocation.invoked_function_arn,
                };
                Ok(self.serve(&context, &warm).await)
            }
        }
    }

    fn serves(&self, phase: Phase, phases: Option<&str>) -> Result<(), InvocationError> {
        // A list that cannot be read is told by whoever reads the settings.
        match phases.and_then(served_phases) {
            Some(served) if !served.contains(&phase) => {
                let served: Vec<&str> = served.into_iter().map(Phase::as_str).collect();
                Err(InvalidEvent::new(format!(
                    "phase: \"{phase}\" is not served by this function; accepted are {} (of \
                     SNAPSENTRY_PHASES)",
                    served.join(", ")
                ))
                .into())
            }
            _ => Ok(()),
        }
    }

    fn print_metrics(
        &self,
        labels: EventLabels,
        at: DateTime<Utc>,
        begun: Instant,
        stats: &InvocationStats,
        error_type: Option<&str>,
    ) {
        let phases = self.text("SNAPSENTRY_PHASES");
        let phase = labels
            .phase
            .filter(|phase| self.serves(*phase, phases.as_deref()).is_ok());
        if labels.dry_run || !phase.is_none_or(Phase::is_measured) {
            return;
        }
        let project = match &labels.cloud {
            Some(cloud) => cloud.to_string(),
            None => self.project(),
        };
        let fleet = self.text("SNAPSENTRY_FLEET");
        let metrics = Metrics {
            project: &project,
            fleet: fleet.as_deref(),
            phase,
            cloud: labels.cloud.as_ref(),
            project_id: stats.project.as_ref().map(|project| project.id.as_str()),
            figures: &stats.figures,
            requests_sent: stats.sent,
            requests_retried: stats.retried,
            duration_ms: begun.elapsed().as_millis() as u64,
            error_type,
        };
        self.platform.print(&metrics_line(at, &metrics));
    }

    /// The metrics' `Project` where the event names no cloud.
    fn project(&self) -> String {
        let of_token = || lock(&self.clouds).project_name(None);
        self.text("SNAPSENTRY_PROJECT")
            .or_else(of_token)
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// What the environment says, else the secret's variables.
    fn text(&self, variable: &str) -> Option<String> {
        let in_environment = self.environment.get(variable).map(str::trim);
        let in_environment = in_environment.filter(|text| !text.is_empty());
        let in_secret = || lock(&self.secret).variable(variable);
        in_environment.map(str::to_owned).or_else(in_secret)
    }
}

/// The answer's text: with its fields in the order in which people want to read them.
fn json(answer: &impl Serialize) -> Box<RawValue> {
    to_raw_value(answer).expect("answers have string keys and finite numbers only")
}

/// A seed for the randomness of one invocation.
pub fn fresh_seed() -> u64 {
    rand::rng().random()
}
