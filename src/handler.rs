//! One invocation, from event to answer.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::Instant;
use tracing::Instrument;

use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::event::{Glimpse, PassRequest, Phase, Request, SubscribeRequest};
use crate::failure::Failure;
use crate::openstack::{Client, ConnectionParts, EndpointChoice, Session};
use crate::pass::{self, Limits, Pass, subscribe};
use crate::plan::Scope;
use crate::report::{
    About, Answer, Metrics, Notification, Outcome, SubscribeAnswer, Summary, metrics_line, notify,
};
use crate::settings::{
    Environment, Files, SecretText, Settings, TimeBounds, read_secret, secret_reference,
};
use crate::transport::{Https, Transport, Trust};

/// A deadline this far in the past is no deadline: `cargo lambda watch` sends one in 1970.
const IMPLAUSIBLE: TimeDelta = TimeDelta::days(1);
/// Notifications, with the names of VMs that they mention, take at most this long.
const TELLING: Duration = Duration::from_secs(5);
/// Names of VMs are looked up this many at a time.
const NAMES_AT_ONCE: usize = 8;

/// What the handler needs from outside, so that a simulation can stand in for it.
pub trait Surroundings: Send + Sync {
    /// A way out for one invocation: its connections do not outlive it.
    ///
    /// # Errors
    /// The text of what is wrong with the configured certificates.
    fn transport(&self, trust: &Trust) -> Result<Arc<dyn Transport>, String>;
    /// A way to what runs beside the function on the same host.
    ///
    /// # Errors
    /// The text of what is wrong.
    fn local_transport(&self) -> Result<Arc<dyn Transport>, String>;
    /// Prints one line on standard output.
    fn print(&self, line: &str);
}

/// The real surroundings: sockets and standard output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outside;

impl Surroundings for Outside {
    fn transport(&self, trust: &Trust) -> Result<Arc<dyn Transport>, String> {
        let https = Https::new(trust).map_err(|error| error.to_string())?;
        Ok(Arc::new(https))
    }

    fn local_transport(&self) -> Result<Arc<dyn Transport>, String> {
        let trust = Trust::new(None, false).map_err(|error| error.to_string())?;
        let https = Https::direct(&trust).map_err(|error| error.to_string())?;
        Ok(Arc::new(https))
    }

    fn print(&self, line: &str) {
        println!("{line}");
    }
}

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
    surroundings: Box<dyn Surroundings>,
    configured: Mutex<Option<Configured>>,
    has_told_of_missing_deadline: AtomicBool,
}

/// Settings in use, and what goes with them.
#[derive(Clone)]
struct Configured {
    settings: Arc<Settings>,
    secret: Option<SecretText>,
    trust: Arc<Trust>,
    session: Arc<Session>,
}

/// One invocation under way.
struct Run<'a> {
    request: Request,
    run_id: &'a str,
    clock: Clock,
    deadline: Deadline,
    begun: Instant,
    seed: u64,
}

/// What is known of an invocation when it ends, however it ends.
#[derive(Default)]
struct Account {
    sent: u64,
    retried: u64,
    summary: Option<Summary>,
}

impl Handler {
    /// A handler with these surroundings. Nothing is read or sent before the first invocation.
    pub fn new(
        environment: Environment,
        files: Box<dyn Files + Send + Sync>,
        surroundings: Box<dyn Surroundings>,
    ) -> Self {
        Self {
            environment,
            files,
            surroundings,
            configured: Mutex::default(),
            has_told_of_missing_deadline: AtomicBool::new(false),
        }
    }

