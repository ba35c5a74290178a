//! Volumes that have fallen out of management: nothing else would ever tell.

use std::fmt;

use crate::plan::Volume;
use crate::policy::PolicyKind;

/// How a volume has fallen out of management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It has lost every key of ours, and so many managed snapshots of it are there.
    Wiped {
        /// How many.
        snapshots: usize,
    },
    /// It has a policy that is on, or cannot be read, and whether it is managed is said neither
    /// way.
    NotManaged {
        /// The policy, or the first of several.
        policy: PolicyKind,
    },
}

impl Lost {
    /// Whether, and how, a volume with so many managed snapshots has fallen out of management.
    pub fn of(volume: &Volume, snapshots: usize) -> Option<Self> {
        if volume.without_our_keys {
            return (snapshots > 0).then_some(Self::Wiped { snapshots });
        }
        if volume.managed || volume.says_goodbye {
            return None;
        }
        let (policy, _) = volume.policies().next()?;
        Some(Self::NotManaged { policy })
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wiped { snapshots } => write!(
                f,
                "the volume has no x-snapsentry- key any more, and {snapshots} managed snapshots \
                 of it are there: tag it again, or say goodbye with x-snapsentry-managed=false"
            ),
            Self::NotManaged { policy } => write!(
                f,
                "the {policy} policy is on, but x-snapsentry-managed is not \"true\", so no \
                 snapshots are created: set it to true, or to false to say goodbye"
            ),
        }
    }
}
