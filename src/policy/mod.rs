//! When a snapshot is wanted: the kinds of policy, the metadata that ask for one, the windows.
//!
//! A volume's metadata are [read](read()) into a [`Policy`], and a policy names the [`Window`] of any
//! instant. All of it is pure: no clock is read and nothing is fetched, so that a pass can be
//! tried at any instant, and the same metadata mean the same thing for ever.

mod grammar;
pub mod keys;
mod kind;
pub mod metadefs;
mod read;
mod schedule;
mod setting;
mod window;
mod zone;

use chrono::{DateTime, Utc};

pub use self::grammar::{Grammar, Number, Outside};
pub use self::keys::Metadata;
pub use self::kind::{PolicyKind, UnknownPolicy};
pub use self::read::{InvalidSetting, PolicyState, read};
use self::schedule::Schedule;
pub use self::setting::Setting;
pub use self::window::Window;
use self::zone::Zone;
pub use self::zone::{timezone_name, zone_rules_version};

/// One schedule on one volume, as an enabled policy's settings describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    kind: PolicyKind,
    retention_days: u32,
    keep_at_most: Option<u32>,
    keep_last: Option<u32>,
    zone: Zone,
    schedule: Schedule,
}

impl Policy {
    /// Which kind it is of.
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// How many days of its calendar a snapshot is kept; 1 to 36,500.
    pub fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// How many available snapshots expiry leaves at most, whatever their age; 1 to 1000.
    pub fn keep_at_most(&self) -> Option<u32> {
        self.keep_at_most
    }

    /// How many of the newest available snapshots expiry never deletes, where the policy says so
    /// itself; 0 to 100.
    pub fn keep_last(&self) -> Option<u32> {
        self.keep_last
    }

    /// The IANA name of the zone whose wall clock it goes by.
    pub fn timezone(&self) -> &str {
        self.zone.name()
    }

    /// The instant as people in the policy's zone write it: RFC 3339 to the second, with `Z`
    /// where their clocks show UTC.
    pub fn in_zone(&self, instant: DateTime<Utc>) -> String {
        self.zone.rfc3339(instant)
    }
}
