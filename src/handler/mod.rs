//! One invocation, from event to answer.
//!
//! [`Handler::handle`] is the whole of it: read the event, get the settings ([`warm`]), do the
//! work with them ([`invocation`]), and print one metrics line, whatever came of it.

mod invocation;
mod telling;
mod warm;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use rand::RngExt;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::Instrument;

use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::error::InvocationError;
use crate::event::{EventLabels, Phase, Request};
use crate::lock::lock;
use crate::platform::Platform;
use crate::report::{Metrics, metrics_line};
use crate::settings::{Environment, Files, TimeBounds};
use invocation::{InvocationContext, InvocationStats};
use warm::WarmState;

/// A deadline this far in the past is no deadline: `cargo lambda watch` sends one in 1970.
const IMPLAUSIBLE: TimeDelta = TimeDelta::days(1);

/// What the runtime tells of an invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's id for it.
    pub request_id: String,
    /// When Lambda will end it.
    pub deadline: DateTime<Utc>,
    /// The time now.
    pub now: DateTime<Utc>,
    /// What randomness is drawn from.
    pub seed: u64,
}

/// Serves invocations, one after another. What outlives one is kept here: the settings, the
/// certificates, the token and its catalogue.
pub struct Handler {
    environment: Environment,
    files: Box<dyn Files + Send + Sync>,
    platform: Box<dyn Platform>,
    warm: Mutex<Option<WarmState>>,
    has_told_of_missing_deadline: AtomicBool,
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
            warm: Mutex::default(),
            has_told_of_missing_deadline: AtomicBool::new(false),
        }
    }

    /// Serves one invocation and gives its answer.
    ///
    /// # Errors
    /// [`InvocationError`], when the invocation as a whole could not do its work.
    pub async fn handle(
        &self,
        payload: &Value,
        invocation: &Invocation,
    ) -> Result<Box<RawValue>, InvocationError> {
        let begun = Instant::now();
        let run_id = format!("req-{}", invocation.request_id);
        let glimpse = EventLabels::of(payload);
        let phase = glimpse.phase.map_or("unknown", Phase::as_str);
        let span = tracing::info_span!(
            "run",
            run_id,
            phase,
            lambda_request_id = invocation.request_id
        );
        async {
            let mut account = InvocationStats::default();
            let run = self.run(payload, invocation, &run_id, begun, &mut account);
            // A panic is a mistake of ours; it is measured, and then reported by the runtime.
            let result = AssertUnwindSafe(run).catch_unwind().await;
            let error_type = match &result {
                Ok(Ok(_)) => None,
                Ok(Err(failure)) => {
                    let error_type = failure.error_type();
                    tracing::error!(error_type, error = %failure, "failed");
                    Some(error_type)
                }
                Err(_) => Some("Panic"),
            };
            if !glimpse.dry_run {
                let metrics = Metrics {
                    project: &self.project(),
                    phase,
                    summary: account.summary.as_ref(),
                    requests_sent: account.sent,
                    requests_retried: account.retried,
                    duration_ms: begun.elapsed().as_millis() as u64,
                    error_type,
                };
                self.platform.print(&metrics_line(invocation.now, &metrics));
            }
            result.unwrap_or_else(|panic| resume_unwind(panic))
        }
        .instrument(span)
        .await
    }

    async fn run(
        &self,
        payload: &Value,
        invocation: &Invocation,
        run_id: &str,
        begun: Instant,
        account: &mut InvocationStats,
    ) -> Result<Box<RawValue>, InvocationError> {
        let mut run = InvocationContext {
            request: Request::parse(payload)?,
            run_id,
            clock: Clock::showing(invocation.now),
            deadline: self.deadline(invocation, begun, TimeBounds::of(&self.environment)),
            begun,
            seed: invocation.seed,
        };
        let warm = self.warm_state(run.deadline, None).await?;
        // The secret may set the bounds, and could not be read without some.
        run.deadline = self.deadline(invocation, begun, warm.settings.time_bounds());
        match self.serve(&run, &warm, account).await {
            // The secret may have been rotated since it was read.
            Err(failure) if failure.is_refused_login() && warm.secret.is_some() => {
                let old = warm.secret.as_ref();
                let renewed = self.warm_state(run.deadline, old).await?;
                if renewed
                    .secret
                    .as_ref()
                    .zip(old)
                    .is_some_and(|(new, old)| new.same_as(old))
                {
                    return Err(failure);
                }
                tracing::info!("the login was refused, and the secret has changed: once more");
                self.serve(&run, &renewed, account).await
            }
            served => served,
        }
    }

    fn deadline(&self, invocation: &Invocation, begun: Instant, bounds: TimeBounds) -> Deadline {
        let left = invocation.deadline - invocation.now;
        if left < -IMPLAUSIBLE {
            if !self
                .has_told_of_missing_deadline
                .swap(true, Ordering::Relaxed)
            {
                tracing::warn!(
                    timeout = ?bounds.default_timeout,
                    "the runtime gave no deadline; a pass takes SNAPSENTRY_DEFAULT_TIMEOUT"
                );
            }
            return Deadline::at(begun + bounds.default_timeout);
        }
        let left = left.to_std().unwrap_or_default();
        Deadline::at(begun + left.saturating_sub(bounds.deadline_margin))
    }

    /// The metrics' `Project`: the warm one, else the one that the latest token was for.
    fn project(&self) -> String {
        let label = self
            .environment
            .get("SNAPSENTRY_PROJECT")
            .map(str::to_owned);
        let warm = lock(&self.warm);
        let known = || {
            let warm = warm.as_ref()?;
            let label = warm.settings.project_label.clone();
            label.or_else(|| warm.session.project_name())
        };
        label.or_else(known).unwrap_or_else(|| "unknown".to_owned())
    }
}

/// A seed for the randomness of one invocation.
pub fn fresh_seed() -> u64 {
    rand::rng().random()
}
