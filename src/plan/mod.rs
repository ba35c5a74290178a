//! What to do, and why: verdicts for creation and for expiry.
//!
//! Planning is a pure function of what was seen and of one instant. It reads no clock, no
//! environment and no network, so a dry run decides exactly as a real pass does, and every rule
//! about what is taken or deleted can be tried on a table.
//!
//! - [`creation`]: which windows are due, what stands in their way, in which order, and how long to
//!   wait after tries that came to nothing;
//! - [`duplicates`]: which of two snapshots of one window goes;
//! - [`age`]: for how long somebody has been without a recovery point;
//! - [`expiry`]: which snapshots go, and which stay although their time has come;
//! - [`coverage`]: how every volume stands, for who looks;
//! - [`timeline`]: the last days of a policy, window by window;
//! - [`targets`]: which clouds a tick serves, and when.
//!
//! What a pass deletes, it deletes because [`expiry::plan`], [`duplicates::superfluous`] or
//! [`creation::plan`] (for what stands in a window's way) said so. The one exception is a snapshot
//! that ends in `error` while this very pass creates it: see `openstack/creation.rs`.

use std::collections::HashSet;

pub mod age;
pub mod coverage;
pub mod creation;
mod due_window;
pub mod duplicates;
pub mod expiry;
mod recent_windows;
pub mod restore;
mod scope;
mod snapshot;
pub mod targets;
pub mod timeline;
mod volume;

pub use creation::Batch;
pub(crate) use due_window::BackOff;
pub use due_window::{DueWindow, StaleSnapshot};
pub use recent_windows::RecentWindows;
pub use scope::{Scope, Shard};
pub use snapshot::{Expiry, Snapshot, State, VolumeSnapshots};
pub use volume::{VmGroupedVolumes, Volume, group_volumes_by_vm};

/// Leaves one row of each id, the last that was shown; a row without an id is nobody's repeat.
pub(crate) fn forget_repeats<T>(rows: &mut Vec<T>, id: impl Fn(&T) -> &str) {
    let mut met = HashSet::new();
    let mut is_last: Vec<bool> = rows
        .iter()
        .rev()
        .map(|row| id(row).is_empty() || met.insert(id(row)))
        .collect();
    rows.retain(|_| is_last.pop().unwrap_or(true));
}
