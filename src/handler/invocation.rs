//! One invocation in one cloud: the client it works with, the work, and the answer.

use std::sync::Arc;

use chrono::TimeDelta;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::warm::WarmState;
use super::{Ended, Handler, InvocationStats, json};
use crate::clock::Clock;
use crate::cloud_name::CloudName;
use crate::deadline::Deadline;
use crate::error::InvocationError;
use crate::event::{PassRequest, Phase, Request, RestoreRequest, SubscribeRequest};
use crate::openstack::{Client, ConnectionParts, EndpointChoice, Error};
use crate::pass::subscribe::{self, Subscription};
use crate::pass::{self, Limits, Pass};
use crate::plan::Scope;
use crate::report::{
    About, Answer, Figures, Outcome, ProjectLabel, RestoreAnswer, SubscribeAnswer, Summary, Warning,
};
use crate::settings::{InvalidConfiguration, Settings};
use crate::transport::Transport;
use crate::webhook::Notification;

/// One invocation under way.
pub(super) struct InvocationContext<'a> {
    pub(super) request: Request,
    pub(super) cloud: Option<&'a CloudName>,
    pub(super) run_id: &'a str,
    pub(super) clock: Clock,
    pub(super) deadline: Deadline,
    pub(super) begun: Instant,
    pub(super) seed: u64,
    pub(super) invoked_function_arn: &'a str,
}

/// What an invocation works with in its cloud.
pub(super) struct Work<'a> {
    pub(super) context: &'a InvocationContext<'a>,
    pub(super) warm: &'a WarmState,
    pub(super) client: Client,
    transport: Arc<dyn Transport>,
}

/// What was done, and what to tell of it.
pub(super) struct Done {
    pub(super) answer: Box<RawValue>,
    pub(super) figures: Figures,
}

impl Handler {
    /// Does what is asked in the cloud, and gives the answer.
    pub(super) async fn serve(&self, context: &InvocationContext<'_>, warm: &WarmState) -> Ended {
        let transport = match self.platform.transport(&warm.trust) {
            Ok(transport) => transport,
            Err(fault) => return InvocationError::from(InvalidConfiguration::new(fault)).into(),
        };
        let work = Work {
            context,
            warm,
            client: client(context, warm, transport.clone()),
            transport,
        };
        let done = work.perform().await;
        let (sent, retried) = work.client.connection().requests();
        tracing::debug!(
            provider = work.client.provider_name(),
            requests_sent = sent,
            "requests sent"
        );
        let (result, figures) = match done {
            Ok(done) => (Ok(done.answer), done.figures),
            Err(error) => (Err(error), Figures::Nothing),
        };
        let stats = InvocationStats {
            sent,
            retried,
            figures,
            project: work.project(),
        };
        Ended { result, stats }
    }
}

fn client(
    context: &InvocationContext<'_>,
    warm: &WarmState,
    transport: Arc<dyn Transport>,
) -> Client {
    let settings = &warm.settings;
    let parts = ConnectionParts {
        transport,
        session: warm.session.clone(),
        auth: settings.auth.clone(),
        endpoint: EndpointChoice {
            region: settings.region.clone(),
            interface: settings.interface.as_str(),
            https_only: settings.auth.auth_url.scheme() == "https" && !settings.tls.insecure,
        },
        retry: settings.retry,
        max_concurrency: settings.max_concurrency,
        poll_interval: settings.poll_interval,
        run_id: context.run_id.to_owned(),
        clock: context.clock,
        rng: StdRng::seed_from_u64(context.seed),
    };
    Client::new(parts, pass::TAGS)
}

