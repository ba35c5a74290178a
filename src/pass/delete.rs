//! Deleting one snapshot, and what the cloud's answer means.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::Pass;
use super::inventory::read_snapshot;
use crate::deadline::Deadline;
use crate::openstack::{AfterRefusal, Deletion, Error, Snapshot};
use crate::plan::State;
use crate::plan::duplicates::Duplicate;
use crate::policy::keys;

/// What was listed this long ago is read again before it is deleted: people set holds meanwhile.
const LISTING_HOLDS: Duration = Duration::from_secs(30);

/// Whether what was listed since then has to be read again before it is deleted.
pub(super) fn may_have_changed(listed_since: Instant) -> bool {
    listed_since.elapsed() > LISTING_HOLDS
}

#[derive(Debug)]
pub(super) enum DeleteOutcome {
    /// The cloud took the request on.
    Accepted { request_id: Option<String> },
    /// It was gone already.
    AlreadyGone,
    /// Somebody else's deletion is under way.
    ByOther,
    /// There is no time for it, or it was cut off.
    OutOfTime(Error),
    /// The cloud refused, or could not be asked.
    Refused(Error),
}

impl DeleteOutcome {
    /// Whether the snapshot is gone or going.
    pub(super) fn is_done(&self) -> bool {
        matches!(
            self,
            Self::Accepted { .. } | Self::AlreadyGone | Self::ByOther
        )
    }

    /// What the client's answer means.
    pub(super) fn of(outcome: Result<Deletion, Error>) -> Self {
        match outcome {
            Ok(Deletion::Accepted { request_id }) => Self::Accepted { request_id },
            Ok(Deletion::ByOther) => Self::ByOther,
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Self::AlreadyGone,
            Err(error) if error.is_out_of_time() => Self::OutOfTime(error),
            Err(error) => Self::Refused(error),
        }
    }
}

/// Whether snapshots may be deleted by force, as far as a pass has found out. It takes a role that
/// most have not, so one refusal stands for all.
#[derive(Debug, Default)]
pub(super) struct Force {
    known: AtomicU8,
    /// Held by whoever finds it out.
    first: Mutex<()>,
}

impl Force {
    const UNKNOWN: u8 = 0;
    const ALLOWED: u8 = 1;
    const DENIED: u8 = 2;

    /// Whether nobody knows yet.
    pub(super) fn is_unknown(&self) -> bool {
        self.known.load(Ordering::Relaxed) == Self::UNKNOWN
    }

    /// Whether it was refused.
    pub(super) fn is_denied(&self) -> bool {
        self.known.load(Ordering::Relaxed) == Self::DENIED
    }

    /// Whether force may be tried. Until it is known, one tries it and the others wait for what comes
    /// of that, which is while the guard is held.
    async fn allows(&self) -> Option<Option<MutexGuard<'_, ()>>> {
        let finds_out = match self.is_unknown() {
            true => Some(self.first.lock().await).filter(|_| self.is_unknown()),
            false => None,
        };
        (!self.is_denied()).then_some(finds_out)
    }

    fn learn(&self, forced: &Result<Deletion, Error>) {
        match forced {
            // One that was begun before another was refused does not allow more.
            Ok(_) => drop(self.known.compare_exchange(
                Self::UNKNOWN,
                Self::ALLOWED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )),
            // Outside the access rules of an application credential it is 401, also with a token
            // that has just been fetched.
            Err(error)
                if matches!(
                    error.status(),
                    Some(StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED)
                ) =>
            {
                self.known.store(Self::DENIED, Ordering::Relaxed);
            }
            Err(_) => {}
        }
    }
}

/// Whether nobody has taken it from us or holds it meanwhile: whoever does has the last word.
fn is_ours_to_delete(seen: &Snapshot) -> bool {
    keys::is_managed(&seen.metadata) && !keys::is_held(&seen.metadata)
}