    /// Serves one invocation and gives its answer.
    ///
    /// # Errors
    /// [`Failure`], when the invocation as a whole could not do its work.
    pub async fn handle(
        &self,
        payload: &Value,
        invocation: &Invocation,
    ) -> Result<Box<RawValue>, Failure> {
        let begun = Instant::now();
        let run_id = format!("req-{}", invocation.request_id);
        let glimpse = Glimpse::of(payload);
        let phase = glimpse.phase.map_or("unknown", Phase::as_str);
        let span = tracing::info_span!(
            "run",
            run_id,
            phase,
            lambda_request_id = invocation.request_id
        );
        async {
            let mut account = Account::default();
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
                self.surroundings
                    .print(&metrics_line(invocation.now, &metrics));
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
        account: &mut Account,
    ) -> Result<Box<RawValue>, Failure> {
        let mut run = Run {
            request: Request::parse(payload)?,
            run_id,
            clock: Clock::showing(invocation.now),
            deadline: self.deadline(invocation, begun, TimeBounds::of(&self.environment)),
            begun,
            seed: invocation.seed,
        };
        let configured = self.configured(run.deadline, None).await?;
        // The secret may set the bounds, and could not be read without some.
        run.deadline = self.deadline(invocation, begun, configured.settings.time_bounds());
        match self.serve(&run, &configured, account).await {
            // The secret may have been rotated since it was read.
            Err(failure) if failure.is_refused_login() && configured.secret.is_some() => {
                let old = configured.secret.as_ref();
                let renewed = self.configured(run.deadline, old).await?;
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

    /// The settings in use. Those that come from a secret are read in the first invocation, and
    /// again where `refused` names the text that no longer works.
    async fn configured(
        &self,
        deadline: Deadline,
        refused: Option<&SecretText>,
    ) -> Result<Configured, Failure> {
        if refused.is_none()
            && let Some(configured) = &*self.configured.lock().unwrap_or_else(|e| e.into_inner())
        {
            return Ok(configured.clone());
        }
        let secret = match secret_reference(&self.environment) {
            None => None,
            Some(reference) => {
                let transport = self
                    .surroundings
                    .local_transport()
                    .map_err(Failure::InvalidConfiguration)?;
                Some(read_secret(&*transport, deadline, &reference).await?)
            }
        };
        let settings = Settings::resolve(&self.environment, secret.as_ref(), &*self.files)?;
        let tls = &settings.tls;
        let trust = Trust::new(tls.ca_certificates.as_deref(), tls.insecure)
            .map_err(|error| Failure::InvalidConfiguration(format!("OS_CACERT: {error}")))?;
        if tls.insecure {
            tracing::warn!(
                "OS_INSECURE is set: the cloud's certificate is not checked, and anybody on the \
                 way can read the credentials"
            );
        }
        let configured = Configured {
            settings: Arc::new(settings),
            secret,
            trust: Arc::new(trust),
            session: Arc::default(),
        };
        *self.configured.lock().unwrap_or_else(|e| e.into_inner()) = Some(configured.clone());
        Ok(configured)
    }

    async fn serve(
        &self,
        run: &Run<'_>,
        configured: &Configured,
        account: &mut Account,
    ) -> Result<Box<RawValue>, Failure> {
        let settings = &configured.settings;
        let transport = self
            .surroundings
            .transport(&configured.trust)
            .map_err(Failure::InvalidConfiguration)?;
        let client = Client::new(
            ConnectionParts {
                transport: transport.clone(),
                session: configured.session.clone(),
                auth: settings.auth.clone(),
                endpoint: EndpointChoice {
                    region: settings.region.clone(),
                    interface: settings.interface.as_str(),
                },
                retry: settings.retry,
                max_concurrency: settings.max_concurrency,
                run_id: run.run_id.to_owned(),
                clock: run.clock,
                rng: StdRng::seed_from_u64(run.seed),
            },
            pass::TAGS,
        );
        let (sent_before, retried_before) = (account.sent, account.retried);
        let note = |account: &mut Account| {
            let (sent, retried) = client.connection().requests();
            account.sent = sent_before + sent;
            account.retried = retried_before + retried;
        };
        let result = match &run.request {
            Request::Subscribe(request) => {
                let subscribed =
                    subscribe::run(&client, run.deadline, run.clock.now(), request).await;
                note(account);
                let subscribed = subscribed?;
                Ok(answer_of_subscription(run, request, &subscribed))
            }
            Request::Snapshot(request) | Request::Expire(request) => {
                let scope = Scope {
                    volume_ids: request.volume_ids.clone(),
                    shard: request.shard,
                };
                let pass = Pass {
                    client: &client,
                    deadline: run.deadline,
                    now: request.as_of.unwrap_or_else(|| run.clock.started_at()),
                    scope: &scope,
                    dry_run: request.dry_run,
                    limits: limits(settings),
                    notifies: settings.webhook.is_some(),
                };
                let passed = match run.request.phase() {
                    Phase::Expire => pass::expire::run(&pass).await,
                    _ => pass::snapshot::run(&pass).await,
                };
                match passed {
                    Ok(mut summary) => {
                        self.tell(run, settings, &client, &*transport, &mut summary)
                            .await;
                        note(account);
                        Ok(answer_of_pass(run, request, account, summary))
                    }
                    Err(error) => {
                        note(account);
                        Err(Failure::of_discovery(error))
                    }
                }
            }
        };
        tracing::debug!(
            provider = client.provider_name(),
            project = configured.session.project_name(),
            requests_sent = account.sent,
            "done"
        );
        result
    }

    /// Sends what failed to the webhook, where there is one.
    async fn tell(
        &self,
        run: &Run<'_>,
        settings: &Settings,
        client: &Client,
        transport: &dyn Transport,
        summary: &mut Summary,
    ) {
        let Some(webhook) = &settings.webhook else {
            return;
        };
        if summary.notifications.is_empty() {
            return;
        }
        let deadline = run.deadline.within(TELLING);
        name_servers(client, deadline, &mut summary.notifications).await;
        let undelivered = notify(transport, deadline, webhook, &summary.notifications).await;
        if undelivered > 0 {
            tracing::warn!(undelivered, "notifications were not delivered");
            summary.warn(format!(
                "{undelivered} of {} notifications were not delivered to the webhook",
                summary.notifications.len()
            ));
        }
    }

    /// The metrics' `Project`: the configured one, else the one that the latest token was for.
    fn project(&self) -> String {
        let label = self
            .environment
            .get("SNAPSENTRY_PROJECT")
            .map(str::to_owned);
        let configured = self.configured.lock().unwrap_or_else(|e| e.into_inner());
        let known = || {
            let configured = configured.as_ref()?;
            let label = configured.settings.project_label.clone();
            label.or_else(|| configured.session.project_name())
        };
        label.or_else(known).unwrap_or_else(|| "unknown".to_owned())
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        max_creating: settings.max_creating,
        poll_interval: settings.poll_interval,
        keep_last: settings.keep_last,
        stuck_after: TimeDelta::from_std(settings.stuck_after).unwrap_or(TimeDelta::MAX),
    }
}

/// Puts the VMs' names into the notifications, as far as they can be had quickly: at most half
/// of the time for telling goes into it.
async fn name_servers(client: &Client, deadline: Deadline, notifications: &mut [Notification]) {
    let deadline = deadline.within(deadline.remaining() / 2);
    let mut servers: Vec<String> = notifications
        .iter()
        .filter_map(|one| one.virtual_machine_id.clone())
        .filter(|id| !id.is_empty())
        .collect();
    servers.sort();
    servers.dedup();
    let names: std::collections::BTreeMap<String, String> = stream::iter(servers)
        .map(async |id| Some((id.clone(), client.server_name(deadline, &id).await?)))
        .buffer_unordered(NAMES_AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    for notification in notifications {
        if let Some(name) = notification
            .virtual_machine_id
            .as_ref()
            .and_then(|id| names.get(id))
        {
            notification.virtual_machine_name = Some(name.clone());
        }
    }
}

fn answer_of_pass(
    run: &Run<'_>,
    request: &PassRequest,
    account: &mut Account,
    summary: Summary,
) -> Box<RawValue> {
    let about = About {
        phase: run.request.phase(),
        run_id: run.run_id,
        dry_run: request.dry_run,
        started_at: run.clock.started_at(),
        duration_ms: run.begun.elapsed().as_millis() as u64,
        sent: account.sent,
        retried: account.retried,
    };
    let summary = account.summary.insert(summary);
    let answer = json(&Answer::new(about, summary));
    tracing::info!(answer = %json(&Answer::new(about, summary).without_plan()), "passed");
    answer
}

fn answer_of_subscription(
    run: &Run<'_>,
    request: &SubscribeRequest,
    subscription: &subscribe::Subscription,
) -> Box<RawValue> {
    let answer = json(&SubscribeAnswer {
        phase: Phase::Subscribe,
        run_id: run.run_id,
        outcome: Outcome::Complete,
        dry_run: request.dry_run,
        volume_id: &request.volume_id,
        metadata: &subscription.metadata,
        request_id: subscription.request_id.as_deref(),
        warnings: &subscription.warnings,
    });
    tracing::info!(%answer, volume_id = request.volume_id, policy = %request.policy, "subscribed");
    answer
}

/// The answer's text: with its fields in the order in which people want to read them.
fn json(answer: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(answer).expect("answers have string keys and finite numbers only")
}

/// A seed for the randomness of one invocation.
pub fn fresh_seed() -> u64 {
    rand::rng().random()
}
