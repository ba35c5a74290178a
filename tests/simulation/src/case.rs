//! A case: everything that a seed decides, as data. Nothing is drawn while it runs, so a part
//! can be taken out and the rest stays as it was.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simcloud::{Config, Fault, Latency, Login, Route, Rule, SnapshotSpec, VolumeSpec, When};

use crate::meaning::Tags;

/// Everything that a seed decides.
#[derive(Clone, Debug)]
pub struct Case {
    /// The seed it was drawn from.
    pub seed: u64,
    /// The kind of cloud.
    pub config: Config,
    /// How the program logs in.
    pub login: Login,
    /// How the program is set up.
    pub knobs: Knobs,
    /// What is there at the beginning, or is made later by somebody.
    pub volumes: Vec<VolumeDraw>,
    /// What is there at the beginning.
    pub snapshots: Vec<SnapshotSpec>,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
    /// What is left out: a smaller case that fails as well.
    pub without: BTreeSet<Item>,
    /// By which clock it runs.
    pub pace: Pace,
}

/// By which clock a case runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A paused one, in one process: everything is exact.
    Paused,
    /// The machine's, with the built program: sockets and processes take some time too.
    Real,
}

impl Pace {
    /// By how much an instant may be missed.
    pub fn slack(self) -> Duration {
        match self {
            // tokio's timers are exact to a millisecond.
            Self::Paused => Duration::from_millis(2),
            Self::Real => Duration::from_secs(1),
        }
    }

    /// Time enough for a pass that nothing disturbs.
    pub fn enough(self) -> Duration {
        match self {
            Self::Paused => Duration::from_secs(45),
            Self::Real => Duration::from_secs(8),
        }
    }
}

/// How the program is set up.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// `SNAPSENTRY_MAX_CONCURRENCY`.
    pub max_concurrency: usize,
    /// `SNAPSENTRY_MAX_CREATING`.
    pub max_creating: usize,
    /// `SNAPSENTRY_MAX_RETRIES`.
    pub max_retries: u32,
    /// `SNAPSENTRY_BASE_DELAY`.
    pub base_delay: Duration,
    /// `SNAPSENTRY_MAX_DELAY`.
    pub max_delay: Duration,
    /// `SNAPSENTRY_OPERATION_TIMEOUT`.
    pub operation_timeout: Duration,
    /// `SNAPSENTRY_POLL_INTERVAL`.
    pub poll_interval: Duration,
    /// `SNAPSENTRY_DEADLINE_MARGIN`.
    pub margin: Duration,
    /// `SNAPSENTRY_DEFAULT_TIMEOUT`.
    pub default_timeout: Duration,
    /// `SNAPSENTRY_KEEP_LAST`.
    pub keep_last: usize,
    /// `SNAPSENTRY_STUCK_AFTER`.
    pub stuck_after: Duration,
    /// Whether there is a webhook.
    pub webhook: bool,
}

/// A volume and what its metadata mean.
#[derive(Clone, Debug)]
pub struct VolumeDraw {
    /// As the cloud takes it; its metadata are those of the tags.
    pub spec: VolumeSpec,
    /// Its UUID.
    pub id: String,
    /// What its metadata mean.
    pub tags: Arc<Tags>,
    /// Whether it is there only once somebody makes it.
    pub later: bool,
}

