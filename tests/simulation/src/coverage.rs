//! How often each thing happened that a simulation is there to make happen. What never did is a
//! gap in the drawing.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by name.
#[derive(Clone, Debug, Default)]
pub struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    /// It happened.
    pub fn hit(&mut self, name: impl Into<String>) {
        self.add(name, 1);
    }

    /// It happened so often.
    pub fn add(&mut self, name: impl Into<String>, times: u64) {
        if times > 0 {
            *self.0.entry(name.into()).or_default() += times;
        }
    }

    /// It happened, if so.
    pub fn hit_if(&mut self, happened: bool, name: &str) {
        if happened {
            self.hit(name);
        }
    }

    /// How often it happened.
    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Takes another's counts in.
    pub fn merge(&mut self, other: &Self) {
        for (name, times) in &other.0 {
            self.add(name.clone(), *times);
        }
    }

    /// What has to happen in any large number of seeds and has not.
    pub fn gaps(&self) -> Vec<&'static str> {
        REQUIRED
            .iter()
            .flat_map(|(_, names)| names.iter())
            .copied()
            .filter(|name| self.count(name) == 0)
            .collect()
    }

    /// What a few seeds by the real clock should have had among them and did not.
    pub fn gaps_of_real_time(&self) -> Vec<&'static str> {
        REAL_TIME
            .iter()
            .copied()
            .filter(|name| self.count(name) == 0)
            .collect()
    }
}

/// What 200 seeds with the built program are there to make happen.
const REAL_TIME: [&str; 12] = [
    "snapshot pass: created",
    "snapshot pass: adopted",
    "snapshot pass: pending",
    "snapshot pass: cleaned",
    "expire pass: deleted",
    "expire pass: kept",
    "killed before a request",
    "killed after an answer",
    "killed at an instant",
    "two passes at once",
    "warm sandbox",
    "converged",
];

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, names) in REQUIRED {
            writeln!(f, "{group}")?;
            for name in *names {
                writeln!(f, "  {:>10}  {name}", self.count(name))?;
            }
        }
        let known: Vec<&str> = REQUIRED
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        writeln!(f, "further")?;
        for (name, count) in &self.0 {
            if !known.contains(&name.as_str()) {
                writeln!(f, "  {count:>10}  {name}")?;
            }
        }
        Ok(())
    }
}

/// Everything that must have happened at least once in 10,000 seeds, by group.
const REQUIRED: &[(&str, &[&str])] = &[
    (
        "faults that struck",
        &[
            "fault: status 400",
            "fault: status 403",
            "fault: status 404",
            "fault: status 408",
            "fault: status 409",
            "fault: status 413",
            "fault: status 500",
            "fault: status 501",
            "fault: status 502",
            "fault: status 503",
            "fault: status 504",
            "fault: rate limit",
            "fault: reset before",
            "fault: reset after",
            "fault: delay before",
            "fault: delay after",
            "fault: hang before",
            "fault: hang after",
            "fault: truncate",
            "fault: not json",
            "fault: late work",
            "fault: unauthorized",
            "fault: expire token",
            "fault: redirect",
            "fault: oversized",
            "fault on Login",
            "fault on ListVolumes",
            "fault on ListSnapshots",
            "fault on CreateSnapshot",
            "fault on DeleteSnapshot",
            "fault on GetSnapshot",
            "fault on ForceDelete",
            "fault on GetServer",
        ],
    ),
    (
        "misfortune of other kinds",
        &[
            "storage: creation failed",
            "storage: deletion failed",
            "storage: busy",
            "storage: slow or hung",
            "quota used up",
            "slow answers",
            "killed before a request",
            "killed after an answer",
            "killed at an instant",
            "two passes at once",
            "three passes at once",
            "clock off",
            "short of time",
            "deadline in 1970",
            "deadline past",
            "marker vanished",
            "tokens revoked or ended",
            "volume removed meanwhile",
            "snapshot removed meanwhile",
            "hold changed meanwhile",
            "volume tagged anew meanwhile",
            "work done late",
            "microversion refused",
        ],
    ),
    (
        "windows as they stood (contract 5.2 and 5.3)",
        &[
            "window: due",
            "window: served by its key",
            "window: served by time of creation",
            "window: served while creating",
            "window: served by a busy one",
            "window: blocked by the volume's state",
            "window: policy unreadable",
            "window: a zombie no longer serves",
            "window: a held one in the way",
            "in the way: error",
            "in the way: stuck",
            "in the way: twin",
        ],
    ),
    (
        "what came of windows (contract 5 and 7)",
        &[
            "snapshot pass: created",
            "snapshot pass: adopted",
            "snapshot pass: pending",
            "snapshot pass: deferred",
            "snapshot pass: failed",
            "snapshot pass: cleaned",
            "5.1 filter repeated without",
            "5.1 nothing made after a failed listing",
            "5.3 another was quicker",
            "5.4 several volumes of a VM at one moment",
            "5.4 waves",
            "5.4 gave up waiting for the volume",
            "5.5 broken one deleted",
            "5.6 looked up and found",
            "5.6 looked up and tried again",
            "5.6 look-up failed, outcome unknown",
            "5.7 twin removed after creation",
            "5.7 twin removed from the first listing",
            "5.7 removal refused",
            "5.8 clean-up refused",
            "5.9 tried on after a quota's refusal",
        ],
    ),
    (
        "verdicts of expire passes (contract 6)",
        &[
            "fate: Unmanaged",
            "fate: UnknownPolicy",
            "fate: NoExpiry",
            "fate: UnreadableExpiry",
            "fate: NotExpired",
            "fate: Held",
            "fate: Busy",
            "fate: KeptForPolicy",
            "fate: KeptForUnreadable",
            "fate: KeptForWiped",
            "fate: Goes",
            "expire pass: deleted",
            "expire pass: kept",
            "expire pass: failed",
            "expire pass: deferred",
            "6 deleted by force",
            "6 force refused",
            "6 already gone",
            "6 already being deleted",
            "6 orphan deleted",
        ],
    ),
    (
        "answers",
        &[
            "outcome: complete",
            "outcome: deferred",
            "outcome: partial",
            "failure: AuthenticationFailed",
            "failure: DiscoveryFailed",
            "failure: DeadlineExceeded",
            "dry run",
            "as_of",
            "volume_ids",
            "shard",
            "all shards side by side",
            "envelope",
            "warm sandbox",
            "notification delivered",
            "notification refused",
            "quiet snapshot pass",
            "quiet expire pass",
            "converged",
            "requests tried again",
        ],
    ),
];
