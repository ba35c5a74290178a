//! Drawing what lies exactly on an edge, or needs two rare things at once: both happen too rarely
//! by themselves. Drawn apart from all else, which stays as it was without.

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::{one_of, tenancy};
use crate::case::Case;

/// In some cases somebody asks what would expire at the very instant at which something does.
pub(super) fn exact_expiry(seed: u64, case: &mut Case) {
    let rng = &mut StdRng::seed_from_u64(seed ^ 0xed6e);
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
pub(super) fn held_twin(seed: u64, case: &mut Case) {
    let rng = &mut StdRng::seed_from_u64(seed ^ 0x2e1d);
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