impl Work<'_> {
    async fn perform(&self) -> Result<Done, InvocationError> {
        match &self.context.request {
            Request::Snapshot(request) => {
                let scope = scope(request);
                let summary = pass::snapshot::run(&self.pass(request, &scope)).await;
                self.finish_pass(request, summary).await
            }
            Request::Expire(request) => {
                let scope = scope(request);
                let summary = pass::expire::run(&self.pass(request, &scope)).await;
                self.finish_pass(request, summary).await
            }
            Request::Subscribe(request) => self.subscribe(request).await,
            Request::Report(request) => self.report(request).await,
            Request::Widget(request) => self.widget(request).await,
            Request::Restore(request) => self.restore(request).await,
        }
    }

    fn pass<'p>(&'p self, request: &PassRequest, scope: &'p Scope) -> Pass<'p> {
        Pass {
            client: &self.client,
            deadline: self.context.deadline,
            now: (request.as_of).unwrap_or_else(|| self.context.clock.started_at()),
            scope,
            dry_run: request.dry_run,
            limits: limits(&self.warm.settings),
            notifies: self.warm.settings.webhook.is_some(),
        }
    }

    async fn finish_pass(
        &self,
        request: &PassRequest,
        summary: Result<Summary, Error>,
    ) -> Result<Done, InvocationError> {
        let mut summary = summary.map_err(InvocationError::of_discovery)?;
        let notifications = std::mem::take(&mut summary.notifications);
        let summary = summary + self.notify(notifications).await;
        let project = self.project();
        let about = self.about(request.dry_run, project.as_ref());
        let answer = json(&Answer::new(about, &summary));
        let told = json(&Answer::new(about, &summary).without_plan());
        tracing::info!(answer = %told, "pass finished");
        Ok(Done {
            answer,
            figures: Figures::Pass(Box::new(summary)),
        })
    }

    fn about<'p>(&'p self, dry_run: bool, project: Option<&'p ProjectLabel>) -> About<'p> {
        let context = self.context;
        let (sent, retried) = self.client.connection().requests();
        About {
            phase: context.request.phase(),
            run_id: context.run_id,
            dry_run,
            started_at: context.clock.started_at(),
            duration_ms: context.begun.elapsed().as_millis() as u64,
            cloud: context.cloud,
            project,
            sent,
            retried,
        }
    }

    /// Sends what failed to the webhook, where there is one; a warning where that did not do.
    async fn notify(&self, notifications: Vec<Notification>) -> Option<Warning> {
        let webhook = self.warm.settings.webhook.as_ref()?;
        let all = notifications.len();
        let deadline = self.context.deadline;
        let undelivered = webhook
            .send(&self.client, &*self.transport, deadline, notifications)
            .await;
        (undelivered > 0).then(|| {
            tracing::warn!(undelivered, "notifications were not delivered");
            Warning::on_pass(format!(
                "{undelivered} of {all} notifications were not delivered to the webhook"
            ))
        })
    }

    async fn subscribe(&self, request: &SubscribeRequest) -> Result<Done, InvocationError> {
        let context = self.context;
        let now = context.clock.now();
        let keep_last = self.warm.settings.keep_last;
        let subscription: Subscription =
            subscribe::run(&self.client, context.deadline, now, keep_last, request).await?;
        let answer = json(&SubscribeAnswer {
            phase: Phase::Subscribe,
            run_id: context.run_id,
            outcome: Outcome::Complete,
            dry_run: request.dry_run,
            volume_id: &request.volume_id,
            metadata: &subscription.metadata,
            request_id: subscription.request_id.as_deref(),
            warnings: &subscription.warnings,
        });
        let (volume_id, policy) = (&request.volume_id, request.policy);
        tracing::info!(%answer, volume_id, %policy, "volume subscribed");
        Ok(Done {
            answer,
            figures: Figures::Nothing,
        })
    }

    async fn restore(&self, request: &RestoreRequest) -> Result<Done, InvocationError> {
        let (deadline, now) = (self.context.deadline, self.context.clock.started_at());
        let summary = pass::restore::run(&self.client, deadline, now, request).await?;
        let project = self.project();
        let about = self.about(request.dry_run, project.as_ref());
        let answer = json(&RestoreAnswer::new(about, &request.restore_id, &summary));
        tracing::info!(%answer, "restore finished");
        Ok(Done {
            answer,
            figures: Figures::Nothing,
        })
    }

    /// The project that the latest token was for.
    pub(super) fn project(&self) -> Option<ProjectLabel> {
        let session = &self.warm.session;
        Some(ProjectLabel {
            id: session.project_id()?,
            name: session.project_name(),
        })
    }
}

fn scope(request: &PassRequest) -> Scope {
    Scope {
        volume_ids: request.volume_ids.clone(),
        shard: request.shard,
    }
}

/// The limits that a pass keeps to.
pub(super) fn limits(settings: &Settings) -> Limits {
    Limits {
        max_creating: settings.max_creating,
        keep_last: settings.keep_last,
        stuck_after: TimeDelta::from_std(settings.stuck_after).unwrap_or(TimeDelta::MAX),
    }
}
