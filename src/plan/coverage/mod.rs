//! How every volume stands: whether what should be covered is, and since when it is not.
//!
//! A window is judged by [`creation::judge`], as in a snapshot pass, and what has fallen out of
//! management is told by the rule of the expire pass: so a report and the passes cannot disagree.

mod tally;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

pub use tally::{KindTally, Newest, Point, SnapshotTally, TallyRule, Totals};

use super::Volume;
use super::creation::{self, WindowVerdict};
use super::expiry::Lost;
use crate::policy::{Policy, PolicyKind, PolicyState, Window};

/// How a policy or a volume stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CoverageState {
    /// The volume has fallen out of management.
    Lost,
    /// The policy cannot be read.
    Invalid,
    /// Nothing serves the active window, and the volume could be taken.
    Late,
    /// Nothing serves the active window, and the volume's state allows nothing.
    Blocked,
    /// What serves the active window cannot be restored from yet.
    Creating,
    /// The active window has a snapshot that can be restored from.
    Protected,
    /// No policy is on, or somebody has said goodbye.
    Off,
    /// Nobody has asked for anything.
    Unmanaged,
}

impl CoverageState {
    /// All states, the worst first.
    pub const ALL: [Self; 8] = [
        Self::Lost,
        Self::Invalid,
        Self::Late,
        Self::Blocked,
        Self::Creating,
        Self::Protected,
        Self::Off,
        Self::Unmanaged,
    ];

    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Invalid => "invalid",
            Self::Late => "late",
            Self::Blocked => "blocked",
            Self::Creating => "creating",
            Self::Protected => "protected",
            Self::Off => "off",
            Self::Unmanaged => "unmanaged",
        }
    }

    /// Whether somebody should look at it.
    pub(crate) fn wants_attention(self) -> bool {
        self <= Self::Creating
    }
}

/// How a volume stands.
#[derive(Clone, Debug)]
pub struct VolumeCoverage<'a> {
    /// The worst of its policies' states, where it is managed.
    pub state: CoverageState,
    /// The longest of its policies' [`ActiveWindow::behind_seconds`].
    pub behind_seconds: i64,
    /// The policies that are on or cannot be read; none where nobody wants the volume covered.
    pub policies: Vec<PolicyCoverage<'a>>,
}

/// How one policy of a volume stands.
#[derive(Clone, Debug)]
pub struct PolicyCoverage<'a> {
    /// The policy.
    pub kind: PolicyKind,
    /// How it stands.
    pub state: CoverageState,
    /// What it says, or why that cannot be read.
    pub reading: &'a PolicyState,
    /// How its active window stands, where the policy can be read.
    pub active: Option<ActiveWindow>,
    /// What was seen of its snapshots, where there are any.
    pub tally: Option<&'a KindTally>,
}

/// How the active window of a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveWindow {
    /// The window.
    pub window: Window,
    /// For how long the newest recovery point has been older than was promised.
    pub behind_seconds: i64,
    /// When the next snapshot is wanted.
    pub next_due: DateTime<Utc>,
}

/// How this volume stands `now`, where `tally` is what was seen of its snapshots, if there are any.
pub fn of_volume<'a>(
    volume: &'a Volume,
    tally: Option<&'a SnapshotTally>,
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> VolumeCoverage<'a> {
    let snapshots = tally.map_or(0, |tally| tally.snapshots.count);
    let is_lost = Lost::of(volume, snapshots).is_some();
    let policies: Vec<PolicyCoverage<'a>> = volume
        .policies()
        .filter(|_| volume.managed || is_lost)
        .map(|(kind, reading)| of_policy(volume, kind, reading, tally, now, stuck_after))
        .collect();
    let state = if is_lost {
        CoverageState::Lost
    } else if volume.managed {
        let worst = policies.iter().map(|one| one.state).min();
        worst.unwrap_or(CoverageState::Off)
    } else if volume.says_goodbye {
        CoverageState::Off
    } else {
        CoverageState::Unmanaged
    };
    let behind = policies.iter().filter_map(|one| one.active);
    VolumeCoverage {
        state,
        behind_seconds: behind.map(|one| one.behind_seconds).max().unwrap_or(0),
        policies,
    }
}

fn of_policy<'a>(
    volume: &Volume,
    kind: PolicyKind,
    reading: &'a PolicyState,
    tally: Option<&'a SnapshotTally>,
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> PolicyCoverage<'a> {
    let of_kind = tally.and_then(|tally| tally.kind(kind));
    let judged = match reading {
        PolicyState::Enabled(policy) => {
            let nothing = Default::default();
            let snapshots = tally.map_or(&nothing, |tally| &tally.snapshots);
            let verdict = creation::judge(volume, policy, snapshots, now, stuck_after);
            of_window(volume, policy, &verdict, of_kind, now)
        }
        PolicyState::Disabled | PolicyState::Invalid(_) => None,
    };
    let (state, active) = match judged {
        Some((state, active)) => (state, Some(active)),
        None => (CoverageState::Invalid, None),
    };
    PolicyCoverage {
        kind,
        state,
        reading,
        active,
        tally: of_kind,
    }
}

fn of_window(
    volume: &Volume,
    policy: &Policy,
    verdict: &WindowVerdict,
    tally: Option<&KindTally>,
    now: DateTime<Utc>,
) -> Option<(CoverageState, ActiveWindow)> {
    let (state, window, next_due) = match verdict {
        WindowVerdict::Invalid(_) => return None,
        WindowVerdict::Served {
            window,
            without_since: None,
            ..
        } => (CoverageState::Protected, *window, window.end),
        WindowVerdict::Served { window, .. } => (CoverageState::Creating, *window, window.start),
        WindowVerdict::Blocked(due) => (CoverageState::Blocked, due.window, due.window.start),
        WindowVerdict::Due(due) => {
            let waits = due.back_off_once_cleaned(now);
            let next_due = waits.map_or(due.window.start, |wait| wait.until);
            (CoverageState::Late, due.window, next_due)
        }
    };
    let behind_seconds = match state {
        CoverageState::Protected => 0,
        _ => (now - behind_since(volume, policy, &window, tally)).num_seconds(),
    };
    let active = ActiveWindow {
        window,
        behind_seconds: behind_seconds.max(0),
        next_due,
    };
    Some((state, active))
}

/// The end of the newest window that can be restored, else the active window's start; never before
/// the volume was made.
fn behind_since(
    volume: &Volume,
    policy: &Policy,
    active: &Window,
    tally: Option<&KindTally>,
) -> DateTime<Utc> {
    let newest = tally.and_then(|tally| tally.newest_in_window);
    let since = newest.map_or(active.start, |at| policy.window_at(at).end);
    volume.created_at.map_or(since, |made| since.max(made))
}
