//! What a call chooses, and what it says.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::super::commands::{self, Usable};
use super::super::point::{self, Moment, id_of, is_broken, policy_of, start_of};
use super::super::stage::{CallRun, StepRun};
use super::{Judge, in_earnest, is_creation, list};
use crate::restores::keys;
use crate::run::End;

impl Judge<'_> {
    pub(super) fn answer(&mut self, step: &StepRun<'_>, call: &CallRun) {
        // What it has seen is known for certain only where nobody else did anything.
        let is_alone = step.calls.len() == 1
            && step.meanwhile == 0
            && !step
                .changes
                .iter()
                .any(|one| super::is_of_others(one, step));
        match &call.end {
            End::Answered(answer) => {
                self.consistent(step, call, answer);
                if is_alone {
                    self.chosen(call, answer);
                    self.told(call, answer);
                }
            }
            End::Failed(error_type, message) if error_type == "NothingToRestore" && is_alone => {
                let choice = call.before.choice(&call.draw.event);
                let has_copies = !call.before.copies(id_of(&call.draw.event)).is_empty();
                self.check(
                    choice.is_empty() && !has_copies,
                    "nothing to restore is said where there is nothing",
                    || format!("{}: {message}", call.label),
                );
                let server = call.draw.event["server_id"].as_str();
                let oldest = choice
                    .without
                    .iter()
                    .flat_map(|id| call.before.available(id));
                let oldest = oldest.min_by_key(|one| one.created_at);
                let names = match (choice.without.is_empty(), oldest) {
                    (true, _) => server.is_some_and(|server| message.contains(server)),
                    (false, Some(oldest)) => message.contains(&rfc3339(oldest.created_at)),
                    (false, None) => true,
                };
                self.check(names, "nothing to restore names what there is", || {
                    format!("{}: {message}", call.label)
                });
            }
            _ => {}
        }
    }

    /// What an answer says fits together, and with the cloud.
    fn consistent(&mut self, step: &StepRun<'_>, call: &CallRun, answer: &Value) {
        let event = &call.draw.event;
        let is_dry = event["dry_run"] == true;
        let is_about = answer["phase"] == "restore"
            && answer["restore_id"] == event["restore_id"]
            && answer["dry_run"] == is_dry
            && answer["run_id"] == call.run_id.as_str();
        self.check(is_about, "an answer says what it is about", || {
            format!("{}: {answer}", call.label)
        });
        let failed: BTreeSet<&str> = list(answer, "failures")
            .filter_map(|one| one["volume_id"].as_str())
            .collect();
        let mut open = 0;
        for row in list(answer, "volumes") {
            let original = text(row, "volume_id");
            let copy = row["restored_volume_id"].as_str();
            open += usize::from(match (row["status"].as_str(), copy) {
                (Some("creating"), _) => !failed.contains(original),
                (None, None) => !is_dry && !failed.contains(original),
                _ => false,
            });
            let Some(copy) = copy.filter(|copy| !step.touched.contains(*copy)) else {
                continue;
            };
            let there = step.after.volume(copy);
            let of = |key: &str| {
                there
                    .and_then(|there| there.metadata.get(key))
                    .map(String::as_str)
            };
            self.check(
                of(keys::RESTORE_ID) == Some(id_of(event))
                    && of(keys::VOLUME) == Some(original)
                    && of(keys::SNAPSHOT) == row["snapshot_id"].as_str(),
                "a row tells of a copy of this restore, this volume and this snapshot",
                || format!("{}: {row} of {there:?}", call.label),
            );
            let Some(there) = there else { continue };
            let status = text(row, "status");
            self.check(
                row["restored_name"].as_str() == there.name.as_deref()
                    && row["size"].as_u64() == Some(there.size)
                    && (status == there.status || status == "creating"),
                "a row tells of the copy as it is",
                || format!("{}: {row} of {there:?}", call.label),
            );
        }
        let expected = match (failed.is_empty(), open) {
            (false, _) => "partial",
            (true, 0) => "complete",
            (true, _) => "deferred",
        };
        self.check(
            answer["outcome"] == expected,
            "the outcome follows from the rows and failures",
            || format!("{}: not {expected}: {answer}", call.label),
        );
        let used_up = call.record.sent.iter().any(|one| {
            is_creation(one)
                && one.status == Some(413)
                && one.retry_after.is_none_or(|wait| wait == 0)
        });
        let says_so = list(answer, "failures").any(|one| text(one, "error").contains("quota"));
        self.check(
            !used_up || says_so,
            "used-up quota is a failure that says so",
            || format!("{}: {answer}", call.label),
        );
    }

    /// The snapshots that were chosen are those of the rule.
    fn chosen(&mut self, call: &CallRun, answer: &Value) {
        let (event, before) = (&call.draw.event, &call.before);
        let restore_id = id_of(event);
        let rows: BTreeMap<String, String> = list(answer, "volumes")
            .map(|row| {
                (
                    text(row, "volume_id").to_owned(),
                    text(row, "snapshot_id").to_owned(),
                )
            })
            .collect();
        let copies = before.copies(restore_id);
        let choice = before.choice(event);
        let told = || {
            format!(
                "{}: {rows:?}, not {choice:?}; there are {copies:?}",
                call.label
            )
        };
        if copies.is_empty() {
            self.check(
                choice.allows(&rows),
                "the latest window in common is restored, or each one's newest",
                told,
            );
        } else {
            self.continued(call, &rows);
        }
        let failed: BTreeSet<&str> = list(answer, "failures")
            .filter_map(|one| one["volume_id"].as_str())
            .collect();
        let originals = before.originals(event);
        let is_named = |id: &String| rows.contains_key(id) || failed.contains(id.as_str());
        self.check(
            originals.iter().all(is_named) && rows.keys().all(|id| originals.contains(id)),
            "each volume is in the answer, and no other",
            || format!("{}: {originals:?}: {answer}", call.label),
        );
        let asked = in_earnest(event);
        if event["dry_run"] == true {
            self.tried = Some((asked, before.clone(), rows));
        } else if let Some((tried, moment, would)) = &self.tried
            && *tried == asked
            && moment.volumes == before.volumes
            && moment.snapshots == before.snapshots
        {
            let (holds, label) = (*would == rows, call.label.clone());
            let what = format!("{label}: {would:?}, then {rows:?}");
            self.check(holds, "a dry run says what the call then does", || what);
            self.coverage.hit("a dry run, and then in earnest");
        }
    }

    /// A later call makes what is missing of the point that an earlier one has chosen.
    fn continued(&mut self, call: &CallRun, rows: &BTreeMap<String, String>) {
        let (event, before) = (&call.draw.event, &call.before);
        let copies = before.copies(id_of(event));
        for (original, copies) in &copies {
            let made_of = copies
                .first()
                .and_then(|copy| copy.metadata.get(keys::SNAPSHOT));
            self.check(
                rows.get(*original) == made_of,
                "a copy that is there counts",
                || format!("{}: {rows:?}, there are {copies:?}", call.label),
            );
        }
        let all = || copies.values().flatten();
        let first = all().map(|copy| copy.created_at).min();
        let starts: BTreeSet<&str> = all()
            .filter_map(|copy| copy.metadata.get(keys::WINDOW_START))
            .map(String::as_str)
            .collect();
        let sources_are_there =
            all().any(|copy| before.snapshot(&copy.metadata[keys::SNAPSHOT]).is_some());
        let fixed = self.fixed.get(id_of(event)).cloned();
        let fixed = fixed.filter(|fixed| fixed.event == in_earnest(event));
        let missing: Vec<String> = before
            .originals(event)
            .into_iter()
            .filter(|id| !copies.contains_key(id.as_str()))
            .collect();
        for original in missing {
            let row = rows.get(&original).and_then(|id| before.snapshot(id));
            if let Some(snapshot) = row {
                let is_of_point =
                    starts.len() == 1 && starts.contains(rfc3339(start_of(snapshot)).as_str());
                let is_older = first.is_some_and(|first| snapshot.created_at <= first);
                self.check(
                    is_of_point || is_older,
                    "a later call mixes in nothing newer",
                    || format!("{}: {snapshot:?}; there are {copies:?}", call.label),
                );
            }
            let Some(fixed) = &fixed else { continue };
            let Some(choice) = &fixed.choice else {
                continue;
            };
            let wanted = choice.get(&original).and_then(|id| before.snapshot(id));
            let Some(wanted) = wanted.filter(|one| one.status == "available") else {
                continue;
            };
            // Of what was no window in common the rest is known only while all of it is there.
            let all_there = choice.values().all(|id| {
                before
                    .snapshot(id)
                    .is_some_and(|one| one.status == "available")
            });
            if !fixed.is_common && !all_there {
                continue;
            }
            // A copy does not say of which policy it is; and a twin may have become available.
            let may_be_another = row.is_some_and(|row| {
                let is_twin =
                    policy_of(row) == policy_of(wanted) && row.created_at <= wanted.created_at;
                start_of(row) == start_of(wanted) && (!sources_are_there || is_twin)
            });
            self.check(
                row.is_some_and(|row| row.id == wanted.id) || may_be_another,
                "a later call makes what the earlier one has chosen",
                || {
                    format!(
                        "{}: {row:?}, not {wanted:?}; there are {copies:?}",
                        call.label
                    )
                },
            );
        }
    }

    /// What people read: warnings, and what they would type next.
    fn told(&mut self, call: &CallRun, answer: &Value) {
        let before = &call.before;
        let restore_id = id_of(&call.draw.event);
        let warnings: Vec<&str> = list(answer, "warnings")
            .map(|one| text(one, "warning"))
            .collect();
        let failures: Vec<(&str, &str)> = list(answer, "failures")
            .map(|one| (text(one, "volume_id"), text(one, "error")))
            .collect();
        let rows: Vec<&Value> = list(answer, "volumes").collect();
        for (original, copies) in before.copies(restore_id) {
            let used = rows.iter().find(|row| text(row, "volume_id") == original);
            let used = used.and_then(|row| row["restored_volume_id"].as_str());
            for copy in &copies {
                let named =
                    list(answer, "warnings").any(|one| one["volume_id"] == copy.id.as_str());
                self.check(
                    Some(copy.id.as_str()) == used || named,
                    "a second copy is told of",
                    || format!("{}: {copy:?}: {answer}", call.label),
                );
            }
            self.coverage
                .hit_if(copies.len() > 1, "a second copy is told of");
            if let Some(copy) = copies.first().filter(|copy| is_broken(&copy.status)) {
                let named = failures
                    .iter()
                    .any(|(of, error)| *of == original && error.contains(&copy.id));
                self.check(named, "a broken copy is a failure that names it", || {
                    format!("{}: {copy:?}: {answer}", call.label)
                });
            }
        }
        self.rows(call, &rows);
        self.spread(call, &rows, &warnings);
        let is_dry = call.draw.event["dry_run"] == true;
        let says = |word: &str| warnings.iter().any(|one| one.contains(word));
        self.check(
            is_dry || rows.is_empty() || says("crash-consistent") && says("not managed"),
            "the warnings say what people must know",
            || format!("{}: {answer}", call.label),
        );
        let usable: Vec<Usable<'_>> = rows
            .iter()
            .filter(|row| !matches!(row["status"].as_str(), None | Some("creating")))
            .filter(|row| !is_broken(text(row, "status")))
            .filter_map(|row| {
                Some(Usable {
                    original: row["volume_id"].as_str()?,
                    copy: row["restored_volume_id"].as_str()?,
                    status: row["status"].as_str()?,
                })
            })
            .collect();
        let has_failed = |of: &str| failures.iter().any(|(failed, _)| *failed == of);
        let open: Vec<&str> = rows
            .iter()
            .filter(|row| matches!(row["status"].as_str(), None | Some("creating")))
            .map(|row| text(row, "volume_id"))
            .filter(|original| !has_failed(original))
            .collect();
        let event = &call.draw.event;
        let expected = commands::expected(&usable, &open, before, &self.devices(), event);
        let next: Vec<&str> = list(answer, "next").filter_map(Value::as_str).collect();
        self.check(
            next == expected,
            "what to type next is in order and complete",
            || format!("{}: {next:#?}, not {expected:#?}", call.label),
        );
    }

    /// Each row tells of its snapshot what that says itself.
    fn rows(&mut self, call: &CallRun, rows: &[&Value]) {
        for row in rows {
            let Some(snapshot) = call.before.snapshot(text(row, "snapshot_id")) else {
                continue;
            };
            let holds = row["policy"].as_str() == policy_of(snapshot)
                && row["window_start"] == rfc3339(start_of(snapshot)).as_str()
                && row["created_at"] == rfc3339(snapshot.created_at).as_str()
                && row["name"].as_str() == original_name(&call.before, text(row, "volume_id"));
            self.check(holds, "a row tells of the snapshot as it is", || {
                format!("{}: {row} of {snapshot:?}", call.label)
            });
        }
    }

    /// The spread in time is told where there is one, and nowhere else.
    fn spread(&mut self, call: &CallRun, rows: &[&Value], warnings: &[&str]) {
        let snapshots: Vec<_> = rows
            .iter()
            .filter_map(|row| call.before.snapshot(text(row, "snapshot_id")))
            .collect();
        if snapshots.len() < rows.len() {
            // Of what is gone only its copy tells.
            return;
        }
        let points: BTreeSet<(DateTime<Utc>, Option<&str>)> = snapshots
            .iter()
            .map(|one| (start_of(one), policy_of(one)))
            .collect();
        let made = || snapshots.iter().map(|one| one.created_at);
        let (Some(first), Some(last)) = (made().min(), made().max()) else {
            return;
        };
        let told = warnings
            .iter()
            .find(|one| one.contains("no window in common"));
        match points.len() {
            1 => self.check(
                told.is_none(),
                "no spread is told of where there is none",
                || format!("{}: {warnings:?}", call.label),
            ),
            _ => self.check(
                told.is_some_and(|one| {
                    one.contains(&rfc3339(first)) && one.contains(&rfc3339(last))
                }),
                "the spread in time is told",
                || format!("{}: {first} to {last}: {warnings:?}", call.label),
            ),
        }
    }

    /// Where the originals are at their servers.
    fn devices(&self) -> BTreeMap<String, String> {
        let volumes = self.case.volumes.iter();
        volumes
            .filter_map(|one| Some((one.id.clone()?, one.device.clone()?)))
            .collect()
    }
}

fn original_name<'m>(moment: &'m Moment, id: &str) -> Option<&'m str> {
    moment.volume(id)?.name.as_deref()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Whether a snapshot says of which window it is.
pub(super) fn has_window(snapshot: &simcloud::Snapshot) -> bool {
    point::window_of(snapshot).is_some()
}
