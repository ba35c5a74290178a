//! One invocation with its settings: the client it works with, the work, and the answer.

use std::sync::Arc;

use chrono::TimeDelta;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::Instant;

use super::Handler;
use super::telling::tell;
use super::warm::WarmState;
use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::error::InvocationError;
use crate::event::{PassRequest, Phase, Request, SubscribeRequest};
use crate::openstack::{Client, ConnectionParts, EndpointChoice};
use crate::pass::subscribe::{self, Subscription};
use crate::pass::{self, Limits, Pass};
use crate::plan::Scope;
use crate::report::{About, Answer, Outcome, SubscribeAnswer, Summary};
use crate::settings::Settings;
use crate::transport::Transport;

/// One invocation under way.
pub(super) struct InvocationContext<'a> {
    pub(super) request: Request,
    pub(super) run_id: &'a str,
    pub(super) clock: Clock,
    pub(super) deadline: Deadline,
    pub(super) begun: Instant,
    pub(super) seed: u64,
}

/// What is known of an invocation when it ends, however it ends.
#[derive(Default)]
pub(super) struct InvocationStats {
    pub(super) sent: u64,
    pub(super) retried: u64,
    pub(super) summary: Option<Summary>,
}

/// What was asked, and what came of it.
enum Done<'a> {
    Passed(&'a PassRequest, Summary),
    Subscribed(&'a SubscribeRequest, Subscription),
}

impl Handler {
    /// Does what is asked, with these settings, and gives the answer.
    pub(super) async fn serve(
        &self,
        run: &InvocationContext<'_>,
        warm: &WarmState,
        account: &mut InvocationStats,
    ) -> Result<Box<RawValue>, InvocationError> {
        let transport = self
            .platform
            .transport(&warm.trust)
            .map_err(InvocationError::InvalidConfiguration)?;
        let client = client(run, warm, transport.clone());
        let done = carry_out(run, &warm.settings, &client, &*transport).await;
        let (sent, retried) = client.connection().requests();
        // What an attempt before this one sent, with a secret that was rotated, counts as well.
        account.sent += sent;
        account.retried += retried;
        tracing::debug!(
            provider = client.provider_name(),
            project = warm.session.project_name(),
            requests_sent = account.sent,
            "done"
        );
        Ok(match done? {
            Done::Passed(request, summary) => answer_of_pass(run, request, account, summary),
            Done::Subscribed(request, subscription) => {
                answer_of_subscription(run, request, &subscription)
            }
        })
    }
}

fn client(run: &InvocationContext<'_>, warm: &WarmState, transport: Arc<dyn Transport>) -> Client {
    let settings = &warm.settings;
    let parts = ConnectionParts {
        transport,
        session: warm.session.clone(),
        auth: settings.auth.clone(),
        endpoint: EndpointChoice {
            region: settings.region.clone(),
            interface: settings.interface.as_str(),
        },
        retry: settings.retry,
        max_concurrency: settings.max_concurrency,
        poll_interval: settings.poll_interval,
        run_id: run.run_id.to_owned(),
        clock: run.clock,
        rng: StdRng::seed_from_u64(run.seed),
    };
    Client::new(parts, pass::TAGS)
}

async fn carry_out<'a>(
    run: &'a InvocationContext<'_>,
    settings: &Settings,
    client: &Client,
    transport: &dyn Transport,
) -> Result<Done<'a>, InvocationError> {
    let request = match &run.request {
        Request::Snapshot(request) | Request::Expire(request) => request,
        Request::Subscribe(request) => {
            let now = run.clock.now();
            let subscription =
                subscribe::run(client, run.deadline, now, settings.keep_last, request).await?;
            return Ok(Done::Subscribed(request, subscription));
        }
    };
    let scope = Scope {
        volume_ids: request.volume_ids.clone(),
        shard: request.shard,
    };
    let pass = Pass {
        client,
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
    let mut summary = passed.map_err(InvocationError::of_discovery)?;
    if let Some(webhook) = &settings.webhook {
        tell(client, transport, run.deadline, webhook, &mut summary).await;
    }
    Ok(Done::Passed(request, summary))
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        max_creating: settings.max_creating,
        keep_last: settings.keep_last,
        stuck_after: TimeDelta::from_std(settings.stuck_after).unwrap_or(TimeDelta::MAX),
    }
}

fn answer_of_pass(
    run: &InvocationContext<'_>,
    request: &PassRequest,
    account: &mut InvocationStats,
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
    run: &InvocationContext<'_>,
    request: &SubscribeRequest,
    subscription: &Subscription,
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
