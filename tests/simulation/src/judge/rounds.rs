//! In which order, and at which moments, a pass takes what is due.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use simcloud::{Happening, Route};

use super::creations::target;
use super::{Asked, Judge};
use crate::calendar;
use crate::meaning::{Kind, Meaning};
use crate::rules;
use crate::witness::{Purpose, Sent};

impl Judge {
    /// The volumes of one VM are taken at one moment.
    pub(super) fn at_one_moment(&mut self, asked: &Asked<'_>) {
        let Some(copy) = asked.copies().first() else {
            return;
        };
        if !asked.is_quiet() || !asked.is_exact() {
            return;
        }
        let slots = (asked.knobs.max_creating / asked.shares).max(1);
        let most = slots.min(asked.knobs.max_concurrency);
        let mut rounds: BTreeMap<(&str, Kind), Vec<tokio::time::Instant>> = BTreeMap::new();
        for sent in &asked.pass.record.sent {
            if sent.purpose != Purpose::Create {
                continue;
            }
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            let Some((volume_id, kind, _)) = target(&body) else {
                continue;
            };
            let seen = copy
                .volumes
                .get(&volume_id)
                .and_then(|copy| copy.volume.as_ref());
            if let Some([server]) = seen.map(|seen| seen.servers.as_slice()) {
                rounds.entry((server, kind)).or_default().push(sent.at);
            }
        }
        let gave_up = asked.number("/snapshots/deferred") > 0;
        for ((server, kind), moments) in rounds {
            let mut distinct = moments.clone();
            distinct.dedup();
            let waves = moments.len().div_ceil(most);
            self.coverage.hit_if(
                moments.len() > 1 && distinct.len() == 1,
                "several volumes of a VM at one moment",
            );
            self.coverage
                .hit_if(waves > 1, "volumes of a VM in several waves");
            self.check(
                distinct.len() <= waves || gave_up,
                "volumes of one VM are taken at one moment",
                || {
                    format!(
                        "{}: {} {server}: {} requests in {} moments, waves of {most}",
                        asked.pass.label,
                        kind.as_str(),
                        moments.len(),
                        distinct.len()
                    )
                },
            );
        }
    }

    /// Of a volume that stands alone, the window that began first is taken first.
    pub(super) fn oldest_first(&mut self, asked: &Asked<'_>) {
        let Some(copy) = asked.copies().first().filter(|_| asked.is_quiet()) else {
            return;
        };
        let mut taken: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
        for sent in &asked.pass.record.sent {
            if sent.purpose != Purpose::Create {
                continue;
            }
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            let Some((volume_id, _, start)) = target(&body) else {
                continue;
            };
            let seen = copy.volumes.get(&volume_id);
            let seen = seen.and_then(|copy| copy.volume.as_ref());
            if seen.is_none_or(|volume| volume.servers.len() == 1) {
                continue;
            }
            let before = taken.insert(volume_id, start);
            self.coverage.hit_if(
                before.is_some(),
                "several windows of a volume, the oldest first",
            );
            self.check(
                before.is_none_or(|before| before <= start),
                "the oldest window is taken first",
                || format!("{}: {before:?} before {start}", asked.pass.label),
            );
        }
    }

    /// When a pass's own are available, it looks for twins of theirs.
    pub(super) fn looks_for_twins(&mut self, asked: &Asked<'_>) {
        let (pass, sent) = (asked.pass, &asked.pass.record.sent);
        let slowest = sent.iter().filter_map(|one| one.took).max();
        let has_time = pass.deadline.saturating_duration_since(pass.ended)
            > slowest.unwrap_or_default() + std::time::Duration::from_secs(1);
        let last = sent.iter().rposition(|one| one.purpose == Purpose::Create);
        let Some(last) = last.filter(|_| has_time && asked.number("/snapshots/created") > 0) else {
            return;
        };
        // Where the token was refused meanwhile, perhaps for good, or a login went wrong, nothing
        // can be looked at.
        let without_token = |one: &Sent| {
            one.status == Some(401) || one.purpose == Purpose::Login && one.status != Some(201)
        };
        // One that was answered, but not by what was expected, is the last request of all.
        let ends_in_login = sent.last().is_some_and(|one| one.purpose == Purpose::Login);
        if ends_in_login || sent[last..].iter().any(without_token) {
            return;
        }
        // A look has shown the last of ours available, and another begins after that.
        let Some(available) = last_of_own(asked) else {
            return;
        };
        let shows = sent.iter().filter(|one| {
            matches!(one.purpose, Purpose::List | Purpose::Read) && one.target != "volumes"
        });
        let mut shown = shows.filter_map(|one| Some(one.at + one.took?));
        let Some(shown) = shown.find(|shown| *shown >= available) else {
            return;
        };
        let looked = sent.iter().any(|one| {
            one.purpose == Purpose::List
                && one.target == "snapshots"
                && !one.query.contains("volume_id=")
                && one.at >= shown
        });
        self.check(
            looked,
            "twins are looked for when ours are available",
            || pass.label.clone(),
        );
    }

