//! The events that a tick wants, one for each cloud and shard. Nothing is sent to any cloud.

use chrono::{DateTime, Utc};

use super::{Ended, Handler, InvocationStats, json};
use crate::error::InvocationError;
use crate::event::{Phase, TargetsRequest};
use crate::plan::targets;
use crate::report::{Figures, Target, TargetEvent, TargetFault, TargetsAnswer};
use crate::settings::CloudList;

impl Handler {
    /// Reads the `clouds.yaml` and answers what is wanted of whom, and when.
    pub(super) fn targets(
        &self,
        run_id: &str,
        arrival: DateTime<Utc>,
        request: TargetsRequest,
    ) -> Result<Ended, InvocationError> {
        let (secret, _) = self.secret();
        let list = CloudList::read(&self.environment, secret.as_deref(), &*self.files)?;
        let clouds = list.clouds.iter().map(|(cloud, shards)| (cloud, *shards));
        let planned = targets::plan(clouds, arrival, request.spread_seconds);
        let faults: Vec<TargetFault> = list
            .faults
            .into_iter()
            .map(|fault| {
                tracing::error!(cloud = fault.entry, error = fault.error, "cloud left out");
                TargetFault {
                    cloud: fault.entry,
                    error: fault.error,
                }
            })
            .collect();
        let (targets, faulty) = (planned.len(), faults.len());
        tracing::info!(targets, faults = faulty, "targets listed");
        let answer = TargetsAnswer {
            phase: Phase::Targets,
            run_id,
            targets: planned
                .into_iter()
                .map(|target| Target {
                    delay_seconds: target.delay_seconds,
                    at: target.at,
                    event: TargetEvent {
                        phase: request.wanted,
                        cloud: target.cloud,
                        shard: target.shard,
                    },
                })
                .collect(),
            faults: &faults,
        };
        Ok(Ended {
            result: Ok(json(&answer)),
            stats: InvocationStats {
                figures: Figures::Targets {
                    targets,
                    faults: faulty,
                },
                ..InvocationStats::default()
            },
        })
    }
}
