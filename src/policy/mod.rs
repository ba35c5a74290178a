//! When a snapshot is wanted: the kinds of policy, the metadata that ask for one, the windows.
//!
//! A volume's metadata are [read](read()) into a [`Policy`], and a policy names the [`Window`] of any
//! instant. All of it is pure: no clock is read and nothing is fetched, so that a pass can be
//! tried at any instant, and the same metadata mean the same thing for ever.

pub mod keys;
mod kind;
mod parse;
mod read;
mod schedule;
mod window;
mod zone;

use chrono::{DateTime, Utc};

pub use self::keys::{Metadata, Setting};
pub use self::kind::{PolicyKind, UnknownPolicy};
pub use self::read::{InvalidSetting, PolicyState, read};
use self::schedule::Schedule;
pub use self::window::Window;
use self::zone::Zone;
pub use self::zone::zone_rules_version;

/// One schedule on one volume, as an enabled policy's settings describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    kind: PolicyKind,
    retention_days: u32,
    zone: Zone,
    schedule: Schedule,
}

impl Policy {
    /// Which of the four it is.
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// How many days of its calendar a snapshot is kept; 1 to 36,500.
    pub fn retention_days(&self) -> u32 {
        self.retention_days
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
