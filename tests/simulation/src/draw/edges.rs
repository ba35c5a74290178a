//! Drawing what lies exactly on an edge, or needs two rare things at once: both happen too rarely
//! by themselves.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::json;
use simcloud::{Behaviour, Fault, Kind, Route, Rule, Service, Snapshots, When};

use super::{Seed, one_of, tenancy};
use crate::calendar;
use crate::case::{Case, Doing, PassDraw, Step, Trouble, VolumeDraw};

/// In some cases somebody asks what would expire at the very instant at which something does.
pub(super) fn exact_expiry(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("exact expiry").rng();
    let dates: Vec<String> = case
        .snapshots
        .iter()
        .filter_map(|one| one.metadata.get("x-snapsentry-snapshot-expiry-date"))
        .filter(|text| text.ends_with('Z'))
        .cloned()
        .collect();
    if dates.is_empty() || !rng.random_bool(0.15) {
        return;
    }
    let alone = case.steps.iter_mut().find(|step| step.passes.len() == 1);
    if let Some(step) = alone {
        step.troubles.clear();
        let pass = &mut step.passes[0];
        pass.kill = None;
        pass.time = TimeDelta::seconds(300);
        pass.event = json!({
            "phase": "expire", "dry_run": true, "as_of": one_of(rng, &dates),
        });
    }
}

/// In some cases the newest snapshot has a twin, made a second later, that somebody holds.
pub(super) fn held_twin(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("held twin").rng();
    if !rng.random_bool(0.15) {
        return;
    }
    let newest = case
        .snapshots
        .iter()
        .filter(|one| {
            let key = "x-snapsentry-snapshot-window-start";
            one.metadata.contains_key(key) && one.status.is_none()
        })
        .max_by_key(|one| one.created_at);
    if let Some(mut twin) = newest.cloned() {
        twin.id = Some(tenancy::uuid(rng));
        twin.created_at = twin.created_at.map(|at| at + TimeDelta::seconds(1));
        case.snapshots
            .push(twin.meta("x-snapsentry-hold", one_of(rng, &["true", "legal"])));
    }
}

/// In some cases the newest snapshot has a neighbour whose window began a second later, as where a
/// schedule was edited: both were wanted, and both stay.
pub(super) fn other_key(seed: Seed, case: &mut Case) {
    const KEY: &str = "x-snapsentry-snapshot-window-start";
    let rng = &mut seed.of("other key").rng();
    if !rng.random_bool(0.15) {
        return;
    }
    let newest = case
        .snapshots
        .iter()
        .filter(|one| one.status.is_none())
        .filter_map(|one| {
            let start: DateTime<Utc> = one.metadata.get(KEY)?.parse().ok()?;
            Some((one, start))
        })
        .max_by_key(|(one, _)| one.created_at);
    if let Some((newest, start)) = newest {
        let mut other = newest.clone();
        other.id = Some(tenancy::uuid(rng));
        other.created_at = other.created_at.map(|at| at + TimeDelta::seconds(1));
        let later = calendar::in_utc(start + TimeDelta::seconds(1));
        case.snapshots.push(other.meta(KEY, later));
    }
}

/// In some cases the token ends in the middle of a pass that sends little at a time, and Keystone
/// asks for patience until a login is given up.
pub(super) fn busy_keystone(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("busy keystone").rng();
    if case.steps.is_empty() || !rng.random_bool(0.1) {
        return;
    }
    let at = rng.random_range(0..case.steps.len());
    let (ends, refused) = (rng.random_range(2..6), rng.random_range(0..2));
    let busy = Kind::RateLimit {
        retry_after: Some(rng.random_range(2..9).to_string()),
    };
    let tries = u64::from(case.knobs.max_retries) + 1;
    case.knobs.max_concurrency = one_of(rng, &[1, 2]);
    case.steps[at].troubles.extend([
        Trouble::Fault(Fault::on(Service::BlockStorage, Kind::ExpireToken).skip(ends)),
        Trouble::Fault(Fault::on(Route::Login, busy).skip(refused).times(tries)),
    ]);
}

/// In every case somebody looks how everything stands, and at the same instant what a snapshot pass
/// would do.
pub(super) fn side_by_side(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("side by side").rng();
    let mut report = json!({ "phase": "report" });
    let mut dry_run = json!({ "phase": "snapshot", "dry_run": true });
    match rng.random_range(0..8) {
        0 => report["only"] = json!("attention"),
        1 => report["limit"] = json!(rng.random_range(1..=3)),
        2 => {
            let count = rng.random_range(2..=3);
            let shard = json!({"index": rng.random_range(0..count), "count": count});
            (report["shard"], dry_run["shard"]) = (shard.clone(), shard);
        }
        3 => {
            let ids = case.volumes.iter().filter(|_| rng.random_bool(0.5));
            let ids: Vec<&str> = ids.map(|volume| volume.id.as_str()).collect();
            if !ids.is_empty() {
                (report["volume_ids"], dry_run["volume_ids"]) = (json!(ids), json!(ids));
            }
        }
        _ => {}
    }
    let cold = rng.random_bool(0.2);
    let pass = |event| PassDraw {
        event,
        delay: Duration::ZERO,
        skew: TimeDelta::zero(),
        time: TimeDelta::seconds(300),
        cold,
        kill: None,
        seed: 1,
    };
    let step = Step {
        wait: Duration::from_secs(rng.random_range(0..300)),
        doings: Vec::new(),
        troubles: Vec::new(),
        passes: vec![pass(report), pass(dry_run)],
    };
    // Most of all at the beginning, where most is due.
    let at = match rng.random_range(0..3) {
        0 => rng.random_range(0..=case.steps.len()),
        _ => 0,
    };
    case.steps.insert(at, step);
}

