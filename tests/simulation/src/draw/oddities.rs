//! Drawing what is odd about a cloud for as long as a case lasts: how it sorts and filters, what its
//! database has lost, and how far its clock is from the function's.

use chrono::TimeDelta;
use rand::RngExt;
use rand::rngs::StdRng;
use simcloud::Config;
use simcloud::config::DateHeader;
use simcloud::quirks::{Filtering, Sorting, Undated};

use super::{Seed, one_of};
use crate::case::{Case, Doing};

/// Clouds are patched, sit behind proxies, and have other databases.
pub(super) fn of_listings(seed: Seed, config: &mut Config) {
    let rng = &mut seed.of("odd listings").rng();
    if rng.random_bool(0.15) {
        let number = rng.random();
        let sorts = [Sorting::Reversed, Sorting::ById, Sorting::Shuffled(number)];
        config.quirks.snapshot_sort = one_of(rng, &sorts);
        // On a page of two rows every second order looks right.
        config.osapi_max_limit = config.osapi_max_limit.max(5);
    }
    if rng.random_bool(0.15) {
        config.quirks.snapshot_filter = filtering(rng);
    }
    if rng.random_bool(0.1) {
        config.quirks.volume_filter = filtering(rng);
    }
    config.quirks.undated = one_of(
        rng,
        &[Undated::Smallest, Undated::Largest, Undated::InPlace],
    );
}

fn filtering(rng: &mut StdRng) -> Filtering {
    let refused = one_of(rng, &[400, 403, 404, 409, 422]);
    let all = [
        Filtering::AnyPair,
        Filtering::FirstPair,
        Filtering::Ignored,
        Filtering::Empty,
        Filtering::Refused(refused),
    ];
    one_of(rng, &all)
}

/// How far the function's clock is ahead of the cloud's, where it is off by more than people notice.
/// A cloud that does not say what its clock shows is not far off: nobody could know.
pub(super) fn clocks(seed: Seed, config: &mut Config) -> TimeDelta {
    let rng = &mut seed.of("clocks").rng();
    let minutes = match rng.random_range(0..20) {
        0 | 1 => rng.random_range(62..200),
        2 => rng.random_range(6..58),
        _ => 0,
    };
    let sign = one_of(rng, &[-1, 1]);
    if minutes > 0 {
        return TimeDelta::minutes(sign * minutes);
    }
    match rng.random_range(0..16) {
        0 => config.date = DateHeader::Absent,
        // Some proxy writes the date, and has a clock of its own.
        1 => config.date = DateHeader::Shifted(TimeDelta::minutes(sign * 125)),
        _ => {}
    }
    TimeDelta::zero()
}

/// All passes are run by the same clock, within seconds.
pub(super) fn set_clocks(skew: TimeDelta, case: &mut Case) {
    for pass in case.steps.iter_mut().flat_map(|step| &mut step.passes) {
        pass.skew += skew;
    }
}

/// Some columns of some rows are NULL.
pub(super) fn nulls(seed: Seed, case: &mut Case) {
    let rng = &mut seed.of("nulls").rng();
    if case.volumes.is_empty() || !rng.random_bool(0.15) {
        return;
    }
    for _ in 0..rng.random_range(1..=3) {
        let at = match rng.random_range(0..2) {
            0 => 0,
            _ => rng.random_range(0..case.steps.len()),
        };
        let volume = rng.random_range(0..case.volumes.len());
        let nth = one_of(rng, &[0, 0, 0, 1, 2, 3, 5]);
        let field = one_of(
            rng,
            &["status", "status", "status", "updated_at", "size", "name"],
        );
        let of_volume = one_of(
            rng,
            &["status", "attachments", "created_at", "name", "size"],
        );
        let doing = match rng.random_range(0..8) {
            0..=2 => Doing::LoseTime(volume, nth),
            3..=5 => Doing::LoseField(volume, Some(nth), field),
            _ => Doing::LoseField(volume, None, of_volume),
        };
        case.steps[at].doings.push(doing);
    }
}
