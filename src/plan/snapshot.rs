//! A managed snapshot as planning sees it, and what a pass remembers of a volume's.

use chrono::{DateTime, TimeDelta, Utc};

use super::forget_repeats;
use crate::policy::{Metadata, Policy, PolicyKind, Window, keys};

/// Cinder's states, as far as they are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being made.
    Creating,
    /// Whole.
    Available,
    /// Broken.
    Error,
    /// Being deleted.
    Deleting,
    /// Its deletion failed.
    ErrorDeleting,
    /// Whole, and somebody is at work with it (`backing-up`, `restoring`, `updating`,
    /// `unmanaging`, and whatever Cinder may call it in future): never touched.
    Busy,
}

impl State {
    /// Reads Cinder's word.
    pub fn parse(status: &str) -> Self {
        match status {
            "creating" => Self::Creating,
            "available" => Self::Available,
            "error" => Self::Error,
            "deleting" => Self::Deleting,
            "error_deleting" => Self::ErrorDeleting,
            _ => Self::Busy,
        }
    }

    /// Whether a snapshot in this state is no recovery point and will be none.
    pub fn is_lost(self) -> bool {
        matches!(self, Self::Error | Self::ErrorDeleting | Self::Deleting)
    }
}

/// What a snapshot says about when it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this instant.
    At(DateTime<Utc>),
    /// It says nothing.
    Missing,
    /// It says something that is no date with a time and a zone.
    Unreadable,
}

/// A managed snapshot, with its metadata already read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its UUID.
    pub id: String,
    /// The volume it was taken of, which may be gone.
    pub volume_id: String,
    /// Its state.
    pub state: State,
    /// When it was made, as listed.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// The policy that took it; nothing where it is none that is known.
    pub policy: Option<PolicyKind>,
    /// The start of the window that it serves; nothing where an older tool left none, or it
    /// cannot be read.
    pub window_start: Option<DateTime<Utc>>,
    /// When it may go.
    pub expiry: Expiry,
    /// Whether somebody wants it kept.
    pub held: bool,
}

impl Snapshot {
    /// Reads a snapshot's metadata.
    pub fn new(
        id: String,
        volume_id: String,
        status: &str,
        created_at: Option<DateTime<Utc>>,
        updated_at: Option<DateTime<Utc>>,
        metadata: &Metadata,
    ) -> Self {
        let instant = |key| {
            let text: &String = metadata.get(key)?;
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|at| at.to_utc())
        };
        let expiry = match metadata.get(keys::SNAPSHOT_EXPIRY_DATE) {
            None => Expiry::Missing,
            Some(text) if text.is_empty() => Expiry::Missing,
            Some(_) => instant(keys::SNAPSHOT_EXPIRY_DATE).map_or(Expiry::Unreadable, Expiry::At),
        };
        Self {
            id,
            volume_id,
            state: State::parse(status),
            created_at,
            updated_at,
            policy: metadata
                .get(keys::SNAPSHOT_POLICY_TYPE)
                .and_then(|kind| kind.parse().ok()),
            window_start: instant(keys::SNAPSHOT_WINDOW_START),
            expiry,
            held: keys::is_held(metadata),
        }
    }

    /// Its place in time among others. `created_at` has whole seconds, so ids break ties.
    pub(crate) fn age_key(&self) -> (Option<DateTime<Utc>>, &str) {
        (self.created_at, &self.id)
    }

    /// Whether it was taken for this window of this policy, whatever its state. The window's
    /// start in its metadata decides; the time of creation only where there is none.
    pub fn belongs_to(&self, kind: PolicyKind, window: &Window) -> bool {
        self.policy == Some(kind)
            && self
                .window_start
                .or(self.created_at)
                .is_some_and(|at| window.contains(at))
    }

    /// Whether some policy of its kind may have a window at this instant to which it belongs, or
    /// may have had one right before.
    pub fn may_belong_to_recent_window(&self, now: DateTime<Utc>) -> bool {
        let Some(kind) = self.policy else {
            return false;
        };
        let longest = kind.longest_window();
        self.window_start
            .or(self.created_at)
            .is_some_and(|at| (-longest..=longest * 2).contains(&(now - at)))
    }

    /// Whether it has been on its way, in one direction or the other, for too long: nothing
    /// will come of it any more.
    pub fn is_stuck(&self, now: DateTime<Utc>, stuck_after: TimeDelta) -> bool {
        let moving = matches!(
            self.state,
            State::Creating | State::Deleting | State::ErrorDeleting
        );
        let since = self.updated_at.or(self.created_at);
        moving && since.is_some_and(|since| now - since > stuck_after)
    }

    /// Whether a try left it behind that came to nothing: it holds quota and serves no window.
    pub(crate) fn is_leftover(&self, now: DateTime<Utc>, stuck_after: TimeDelta) -> bool {
        self.state.is_lost() || self.is_stuck(now, stuck_after)
    }

    /// Whether it is, or soon will be, a recovery point.
    pub fn serves(&self, now: DateTime<Utc>, stuck_after: TimeDelta) -> bool {
        !self.state.is_lost() && !self.is_stuck(now, stuck_after)
    }
}

/// What was seen of one volume's managed snapshots.
#[derive(Clone, Debug, Default)]
pub struct VolumeSnapshots {
    /// How many there are.
    pub count: usize,
    /// Those that may belong to an active window or to the one before it, and whatever is no
    /// recovery point yet or any more.
    pub relevant: Vec<Snapshot>,
}

impl VolumeSnapshots {
    /// Takes a snapshot in, and keeps it only if it can matter to a pass `now`: so what a pass
    /// holds in memory grows with volumes, not with years.
    ///
    /// Volumes are listed at the same time, so what their policies say is not known yet; but no
    /// window of a kind is longer than the kind allows.
    pub fn take_in(&mut self, snapshot: Snapshot, now: DateTime<Utc>) {
        self.count += 1;
        let unfinished = snapshot.state == State::Creating || snapshot.state.is_lost();
        if unfinished || snapshot.may_belong_to_recent_window(now) {
            self.relevant.push(snapshot);
        }
    }

    /// Takes in what another listing has shown of the same volume.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.count += other.count;
        self.relevant.append(&mut other.relevant);
    }

    /// Of one that a shifting listing has shown more than once, what it was last seen as counts.
    pub(crate) fn forget_repeats(&mut self) {
        forget_repeats(&mut self.relevant, |one| &one.id);
    }

    /// Those of one window, in all states.
    pub(super) fn of_window(
        &self,
        kind: PolicyKind,
        window: &Window,
    ) -> impl Iterator<Item = &Snapshot> {
        self.relevant
            .iter()
            .filter(move |one| one.belongs_to(kind, window))
    }

    /// Whether the window has a snapshot that can be restored from.
    pub(super) fn has_available(&self, kind: PolicyKind, window: &Window) -> bool {
        self.of_window(kind, window)
            .any(|one| one.state == State::Available)
    }

    /// Since when there has been nothing to restore from where nothing serves the active
    /// window: since it began or, where the window before it has nothing either, since that one
    /// began, but never since before the volume was made.
    pub(super) fn without_since(
        &self,
        policy: &Policy,
        window: &Window,
        volume_created_at: Option<DateTime<Utc>>,
    ) -> DateTime<Utc> {
        let before = policy.window_at(window.start - TimeDelta::seconds(1));
        let since = if self.has_available(policy.kind(), &before) {
            window.start
        } else {
            before.start
        };
        volume_created_at.map_or(since, |created_at| since.max(created_at))
    }
}
