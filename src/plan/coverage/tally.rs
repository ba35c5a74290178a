//! What a report remembers of one volume's managed snapshots, little of each and less of the old, and
//! the totals of its whole share.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::CoverageState;
use crate::plan::{Expiry, Snapshot, State, VolumeSnapshots};
use crate::policy::PolicyKind;

/// By what a report takes snapshots in.
#[derive(Clone, Copy, Debug)]
pub struct TallyRule {
    /// The one instant by which everything is judged.
    pub now: DateTime<Utc>,
    /// After how long a snapshot on its way counts as stuck.
    pub stuck_after: TimeDelta,
    /// The snapshots of windows that end later are remembered as [`Point`]s; none is where this is
    /// absent.
    pub points_since: Option<DateTime<Utc>>,
}

/// What was seen of one volume's managed snapshots.
#[derive(Clone, Debug, Default)]
pub struct SnapshotTally {
    /// Those by which a snapshot pass would judge the volume's active windows.
    pub snapshots: VolumeSnapshots,
    /// Of each policy that has any, in the order in which they were met.
    kinds: Vec<(PolicyKind, KindTally)>,
    /// How many are held.
    pub held: u32,
    /// How many were left behind by tries that came to nothing, of all policies.
    pub leftovers: u32,
    /// Their sizes added up, in GiB.
    pub gigabytes: u64,
}

/// What was seen of one policy's managed snapshots.
#[derive(Clone, Debug, Default)]
pub struct KindTally {
    /// How many can be restored from.
    pub available: u32,
    /// How many are being created and are not stuck.
    pub creating: u32,
    /// How many were left behind by tries that came to nothing.
    pub leftovers: u32,
    /// The newest that can be restored from.
    pub newest: Option<Newest>,
    /// When the oldest that can be restored from was made.
    pub oldest_created_at: Option<DateTime<Utc>>,
    /// An instant of the newest window, not in the future, that has one that can be restored from.
    pub newest_in_window: Option<DateTime<Utc>>,
    /// When the next of those that are not held expires.
    pub next_expiry: Option<DateTime<Utc>>,
    /// An instant of the oldest window of which there is any, in whatever state.
    pub first: Option<DateTime<Utc>>,
    /// Those of the last days, for a [timeline](crate::plan::timeline).
    pub points: Vec<Point>,
}

/// The newest snapshot of a policy that can be restored from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The snapshot.
    pub snapshot_id: String,
    /// The start of the window that it serves, where it says so.
    pub window_start: Option<DateTime<Utc>>,
    /// When it was made, as listed.
    pub created_at: Option<DateTime<Utc>>,
    /// When it may go, where it says so.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether somebody wants it kept.
    pub held: bool,
}

/// A snapshot as a timeline shows it, in seconds since 1970: thousands are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// An instant of the window to which it belongs.
    pub at: i64,
    /// When it was made.
    pub created_at: Option<i64>,
    /// Its state.
    pub state: State,
    /// Whether somebody wants it kept.
    pub held: bool,
}

impl SnapshotTally {
    /// Takes a snapshot in, of which the cloud says that it has this many GiB.
    pub fn take_in(&mut self, snapshot: Snapshot, size: Option<u64>, rule: &TallyRule) {
        self.gigabytes = self.gigabytes.saturating_add(size.unwrap_or(0));
        self.held += u32::from(snapshot.held);
        if let Some(kind) = snapshot.policy {
            let is_leftover = !snapshot.held && snapshot.is_leftover(rule.now, rule.stuck_after);
            self.leftovers += u32::from(is_leftover);
            let points_since = rule.points_since.map(|since| since - kind.longest_window());
            let rule = TallyRule {
                points_since,
                ..*rule
            };
            self.of_kind(kind).take_in(&snapshot, is_leftover, &rule);
        }
        self.remember(snapshot, rule.now);
    }

    /// Remembers a snapshot for the judgement of its window. Of those that can be restored from only
    /// the nearest to `now` can be in the active window, whatever the policy: one before and one
    /// after it are enough.
    fn remember(&mut self, mut snapshot: Snapshot, now: DateTime<Utc>) {
        // It is known whose they are.
        snapshot.volume_id = String::new();
        let (Some(kind), State::Available) = (snapshot.policy, snapshot.state) else {
            self.snapshots.take_in(snapshot, now);
            return;
        };
        let place = |one: &Snapshot| {
            let at = one.window_start.or(one.created_at)?;
            Some((at > now, (at - now).abs()))
        };
        let Some((is_ahead, distance)) = place(&snapshot) else {
            self.snapshots.count += 1;
            return;
        };
        let known = self.snapshots.relevant.iter_mut().find(|one| {
            one.policy == Some(kind)
                && one.state == State::Available
                && place(one).is_some_and(|(ahead, _)| ahead == is_ahead)
        });
        match known {
            None => self.snapshots.take_in(snapshot, now),
            Some(known) => {
                self.snapshots.count += 1;
                if place(known).is_some_and(|(_, of_known)| distance < of_known) {
                    *known = snapshot;
                }
            }
        }
    }

