//! What a pass deletes: nothing that has to stay.

use super::{Asked, Judge};
use crate::meaning::Snap;
use crate::rules::{self, Fate, StaleSnapshot};
use crate::witness::{Purpose, Sent};
use crate::world::VolumeCopy;

impl Judge {
    pub(super) fn deletions(&mut self, asked: &Asked<'_>) {
        for sent in &asked.pass.record.sent {
            if sent.purpose == Purpose::Delete {
                self.may_go(asked, sent);
            }
        }
        self.no_means_no(asked);
    }

    /// A role that may not force one deletion may not force another.
    fn no_means_no(&mut self, asked: &Asked<'_>) {
        let sent = asked.pass.record.sent.iter();
        let forced = sent.filter(|one| one.purpose == Purpose::Delete && !one.body.is_empty());
        let refused = forced.clone().filter(|one| one.status == Some(403));
        let Some(heard) = refused.filter_map(|one| Some(one.at + one.took?)).min() else {
            return;
        };
        self.coverage.hit("force refused");
        let mut later = forced.filter(|one| one.at > heard);
        let again = later.next().map(|one| one.target.clone());
        self.check(
            again.is_none(),
            "nothing more is forced once force was refused",
            || format!("{}: {again:?}", asked.pass.label),
        );
    }

    /// At some moment since the pass began, the rules let it go.
    fn may_go(&mut self, asked: &Asked<'_>, sent: &Sent) {
        let id = sent.target.as_str();
        let label = &asked.pass.label;
        let volume_id = asked
            .copies()
            .iter()
            .flat_map(|copy| copy.volumes.values())
            .chain(&sent.copy)
            .flat_map(|copy| &copy.snapshots)
            .find(|snap| snap.id == id)
            .map(|snap| snap.volume_id.clone());
        // One that came and went between two moments was made and lost by passes.
        let Some(volume_id) = volume_id else {
            let known = self.makers.contains_key(id);
            self.check(known, "only what is there is deleted", || {
                format!("{label}: {id}")
            });
            return;
        };
        self.check(asked.names(&volume_id), "a pass keeps to its share", || {
            format!("{label}: deletes {id} of {volume_id}")
        });
        let moments: Vec<(&VolumeCopy, &Snap)> = asked
            .copies_of(&volume_id)
            .chain(&sent.copy)
            .chain(side_by_side(asked, id))
            .filter_map(|copy| Some((copy, copy.snapshots.iter().find(|one| one.id == id)?)))
            .collect();
        self.check(
            moments.iter().any(|(_, snap)| snap.managed),
            "nothing unmanaged is touched",
            || format!("{label}: {id}"),
        );
        if !sent.body.is_empty() {
            let forced = |snap: &Snap| {
                snap.status == "error_deleting" || rules::is_stuck(snap, &asked.basis)
            };
            self.check(
                moments.iter().any(|(_, snap)| forced(snap)),
                "only what is stuck is deleted by force",
                || format!("{label}: {id} of {volume_id}"),
            );
        }
        if asked.phase == "expire" {
            let goes = moments
                .iter()
                .any(|(copy, snap)| rules::fate(snap, copy, &asked.basis).goes())
                || mixed(asked, &volume_id, &moments)
                    .any(|(copy, snap)| rules::fate(&snap, &copy, &asked.basis).goes());
            self.check(goes, "nothing is deleted that has to stay", || {
                let fates: Vec<Fate> = moments
                    .iter()
                    .map(|(copy, snap)| rules::fate(snap, copy, &asked.basis))
                    .collect();
                format!("{label}: {id} of {volume_id}: {fates:?}")
            });
            return;
        }
        let own_broken = |snap: &Snap| snap.status == "error" && self.makers.contains_key(id);
        let reasons: Vec<Option<StaleSnapshot>> = moments
            .iter()
            .map(|(copy, snap)| {
                rules::stale(snap, copy, &asked.basis)
                    .or_else(|| own_broken(snap).then_some(StaleSnapshot::Error))
            })
            .collect();
        let is_in_the_way = reasons.iter().any(Option::is_some)
            || mixed(asked, &volume_id, &moments)
                .any(|(copy, snap)| rules::stale(&snap, &copy, &asked.basis).is_some());
        // By such a clock it was stuck when it was seen between two moments.
        if asked.takes_new_for_stuck() && reasons.iter().all(Option::is_none) {
            return;
        }
        self.check(
            is_in_the_way,
            "nothing is deleted that is in nobody's way",
            || format!("{label}: {id} of {volume_id}"),
        );
        for reason in reasons.iter().flatten().take(1) {
            self.coverage.hit(match reason {
                StaleSnapshot::Duplicate => "deleted in a snapshot pass: twin",
                StaleSnapshot::Error => "deleted in a snapshot pass: error",
                StaleSnapshot::Stuck => "deleted in a snapshot pass: stuck",
            });
        }
        // What was seen broken or stuck may go, whatever it has become since: Cinder puts one
        // that it is too busy to delete back to `available`, also one that was in `error`, and
        // has no deletion that asks for a state.
        let was_lost = |reason: &Option<StaleSnapshot>| {
            matches!(reason, Some(StaleSnapshot::Error | StaleSnapshot::Stuck))
        };
        if !reasons.iter().any(was_lost) {
            self.one_stays(asked, sent, &volume_id);
        }
    }

