//! What a pass has looked at before it does anything: all that can matter.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Asked, Judge};
use crate::calendar;
use crate::meaning::{Kind, Meaning, Schedule};
use crate::witness::{Page, Purpose, Sent};

/// A listing that was answered: its last page, and whether any had rows.
#[derive(Clone, Copy, Debug)]
struct Listing {
    last: Page,
    has_rows: bool,
}

impl Judge {
    /// A pass that goes on to its work has listed volumes to the end and snapshots as far back as
    /// can matter, and believes no filter that leaves nothing, unless it has shown rows elsewhere.
    pub(super) fn listings(&mut self, asked: &Asked<'_>) {
        let sent = &asked.pass.record.sent;
        let works = |one: &Sent| matches!(one.purpose, Purpose::Create | Purpose::Delete);
        let begun = sent.iter().position(works);
        if asked.answer.is_none() && begun.is_none() {
            return;
        }
        let looks = &sent[..begun.unwrap_or(sent.len())];
        let label = &asked.pass.label;
        let volumes = listings(looks, "volumes");
        let is_whole = |filter: &str| {
            let shows_rows = volumes.values().any(|one| one.has_rows);
            volumes
                .get(filter)
                .is_some_and(|one| !one.last.has_next && (filter.is_empty() || shows_rows))
        };
        let managed_only = |filter: &&String| !filter.contains("policy-type");
        self.check(
            volumes
                .keys()
                .filter(managed_only)
                .any(|filter| is_whole(filter)),
            "volumes are listed to the end, and a filter that leaves nothing is not believed",
            || format!("{label}: {volumes:?}"),
        );
        let snapshots = listings(looks, "snapshots");
        let filter_shows_rows = snapshots
            .iter()
            .any(|(filter, one)| !filter.is_empty() && one.has_rows);
        let reaches = |filter: &str, back_to: Option<DateTime<Utc>>| {
            snapshots.get(filter).is_some_and(|one| {
                let believed = filter.is_empty() || one.has_rows || filter_shows_rows;
                let far_enough = one.last.oldest.zip(back_to);
                let far_enough = far_enough.is_some_and(|(oldest, back_to)| oldest < back_to);
                believed && (!one.last.has_next || far_enough)
            })
        };
        let general = |back_to| {
            let mut filters = snapshots.keys();
            filters.any(|filter| !filter.contains("policy-type") && reaches(filter, back_to))
        };
        if asked.phase == "expire" {
            self.check(
                general(None),
                "snapshots are listed to the end before anything expires",
                || format!("{label}: {snapshots:?}"),
            );
            return;
        }
        for (kind, back_to) in horizons(asked) {
            let mut of_kind = snapshots.keys();
            let of_kind = of_kind.any(|filter| {
                filter.contains(&format!("%27{}%27", kind.as_str()))
                    && reaches(filter, Some(back_to))
            });
            self.coverage
                .hit_if(of_kind, "snapshots listed kind by kind");
            self.check(
                of_kind || general(Some(back_to)),
                "snapshots are listed as far back as they can matter",
                || format!("{label}: {} to {back_to}: {snapshots:?}", kind.as_str()),
            );
        }
    }
}

/// The listings of a pass's beginning, by their filters.
fn listings(looks: &[Sent], target: &str) -> BTreeMap<String, Listing> {
    let mut listings: BTreeMap<String, Listing> = BTreeMap::new();
    for one in looks {
        let parts: Vec<&str> = one.query.split('&').collect();
        let (Some(page), true) = (one.page, one.target == target) else {
            continue;
        };
        if !parts.iter().all(|part| is_of_discovery(part)) {
            continue;
        }
        let filter = parts.iter().find(|part| part.starts_with("metadata="));
        let filter = filter.copied().unwrap_or_default().to_owned();
        let has_rows = listings.get(&filter).is_some_and(|one| one.has_rows) || page.has_rows;
        let last = page;
        listings.insert(filter, Listing { last, has_rows });
    }
    listings
}

/// How far back snapshots of each kind can matter: to where the previous window of a policy can
/// begin.
fn horizons(asked: &Asked<'_>) -> BTreeMap<Kind, DateTime<Utc>> {
    let mut horizons: BTreeMap<Kind, DateTime<Utc>> = BTreeMap::new();
    // What people change while the pass lists is on no list.
    let Some(copy) = asked.copies().first().filter(|_| asked.step.meanwhile == 0) else {
        return horizons;
    };
    let previous = |schedule: &Schedule| {
        let active = calendar::window_at(schedule, asked.basis.now);
        calendar::window_at(schedule, active.start - TimeDelta::seconds(1)).start
    };
    for (id, copy) in &copy.volumes {
        let Some(volume) = copy.volume.as_ref().filter(|one| one.tags.managed) else {
            continue;
        };
        if !asked.names(id) || asked.is_sharded {
            continue;
        }
        for meaning in volume.tags.policies {
            let Meaning::On(schedule) = meaning else {
                continue;
            };
            let back_to = previous(&schedule);
            let earliest = horizons.entry(schedule.kind).or_insert(back_to);
            *earliest = back_to.min(*earliest);
        }
    }
    horizons
}

/// Looks at what is being made ask for another number of rows, and look-ups for a volume.
pub(super) fn is_of_discovery(part: &str) -> bool {
    let sizes = ["limit=1000", "limit=250", "limit=50"];
    part.is_empty()
        || part.starts_with("metadata=")
        || part.starts_with("marker=")
        || part.starts_with("sort=")
        || sizes.contains(&part)
}