/// In some cases it takes an expire pass long to list, for the cloud asks for patience, and meanwhile
/// somebody holds what has expired.
pub(super) fn late_holds(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("late holds").rng();
    if case.volumes.is_empty() || !rng.random_bool(0.12) {
        return;
    }
    let wait = Kind::RateLimit {
        retry_after: Some(rng.random_range(31..45).to_string()),
    };
    let wait = Fault::on(Route::ListVolumes, wait);
    let mut troubles = vec![Trouble::Fault(wait)];
    for volume in 0..case.volumes.len() {
        let hold = Doing::Hold(volume, rng.random_range(0..4), Some("legal"));
        if rng.random_bool(0.7) {
            troubles.push(Trouble::Meanwhile(
                Route::ListVolumes,
                2,
                When::Before,
                hold,
            ));
        }
    }
    let slow = TimeDelta::seconds(rng.random_range(120..600));
    let pass = PassDraw {
        event: json!({ "phase": "expire" }),
        delay: Duration::ZERO,
        skew: case.steps[0].passes[0].skew,
        time: slow,
        cold: rng.random_bool(0.3),
        kill: None,
        seed: rng.random(),
    };
    let step = Step {
        wait: Duration::from_secs(rng.random_range(0..7200)),
        doings: Vec::new(),
        troubles,
        passes: vec![pass],
    };
    case.knobs.max_retries = case.knobs.max_retries.max(1);
    let at = rng.random_range(0..=case.steps.len());
    case.steps.insert(at, step);
}

/// In some cases a try has come to nothing a few minutes ago, and what it left cannot be removed.
pub(super) fn young_leftover(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("young leftover").rng();
    if !rng.random_bool(0.12) {
        return;
    }
    let now = case.config.now;
    let whole = case.snapshots.iter_mut();
    let mut whole: Vec<_> = whole.filter(|one| one.status.is_none()).collect();
    if whole.is_empty() {
        return;
    }
    let at = rng.random_range(0..whole.len());
    let one = &mut whole[at];
    let made = now - TimeDelta::seconds(rng.random_range(30..500));
    one.status = Some(one_of(rng, &["error_deleting", "deleting"]).into());
    (one.created_at, one.updated_at) = (Some(made), Some(made));
}

/// In some cases one volume of a VM takes very long, and the others do not wait for it for ever.
pub(super) fn slow_member(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("slow member").rng();
    let of_one_vm = |volume: &&VolumeDraw| volume.spec.servers.len() == 1 && !volume.later;
    let members: Vec<&VolumeDraw> = case.volumes.iter().filter(of_one_vm).collect();
    if members.len() < 2 || !rng.random_bool(0.12) {
        return;
    }
    let id = one_of(rng, &members).id.clone();
    let slow = Duration::from_secs(rng.random_range(60..300));
    let rule = Rule::new(Snapshots::OfVolume(id), Behaviour::CreateSlowly(slow));
    case.knobs.max_creating = case.knobs.max_creating.max(5);
    let alone = case.steps.iter_mut().find(|step| step.passes.len() == 1);
    if let Some(step) = alone {
        step.troubles = vec![Trouble::Backend(rule)];
        let pass = &mut step.passes[0];
        pass.kill = None;
        pass.time = TimeDelta::seconds(800);
        pass.event = json!({ "phase": "snapshot" });
    }
}

/// In some cases creations fail, and it is not easy to find out whose they were.
pub(super) fn nameless_servers(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("nameless servers").rng();
    if case.steps.is_empty() || !rng.random_bool(0.08) {
        return;
    }
    let at = rng.random_range(0..case.steps.len());
    let kind = match rng.random_range(0..5) {
        0 => Kind::ResetBefore,
        1 => Kind::Truncate,
        2 => Kind::HangBefore,
        3 => Kind::status(503),
        _ => Kind::status(404),
    };
    case.knobs.webhook = true;
    case.steps[at].troubles.extend([
        Trouble::Backend(Rule::new(Snapshots::Any, Behaviour::CreateFails)),
        Trouble::Fault(Fault::on(Route::GetServer, kind).times(3)),
    ]);
}
