//! Where everything comes to rest: misfortune has stopped, and two clean passes of each phase
//! have been made.

use simcloud::Role;

use super::{Asked, Judge};
use crate::rules::{self, Standing};
use crate::run::End;

impl Judge {
    /// After a clean pass: the second of each phase has to have left everything in order.
    pub(super) fn rest(&mut self, asked: &Asked<'_>) {
        if !asked.step.is_clean {
            return;
        }
        let end = &asked.pass.end;
        self.check(
            matches!(end, End::Answered(_)),
            "an undisturbed pass succeeds",
            || format!("{}: {end:?}", asked.pass.label),
        );
        self.clean_passes += 1;
        let role = self.case.config.role;
        let (3 | 4, true) = (self.clean_passes, role >= Role::Member) else {
            return;
        };
        // What is dated by clocks that are far apart is not deleted, and what a listing hid is not
        // seen.
        if self.is_deceived || asked.phase == "expire" && self.are_far_apart(asked) {
            return;
        }
        let Some(copy) = asked.step.copies.last() else {
            return;
        };
        self.coverage.hit("converged");
        for (volume_id, copy) in &copy.volumes {
            if asked.phase == "snapshot" {
                for (schedule, window) in rules::windows(copy, &asked.basis) {
                    let kind = schedule.kind;
                    let standing = rules::standing(copy, kind, &window, &asked.basis);
                    // What a role cannot remove keeps the window waiting.
                    let at_first = asked.copies().first();
                    let at_first = at_first.and_then(|first| first.volumes.get(volume_id));
                    let mut moments = at_first.into_iter().chain([copy]);
                    let waits =
                        moments.any(|copy| rules::waits_until(copy, kind, &asked.basis).is_some());
                    self.check(
                        standing != Standing::Due || waits || asked.is_crowded(),
                        "at rest every due window has a snapshot",
                        || format!("{volume_id} {} {window:?}", kind.as_str()),
                    );
                    let twins = rules::superfluous(copy, kind, &window, &asked.basis);
                    let second = twins.iter().find(|one| !one.held);
                    self.check(
                        second.is_none(),
                        "at rest no window has two snapshots",
                        || format!("{volume_id} {} {window:?} {twins:?}", kind.as_str()),
                    );
                }
                continue;
            }
            for snap in &copy.snapshots {
                // What was the newest available one when the pass looked may have a successor
                // by now.
                let at_first = asked.copies().first();
                let at_first = at_first.and_then(|first| first.volumes.get(volume_id));
                let goes = at_first
                    .into_iter()
                    .chain([copy])
                    .all(|copy| rules::fate(snap, copy, &asked.basis).goes());
                let needs_force = rules::is_stuck(snap, &asked.basis);
                self.check(
                    !goes || needs_force && role < Role::Admin,
                    "at rest what has expired is gone",
                    || format!("{snap:?}"),
                );
            }
        }
    }
}
