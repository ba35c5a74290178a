//! Making a drawn case one that the built program can run by the real clock.
//!
//! Everything that takes time is made shorter alike, so that it stays as likely that a pass has
//! too little of it. What is large is left out: a hundred snapshots one after the other.

use std::time::Duration;

use chrono::TimeDelta;
use simcloud::{Behaviour, Fault, Kind, Latency, Rule};

use crate::case::{Case, Item, Kill, Knobs, Pace, PassDraw, Trouble};

/// So much shorter is everything.
const QUICKER: u32 = 10;
/// Volumes at most.
const MOST_VOLUMES: usize = 6;
/// A pass with time enough gets this much of it.
const LONG: TimeDelta = TimeDelta::seconds(10);

pub(super) fn quickened(mut case: Case) -> Case {
    case.pace = Pace::Real;
    case.knobs = knobs(&case.knobs);
    case.config.creation_time /= 2 * QUICKER;
    case.config.deletion_time /= 2 * QUICKER;
    case.config.latency = latency(case.config.latency);
    for (n, volume) in case.volumes.iter().enumerate().skip(MOST_VOLUMES) {
        case.without.insert(Item::Volume(n));
        for (m, snapshot) in case.snapshots.iter().enumerate() {
            if snapshot.volume_id == volume.id {
                case.without.insert(Item::Snapshot(m));
            }
        }
    }
    // One machine has one clock: instead of each pass's, the cloud's is off.
    let skew = case.steps.first().and_then(|step| step.passes.first());
    let skew = skew.map_or_else(TimeDelta::zero, |pass| pass.skew);
    case.config.now -= skew;
    for step in &mut case.steps {
        for trouble in &mut step.troubles {
            match trouble {
                Trouble::Fault(fault) => quicken_fault(fault),
                Trouble::Backend(rule) => quicken_rule(rule),
                Trouble::Latency(slow) => *slow = latency(*slow),
                _ => {}
            }
        }
        for pass in &mut step.passes {
            quicken_pass(pass);
            pass.skew = skew;
        }
    }
    case
}

fn knobs(drawn: &Knobs) -> Knobs {
    Knobs {
        base_delay: drawn.base_delay / QUICKER,
        max_delay: drawn.max_delay / QUICKER,
        operation_timeout: (drawn.operation_timeout / QUICKER).max(Duration::from_secs(1)),
        poll_interval: Duration::from_millis(250),
        // What is left of Lambda's time after it is also what a busy machine may take.
        margin: Pace::Real.slack(),
        default_timeout: drawn.default_timeout / QUICKER,
        ..drawn.clone()
    }
}

fn latency(drawn: Latency) -> Latency {
    match drawn {
        Latency::None => Latency::None,
        Latency::Fixed(long) => Latency::Fixed(long / QUICKER),
        Latency::LogNormal { median, sigma } => Latency::LogNormal {
            median: median / QUICKER,
            sigma,
        },
    }
}

fn quicken_fault(fault: &mut Fault) {
    match &mut fault.kind {
        Kind::DelayBefore(delay) | Kind::DelayAfter(delay) | Kind::LateWork { delay, .. } => {
            *delay /= QUICKER;
        }
        Kind::RateLimit {
            retry_after: Some(text),
        } => quicken_seconds(text),
        Kind::Status { headers, .. } => {
            for (name, value) in headers {
                if name == "retry-after" {
                    quicken_seconds(value);
                }
            }
        }
        _ => {}
    }
}

/// A wait that fits into a pass is a second; none stays none, and what is no number stays.
fn quicken_seconds(text: &mut String) {
    if let Ok(1..=25) = text.parse::<u64>() {
        *text = "1".into();
    }
}

fn quicken_rule(rule: &mut Rule) {
    if let Behaviour::CreateSlowly(slow) | Behaviour::DeleteSlowly(slow) = &mut rule.behaviour {
        *slow /= 2 * QUICKER;
    }
}

fn quicken_pass(pass: &mut PassDraw) {
    pass.delay /= QUICKER;
    let enough = TimeDelta::seconds(60);
    let margin = TimeDelta::from_std(Pace::Real.slack()).unwrap_or_default();
    if pass.time >= enough {
        pass.time = LONG;
    } else if pass.time > TimeDelta::zero() {
        pass.time = pass.time / QUICKER as i32 + margin;
    }
    if let Some(Kill::After(after)) = &mut pass.kill {
        *after /= QUICKER;
    }
}
