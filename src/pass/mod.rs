//! Doing it: looking at the cloud, planning, and carrying the plan out under the deadline.
//!
//! - [`snapshot`]: takes what is due;
//! - [`expire`]: deletes what has expired;
//! - [`report`]: tells how every volume stands;
//! - [`restore`]: gets data back as new volumes;
//! - [`subscribe`]: tags a volume.

mod create;
mod dedupe;
mod delete;
mod executor;
pub(crate) mod expire;
mod expire_summary;
mod horizons;
mod inventory;
mod outcome;
mod remarks;
pub(crate) mod report;
pub(crate) mod restore;
mod restore_commands;
mod restore_summary;
mod scheduler;
mod slots;
pub(crate) mod snapshot;
mod snapshot_log;
mod snapshot_summary;
pub(crate) mod subscribe;

use chrono::{DateTime, TimeDelta, Utc};

use crate::deadline::Deadline;
use crate::openstack::{Client, Tags};
use crate::plan::Scope;
use crate::policy::keys;

/// The metadata keys by which the client knows what is managed.
pub(crate) const TAGS: Tags = Tags {
    managed: keys::MANAGED,
    kind: keys::SNAPSHOT_POLICY_TYPE,
};

/// The limits that a pass keeps to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Snapshots in `creating` at most at a time, of each volume type.
    pub max_creating: usize,
    /// How many of the newest snapshots of each volume and policy are never expired.
    pub keep_last: usize,
    /// After how long a snapshot on its way counts as stuck.
    pub stuck_after: TimeDelta,
}

/// What a snapshot or expire pass works with.
pub(crate) struct Pass<'a> {
    pub client: &'a Client,
    /// When everything has to be done.
    pub deadline: Deadline,
    /// The one instant by which everything is judged.
    pub now: DateTime<Utc>,
    /// What the pass is limited to.
    pub scope: &'a Scope,
    /// Whether to stop after planning.
    pub dry_run: bool,
    pub limits: Limits,
    /// Whether failures will be notified of, with what is known of the snapshots.
    pub notifies: bool,
}
