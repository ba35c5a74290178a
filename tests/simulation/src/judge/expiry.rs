//! In which order snapshots go, and what is looked at once more before they do.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Asked, Judge};
use crate::meaning::{Expiry, Snap};
use crate::witness::{Purpose, Sent};

/// What was listed this long ago is read again.
const HOLDS: Duration = Duration::from_secs(30);

impl Judge {
    pub(super) fn expiry(&mut self, asked: &Asked<'_>) {
        if asked.phase == "expire" && !asked.dry_run {
            self.goes_in_order(asked);
            self.is_read_again(asked);
        }
    }

    /// Available ones go first, the longest expired first, then those in error, then what is stuck.
    fn goes_in_order(&mut self, asked: &Asked<'_>) {
        let Some(begin) = asked.copies().first() else {
            return;
        };
        if asked.step.passes.len() > 1 || asked.step.meanwhile > 0 || asked.has_late_work() {
            return;
        }
        // Over sockets, requests that leave at one moment may overtake each other.
        if !asked.is_exact() {
            return;
        }
        // What was on its way when the pass began may have been listed as something else.
        let moved: HashSet<&str> = asked
            .step
            .changes
            .iter()
            .filter(|change| {
                change
                    .request
                    .is_none_or(|request| !asked.sent_by_it(request))
            })
            .filter_map(|change| change.snapshot_id.as_deref())
            .collect();
        let (mut met, mut last): (HashSet<&str>, Option<(Place, &str)>) = Default::default();
        for sent in &asked.pass.record.sent {
            let id = sent.target.as_str();
            let first_try = sent.purpose == Purpose::Delete && met.insert(id);
            if !first_try || moved.contains(id) || was_read_before(asked, sent) {
                continue;
            }
            let all = begin.volumes.values().flat_map(|copy| &copy.snapshots);
            let Some(snap) = all.into_iter().find(|snap| snap.id == id) else {
                continue;
            };
            let place = place(snap);
            self.coverage.hit_if(
                last.is_some_and(|(last, _)| last.0 < place.0),
                "expire order: what is whole first",
            );
            self.coverage.hit_if(
                last.is_some_and(|(last, _)| last.0 == place.0 && last.1 < place.1),
                "expire order: the longest expired first",
            );
            self.check(
                last.is_none_or(|(last, _)| last <= place),
                "what is whole goes first, and the longest expired of it",
                || format!("{}: {id} {place:?} after {last:?}", asked.pass.label),
            );
            last = Some((place, id));
        }
    }

    /// Where the listing began more than half a minute ago, a snapshot is read again before it goes.
    fn is_read_again(&mut self, asked: &Asked<'_>) {
        let sent = &asked.pass.record.sent;
        let Some(begun) = sent.iter().find(|one| one.purpose == Purpose::List) else {
            return;
        };
        for (at, one) in sent.iter().enumerate() {
            let since = one.at.saturating_duration_since(begun.at);
            let is_late = since > HOLDS + Duration::from_secs(1);
            if one.purpose != Purpose::Delete || !one.body.is_empty() {
                continue;
            }
            // The first try of a deletion that was begun in time may be followed by others.
            let id = one.target.as_str();
            let first = sent[..at]
                .iter()
                .find(|other| other.purpose == Purpose::Delete && other.target == id);
            if first.is_some() {
                continue;
            }
            let read = sent[..at].iter().rev().find(|other| {
                other.purpose == Purpose::Read && other.target == id && other.status == Some(200)
            });
            let Some(read) = read else {
                // Whoever waits for a free slot, or for a token, has decided before.
                self.check(
                    !is_late || waited(asked, one),
                    "what was listed long ago is read again before it goes",
                    || format!("{}: {id}", asked.pass.label),
                );
                continue;
            };
            self.coverage.hit("expire order: read again before it goes");
            let Some(snap) = read
                .copy
                .iter()
                .flat_map(|copy| &copy.snapshots)
                .find(|snap| snap.id == id)
            else {
                continue;
            };
            // Also where somebody lets it go while it is being read.
            let mut later = asked.copies().iter().flat_map(|copy| {
                let all = copy.volumes.values().flat_map(|copy| &copy.snapshots);
                all.filter(|snap| snap.id == id && snap.managed && !snap.held)
            });
            let may_go = snap.managed && !snap.held
                || asked.step.meanwhile > 1 && later.next().is_some() && is_let_go(asked, id);
            self.check(may_go, "a hold that was set meanwhile counts", || {
                format!("{}: {id}", asked.pass.label)
            });
        }
        let mut reads = sent.iter().filter(|one| one.purpose == Purpose::Read);
        let stays = reads.any(|read| {
            let mut snapshots = read.copy.iter().flat_map(|copy| &copy.snapshots);
            let mut deletes = sent.iter().filter(|one| one.purpose == Purpose::Delete);
            snapshots.any(|snap| snap.id == read.target && snap.held)
                && deletes.all(|one| one.target != read.target)
        });
        self.coverage
            .hit_if(stays, "expire order: held meanwhile, and stays");
    }
}

/// Whether as many others as are allowed were under way right before it left, or a login was.
fn waited(asked: &Asked<'_>, one: &Sent) -> bool {
    let others = asked.pass.record.sent.iter().filter(|other| {
        let end = other.took.map_or(one.at, |took| other.at + took);
        !std::ptr::eq(*other, one) && other.at <= one.at && end >= one.at
    });
    let (mut count, mut logs_in) = (0, false);
    for other in others {
        count += 1;
        logs_in |= other.purpose == Purpose::Login;
    }
    logs_in || count >= asked.knobs.max_concurrency
}

/// Whether somebody takes a hold of this snapshot away within the step.
fn is_let_go(asked: &Asked<'_>, id: &str) -> bool {
    let held = asked.copies().iter().filter_map(|copy| {
        let mut all = copy.volumes.values().flat_map(|copy| &copy.snapshots);
        all.find(|snap| snap.id == id).map(|snap| snap.held)
    });
    let held: Vec<bool> = held.collect();
    held.windows(2).any(|pair| pair[0] && !pair[1])
}

/// A turn, and within the first one the date.
type Place = (u8, Option<DateTime<Utc>>);

fn place(snap: &Snap) -> Place {
    let at = match snap.expiry {
        Expiry::At(at) => Some(at),
        _ => None,
    };
    match snap.status.as_str() {
        "available" => (0, at),
        "error" => (1, None),
        _ => (2, None),
    }
}

/// Reading takes its time, so what was begun first need not leave first.
fn was_read_before(asked: &Asked<'_>, one: &Sent) -> bool {
    let mut sent = asked.pass.record.sent.iter();
    sent.any(|other| {
        other.purpose == Purpose::Read && other.target == one.target && other.at <= one.at
    })
}
