//! Drawing what goes wrong, and what people do meanwhile.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use simcloud::{Behaviour, Fault, Kind, Latency, Requests, Route, Rule, Service, Snapshots, When};

use super::tenancy::VOLUME_STATES;
use super::{Home, Seed, milliseconds, one_of, seconds, tags};
use crate::case::{Case, Doing, Trouble};
use crate::sandbox::LARGEST_BODY;

/// The calls of snapshot and expire passes, the more interesting ones more often.
const ROUTES: [Route; 14] = [
    Route::Login,
    Route::ListVolumes,
    Route::ListVolumes,
    Route::ListSnapshots,
    Route::ListSnapshots,
    Route::ListSnapshots,
    Route::CreateSnapshot,
    Route::CreateSnapshot,
    Route::CreateSnapshot,
    Route::DeleteSnapshot,
    Route::DeleteSnapshot,
    Route::GetSnapshot,
    Route::ForceDelete,
    Route::GetServer,
];

pub(super) fn troubles(seed: Seed, case: &Case, home: Home) -> Vec<Trouble> {
    let rng = &mut seed.rng();
    let count = match rng.random_range(0..10) {
        0..=2 => 0,
        3..=7 => rng.random_range(1..=3),
        _ => rng.random_range(3..=7),
    };
    (0..count)
        .map(|n| trouble(&mut seed.nth(n).rng(), case, home))
        .collect()
}

fn trouble(rng: &mut StdRng, case: &Case, home: Home) -> Trouble {
    match rng.random_range(0..20) {
        0..=11 => Trouble::Fault(fault(rng)),
        12..=14 => Trouble::Backend(backend(rng, case)),
        15 if rng.random_bool(0.6) => Trouble::SnapshotQuota(rng.random_range(0..4)),
        15 => Trouble::GigabytesQuota(rng.random_range(0..6)),
        16 => Trouble::Latency(Latency::LogNormal {
            median: milliseconds(rng, 300, 4_000),
            sigma: 0.9,
        }),
        _ => {
            let route = one_of(rng, &ROUTES[1..13]);
            let nth = rng.random_range(1..=4);
            let when = one_of(rng, &[When::Before, When::After]);
            Trouble::Meanwhile(route, nth, when, doing(rng, case, home))
        }
    }
}

fn fault(rng: &mut StdRng) -> Fault {
    let requests: Requests = match rng.random_range(0..12) {
        0 => Requests::Any,
        1 => Service::BlockStorage.into(),
        _ => one_of(rng, &ROUTES).into(),
    };
    let fault = Fault::on(requests, kind(rng)).skip(match rng.random_range(0..3) {
        0 => 0,
        1 => rng.random_range(0..3),
        _ => rng.random_range(0..9),
    });
    match rng.random_range(0..12) {
        0 => fault.forever(),
        1..=3 => fault.times(rng.random_range(2..=5)),
        _ => fault,
    }
}

fn kind(rng: &mut StdRng) -> Kind {
    match rng.random_range(0..32) {
        0 => Kind::status(one_of(rng, &[400, 403, 404, 409])),
        1 => Kind::status(408),
        2 => Kind::status_with(413, "retry-after", one_of(rng, &["1", "3", "40"])),
        3 => Kind::status_with(413, "retry-after", "0"),
        4 => Kind::status(413),
        5 | 6 => Kind::RateLimit {
            retry_after: match rng.random_range(0..4) {
                0 => None,
                1 => Some(one_of(rng, &["soon", "-1", "", "99999999999999999999"]).to_owned()),
                2 => Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
                _ => Some(rng.random_range(0..25).to_string()),
            },
        },
        7 | 8 => Kind::status(500),
        9 => Kind::status(502),
        10 => Kind::status(503),
        11 => Kind::status_with(503, "retry-after", one_of(rng, &["1", "7", "100"])),
        12 => Kind::status(504),
        13 => Kind::ResetBefore,
        14..=16 => Kind::ResetAfter,
        17 => Kind::DelayBefore(delay(rng)),
        18 => Kind::DelayAfter(delay(rng)),
        19 => Kind::HangBefore,
        20 | 21 => Kind::HangAfter,
        22 | 23 => Kind::Truncate,
        24 | 25 => Kind::NotJson,
        26 | 27 => Kind::LateWork {
            code: one_of(rng, &[500, 503, 504]),
            delay: if rng.random_bool(0.3) {
                Duration::ZERO
            } else {
                milliseconds(rng, 1, 9_000)
            },
        },
        28 => Kind::Unauthorized,
        29 => Kind::ExpireToken,
        30 => Kind::Redirect {
            code: one_of(rng, &[301, 302, 307]),
            location: "http://elsewhere.example/volume?token=not-a-secret".into(),
        },
        _ if rng.random_bool(0.2) => Kind::Oversized {
            bytes: LARGEST_BODY + 1,
        },
        _ => Kind::status(501),
    }
}