    /// When a twin's deletion leaves, the one that stays is available.
    fn one_stays(&mut self, asked: &Asked<'_>, sent: &Sent, volume_id: &str) {
        let Some(copy) = &sent.copy else { return };
        let Some(snap) = copy.snapshots.iter().find(|one| one.id == sent.target) else {
            return;
        };
        // Other people may take away the other one at any time, and so may an expire pass.
        let alone = asked.step.meanwhile == 0
            && asked
                .step
                .passes
                .iter()
                .all(|pass| !pass.draw.event.to_string().contains("expire"));
        let (Some(kind), Some(start), true) = (snap.kind, snap.window_start, alone) else {
            return;
        };
        if snap.status != "available" {
            return;
        }
        let others = copy.snapshots.iter().filter(|one| {
            one.id != snap.id
                && one.managed
                && one.kind == Some(kind)
                && one.window_start == Some(start)
                && one.status == "available"
                && one.place() < snap.place()
        });
        self.check(
            others.count() > 0,
            "the last available snapshot of a window is never removed",
            || format!("{}: {} of {volume_id} {start}", asked.pass.label, snap.id),
        );
    }
}

/// How the snapshot's volume stood whenever a pass side by side changed something about it: the
/// two may have seen it at the same moment.
fn side_by_side<'a>(asked: &'a Asked<'_>, id: &'a str) -> impl Iterator<Item = &'a VolumeCopy> {
    asked
        .step
        .passes
        .iter()
        .flat_map(|pass| &pass.record.sent)
        .filter(move |sent| sent.at >= asked.pass.begun)
        .filter_map(|sent| sent.copy.as_ref())
        .filter(move |copy| copy.snapshots.iter().any(|one| one.id == id))
}

/// The volume of one moment with the snapshots of another: a pass reads the two listings one
/// after the other, and people may tag the volume anew in between.
fn mixed<'a>(
    asked: &'a Asked<'_>,
    volume_id: &str,
    moments: &'a [(&'a VolumeCopy, &'a Snap)],
) -> impl Iterator<Item = (VolumeCopy, Snap)> + 'a {
    let volumes: Vec<_> = asked
        .copies_of(volume_id)
        .map(|copy| copy.volume.clone())
        .filter(|_| asked.step.meanwhile > 0)
        .collect();
    moments.iter().flat_map(move |(copy, snap)| {
        let mixes: Vec<_> = volumes
            .iter()
            .map(|volume| {
                let copy = VolumeCopy {
                    volume: volume.clone(),
                    snapshots: copy.snapshots.clone(),
                };
                (copy, (*snap).clone())
            })
            .collect();
        mixes
    })
}
