//! Some weeks told so that a person can follow them: a line for everything that changes.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Weeks;
use crate::run::{End, PassRun};

/// What is there and what will happen.
pub(super) fn of_weeks(weeks: &Weeks) -> String {
    let mut out = String::new();
    let case = &weeks.case;
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "weeks of seed {} from {} for {} days; one 503 in {} requests",
        case.seed,
        case.begins(),
        weeks.length.num_days(),
        weeks.one_in
    );
    let _ = writeln!(out, "  knobs {:?}", case.knobs);
    let _ = writeln!(out, "  role {:?}", case.config.role);
    for (n, volume) in case.volumes.iter().enumerate() {
        let _ = writeln!(
            out,
            "  v{n} {} of {:?} on {:?} later {} {:?}",
            volume.id,
            volume.spec.volume_type,
            volume.spec.servers,
            volume.later,
            volume.tags.policies
        );
    }
    for sickness in &weeks.sicknesses {
        let (from, until) = (sickness.from, sickness.until);
        let _ = writeln!(out, "  {from} to {until}: {:?}", sickness.ill);
    }
    out
}

/// What a pass did, in a line.
pub(super) fn of_pass(at: DateTime<Utc>, phase: &str, pass: &PassRun) -> String {
    let end = match &pass.end {
        End::Answered(answer) => {
            let counts = |part: &Value| {
                let parts = part.as_object().into_iter().flatten();
                let parts = parts.filter(|(_, count)| count.as_u64() != Some(0));
                let parts = parts.map(|(name, count)| format!("{name} {count}"));
                parts.collect::<Vec<_>>().join(", ")
            };
            let mut end = format!(
                "{}: {}; {}",
                answer["outcome"],
                counts(&answer["volumes"]),
                counts(&answer["snapshots"])
            );
            for remark in ["failures", "warnings"] {
                for one in answer[remark].as_array().into_iter().flatten() {
                    let _ = write!(end, "\n      {remark}: {one}");
                }
            }
            end
        }
        other => format!("{other:?}"),
    };
    let ages: String = pass.record.lines.iter().fold(String::new(), |text, line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        [
            "OldestDueAgeSeconds",
            "OldestBlockedAgeSeconds",
            "OldestExpiredAgeSeconds",
        ]
        .iter()
        .filter(|name| line[**name].as_f64().is_some_and(|age| age > 0.0))
        .fold(text, |text, name| format!("{text} {name} {}", line[*name]))
    });
    format!("{at} {} {phase} {end}{ages}\n", pass.label)
}