fn delay(rng: &mut StdRng) -> Duration {
    match rng.random_range(0..3) {
        0 => milliseconds(rng, 1, 2_000),
        1 => seconds(rng, 2, 15),
        _ => seconds(rng, 15, 90),
    }
}

fn backend(rng: &mut StdRng, case: &Case) -> Rule {
    let slow = if rng.random_bool(0.6) {
        milliseconds(rng, 500, 20_000)
    } else {
        seconds(rng, 20, 1_200)
    };
    let behaviour = match rng.random_range(0..10) {
        0 | 1 => Behaviour::CreateSlowly(slow),
        2 | 3 => Behaviour::CreateFails,
        4 => Behaviour::CreateHangs,
        5 => Behaviour::DeleteSlowly(slow),
        6 => Behaviour::DeleteFails,
        7 => Behaviour::DeleteBusy,
        8 => Behaviour::DeleteHangs,
        _ => Behaviour::CreateSlowly(milliseconds(rng, 500, 5_000)),
    };
    let snapshots = match case.volumes.len() {
        count if count > 0 && rng.random_bool(0.6) => {
            Snapshots::OfVolume(case.volumes[rng.random_range(0..count)].id.clone())
        }
        _ => Snapshots::Any,
    };
    let rule = Rule::new(snapshots, behaviour);
    if rng.random_bool(0.7) {
        rule.times(rng.random_range(1..=3))
    } else {
        rule
    }
}

pub(super) fn doings(seed: Seed, case: &Case, home: Home) -> Vec<Doing> {
    let rng = &mut seed.rng();
    let count = match rng.random_range(0..3) {
        0 => rng.random_range(0..=3),
        _ => 0,
    };
    (0..count)
        .map(|n| doing(&mut seed.nth(n).rng(), case, home))
        .collect()
}

fn doing(rng: &mut StdRng, case: &Case, home: Home) -> Doing {
    let count = case.volumes.len();
    if count == 0 {
        return one_of(rng, &[Doing::RevokeTokens, Doing::ExpireTokens]);
    }
    let volume = rng.random_range(0..count);
    let nth = rng.random_range(0..6);
    match rng.random_range(0..20) {
        0 | 1 => Doing::RemoveVolume(volume),
        2 => Doing::Retag(volume, Arc::new(tags::wiped())),
        3 => {
            let tags = Arc::unwrap_or_clone(case.volumes[volume].tags.clone());
            Doing::Retag(volume, Arc::new(tags::goodbye(tags)))
        }
        4 | 5 => Doing::Retag(volume, Arc::new(tags::draw(Seed::new(rng.random()), home))),
        6 => Doing::VolumeStatus(volume, one_of(rng, &VOLUME_STATES)),
        7..=9 => Doing::RemoveSnapshot(volume, nth),
        10 => Doing::Hold(volume, nth, Some(one_of(rng, &["true", "", "false"]))),
        11 => Doing::Hold(volume, nth, None),
        12 => {
            let status = one_of(rng, &["error", "backing-up", "available", "deleting"]);
            Doing::SnapshotStatus(volume, nth, status)
        }
        13 | 14 => Doing::ForeignSnapshot(volume),
        15 => Doing::RevokeTokens,
        16 => Doing::ExpireTokens,
        _ => match case.volumes.iter().position(|volume| volume.later) {
            Some(later) => Doing::MakeVolume(later),
            None => Doing::ForeignSnapshot(volume),
        },
    }
}