    /// What another has taken, and a look of this pass has shown, is not asked for any more.
    pub(super) fn heeds_its_looks(&mut self, asked: &Asked<'_>) {
        let step = asked.step;
        let faultless = step.struck.iter().all(|(_, times)| *times == 0);
        // Where a volume is tagged anew meanwhile, two passes mean two windows.
        let calm = faultless && step.meanwhile == 0;
        if step.passes.len() < 2 || !asked.is_exact() || !calm || self.may_deceive(asked) {
            return;
        }
        let own = |entry: &&simcloud::Entry| entry.request_id.as_ref() == Some(&asked.pass.run_id);
        let looks: Vec<_> = step
            .entries
            .iter()
            .filter(own)
            .filter(|one| one.route == Route::ListSnapshots && one.status() == Some(200))
            .filter(|one| one.path.contains("limit=") && !one.path.contains("marker="))
            // One of several pages is not over with the first.
            .filter(|one| {
                let mut sent = asked.pass.record.sent.iter();
                sent.any(|sent| {
                    sent.at == one.arrived && sent.page.is_some_and(|page| !page.has_next)
                })
            })
            .collect();
        let made: Vec<_> = step
            .changes
            .iter()
            .filter(|change| change.happening == Happening::Creating)
            .filter_map(|change| Some((change.snapshot_id.as_deref()?, change.at)))
            .collect();
        for sent in &asked.pass.record.sent {
            let Some(copy) = sent
                .copy
                .as_ref()
                .filter(|_| sent.purpose == Purpose::Create)
            else {
                continue;
            };
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            let Some((volume_id, kind, _)) = target(&body) else {
                continue;
            };
            let Some(Meaning::On(schedule)) = copy.volume.as_ref().map(|one| one.tags.policy(kind))
            else {
                continue;
            };
            let window = calendar::window_at(&schedule, asked.basis.now);
            let shown = copy.snapshots.iter().find(|snap| {
                let serves =
                    rules::belongs(snap, kind, &window) && rules::serves(snap, &asked.basis);
                let by_other = !self.is_made_by(asked, &snap.id);
                let at = made
                    .iter()
                    .find(|(id, _)| *id == snap.id)
                    .map(|(_, at)| *at);
                let Some(at) = at.filter(|_| serves && by_other) else {
                    return false;
                };
                looks.iter().any(|look| {
                    // What is newer than all that the pass waits for is met by every look.
                    let newer = made
                        .iter()
                        .filter(|(id, made_at)| *made_at <= look.at && self.is_made_by(asked, id));
                    let is_newest = newer
                        .map(|(_, made_at)| made_at.timestamp())
                        .all(|own| own < at.timestamp());
                    at < look.at
                        && is_newest
                        && look.answered.is_some_and(|answered| answered < sent.at)
                        && !look.client_gone
                })
            });
            self.check(
                shown.is_none(),
                "what a look has shown to be served is not asked for",
                || format!("{}: {volume_id} {}", asked.pass.label, kind.as_str()),
            );
        }
    }
}

/// When the last of a pass's own snapshots became available, by tokio's clock.
fn last_of_own(asked: &Asked<'_>) -> Option<tokio::time::Instant> {
    let told = &asked.pass.record.told;
    let own = |change: &&simcloud::Change| {
        let id = change.snapshot_id.as_deref();
        change.happening == Happening::Available && id.is_some_and(|id| told.contains(id))
    };
    let last = asked
        .step
        .changes
        .iter()
        .filter(own)
        .map(|one| one.at)
        .max()?;
    let any = asked.step.entries.first()?;
    let since = (last - any.at).to_std().unwrap_or_default();
    Some(any.arrived + since)
}