/// Something that people do.
#[derive(Clone, Debug)]
pub enum Doing {
    /// A volume is made.
    MakeVolume(usize),
    /// A volume is deleted; its snapshots stay.
    RemoveVolume(usize),
    /// A volume's metadata are replaced.
    Retag(usize, Arc<Tags>),
    /// A volume changes its state.
    VolumeStatus(usize, &'static str),
    /// A snapshot of a volume is deleted; the number counts from the newest.
    RemoveSnapshot(usize, usize),
    /// A snapshot of a volume gets or changes its hold key, or loses it.
    Hold(usize, usize, Option<&'static str>),
    /// A snapshot of a volume changes its state.
    SnapshotStatus(usize, usize, &'static str),
    /// The database loses when a snapshot of a volume was made.
    LoseTime(usize, usize),
    /// The database loses another field of a snapshot of a volume, or of the volume itself.
    LoseField(usize, Option<usize>, &'static str),
    /// Somebody takes a snapshot of a volume that is nobody's business.
    ForeignSnapshot(usize),
    /// All tokens are revoked.
    RevokeTokens,
    /// All tokens end.
    ExpireTokens,
}

/// Something that goes wrong, or otherwise than usual, in one step.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Requests meet with misfortune.
    Fault(Fault),
    /// The storage misbehaves.
    Backend(Rule),
    /// So many more snapshots are allowed.
    SnapshotQuota(i64),
    /// So many more gigabytes are allowed.
    GigabytesQuota(i64),
    /// Answers take this long.
    Latency(Latency),
    /// Something of this name that lasts for longer than a step.
    Lasting(&'static str),
    /// Somebody does something in the middle of a request.
    Meanwhile(Route, u64, When, Doing),
}

/// When a pass is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// When it is about to send its nth request.
    BeforeRequest(u64),
    /// When the answer to its nth request has come.
    AfterAnswer(u64),
    /// This long after its beginning.
    After(Duration),
}

/// One invocation.
#[derive(Clone, Debug)]
pub struct PassDraw {
    /// The event.
    pub event: Value,
    /// How much later than the step it begins.
    pub delay: Duration,
    /// How far its clock is off.
    pub skew: TimeDelta,
    /// Time until Lambda's deadline, by its clock; may be negative.
    pub time: TimeDelta,
    /// Whether the sandbox is a new one.
    pub cold: bool,
    /// When it is killed.
    pub kill: Option<Kill>,
    /// What its own randomness is drawn from.
    pub seed: u64,
}

/// What happens between two looks of the judge: time passes, people do something, and one or
/// several passes run side by side.
#[derive(Clone, Debug)]
pub struct Step {
    /// How long after the one before.
    pub wait: Duration,
    /// What people do first.
    pub doings: Vec<Doing>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// The passes.
    pub passes: Vec<PassDraw>,
}

/// A part of a case that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A step with all that is in it.
    Step(usize),
    /// A pass of a step.
    Pass(usize, usize),
    /// A trouble of a step.
    Trouble(usize, usize),
    /// A doing of a step.
    Doing(usize, usize),
    /// A volume.
    Volume(usize),
    /// A snapshot.
    Snapshot(usize),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(n) => write!(f, "t{n}"),
            Self::Pass(n, m) => write!(f, "p{n}.{m}"),
            Self::Trouble(n, m) => write!(f, "x{n}.{m}"),
            Self::Doing(n, m) => write!(f, "d{n}.{m}"),
            Self::Volume(n) => write!(f, "v{n}"),
            Self::Snapshot(n) => write!(f, "s{n}"),
        }
    }
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no part of a case, such as v1, s2, t0, p0.1, x0.2");
        let number = |text: &str| text.parse().map_err(|_| wrong());
        let (letter, rest) = text.split_at_checked(1).ok_or_else(wrong)?;
        let pair = || {
            let (n, m) = rest.split_once('.').ok_or_else(wrong)?;
            Ok::<_, String>((number(n)?, number(m)?))
        };
        match letter {
            "t" => Ok(Self::Step(number(rest)?)),
            "v" => Ok(Self::Volume(number(rest)?)),
            "s" => Ok(Self::Snapshot(number(rest)?)),
            "p" => pair().map(|(n, m)| Self::Pass(n, m)),
            "x" => pair().map(|(n, m)| Self::Trouble(n, m)),
            "d" => pair().map(|(n, m)| Self::Doing(n, m)),
            _ => Err(wrong()),
        }
    }
}

impl Case {
    /// Whether a part is not left out.
    pub fn has(&self, item: Item) -> bool {
        !self.without.contains(&item)
    }

    /// Every part that is not left out, the large ones first.
    pub fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for (n, step) in self.steps.iter().enumerate() {
            items.push(Item::Step(n));
            if self.has(Item::Step(n)) {
                items.extend((0..step.passes.len()).map(|m| Item::Pass(n, m)));
                items.extend((0..step.troubles.len()).map(|m| Item::Trouble(n, m)));
                items.extend((0..step.doings.len()).map(|m| Item::Doing(n, m)));
            }
        }
        items.extend((0..self.volumes.len()).map(Item::Volume));
        items.extend((0..self.snapshots.len()).map(Item::Snapshot));
        items.retain(|item| self.has(*item));
        items
    }

    /// What the cloud's clock shows at the beginning.
    pub fn begins(&self) -> DateTime<Utc> {
        self.config.now
    }
}
