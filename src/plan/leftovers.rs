//! What tries that came to nothing have left behind, and how long to wait before the next.
//!
//! A backend that is down answers each creation with a snapshot in `error` whose deletion it
//! cannot carry out either: it stays in `deleting` and holds quota. So the more of them there
//! are, the longer the next try waits, by what the listing shows alone. A backend that is back
//! is used again when the wait is over, without anybody's help.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// After one leftover the next try waits this long.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(10);
/// With each further leftover the wait is this many times as long.
const FACTOR: i32 = 3;

/// A snapshot in `error`, `deleting` or `error_deleting`, or one that is stuck, and not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The snapshot.
    pub snapshot_id: String,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
}

/// A window that is not tried yet, because of what earlier tries have left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// How many leftovers there are.
    pub leftovers: usize,
    /// When the youngest of them was made.
    pub youngest: DateTime<Utc>,
    /// From when on the window is tried again.
    pub until: DateTime<Utc>,
}

impl BackOff {
    /// The wait that these leftovers ask for; nothing where it is over. Those whose deletion was
    /// `accepted` do not count, and one that does not say how old it is cannot be too young.
    pub fn of(
        leftovers: &[Leftover],
        accepted: &HashSet<&str>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let left = || {
            leftovers
                .iter()
                .filter(|one| !accepted.contains(one.snapshot_id.as_str()))
        };
        let count = left().count();
        let youngest = left().filter_map(|one| one.created_at).max()?;
        let until = youngest
            .checked_add_signed(wait_after(count))
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        (now < until).then_some(Self {
            leftovers: count,
            youngest,
            until,
        })
    }
}

impl std::fmt::Display for BackOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let utc = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(
            f,
            "earlier tries have left {} behind that came to nothing and hold quota, the youngest \
             of {}; the window is tried again from {} on",
            match self.leftovers {
                1 => "a snapshot".to_owned(),
                several => format!("{several} snapshots"),
            },
            utc(self.youngest),
            utc(self.until)
        )
    }
}

fn wait_after(leftovers: usize) -> TimeDelta {
    let mut wait = FIRST_WAIT;
    for _ in 1..leftovers {
        match wait.checked_mul(FACTOR) {
            Some(longer) => wait = longer,
            None => return TimeDelta::MAX,
        }
    }
    wait
}
