//! What a pass takes: only what is due, exactly as it is to be taken, and once.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use simcloud::{Change, Entry, Happening, Route};

use super::{Asked, Judge};
use crate::calendar::{self, Window};
use crate::meaning::{Kind, Meaning, Schedule, Snap};
use crate::rules::{self, Standing};
use crate::witness::{Purpose, Sent};
use crate::world::VolumeCopy;

/// The window that a creation is for.
pub(super) type Target = (String, Kind, DateTime<Utc>);

/// What a request asks for.
pub(super) fn target(body: &Value) -> Option<Target> {
    let metadata = &body["snapshot"]["metadata"];
    let kind = Kind::named(metadata["x-snapsentry-snapshot-policy-type"].as_str()?)?;
    let start = metadata["x-snapsentry-snapshot-window-start"].as_str()?;
    let start = DateTime::parse_from_rfc3339(start).ok()?.to_utc();
    let volume = body["snapshot"]["volume_id"].as_str()?.to_owned();
    Some((volume, kind, start))
}

/// What the snapshot of a window is called.
pub(super) fn snapshot_name(volume_id: &str, schedule: &Schedule, window: &Window) -> String {
    let start = calendar::in_zone(schedule, window.start);
    format!("managed-{}-{volume_id}-{start}", schedule.kind.as_str())
}

impl Judge {
    pub(super) fn creations(&mut self, asked: &Asked<'_>) {
        let record = &asked.pass.record;
        for sent in record
            .sent
            .iter()
            .filter(|one| one.purpose == Purpose::Create)
        {
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            let Some(target) = target(&body) else {
                self.check(false, "what is taken says what it is for", || {
                    body.to_string()
                });
                continue;
            };
            self.is_wanted(asked, sent, &body, &target);
            self.leftovers_are_old_enough(asked, sent, &target);
        }
        self.only_once(asked);
        self.never_too_many(asked);
        self.at_one_moment(asked);
        self.oldest_first(asked);
        self.heeds_its_looks(asked);
        self.looks_for_twins(asked);
    }

    /// At some moment since the pass began, exactly this was due.
    fn is_wanted(&mut self, asked: &Asked<'_>, sent: &Sent, body: &Value, target: &Target) {
        let (volume_id, kind, start) = target;
        let label = &asked.pass.label;
        self.check(asked.names(volume_id), "a pass keeps to its share", || {
            format!("{label}: takes {volume_id}")
        });
        let moments = || asked.copies_of(volume_id).chain(&sent.copy);
        let expected = |copy: &VolumeCopy| {
            let volume = copy.volume.as_ref().filter(|volume| volume.tags.managed)?;
            let Meaning::On(schedule) = volume.tags.policy(*kind) else {
                return None;
            };
            let window = calendar::window_at(&schedule, asked.basis.now);
            let expires = calendar::expires_at(&schedule, &window);
            let wanted = json!({"snapshot": {
                "volume_id": volume_id,
                "name": snapshot_name(volume_id, &schedule, &window),
                "description": "Created and managed by SnapSentry",
                "force": true,
                "metadata": {
                    "x-snapsentry-managed": "true",
                    "x-snapsentry-snapshot-policy-type": kind.as_str(),
                    "x-snapsentry-snapshot-retention-days": schedule.retention_days.to_string(),
                    "x-snapsentry-snapshot-expiry-date": calendar::in_utc(expires),
                    "x-snapsentry-snapshot-expiry-date-user-tz":
                        calendar::in_zone(&schedule, expires),
                    "x-snapsentry-snapshot-window-start": calendar::in_utc(window.start),
                },
            }});
            Some((wanted, window, volume.status.clone()))
        };
        let candidates: Vec<_> = moments()
            .filter_map(|copy| Some((copy, expected(copy)?)))
            .collect();
        let is_due = candidates.iter().any(|(_, (wanted, _, status))| {
            wanted == body && matches!(status.as_str(), "available" | "in-use")
        });
        self.check(is_due, "what is taken is what is wanted", || {
            let wanted: Vec<String> = candidates
                .iter()
                .map(|(_, (wanted, ..))| wanted.to_string())
                .collect();
            format!("{label}: sent {body}; wanted {}", wanted.join(" or "))
        });
        // Served at every moment, by one that this pass has not made; also at those when the
        // volume itself was gone, for snapshots may have been listed then. One that broke served
        // nobody for a while, also where Cinder was too busy to delete it and calls it available
        // again.
        let broke = |id: &str| asked.has_met(id, &[Happening::CreationFailed]);
        let is_served = candidates.iter().all(|(_, (_, window, _))| {
            moments().all(
                |copy| match rules::standing(copy, *kind, window, &asked.basis) {
                    Standing::Served(at) => {
                        let id = &copy.snapshots[at].id;
                        !self.is_made_by(asked, id) && !broke(id)
                    }
                    _ => false,
                },
            )
        });
        self.check(
            candidates.is_empty() || !is_served || self.is_deceived,
            "no second snapshot of a window is asked for",
            || format!("{label}: {} {volume_id} {start}", kind.as_str()),
        );
    }

