//! Drawing what is in the cloud at the beginning: volumes, and snapshots in every state.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use simcloud::{Config, SnapshotSpec, VolumeSpec};

use super::{Home, Seed, one_of, tags};
use crate::calendar::{self, Window};
use crate::case::VolumeDraw;
use crate::meaning::{Kind, Meaning, Schedule};

const STATES: [&str; 9] = [
    "creating",
    "deleting",
    "error",
    "error_deleting",
    "backing-up",
    "restoring",
    "updating",
    "unmanaging",
    "available",
];
pub(super) const VOLUME_STATES: [&str; 6] = [
    "available",
    "in-use",
    "error",
    "maintenance",
    "attaching",
    "deleting",
];

pub(crate) fn uuid(rng: &mut StdRng) -> String {
    let n: u128 = rng.random();
    let hex = format!("{n:032x}");
    format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

pub(super) fn volumes(seed: Seed, now: DateTime<Utc>, home: Home) -> Vec<VolumeDraw> {
    let rng = &mut seed.rng();
    let count = match rng.random_range(0..12) {
        0 => 0,
        1..=8 => rng.random_range(1..=5),
        9 | 10 => rng.random_range(4..=10),
        _ => rng.random_range(8..=24),
    };
    let vms: Vec<String> = (0..rng.random_range(1..=3)).map(|_| uuid(rng)).collect();
    (0..count)
        .map(|n| {
            let seed = seed.nth(n);
            let rng = &mut seed.rng();
            let drawn = tags::draw(seed.of("tags"), home);
            let tags = Arc::new(match rng.random_range(0..16) {
                0 => tags::wiped(),
                1 => tags::goodbye(drawn),
                _ => drawn,
            });
            let servers = match rng.random_range(0..10) {
                0..=3 => vec![],
                4 => vec![vms[0].clone(), uuid(rng)],
                _ => vec![one_of(rng, &vms)],
            };
            let status = if rng.random_bool(0.1) {
                Some(one_of(rng, &VOLUME_STATES).to_owned())
            } else {
                None
            };
            let id = uuid(rng);
            let spec = VolumeSpec {
                id: Some(id.clone()),
                name: Some(format!("volume-{n}")),
                status,
                size: Some(rng.random_range(1..5)),
                created_at: Some(now - TimeDelta::days(rng.random_range(0..400))),
                metadata: tags.metadata.clone(),
                servers,
                ..VolumeSpec::default()
            };
            VolumeDraw {
                spec,
                id,
                tags,
                later: rng.random_bool(0.06),
            }
        })
        .collect()
}

pub(super) fn snapshots(
    seed: Seed,
    volumes: &[VolumeDraw],
    config: &Config,
    stuck_after: Duration,
) -> Vec<SnapshotSpec> {
    let now = config.now;
    let mut all = Vec::new();
    for (n, volume) in volumes.iter().enumerate() {
        let seed = seed.nth(n);
        for kind in Kind::ALL {
            let schedule = match volume.tags.policy(kind) {
                Meaning::Off => continue,
                // What was taken while it could be read.
                Meaning::Unreadable => Schedule::of(kind),
                Meaning::On(schedule) => schedule,
            };
            let rng = &mut seed.of(schedule.kind.as_str()).rng();
            let mut window = calendar::window_at(&schedule, now);
            for back in 0..rng.random_range(0..=4) {
                let twins = if rng.random_bool(0.12) { 2 } else { 1 };
                for _ in 0..twins {
                    // Most active windows are still to be taken.
                    if back > 0 || rng.random_bool(0.45) {
                        all.push(of_window(
                            rng,
                            &volume.id,
                            &schedule,
                            &window,
                            now,
                            stuck_after,
                        ));
                    }
                }
                window = calendar::window_at(&schedule, window.start - TimeDelta::seconds(1));
            }
        }
        let rng = &mut seed.of("odd").rng();
        if rng.random_bool(0.15) {
            all.push(odd(rng, volume.id.clone(), now));
        }
    }
    // Snapshots whose volume is long gone.
    let rng = &mut seed.of("orphans").rng();
    for _ in 0..rng.random_range(0..=2) {
        let gone = uuid(rng);
        all.push(odd(rng, gone, now));
    }
    for (n, one) in all.iter_mut().enumerate() {
        one.id = Some(uuid(&mut seed.of("ids").nth(n).rng()));
    }
    all
}

fn instant_in(rng: &mut StdRng, window: &Window, now: DateTime<Utc>) -> DateTime<Utc> {
    let end = window.end.min(now);
    let length = (end - window.start).num_seconds().max(1);
    window.start + TimeDelta::seconds(rng.random_range(0..length))
}

/// One that serves, or served, a window; now and then odd in one thing.
fn of_window(
    rng: &mut StdRng,
    volume_id: &str,
    schedule: &Schedule,
    window: &Window,
    now: DateTime<Utc>,
    stuck_after: Duration,
) -> SnapshotSpec {
    let created_at = instant_in(rng, window, now);
    let expires_at = calendar::expires_at(schedule, window);
    let mut spec = SnapshotSpec::of(volume_id)
        .named(format!(
            "managed-{}-{volume_id}-{}",
            schedule.kind.as_str(),
            calendar::in_zone(schedule, window.start)
        ))
        .meta("x-snapsentry-managed", "true")
        .meta("x-snapsentry-snapshot-policy-type", schedule.kind.as_str())
        .meta(
            "x-snapsentry-snapshot-retention-days",
            schedule.retention_days.to_string(),
        );
    spec.created_at = Some(created_at);
    if rng.random_bool(0.85) {
        let start = calendar::in_utc(window.start);
        spec = spec.meta("x-snapsentry-snapshot-window-start", start);
    } else if rng.random_bool(0.3) {
        spec = spec.meta("x-snapsentry-snapshot-window-start", "last tuesday");
    }
    spec = match rng.random_range(0..20) {
        0 => spec,
        1 => spec.meta(
            "x-snapsentry-snapshot-expiry-date",
            one_of(rng, &["2026-01-01", "soon", "", "2026-01-01T00:00:00"]),
        ),
        2..=6 => {
            let ago = TimeDelta::seconds(rng.random_range(1..900_000));
            spec.meta(
                "x-snapsentry-snapshot-expiry-date",
                calendar::in_utc(now - ago),
            )
        }
        _ => spec.meta(
            "x-snapsentry-snapshot-expiry-date",
            calendar::in_utc(expires_at),
        ),
    };
    if rng.random_bool(0.08) {
        spec = spec.meta(
            "x-snapsentry-hold",
            one_of(rng, &["true", "1", "", "legal", "false", "0"]),
        );
    }
    match rng.random_range(0..30) {
        // Somebody took it over: its name is still one of ours.
        0 | 3 | 4 => drop(spec.metadata.remove("x-snapsentry-managed")),
        1 => drop(
            spec.metadata
                .insert("x-snapsentry-managed".into(), "True".into()),
        ),
        2 => drop(
            spec.metadata
                .insert("x-snapsentry-snapshot-policy-type".into(), "hourly".into()),
        ),
        _ => {}
    }
    if rng.random_bool(0.35) {
        spec.status = Some(one_of(rng, &STATES).to_owned());
    }
    let stuck = stuck_after.as_secs() as i64;
    spec.updated_at = match rng.random_range(0..4) {
        0 => None,
        1 => Some(created_at),
        // Around the age at which it counts as stuck.
        2 => Some(now - TimeDelta::seconds(stuck + rng.random_range(-300..300))),
        _ => Some(now - TimeDelta::seconds(rng.random_range(0..2 * stuck))),
    }
    .map(|at| at.max(created_at));
    spec
}

/// One that is nobody's, or half managed.
fn odd(rng: &mut StdRng, volume_id: String, now: DateTime<Utc>) -> SnapshotSpec {
    let mut spec = SnapshotSpec::of(volume_id).named("by-hand");
    spec.created_at = Some(now - TimeDelta::seconds(rng.random_range(1..40 * 86_400)));
    spec.updated_at = spec.created_at;
    if rng.random_bool(0.7) {
        spec = spec.meta(
            "x-snapsentry-managed",
            one_of(rng, &["true", "true", "false", "yes"]),
        );
    }
    if rng.random_bool(0.8) {
        let kind = one_of(rng, &Kind::ALL);
        spec = spec.meta("x-snapsentry-snapshot-policy-type", kind.as_str());
    }
    if rng.random_bool(0.7) {
        let off = TimeDelta::seconds(rng.random_range(-900_000..300_000));
        spec = spec.meta(
            "x-snapsentry-snapshot-expiry-date",
            calendar::in_utc(now + off),
        );
    }
    if rng.random_bool(0.3) {
        spec.status = Some(one_of(rng, &STATES).to_owned());
    }
    spec
}
