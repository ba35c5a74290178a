//! A run told so that a person can follow it.

use std::fmt::Write as _;

use simcloud::{Entry, Outcome};

use crate::case::{Case, Item, Step};
use crate::run::StepRun;

/// What is there at the beginning.
pub fn of_case(case: &Case) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(out, "seed {} at {}", case.seed, case.begins());
    let _ = writeln!(out, "  knobs {:?}", case.knobs);
    let config = &case.config;
    let _ = writeln!(
        out,
        "  cloud: pages of {}, {:?}, {:?}, {:?}, creation {:?}, deletion {:?}, tokens {:?}",
        config.osapi_max_limit,
        config.microversions,
        config.role,
        config.latency,
        config.creation_time,
        config.deletion_time,
        config.token_lifetime,
    );
    let _ = writeln!(out, "  {:?}, date {:?}", config.quirks, config.date);
    for (n, volume) in case.volumes.iter().enumerate() {
        if case.has(Item::Volume(n)) {
            let _ = writeln!(
                out,
                "  v{n} {} {:?} on {:?} later {} {:?}",
                volume.id, volume.spec.status, volume.spec.servers, volume.later, volume.tags
            );
        }
    }
    for (n, one) in case.snapshots.iter().enumerate() {
        if case.has(Item::Snapshot(n)) {
            let _ = writeln!(
                out,
                "  s{n} {} of {} {:?} made {:?} changed {:?} {:?}",
                one.id.as_deref().unwrap_or_default(),
                one.volume_id,
                one.status,
                one.created_at,
                one.updated_at,
                one.metadata
            );
        }
    }
    out
}

/// What happened in a step.
pub fn of_step(n: usize, step: &Step, over: &StepRun<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "\nstep t{n} after {:?}", step.wait);
    for doing in &step.doings {
        let _ = writeln!(out, "  people: {doing:?}");
    }
    for trouble in &over.troubles {
        let _ = writeln!(out, "  trouble: {trouble:?}");
    }
    for pass in &over.passes {
        let _ = writeln!(
            out,
            "  {} {} now {} time {} kill {:?} -> {:?}",
            pass.label, pass.draw.event, pass.now, pass.draw.time, pass.draw.kill, pass.end
        );
    }
    let first = over.passes.iter().map(|pass| pass.begun).min();
    let mut changes = over.changes.iter().peekable();
    for entry in &over.entries {
        while let Some(change) = changes.next_if(|change| change.at <= entry.at) {
            let _ = writeln!(
                out,
                "        {} {:?} {} of {}",
                change.at,
                change.happening,
                change.snapshot_id.as_deref().unwrap_or_default(),
                change.volume_id
            );
        }
        let label = over
            .passes
            .iter()
            .find(|pass| Some(&pass.run_id) == entry.request_id.as_ref())
            .map_or("-", |pass| pass.label.as_str());
        let since = first.map_or(0.0, |first| (entry.arrived - first).as_secs_f64());
        let _ = writeln!(
            out,
            "    {since:>9.3} {label} {} {} {}",
            entry.method,
            short(&entry.path),
            end(entry)
        );
    }
    for change in changes {
        let _ = writeln!(
            out,
            "        {} {:?} {} of {}",
            change.at,
            change.happening,
            change.snapshot_id.as_deref().unwrap_or_default(),
            change.volume_id
        );
    }
    out
}

fn short(path: &str) -> &str {
    path.find("/v3/").map_or(path, |at| &path[at + 3..])
}

fn end(entry: &Entry) -> String {
    let took = entry.answered.map_or_else(String::new, |answered| {
        format!(" after {:.3}", (answered - entry.arrived).as_secs_f64())
    });
    let gone = if entry.client_gone {
        ", nobody waiting"
    } else {
        ""
    };
    match entry.outcome {
        Outcome::Answered(status) => format!("{status}{took}{gone}"),
        other => format!("{other:?}{took}{gone}"),
    }
}
