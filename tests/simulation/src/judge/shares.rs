//! What the passes of one sharded schedule have to do with each other.

use serde_json::Value;

use super::Judge;
use super::creations::target;
use crate::run::{End, StepRun};
use crate::witness::Purpose;

impl Judge {
    /// Shares are disjoint, and together they are everything.
    pub(super) fn shards(&mut self, step: &StepRun<'_>) {
        let count = step.passes.len() as u64;
        let all_shares = count > 1
            && (0..count).zip(&step.passes).all(|(index, pass)| {
                let event = &pass.draw.event;
                let shard = &event["shard"];
                shard["count"] == count && shard["index"] == index && event["volume_ids"].is_null()
            });
        if !all_shares {
            return;
        }
        let mut owners: Vec<(String, &str)> = Vec::new();
        for pass in &step.passes {
            for sent in &pass.record.sent {
                let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
                if let (Purpose::Create, Some((volume, ..))) = (sent.purpose, target(&body)) {
                    owners.push((volume, &pass.label));
                }
            }
        }
        owners.sort();
        owners.dedup();
        let twice = owners.windows(2).find(|pair| pair[0].0 == pair[1].0);
        self.check(twice.is_none(), "shares are disjoint", || {
            format!("{twice:?}")
        });
        let managed: Option<u64> = step
            .passes
            .iter()
            .map(|pass| match &pass.end {
                End::Answered(answer) => answer["volumes"]["managed"].as_u64(),
                _ => None,
            })
            .sum();
        if let (Some(managed), 0) = (managed, step.meanwhile) {
            let all = step.copies[0]
                .volumes
                .values()
                .filter_map(|copy| copy.volume.as_ref())
                .filter(|volume| volume.tags.managed)
                .count() as u64;
            self.coverage.hit("all shards side by side");
            self.check(managed == all, "shares together are everything", || {
                format!("{managed} of {all}")
            });
        }
    }
}
