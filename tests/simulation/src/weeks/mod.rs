//! Weeks, not passes: one tenancy for four weeks and more, with passes at the rhythm of
//! `template.yaml`, people at work, and sicknesses that last for hours or days, then health again.
//!
//! A row of right passes can be wrong: this is where time itself is judged. After every tick the
//! alarms of `template.yaml` ([`template`], [`alarms`]) are evaluated over the lines of metrics that
//! the passes have printed, and the invariants over time are asked for ([`course`]); those of single
//! passes are asked for after every pass as elsewhere.
//!
//! Most passes of a quiet month would find nothing to do. One of which that is certain, because
//! nothing has changed since the last and nothing falls due before it, is not run ([`stage`]): its
//! line of metrics is that of the last one, with ages that have gone on.

pub mod alarms;
pub mod course;
mod draw;
mod stage;
mod story;
pub mod template;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use simcloud::{Health, MessageQueue};

use crate::case::{Case, Doing};
use crate::logs::Logs;
use crate::meaning::Tags;
use crate::run::{self, Detail, Outcome};

pub use draw::weeks;

/// Everything that a seed decides about some weeks of one tenancy.
#[derive(Clone, Debug)]
pub struct Weeks {
    /// Cloud, settings and volumes; it has no steps.
    pub case: Arc<Case>,
    /// How long it goes on.
    pub length: TimeDelta,
    /// What people do, in order.
    pub doings: Vec<(DateTime<Utc>, Doing)>,
    /// What goes wrong for a while, in the order in which it begins.
    pub sicknesses: Vec<Sickness>,
    /// Of how many requests one is answered by 503 although all is well; 0 for none.
    pub one_in: u64,
}

/// Something that goes wrong for a while.
#[derive(Clone, Debug)]
pub struct Sickness {
    /// What.
    pub ill: Ill,
    /// From when on.
    pub from: DateTime<Utc>,
    /// When it is over.
    pub until: DateTime<Utc>,
}

impl Sickness {
    /// Whether it lasts at an instant.
    pub fn lasts_at(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Ill {
    /// The backend of this volume type.
    Backend(&'static str, Health),
    /// The message queue.
    Queue(MessageQueue),
    /// The scheduler does not run.
    Scheduler,
    /// Cinder answers nobody: refused, 503, or nothing at all.
    Cinder(Silence),
    /// Keystone answers nobody.
    Keystone(Silence),
    /// Nobody does.
    Network,
    /// No snapshot more is allowed.
    Quota,
    /// The credential is refused.
    Credential,
    /// The credential leads into another, empty project.
    OtherProject,
    /// A tool has wiped the metadata of these volumes; they get their own back.
    Wiped(Vec<usize>),
    /// Somebody has written something unreadable into a policy of this volume.
    Typo(usize),
    /// The cloud's clock, as its answers say, is off by so much.
    Clock(TimeDelta),
    /// The rule of this phase is switched off.
    RuleOff(&'static str),
    /// Lambda runs nothing, and drops the events.
    Throttled,
}

impl Ill {
    /// Its name in the table of what was covered.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Backend(_, Health::Dead) => "a backend dead",
            Self::Backend(_, Health::Stopped) => "a backend stopped",
            Self::Backend(_, Health::Hung) => "a backend hung",
            Self::Backend(_, Health::Full) => "a backend full",
            Self::Backend(_, Health::Failing) => "a backend failing both ways",
            Self::Backend(_, Health::Slow(_)) => "a backend slow as a full copy",
            Self::Backend(_, _) => "a backend otherwise sick",
            Self::Queue(MessageQueue::Dead) => "the message queue dead",
            Self::Queue(_) => "the message queue loses what it takes",
            Self::Scheduler => "the scheduler gone",
            Self::Cinder(_) => "Cinder gone",
            Self::Keystone(_) => "Keystone gone",
            Self::Network => "the network gone",
            Self::Quota => "quota used up",
            Self::Credential => "the credential revoked",
            Self::OtherProject => "the credential of another project",
            Self::Wiped(_) => "metadata wiped",
            Self::Typo(_) => "a policy unreadable",
            Self::Clock(_) => "the clocks apart",
            Self::RuleOff(_) => "a rule switched off",
            Self::Throttled => "Lambda throttled",
        }
    }
}

/// How a service answers nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Connections are refused.
    Refused,
    /// A proxy in front of it answers 503.
    Unavailable,
    /// Connections hang.
    Hangs,
}

/// The metadata of a volume with a value that nobody can read in the policy that it has on.
pub(crate) fn with_typo(tags: &Tags) -> Option<Tags> {
    use crate::meaning::{Kind, Meaning};
    let mut spoilt = tags.clone();
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| matches!(tags.policy(*kind), Meaning::On(_)))?;
    let key = format!("x-snapsentry-{}-retention-days", kind.as_str());
    spoilt.metadata.insert(key, "a week".into());
    spoilt.policies[kind as usize] = Meaning::Unreadable;
    Some(spoilt)
}

/// Plays some weeks on a thread of its own clock.
pub fn run(weeks: &Weeks, detail: Detail) -> Outcome {
    let logs = Logs::new();
    let _guard = (detail != Detail::None).then(|| logs.capture());
    run::paused(async { stage::Stage::new(weeks, detail, logs.clone()).play().await })
}

/// An instant so long before a duration after another; durations of weeks always fit.
pub(crate) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).expect("weeks are a short time")
}
