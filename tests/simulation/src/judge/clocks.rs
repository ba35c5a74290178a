//! What a pass says and does where the clocks are apart.

use chrono::TimeDelta;
use serde_json::Value;
use simcloud::config::DateHeader;

use super::{Asked, Judge};
use crate::rules;
use crate::witness::Purpose;

/// A larger difference is told.
const TOLD: TimeDelta = TimeDelta::minutes(5);
/// With a larger one nothing is deleted.
const TRUSTED: TimeDelta = TimeDelta::hours(1);

impl Judge {
    /// Whether an expire pass may not trust the clocks, or may be near to that.
    pub(super) fn are_far_apart(&self, asked: &Asked<'_>) -> bool {
        self.ahead(asked).abs() > TRUSTED - slack(asked)
    }

    /// Above five minutes it is told, and above an hour nothing is deleted.
    pub(super) fn clocks(&mut self, asked: &Asked<'_>) {
        let Some(answer) = asked.answer else { return };
        let label = &asked.pass.label;
        let (apart, slack) = (self.ahead(asked).abs(), slack(asked));
        let warnings = answer["warnings"].as_array().into_iter().flatten();
        let told = warnings
            .filter_map(|one| one["warning"].as_str())
            .filter(|text| text.contains("set the clocks right"))
            .count();
        let all_are_told = answer.get("warnings_omitted").is_none();
        let absent = self.case.config.date == DateHeader::Absent;
        self.coverage
            .hit_if(absent, "clocks: the cloud does not say");
        if apart > TOLD + slack && all_are_told {
            self.coverage.hit("clocks: told that they are apart");
            self.check(
                told == 1,
                "clocks that are more than five minutes apart are told of",
                || format!("{label}: apart {apart}, told {told} times"),
            );
        } else if apart < TOLD - slack {
            self.check(told == 0, "clocks that are right are not told of", || {
                format!("{label}: apart {apart}: {}", answer["warnings"])
            });
        }
        if asked.phase != "expire" {
            return;
        }
        let failures = answer["failures"].as_array().into_iter().flatten();
        // A policy that cannot be read is one of its own volume.
        let of_all = |one: &&Value| one.get("volume_id").is_none();
        let why = failures.filter(of_all).count();
        if apart < TRUSTED - slack {
            self.check(why == 0, "clocks that are near enough stop nothing", || {
                format!("{label}: apart {apart}: {}", answer["failures"])
            });
        } else if apart > TRUSTED + slack {
            let mut sent = asked.pass.record.sent.iter();
            let deletes = sent.any(|one| one.purpose == Purpose::Delete);
            self.check(
                !deletes && asked.number("/snapshots/deleted") == 0,
                "nothing is deleted while the clocks are more than an hour apart",
                || format!("{label}: apart {apart}"),
            );
            let deferred = asked.number("/snapshots/deferred");
            self.check(
                why == 1,
                "that nothing is deleted for the clocks' sake is told of",
                || format!("{label}: {deferred} deferred, {}", answer["failures"]),
            );
            let begin = asked.copies().first().filter(|_| asked.is_quiet());
            let Some(copy) = begin.filter(|_| !asked.is_sharded) else {
                return;
            };
            let volumes = copy.volumes.iter().filter(|(id, _)| asked.names(id));
            let goes = volumes.map(|(_, copy)| {
                let all = copy.snapshots.iter();
                all.filter(|snap| rules::fate(snap, copy, &asked.basis).goes())
                    .count() as u64
            });
            let goes: u64 = goes.sum();
            self.coverage.hit_if(
                goes > 0,
                "clocks: nothing deleted, for they are too far apart",
            );
            self.check(
                deferred == goes,
                "what would go is deferred while the clocks are apart",
                || format!("{label}: {deferred} deferred, {goes} would go"),
            );
        }
    }
}

/// Answers take their time, and a `Date` has whole seconds.
fn slack(asked: &Asked<'_>) -> TimeDelta {
    let took = TimeDelta::from_std(asked.pass.ended - asked.pass.begun);
    took.unwrap_or_default() + TimeDelta::seconds(3)
}