    /// What earlier tries have left behind keeps a window from being tried again too soon.
    fn leftovers_are_old_enough(&mut self, asked: &Asked<'_>, sent: &Sent, target: &Target) {
        let (volume_id, kind, _) = target;
        // What this pass has asked to go does not count.
        let asked_to_go: Vec<&str> = asked
            .pass
            .record
            .sent
            .iter()
            .filter(|one| one.purpose == Purpose::Delete && one.at <= sent.at)
            .map(|one| one.target.as_str())
            .collect();
        let goes = |snap: &Snap| asked_to_go.contains(&snap.id.as_str());
        let mut moments = asked.copies_of(volume_id).chain(&sent.copy);
        let is_tried = moments.any(|copy| {
            let mut active = rules::windows(copy, &asked.basis);
            let active = active.find(|(schedule, _)| schedule.kind == *kind);
            active.is_none_or(|(schedule, window)| {
                rules::is_tried(copy, &schedule, &window, &asked.basis, &goes) != Some(false)
            })
        });
        self.check(
            is_tried,
            "a window is not tried again before leftovers are old enough",
            || format!("{}: {} {volume_id}", asked.pass.label, kind.as_str()),
        );
    }

    /// Whether a request of this pass made a snapshot.
    pub(super) fn is_made_by(&self, asked: &Asked<'_>, snapshot_id: &str) -> bool {
        let Some(request) = self.makers.get(snapshot_id) else {
            return false;
        };
        asked.step.entries.iter().any(|entry| {
            entry.sequence == *request && entry.request_id.as_ref() == Some(&asked.pass.run_id)
        })
    }

    /// A creation is sent again only after a look that could have shown the first one, and did
    /// not.
    fn only_once(&mut self, asked: &Asked<'_>) {
        let label = &asked.pass.label;
        let of_pass: Vec<&Entry> = asked
            .step
            .entries
            .iter()
            .filter(|entry| entry.request_id.as_ref() == Some(&asked.pass.run_id))
            .collect();
        let mut tries: BTreeMap<Target, Vec<&Entry>> = BTreeMap::new();
        for entry in &of_pass {
            if entry.route == Route::CreateSnapshot
                && let Some(target) = target(&entry.json())
            {
                tries.entry(target).or_default().push(entry);
            }
        }
        let made: HashMap<u64, &Change> = asked
            .step
            .changes
            .iter()
            .filter(|change| change.happening == Happening::Creating)
            .filter_map(|change| Some((change.request?, change)))
            .collect();
        let looks: Vec<&&Entry> = of_pass
            .iter()
            .filter(|entry| entry.route == Route::ListSnapshots && entry.status() == Some(200))
            .collect();
        for (target, tries) in &tries {
            for pair in tries.windows(2) {
                let (first, second) = (pair[0], pair[1]);
                let is_clear = matches!(first.status(), Some(401 | 406 | 413 | 429))
                    && !made.contains_key(&first.sequence);
                // A look-up goes by the volume, or without any filter.
                let filter = format!("volume_id={}", target.0);
                let look = looks.iter().rev().find(|look| {
                    let plain = ["metadata=", "limit="];
                    let plain = plain.iter().all(|part| !look.path.contains(part));
                    (look.path.contains(&filter) || plain)
                        && look.arrived >= first.arrived
                        && look.answered.is_some_and(|at| at <= second.arrived)
                        && (first.answered.is_none_or(|end| end <= look.arrived)
                            || first.client_gone)
                });
                self.check(
                    is_clear || look.is_some(),
                    "a creation is looked up before it is sent again",
                    || format!("{label}: {target:?}"),
                );
                let (Some(look), Some(change)) = (look, made.get(&first.sequence)) else {
                    continue;
                };
                let id = change.snapshot_id.as_deref().unwrap_or_default();
                // One without a filter may be the end of another volume's look-up, and what is new
                // is on the first page.
                let was_there = change.at < look.at
                    && !self.may_deceive(asked)
                    && look.path.contains(&filter)
                    && !look.path.contains("marker=");
                let ways_out = [
                    Happening::CreationFailed,
                    Happening::Deleting,
                    Happening::Deleted,
                ];
                let was_lost = asked.has_met(id, &ways_out) || asked.step.meanwhile > 0;
                self.check(
                    !was_there || was_lost,
                    "what a look could show is not made again",
                    || format!("{label}: {target:?} was {id} already"),
                );
            }
        }
    }

    /// At most one snapshot of a volume, and so many in all, are being created at a time.
    fn never_too_many(&mut self, asked: &Asked<'_>) {
        // What other people take away is in no log.
        if asked.step.meanwhile > 0 {
            return;
        }
        let record = &asked.pass.record;
        let mut creating: Vec<(&str, &str)> = Vec::new();
        for change in &asked.step.changes {
            let Some(id) = change.snapshot_id.as_deref() else {
                continue;
            };
            match change.happening {
                // What the pass has not heard of it cannot count.
                Happening::Creating if record.told.contains(id) && self.is_made_by(asked, id) => {
                    let same = creating.iter().find(|(_, of)| *of == change.volume_id);
                    self.check(
                        same.is_none(),
                        "one snapshot of a volume is made at a time",
                        || format!("{}: {same:?} and {id}", asked.pass.label),
                    );
                    creating.push((id, &change.volume_id));
                    // Each volume type has slots of its own.
                    let type_of = |id: &str| {
                        let volumes = self.case.volumes.iter();
                        let mut volumes = volumes.filter(|volume| volume.id == id);
                        volumes.next().and_then(|one| one.spec.volume_type.clone())
                    };
                    let own = type_of(&change.volume_id);
                    let same = creating.iter().filter(|(_, of)| type_of(of) == own);
                    let (count, most) = (same.count(), asked.knobs.max_creating);
                    self.check(
                        count <= most,
                        "no more snapshots are being made than allowed",
                        || format!("{}: {count} of {most}", asked.pass.label),
                    );
                }
                _ => creating.retain(|(one, _)| *one != id),
            }
        }
    }
}
