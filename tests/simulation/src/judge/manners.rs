//! When and how a pass ends.

use simcloud::{Happening, Outcome, Route};

use super::{Asked, Judge};
use crate::run::End;
use crate::witness::Purpose;

/// What a pass may fail with as a whole, given an event and settings that can be read.
const NAMED: [&str; 3] = [
    "AuthenticationFailed",
    "DiscoveryFailed",
    "DeadlineExceeded",
];

impl Judge {
    pub(super) fn manners(&mut self, asked: &Asked<'_>) {
        let pass = asked.pass;
        let took = pass.ended - pass.begun;
        let slack = asked.pace.slack();
        let killed = matches!(pass.end, End::Killed);
        self.check(
            killed || pass.ended <= pass.deadline + slack,
            "a pass answers before its deadline",
            || format!("{} took {took:?}", pass.label),
        );
        if let End::Failed(error_type, message) = &pass.end {
            self.check(
                NAMED.contains(&error_type.as_str()),
                "a pass fails with a named error only",
                || format!("{}: {error_type}: {message}", pass.label),
            );
            self.check(
                !changes_something(asked),
                "a pass that failed has changed nothing",
                || format!("{}: {error_type}: {message}", pass.label),
            );
        }
        self.check(
            !asked.dry_run || !changes_something(asked),
            "a dry run changes nothing",
            || pass.label.clone(),
        );
        let entries = asked.step.entries.iter();
        for entry in entries.filter(|entry| entry.request_id.as_ref() == Some(&pass.run_id)) {
            // A hung request ends when nobody waits for it any more.
            let is_over =
                entry.client_gone || !matches!(entry.outcome, Outcome::Waiting | Outcome::Hung);
            self.check(
                is_over && entry.arrived <= pass.deadline + slack,
                "no request outlives the deadline",
                || format!("{}: {} {}", pass.label, entry.method, entry.path),
            );
            let known = matches!(
                (asked.phase, entry.route),
                (
                    _,
                    Route::Login
                        | Route::ListVolumes
                        | Route::GetVolume
                        | Route::ListSnapshots
                        | Route::GetSnapshot
                        | Route::DeleteSnapshot
                        | Route::ForceDelete
                        | Route::GetServer
                ) | ("snapshot", Route::CreateSnapshot)
            );
            self.check(known, "a pass makes its own calls only", || {
                format!("{}: {} {}", pass.label, entry.method, entry.path)
            });
        }
        let wrote = asked.step.changes.iter().find(|change| {
            matches!(
                change.happening,
                Happening::VolumeMetadata | Happening::SnapshotMetadata
            )
        });
        self.check(wrote.is_none(), "no pass writes metadata", || {
            format!("{wrote:?}")
        });
        self.fits(asked);
    }

    /// Nothing that changes something is begun where not even the quickest answer of its kind would
    /// have come in time. What exactly is expected is the program's own affair.
    fn fits(&mut self, asked: &Asked<'_>) {
        let sent = &asked.pass.record.sent;
        for (at, one) in sent.iter().enumerate() {
            if !matches!(one.purpose, Purpose::Create | Purpose::Delete) {
                continue;
            }
            // What came at the very same time may have been heard of a little later.
            let earlier = sent[..at].iter().filter(|sent| sent.purpose == one.purpose);
            let took = earlier.filter_map(|sent| sent.took.filter(|took| sent.at + *took < one.at));
            let quickest = took.min().unwrap_or_default();
            let left = asked.pass.deadline.saturating_duration_since(one.at);
            self.check(
                left > quickest || !asked.is_exact() && left + asked.pace.slack() > quickest,
                "nothing is begun that cannot be done in time",
                || {
                    format!(
                        "{}: a {:?} is sent {left:?} before the deadline, and none took less than \
                         {quickest:?}",
                        asked.pass.label, one.purpose
                    )
                },
            );
        }
    }
}

fn changes_something(asked: &Asked<'_>) -> bool {
    asked
        .pass
        .record
        .sent
        .iter()
        .any(|sent| matches!(sent.purpose, Purpose::Create | Purpose::Delete))
}
