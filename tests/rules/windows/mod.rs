//! Windows: when a policy wants its snapshot, and for how long it keeps it.
//!
//! The tables say what people on the spot would expect of their clocks; `every_zone` then holds
//! the rules against every zone and every change of the clocks there is.

mod calendar;
mod clock;
mod clock_changes;
mod every_zone;
mod far_instants;
mod moved_date_line;
mod retention;
mod zone_rules;

use chrono::{DateTime, Utc};
use snapsentry::policy::{Metadata, Policy, PolicyKind, PolicyState, read};

/// An enabled policy with these settings, written as on a volume but without what all keys of
/// the policy begin with.
fn policy(kind: PolicyKind, settings: &[(&str, &str)]) -> Policy {
    let metadata: Metadata = settings
        .iter()
        .chain(&[("enabled", "true")])
        .map(|(setting, value)| (format!("x-snapsentry-{kind}-{setting}"), value.to_string()))
        .collect();
    match read(kind, &metadata) {
        PolicyState::Enabled(policy) => policy,
        other => panic!("{settings:?} should be readable, got {other:?}"),
    }
}

/// An instant; tables write it with whatever offset is the clearest.
fn at(rfc3339: &str) -> DateTime<Utc> {
    rfc3339
        .parse()
        .unwrap_or_else(|error| panic!("{rfc3339}: {error}"))
}

/// These instants bound one window, the same from its first instant to its last.
fn assert_window(policy: &Policy, start: &str, end: &str) {
    let (start, end) = (at(start), at(end));
    let length = end - start;
    let instants = [
        start,
        start + chrono::TimeDelta::nanoseconds(1),
        start + length / 3,
        start + length / 2,
        end - chrono::TimeDelta::seconds(1),
        end - chrono::TimeDelta::nanoseconds(1),
    ];
    for now in instants {
        let window = policy.window_at(now);
        assert_eq!(
            (window.start, window.end),
            (start, end),
            "the window of {policy:?} at {now}"
        );
    }
}

/// These instants are the boundaries of windows that follow each other.
fn assert_windows(policy: &Policy, boundaries: &[&str]) {
    for pair in boundaries.windows(2) {
        assert_window(policy, pair[0], pair[1]);
    }
}