    /// What was seen of this policy's, where there are any.
    pub(crate) fn kind(&self, kind: PolicyKind) -> Option<&KindTally> {
        self.kinds
            .iter()
            .find_map(|(other, tally)| (*other == kind).then_some(tally))
    }

    fn of_kind(&mut self, kind: PolicyKind) -> &mut KindTally {
        let at = self.kinds.iter().position(|(other, _)| *other == kind);
        let at = at.unwrap_or_else(|| {
            self.kinds.reserve_exact(1);
            self.kinds.push((kind, KindTally::default()));
            self.kinds.len() - 1
        });
        &mut self.kinds[at].1
    }
}

impl KindTally {
    fn take_in(&mut self, snapshot: &Snapshot, is_leftover: bool, rule: &TallyRule) {
        self.leftovers += u32::from(is_leftover);
        let at = snapshot.window_start.or(snapshot.created_at);
        self.first = earlier(self.first, at);
        if let (Some(at), Some(since)) = (at, rule.points_since)
            && since <= at
        {
            self.points.push(Point {
                at: at.timestamp(),
                created_at: snapshot.created_at.map(|at| at.timestamp()),
                state: snapshot.state,
                held: snapshot.held,
            });
        }
        match snapshot.state {
            State::Available => self.take_in_available(snapshot, at, rule.now),
            State::Creating if !snapshot.is_stuck(rule.now, rule.stuck_after) => self.creating += 1,
            _ => {}
        }
    }

    fn take_in_available(
        &mut self,
        snapshot: &Snapshot,
        at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        self.available += 1;
        self.oldest_created_at = earlier(self.oldest_created_at, snapshot.created_at);
        self.newest_in_window = self.newest_in_window.max(at.filter(|at| *at <= now));
        let expires_at = match snapshot.expiry {
            Expiry::At(at) => Some(at),
            Expiry::Missing | Expiry::Unreadable => None,
        };
        if !snapshot.held {
            self.next_expiry = earlier(self.next_expiry, expires_at.filter(|at| *at > now));
        }
        let is_newer = self.newest.as_ref().is_none_or(|newest| {
            snapshot.age_key() > (newest.created_at, newest.snapshot_id.as_str())
        });
        if is_newer {
            self.newest = Some(Newest {
                snapshot_id: snapshot.id.clone(),
                window_start: snapshot.window_start,
                created_at: snapshot.created_at,
                expires_at,
                held: snapshot.held,
            });
        }
    }
}

fn earlier(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// How many volumes stand in which way, and what snapshots there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All volumes.
    pub volumes: usize,
    /// Those that are covered.
    pub protected: usize,
    /// Those whose recovery point is on its way.
    pub creating: usize,
    /// Those without the recovery point that was promised.
    pub late: usize,
    /// Those without it whose state allows none.
    pub blocked: usize,
    /// Those with a policy that cannot be read.
    pub invalid: usize,
    /// Those that have fallen out of management.
    pub lost: usize,
    /// Those for which nothing is wanted.
    pub off: usize,
    /// Those about which nobody has said anything.
    pub unmanaged: usize,
    /// Managed snapshots, those of volumes that are gone included.
    pub snapshots: usize,
    /// Those that somebody wants kept.
    pub held: usize,
    /// Those that an expire pass would delete now.
    pub expired: usize,
    /// Those that tries that came to nothing have left behind.
    pub leftovers: usize,
    /// Those of volumes that are gone.
    pub orphans: usize,
    /// The sizes of all of them added up, in GiB.
    pub gigabytes: u64,
}

impl Totals {
    /// Counts a volume that stands in this way.
    pub fn add_volume(&mut self, state: CoverageState) {
        self.volumes += 1;
        *self.of_mut(state) += 1;
    }

    /// Counts the snapshots of one volume, which may be gone.
    pub fn add_snapshots(&mut self, tally: &SnapshotTally, volume_exists: bool) {
        self.snapshots += tally.snapshots.count;
        self.held += tally.held as usize;
        self.leftovers += tally.leftovers as usize;
        self.gigabytes = self.gigabytes.saturating_add(tally.gigabytes);
        if !volume_exists {
            self.orphans += tally.snapshots.count;
        }
    }

    /// How many volumes stand in this way.
    pub(crate) fn of(&self, state: CoverageState) -> usize {
        *self.clone().of_mut(state)
    }

    /// How many volumes somebody should look at.
    pub fn wanting_attention(&self) -> usize {
        let all = CoverageState::ALL.into_iter();
        all.filter(|state| state.wants_attention())
            .map(|state| self.of(state))
            .sum()
    }

    fn of_mut(&mut self, state: CoverageState) -> &mut usize {
        match state {
            CoverageState::Lost => &mut self.lost,
            CoverageState::Invalid => &mut self.invalid,
            CoverageState::Late => &mut self.late,
            CoverageState::Blocked => &mut self.blocked,
            CoverageState::Creating => &mut self.creating,
            CoverageState::Protected => &mut self.protected,
            CoverageState::Off => &mut self.off,
            CoverageState::Unmanaged => &mut self.unmanaged,
        }
    }
}
