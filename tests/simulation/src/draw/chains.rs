//! Misfortunes that come one after the other: what most depends on being right happens too rarely
//! by itself.

use rand::RngExt;
use simcloud::{Fault, Kind, Route, When};

use super::{Seed, milliseconds, one_of};
use crate::case::{Case, Doing, Trouble};

/// In some steps a cloud answers its filter by metadata with 200 and nothing, as one does that
/// does not understand it.
pub(super) fn deaf_filters(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("deaf filters").rng();
    for step in &mut case.steps {
        if !rng.random_bool(0.06) {
            continue;
        }
        const NO_SNAPSHOTS: &str = r#"{"snapshots": []}"#;
        let (route, filter, body) = one_of(
            rng,
            &[
                (Route::ListVolumes, "metadata=", r#"{"volumes": []}"#),
                (Route::ListSnapshots, "metadata=", NO_SNAPSHOTS),
                (Route::ListSnapshots, "policy-type", NO_SNAPSHOTS),
            ],
        );
        let nothing = Kind::Status {
            code: 200,
            headers: Vec::new(),
            body: Some(body.into()),
        };
        let fault = Fault::on(route, nothing).containing(filter).forever();
        step.troubles.push(Trouble::Fault(fault));
    }
}

/// In some steps answers to creations are lost, and often the look-ups after them fail as well:
/// what most depends on being right happens too rarely by itself.
pub(super) fn lost_creations(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("lost creations").rng();
    let tries = u64::from(case.knobs.max_retries) + 1;
    for (n, step) in case.steps.iter_mut().enumerate() {
        if !rng.random_bool(0.15) {
            continue;
        }
        // One that was there before must not be taken for the one that was lost.
        if n == 0 && rng.random_bool(0.6) {
            let old = case.config.now - 2 * case.knobs.stuck_after;
            let newest = case.snapshots.iter_mut().max_by_key(|one| one.created_at);
            if let Some(snapshot) = newest {
                snapshot.status = Some("creating".into());
                snapshot.created_at = snapshot.created_at.min(Some(old));
                snapshot.updated_at = Some(old);
            }
        }
        let lost = match rng.random_range(0..8) {
            0 => Kind::ResetAfter,
            1 => Kind::HangAfter,
            2 => Kind::Truncate,
            3 => Kind::LateWork {
                code: 504,
                delay: milliseconds(rng, 1, 3_000),
            },
            4 => Kind::ResetBefore,
            _ => Kind::status(one_of(rng, &[500, 502, 503])),
        };
        let lost = Fault::on(Route::CreateSnapshot, lost).times(rng.random_range(1..=3));
        step.troubles.push(Trouble::Fault(lost));
        if rng.random_bool(0.3) {
            let fails = match rng.random_range(0..3) {
                0 => Kind::ResetBefore,
                1 => Kind::Truncate,
                _ => Kind::status(503),
            };
            let fails = Fault::on(Route::ListSnapshots, fails)
                .containing("volume_id=")
                .times(tries);
            step.troubles.push(Trouble::Fault(fails));
        }
    }
}

/// In some steps tokens end in the middle of a pass, and Keystone then asks more often to wait than
/// one login may try: whoever comes next has to wait all the same.
pub(super) fn busy_keystone(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("busy keystone").rng();
    let tries = u64::from(case.knobs.max_retries) + 1;
    for step in &mut case.steps {
        if !rng.random_bool(0.05) {
            continue;
        }
        let route = one_of(
            rng,
            &[
                Route::CreateSnapshot,
                Route::CreateSnapshot,
                Route::ListSnapshots,
                Route::DeleteSnapshot,
            ],
        );
        let when = one_of(rng, &[When::Before, When::After]);
        let nth = rng.random_range(1..=3);
        let ends = one_of(rng, &[Doing::RevokeTokens, Doing::ExpireTokens]);
        let asks = Kind::status_with(
            one_of(rng, &[429, 503]),
            "retry-after",
            one_of(rng, &["2", "5", "12"]),
        );
        // The first login is that of a cold sandbox.
        let asks = Fault::on(Route::Login, asks).skip(rng.random_range(0..=1));
        let asks = asks.times(tries + rng.random_range(0..=1));
        step.troubles
            .push(Trouble::Meanwhile(route, nth, when, ends));
        step.troubles.push(Trouble::Fault(asks));
    }
}

/// In some steps a deletion is refused that might as well have been taken on.
pub(super) fn refused_deletions(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("refused deletions").rng();
    for step in &mut case.steps {
        if rng.random_bool(0.06) {
            let refused = Kind::status(one_of(rng, &[400, 409]));
            let refused = Fault::on(Route::DeleteSnapshot, refused);
            let refused = refused.times(rng.random_range(1..=3));
            step.troubles.push(Trouble::Fault(refused));
        }
    }
}