impl Pass<'_> {
    /// Deletes a snapshot that is stuck or broken: normally first, and by force where that is
    /// refused and nothing else will ever come of it. All deletions of a pass share what is known
    /// of `force`. Before each request `goes` says whether it is still to go;
    /// it is told how often the same one was sent already.
    pub(super) async fn delete_or_force(
        &self,
        deadline: Deadline,
        snapshot_id: &str,
        force: &Force,
        goes: impl AsyncFn(u32) -> bool,
    ) -> DeleteOutcome {
        let forced = RefCell::new(None);
        let force_what_is_stuck = async |seen: &Snapshot| {
            if !is_ours_to_delete(seen) {
                return AfterRefusal::GiveUp;
            }
            let snapshot = read_snapshot(seen);
            let stuck = snapshot.is_stuck(self.now, self.limits.stuck_after);
            match snapshot.state {
                _ if stuck || snapshot.state == State::ErrorDeleting => {
                    let Some(finds_out) = force.allows().await else {
                        return AfterRefusal::GiveUp;
                    };
                    forced.replace(Some(finds_out));
                    AfterRefusal::Force
                }
                State::Deleting => AfterRefusal::LeaveToOther,
                _ => AfterRefusal::GiveUp,
            }
        };
        let outcome = self
            .client
            .delete_snapshot(deadline, snapshot_id, goes, force_what_is_stuck)
            .await;
        if forced.borrow().is_some() {
            force.learn(&outcome);
        }
        DeleteOutcome::of(outcome)
    }

    /// Deletes a snapshot that is in a window's way, or by force where that is needed.
    pub(super) async fn delete_stale(
        &self,
        deadline: Deadline,
        id: &str,
        listed_since: Instant,
        force: &Force,
    ) -> DeleteOutcome {
        let goes = async |sent| {
            sent == 0 && !may_have_changed(listed_since) || self.is_still_stale(deadline, id).await
        };
        self.delete_or_force(deadline, id, force, goes).await
    }

    /// Deletes a superfluous duplicate, never by force: should the cloud refuse, there is one
    /// snapshot too many, which harms nobody.
    pub(super) async fn delete_duplicate(
        &self,
        duplicate: &Duplicate,
        listed_since: Instant,
    ) -> DeleteOutcome {
        let (deadline, id) = (self.deadline, &duplicate.snapshot_id);
        // The other one is read in any case: deleted by somebody else meanwhile, it would leave none.
        let goes = async |sent| {
            (sent == 0 && !may_have_changed(listed_since) || self.may_still_go(deadline, id).await)
                && self.is_available(&duplicate.stays).await
        };
        let leave = async |seen: &Snapshot| match State::parse(seen.status.as_str()) {
            State::Deleting => AfterRefusal::LeaveToOther,
            _ => AfterRefusal::GiveUp,
        };
        let outcome = self.client.delete_snapshot(deadline, id, goes, leave).await;
        DeleteOutcome::of(outcome)
    }

    /// Whether one whose deletion is to be sent again, and has waited, may still go.
    async fn may_still_go(&self, deadline: Deadline, id: &str) -> bool {
        match self.client.snapshot(deadline, id).await {
            Ok(seen) => is_ours_to_delete(&seen),
            Err(error) => error.status() == Some(StatusCode::NOT_FOUND),
        }
    }

    /// The same of one that was no recovery point: by now it may be one.
    async fn is_still_stale(&self, deadline: Deadline, id: &str) -> bool {
        match self.client.snapshot(deadline, id).await {
            Ok(seen) => {
                let state = State::parse(seen.status.as_str());
                is_ours_to_delete(&seen) && !matches!(state, State::Available | State::Busy)
            }
            Err(error) => error.status() == Some(StatusCode::NOT_FOUND),
        }
    }

    async fn is_available(&self, id: &str) -> bool {
        let read = self.client.snapshot(self.deadline, id).await;
        read.is_ok_and(|seen| State::parse(seen.status.as_str()) == State::Available)
    }
}
