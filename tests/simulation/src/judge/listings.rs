//! What a pass has looked at before it does anything: all that can matter.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use simcloud::Happening;
use simcloud::config::DateHeader;
use simcloud::quirks::Sorting;

use super::{Asked, Judge};
use crate::calendar;
use crate::case::Pace;
use crate::meaning::{Kind, Meaning, Snap};
use crate::rules;
use crate::witness::{Page, Purpose, Sent};
use crate::world::VolumeCopy;

/// A listing that was answered: its last page, whether any had rows, and whether all came newest
/// first.
#[derive(Clone, Copy, Debug)]
struct Listing {
    last: Page,
    has_rows: bool,
    is_in_order: bool,
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
        // That the filter by policy type leaves nothing is believed where another type shows rows.
        let type_shows_rows = snapshots
            .iter()
            .any(|(filter, one)| filter.contains("policy-type") && one.has_rows);
        let reaches = |filter: &str, back_to: Option<DateTime<Utc>>| {
            snapshots.get(filter).is_some_and(|one| {
                let believed = filter.is_empty()
                    || one.has_rows
                    || filter.contains("policy-type") && type_shows_rows;
                let far_enough = one.last.last.zip(back_to);
                let far_enough = far_enough.is_some_and(|(oldest, back_to)| oldest < back_to);
                believed && (!one.last.has_next || far_enough && one.is_in_order)
            })
        };
        let general = |back_to| {
            let mut filters = snapshots.keys();
            filters.any(|filter| !filter.contains("policy-type") && reaches(filter, back_to))
        };
        if asked.phase != "snapshot" {
            self.check(
                general(None),
                "snapshots are listed to the end before anything expires or is told",
                || format!("{label}: {snapshots:?}"),
            );
            return;
        }
        let ended_early = snapshots.values().any(|one| one.last.has_next);
        self.coverage
            .hit_if(ended_early, "a listing ended where its rows were too old");
        let was_out_of_order = snapshots.values().any(|one| !one.is_in_order);
        self.coverage
            .hit_if(was_out_of_order, "a listing was not sorted as asked");
        if self.may_deceive(asked) && ends_early(asked) {
            self.coverage.hit("a listing looked sorted and was not");
            self.is_deceived = true;
        }
        for (kind, back_to) in self.horizons(asked) {
            // Rows are dated by the cloud's clock, windows by the function's.
            let back_to = back_to.min(back_to - self.ahead(asked));
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

impl Judge {
    /// Whether a cloud may show a few rows in order and others not: nobody can know then that the
    /// rest is out of order, or that what has no time comes last.
    pub(super) fn may_deceive(&self, asked: &Asked<'_>) -> bool {
        let sorts_wrongly = self.case.config.quirks.snapshot_sort != Sorting::AsAsked;
        let mut volumes = asked.copies().iter().flat_map(|copy| copy.volumes.values());
        let undated = |copy: &VolumeCopy| copy.snapshots.iter().any(|one| one.listed_at.is_none());
        sorts_wrongly || volumes.any(undated)
    }

    /// How far the function's clock is ahead of the cloud's, as far as answers tell.
    pub(super) fn ahead(&self, asked: &Asked<'_>) -> TimeDelta {
        match asked.step.date {
            DateHeader::Absent => TimeDelta::zero(),
            DateHeader::Shifted(by) => self.skew(asked) - by,
        }
    }

    /// How far a pass's clock is ahead of the cloud's. By the real clock that is the same for all passes,
    /// those after all misfortune included, since one machine has one clock.
    fn skew(&self, asked: &Asked<'_>) -> TimeDelta {
        let first = self.case.steps.first().and_then(|step| step.passes.first());
        match self.case.pace {
            Pace::Paused => asked.pass.draw.skew,
            Pace::Real => first.map_or_else(TimeDelta::zero, |pass| pass.skew),
        }
    }
}

/// Whether a pass has left any listing of snapshots before its end, at its beginning or later.
fn ends_early(asked: &Asked<'_>) -> bool {
    let mut has_next: BTreeMap<String, bool> = BTreeMap::new();
    for one in &asked.pass.record.sent {
        let (Some(page), "snapshots") = (one.page, one.target.as_str()) else {
            continue;
        };
        let parts = one.query.split('&');
        let (markers, others): (Vec<&str>, Vec<&str>) =
            parts.partition(|part| part.starts_with("marker="));
        let left = has_next.insert(others.join("&"), page.has_next);
        if left == Some(true) && markers.is_empty() {
            return true;
        }
    }
    has_next.into_values().any(|has_next| has_next)
}

/// The listings of a pass's beginning, by their filters.
fn listings(looks: &[Sent], target: &str) -> BTreeMap<String, Listing> {
    let mut pages: BTreeMap<String, Vec<(Vec<&str>, Page)>> = BTreeMap::new();
    for one in looks {
        let parts: Vec<&str> = one.query.split('&').collect();
        let (Some(page), true) = (one.page, one.target == target) else {
            continue;
        };
        // What is being made is looked at whatever its policy.
        let is_of_one_kind = one.query.contains("policy-type");
        if !is_of_one_kind && !parts.iter().all(|part| is_of_discovery(part)) {
            continue;
        }
        let filter = parts.iter().find(|part| part.starts_with("metadata="));
        let filter = filter.copied().unwrap_or_default().to_owned();
        let pages = pages.entry(filter).or_default();
        // A listing that is begun again is another one.
        if !parts.iter().any(|part| part.starts_with("marker=")) {
            pages.clear();
        }
        // A page whose answer was cut or late is asked for again, perhaps with fewer rows.
        let behind: Vec<&str> = parts
            .into_iter()
            .filter(|part| !part.starts_with("limit="))
            .collect();
        pages.pop_if(|(query, _)| *query == behind);
        pages.push((behind, page));
    }
    let listings = pages.into_iter().filter_map(|(filter, pages)| {
        let last = pages.last()?.1;
        let goes_on = pages.windows(2).all(|pair| {
            let times = pair[0].1.last.zip(pair[1].1.first);
            !pair[1].1.has_rows || times.is_some_and(|(one, other)| one >= other)
        });
        let listing = Listing {
            last,
            has_rows: pages.iter().any(|(_, page)| page.has_rows),
            is_in_order: goes_on && pages.iter().all(|(_, page)| page.is_in_order),
        };
        Some((filter, listing))
    });
    listings.collect()
}

impl Judge {
    /// How far back snapshots of each kind can matter: to where the active window of a policy began
    /// or, where nothing is there that it can be restored from, the previous one.
    fn horizons(&self, asked: &Asked<'_>) -> BTreeMap<Kind, DateTime<Utc>> {
        let mut horizons: BTreeMap<Kind, DateTime<Utc>> = BTreeMap::new();
        // What people change while the pass lists is on no list.
        let Some(copy) = asked.copies().first().filter(|_| asked.step.meanwhile == 0) else {
            return horizons;
        };
        // What others have made while the pass lists may be enough.
        let became_whole = |volume_id: &str| {
            let changes = asked.step.changes.iter();
            let mut whole = changes.filter(|change| {
                change.volume_id == volume_id && change.happening == Happening::Available
            });
            whole.any(|change| {
                let id = change.snapshot_id.as_deref();
                id.is_some_and(|id| !self.is_made_by(asked, id))
            })
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
                let active = calendar::window_at(&schedule, asked.basis.now);
                let restores = |snap: &Snap| {
                    snap.status == "available" && rules::belongs(snap, schedule.kind, &active)
                };
                let back_to = if copy.snapshots.iter().any(restores) || became_whole(id) {
                    active.start
                } else {
                    calendar::window_before(&schedule, &active).start
                };
                let earliest = horizons.entry(schedule.kind).or_insert(back_to);
                *earliest = back_to.min(*earliest);
            }
        }
        horizons
    }
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
