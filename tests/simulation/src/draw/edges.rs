//! Drawing what lies exactly on an edge, or needs two rare things at once: both happen too rarely
//! by themselves.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::json;
use simcloud::{Fault, Kind, Route, Service};

use super::{Seed, one_of, tenancy};
use crate::calendar;
use crate::case::{Case, Trouble};

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
