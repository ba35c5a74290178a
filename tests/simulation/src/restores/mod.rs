//! Getting data back, again and again, while all kinds of things go wrong.
//!
//! A seed is a tenancy whose snapshots are there already, and some steps in which people do
//! something, things go wrong, and `restore` is called, with one restore id or another, alone or
//! side by side, to be tried out or in earnest. Calls are killed between two of their steps. After each
//! the invariants are asked for ([`judge`]); the rule by which a point in time is chosen is said
//! a second time there ([`point`]), and so are the commands that are to be typed next
//! ([`commands`]). At the end all misfortune stops, and two more calls have to bring everything to
//! rest.

mod commands;
mod draw;
mod judge;
mod point;
mod stage;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simcloud::{Config, Fault, Latency, Login, Route, Rule, SnapshotSpec, VolumeSpec, When};

use crate::case::Kill;
use crate::logs::Logs;
use crate::run::{self, Detail, Outcome};

pub use draw::restores;

/// The keys of a copy's metadata.
pub(crate) mod keys {
    pub(crate) const RESTORE_ID: &str = "x-snapsentry-restore-id";
    pub(crate) const VOLUME: &str = "x-snapsentry-restored-volume";
    pub(crate) const SNAPSHOT: &str = "x-snapsentry-restored-snapshot";
    pub(crate) const WINDOW_START: &str = "x-snapsentry-restored-window-start";
}

/// Everything that a seed decides about some restores.
#[derive(Clone, Debug)]
pub struct Restores {
    /// The seed it was drawn from.
    pub seed: u64,
    /// The kind of cloud.
    pub config: Config,
    /// How the program logs in.
    pub login: Login,
    /// How the program is set up.
    pub settings: Settings,
    /// The originals, with their ids; those not there any more have only snapshots.
    pub volumes: Vec<VolumeSpec>,
    /// Of which of them nothing but snapshots is left.
    pub gone: Vec<usize>,
    /// What is there at the beginning.
    pub snapshots: Vec<SnapshotSpec>,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
}

/// How the program is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SNAPSENTRY_MAX_CONCURRENCY`.
    pub max_concurrency: usize,
    /// `SNAPSENTRY_MAX_RETRIES`.
    pub max_retries: u32,
    /// `SNAPSENTRY_OPERATION_TIMEOUT`.
    pub operation_timeout: Duration,
    /// `SNAPSENTRY_DEADLINE_MARGIN`.
    pub margin: Duration,
}

/// What happens between two looks of the judge.
#[derive(Clone, Debug)]
pub struct Step {
    /// How long after the one before.
    pub wait: Duration,
    /// What people do first.
    pub doings: Vec<Doing>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// The calls, side by side.
    pub calls: Vec<Call>,
}

/// One invocation.
#[derive(Clone, Debug)]
pub struct Call {
    /// The event.
    pub event: Value,
    /// How much later than the step it begins.
    pub delay: Duration,
    /// Time until Lambda's deadline.
    pub time: TimeDelta,
    /// Whether the sandbox is a new one.
    pub cold: bool,
    /// When it is killed.
    pub kill: Option<Kill>,
    /// What its own randomness is drawn from.
    pub seed: u64,
}

/// Something that people, or passes, do.
#[derive(Clone, Debug)]
pub enum Doing {
    /// An original is deleted; its snapshots stay.
    RemoveVolume(usize),
    /// An original is detached from its servers.
    Detach(usize),
    /// A snapshot is deleted, or expires; the number counts all that there are, from the newest.
    RemoveSnapshot(usize),
    /// A snapshot changes its state.
    SnapshotStatus(usize, &'static str),
    /// Every original gets a new snapshot of this policy, for the window that begins then; all but
    /// some.
    NewSnapshots(&'static str, DateTime<Utc>, Vec<usize>),
    /// A copy is deleted; the number counts all that there are, from the newest.
    RemoveCopy(usize),
    /// The copies take the originals' places at their servers.
    SwapIn,
    /// All tokens are revoked.
    RevokeTokens,
    /// All tokens end.
    ExpireTokens,
}

/// Something that goes wrong in one step.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Requests meet with misfortune.
    Fault(Fault),
    /// The storage misbehaves.
    Backend(Rule),
    /// So many more volumes are allowed.
    VolumeQuota(i64),
    /// So many more gigabytes are allowed.
    GigabytesQuota(i64),
    /// Answers take this long.
    Latency(Latency),
    /// Somebody does something in the middle of a request.
    Meanwhile(Route, u64, When, Doing),
}

/// What has to happen in any thousand seeds.
pub const REQUIRED: &[&str] = &[
    "by server",
    "by volumes",
    "at an instant",
    "of one policy",
    "a dry run",
    "a dry run, and then in earnest",
    "a window in common",
    "no window in common",
    "a volume of which nothing can be got back",
    "nothing to restore",
    "two snapshots of one window",
    "a snapshot without a readable window",
    "a snapshot of an unknown policy",
    "a volume that is gone",
    "a volume that is not managed",
    "a copy that is an original of another restore",
    "created",
    "complete",
    "deferred",
    "partial",
    "a later call finds all there",
    "a later call makes what is missing",
    "a later call completes what was pending",
    "newer snapshots before a later call",
    "a snapshot gone before a later call",
    "the earlier call's window is gone for a volume",
    "a copy that was deleted is made again",
    "copies in the originals' place",
    "an answer to a creation lost",
    "a lost creation found by look-up",
    "a creation sent again after a look-up that found nothing",
    "a look-up that failed",
    "quota used up",
    "a copy that ended in error",
    "a copy that hangs",
    "two calls at once with one restore id",
    "two calls at once made two",
    "a second copy is told of",
    "work done after its answer made a second copy",
    "killed before a request",
    "killed after an answer",
    "killed at an instant",
    "short of time",
    "people in the middle of a call",
    "a token ended",
    "a rate limit on creations",
    "the call failed as a whole",
    "at rest at the end",
];

/// Plays a case on a thread of its own clock.
pub fn run(case: &Restores, detail: Detail) -> Outcome {
    let logs = Logs::new();
    let _guard = (detail != Detail::None).then(|| logs.capture());
    run::paused(async { stage::Stage::new(case, detail, logs.clone()).play().await })
}
