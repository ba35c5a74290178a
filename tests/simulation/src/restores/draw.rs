//! Drawing some restores: a tenancy with snapshots of several windows, what people do, what goes
//! wrong, and the calls.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use simcloud::{
    Behaviour, Config, Fault, Kind, Latency, Login, Requests, Role, Route, Rule, SnapshotSpec,
    Snapshots, VolumeSpec, When,
};

use super::{Call, Doing, Restores, Settings, Step, Trouble};
use crate::case::Kill;
use crate::draw::{Seed, one_of, uuid};
use crate::sandbox::LARGEST_BODY;

/// Names that people give: some that a shell, a name's limit or a reader stumbles over.
const NAMES: [&str; 6] = ["data", "log", "it's $(reboot)", "Größe 1", "a-b_c.d", "x"];
const IDS: [&str; 3] = ["incident-42", "Drill_2.b", "x"];
const POLICIES: [&str; 3] = ["daily", "express", "weekly"];

/// The calls that a restore makes, the more interesting ones more often.
const ROUTES: [Route; 8] = [
    Route::Login,
    Route::ListVolumes,
    Route::ListVolumes,
    Route::ListSnapshots,
    Route::CreateVolume,
    Route::CreateVolume,
    Route::CreateVolume,
    Route::GetVolume,
];

/// Draws the restores of a seed.
pub fn restores(number: u64) -> Restores {
    let seed = Seed::new(number).of("restores");
    let rng = &mut seed.rng();
    let now: DateTime<Utc> = one_of(
        rng,
        &[
            "2026-11-22T09:10:00Z",
            "2027-02-28T23:58:30Z",
            "2026-12-31T00:00:05Z",
        ],
    )
    .parse()
    .expect("an instant");
    let servers = [uuid(rng), uuid(rng)];
    let volumes = volumes(seed.of("volumes"), now, &servers);
    let snapshots = snapshots(seed.of("snapshots"), now, &volumes);
    let gone = (0..volumes.len())
        .filter(|n| seed.of("gone").nth(*n).rng().random_bool(0.12))
        .collect();
    let mut restores = Restores {
        seed: number,
        config: config(&mut seed.of("cloud").rng(), number, now),
        login: one_of(
            rng,
            &[Login::AppCred, Login::AppCredByName, Login::Password],
        ),
        settings: settings(&mut seed.of("settings").rng()),
        volumes,
        gone,
        snapshots,
        steps: Vec::new(),
    };
    let wishes = wishes(seed.of("wishes"), &restores, &servers);
    let mut at = now;
    for n in 0..seed.of("steps").rng().random_range(2..=6) {
        let seed = seed.of("steps").nth(n);
        let wait = match n {
            0 => Duration::from_secs(1),
            _ => wait(&mut seed.of("wait").rng()),
        };
        at += TimeDelta::from_std(wait).expect("a few days");
        let step = Step {
            wait,
            doings: if n == 0 {
                Vec::new()
            } else {
                doings(seed.of("doings"), &restores, at)
            },
            troubles: troubles(seed.of("troubles"), &restores, at),
            calls: calls(seed.of("calls"), &wishes),
        };
        restores.steps.push(step);
    }
    restores
}

fn config(rng: &mut StdRng, seed: u64, now: DateTime<Utc>) -> Config {
    Config {
        seed,
        now,
        osapi_max_limit: one_of(rng, &[2, 5, 1000, 1000]),
        volume_creation_time: Duration::from_millis(one_of(rng, &[0, 300, 2_000, 9_000, 40_000])),
        default_volume_type: one_of(rng, &[Some("simcloud".to_owned()), None]),
        role: one_of(
            rng,
            &[Role::Member, Role::Member, Role::Member, Role::Admin],
        ),
        token_lifetime: Duration::from_secs(one_of(rng, &[3600, 3600, 300])),
        latency: Latency::Fixed(Duration::from_millis(rng.random_range(1..250))),
        whole_seconds: rng.random_bool(0.8),
        ..Config::default()
    }
}

fn settings(rng: &mut StdRng) -> Settings {
    Settings {
        max_concurrency: one_of(rng, &[1, 2, 16, 16]),
        max_retries: one_of(rng, &[0, 1, 3, 3]),
        operation_timeout: Duration::from_secs(one_of(rng, &[3, 10, 30])),
        margin: Duration::from_millis(one_of(rng, &[500, 2_000])),
    }
}

fn volumes(seed: Seed, now: DateTime<Utc>, servers: &[String; 2]) -> Vec<VolumeSpec> {
    let rng = &mut seed.rng();
    (0..rng.random_range(2..=5))
        .map(|n| {
            let rng = &mut seed.nth(n).rng();
            let mut volume = VolumeSpec {
                id: Some(uuid(rng)),
                name: match rng.random_range(0..8) {
                    0 => None,
                    1 => Some("ü".repeat(250)),
                    _ => Some(one_of(rng, &NAMES).to_owned()),
                },
                size: Some(rng.random_range(1..20)),
                created_at: Some(now - TimeDelta::days(rng.random_range(40..400))),
                device: one_of(
                    rng,
                    &[None, Some("/dev/vda".into()), Some("/dev/vdc".into())],
                ),
                ..VolumeSpec::default()
            };
            match rng.random_range(0..8) {
                0 => {}
                1 => volume.servers = servers.to_vec(),
                2 => volume.servers = vec![servers[1].clone()],
                _ => volume.servers = vec![servers[0].clone()],
            }
            if rng.random_bool(0.75) {
                volume = volume
                    .meta("x-snapsentry-managed", "true")
                    .meta("x-snapsentry-daily-enabled", "true");
            }
            if rng.random_bool(0.12) {
                // It came out of a restore itself, and has been subscribed since.
                volume = volume
                    .meta("x-snapsentry-restore-id", "last-year")
                    .meta("x-snapsentry-restored-volume", uuid(rng));
            }
            volume
        })
        .collect()
}

/// The start of the window of a policy so many windows ago.
fn window(policy: &str, now: DateTime<Utc>, ago: i64) -> DateTime<Utc> {
    let (length, phase) = match policy {
        "express" => (6 * 3600, 0),
        "weekly" => (7 * 86_400, 3 * 86_400),
        _ => (86_400, 0),
    };
    let seconds = (now.timestamp() - phase).div_euclid(length) * length + phase - ago * length;
    DateTime::from_timestamp(seconds, 0).expect("an instant of these years")
}

/// A snapshot as a pass leaves it.
pub(super) fn taken(
    volume: &str,
    policy: &str,
    start: DateTime<Utc>,
    at: DateTime<Utc>,
) -> SnapshotSpec {
    let start = utc(start);
    SnapshotSpec::of(volume)
        .named(format!("managed-{policy}-{volume}-{start}"))
        .meta("x-snapsentry-managed", "true")
        .meta("x-snapsentry-snapshot-policy-type", policy)
        .meta("x-snapsentry-snapshot-expiry-date", "2099-01-01T00:00:00Z")
        .meta("x-snapsentry-snapshot-window-start", start)
        .created_at(at)
}

fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn snapshots(seed: Seed, now: DateTime<Utc>, volumes: &[VolumeSpec]) -> Vec<SnapshotSpec> {
    let mut snapshots = Vec::new();
    // Passes take all volumes of a window at about the same time, but for those they miss.
    let rng = &mut seed.rng();
    let mut windows = Vec::new();
    for policy in POLICIES {
        let wanted = match policy {
            "daily" => rng.random_range(1..=4),
            _ => rng.random_range(0..=2),
        };
        windows.extend((0..wanted).map(|ago| (policy, window(policy, now, ago))));
    }
    let missed = one_of(rng, &[0.0, 0.1, 0.1, 0.3, 0.6]);
    for (n, volume) in volumes.iter().enumerate() {
        let id = volume.id.as_deref().expect("each has one");
        for (m, (policy, start)) in windows.iter().enumerate() {
            let rng = &mut seed.nth(n).nth(m).rng();
            if rng.random_bool(missed) {
                continue;
            }
            let at = (*start + TimeDelta::seconds(rng.random_range(1..900))).min(now);
            let mut spec = taken(id, policy, *start, at);
            spec.id = Some(uuid(rng));
            if rng.random_bool(0.12) {
                let mut twin = taken(
                    id,
                    policy,
                    *start,
                    (at + TimeDelta::seconds(rng.random_range(0..3))).min(now),
                );
                twin.id = Some(uuid(rng));
                snapshots.push(twin);
            }
            match rng.random_range(0..24) {
                0 => spec.status = Some("error".into()),
                1 => spec.status = Some("creating".into()),
                2 => spec.status = Some("deleting".into()),
                3 => {
                    let unreadable = one_of(rng, &["", "yesterday", "2026-11-22"]);
                    spec = spec.meta("x-snapsentry-snapshot-window-start", unreadable);
                }
                4 => drop(spec.metadata.remove("x-snapsentry-snapshot-window-start")),
                5 => spec = spec.meta("x-snapsentry-snapshot-policy-type", "hourly"),
                6 => drop(spec.metadata.remove("x-snapsentry-managed")),
                7 => spec = spec.meta("x-snapsentry-hold", "true"),
                _ => {}
            }
            snapshots.push(spec);
        }
    }
    snapshots
}

/// What is wanted: an event for each of one or two restores.
fn wishes(seed: Seed, restores: &Restores, servers: &[String; 2]) -> Vec<Value> {
    let rng = &mut seed.rng();
    let count = one_of(rng, &[1, 1, 1, 2]);
    let first = rng.random_range(0..IDS.len());
    (0..count)
        .map(|n| {
            let rng = &mut seed.nth(n).rng();
            let mut event = json!({"phase": "restore", "restore_id": IDS[(first + n) % IDS.len()]});
            if rng.random_bool(0.5) {
                let server = rng.random_bool(0.15);
                event["server_id"] = servers[usize::from(server)].clone().into();
            } else {
                let mut ids: Vec<String> = restores
                    .volumes
                    .iter()
                    .filter(|_| rng.random_bool(0.8))
                    .filter_map(|volume| volume.id.clone())
                    .collect();
                if ids.is_empty() || rng.random_bool(0.08) {
                    ids.push(uuid(rng));
                }
                event["volume_ids"] = ids.into();
            }
            let now = restores.config.now;
            if rng.random_bool(0.25) {
                let at = now - TimeDelta::minutes(rng.random_range(0..3 * 24 * 60));
                event["at"] = utc(at).into();
            }
            if rng.random_bool(0.15) {
                event["policy"] = one_of(rng, &["daily", "daily", "express", "yearly"]).into();
            }
            event
        })
        .collect()
}

fn wait(rng: &mut StdRng) -> Duration {
    Duration::from_secs(match rng.random_range(0..4) {
        0 => rng.random_range(2..60),
        1 | 2 => rng.random_range(60..1_800),
        _ => rng.random_range(3_600..2 * 86_400),
    })
}

fn calls(seed: Seed, wishes: &[Value]) -> Vec<Call> {
    let rng = &mut seed.rng();
    let count = one_of(rng, &[1, 1, 1, 1, 2, 2]);
    let same = one_of(rng, wishes);
    (0..count)
        .map(|n| {
            let rng = &mut seed.nth(n).rng();
            let mut event = match count {
                2 if rng.random_bool(0.8) => same.clone(),
                _ => one_of(rng, wishes),
            };
            if rng.random_bool(0.08)
                && let Some(object) = event.as_object_mut()
            {
                // Somebody types it again, and not all of it.
                object.remove("at");
                object.remove("policy");
            }
            if rng.random_bool(0.2) {
                event["dry_run"] = true.into();
            }
            Call {
                event,
                delay: Duration::from_millis(match n {
                    0 => 0,
                    _ => one_of(rng, &[0, 0, 40, 400, 3_000]),
                }),
                time: match rng.random_range(0..10) {
                    0 => TimeDelta::milliseconds(rng.random_range(-500..3_000)),
                    1 | 2 => TimeDelta::milliseconds(rng.random_range(3_000..12_000)),
                    _ => TimeDelta::seconds(one_of(rng, &[60, 300, 900])),
                },
                cold: rng.random_bool(0.4),
                kill: match rng.random_range(0..20) {
                    0..=2 => Some(Kill::BeforeRequest(rng.random_range(1..16))),
                    3..=5 => Some(Kill::AfterAnswer(rng.random_range(1..16))),
                    6 => Some(Kill::After(Duration::from_millis(
                        rng.random_range(0..6_000),
                    ))),
                    _ => None,
                },
                seed: rng.random(),
            }
        })
        .collect()
}

fn doings(seed: Seed, restores: &Restores, at: DateTime<Utc>) -> Vec<Doing> {
    let rng = &mut seed.rng();
    let count = one_of(rng, &[0, 0, 1, 1, 2, 3]);
    (0..count)
        .map(|n| doing(&mut seed.nth(n).rng(), restores, at))
        .collect()
}

fn doing(rng: &mut StdRng, restores: &Restores, at: DateTime<Utc>) -> Doing {
    let volume = rng.random_range(0..restores.volumes.len());
    match rng.random_range(0..16) {
        0 => Doing::RemoveVolume(volume),
        1 => Doing::Detach(volume),
        2..=5 => Doing::RemoveSnapshot(rng.random_range(0..24)),
        6 => Doing::SnapshotStatus(
            rng.random_range(0..24),
            one_of(rng, &["error", "deleting", "available"]),
        ),
        7..=10 => {
            let policy = one_of(rng, &["daily", "daily", "express"]);
            let missed = (0..restores.volumes.len())
                .filter(|_| rng.random_bool(0.25))
                .collect();
            Doing::NewSnapshots(policy, window(policy, at, 0), missed)
        }
        11 | 12 => Doing::RemoveCopy(rng.random_range(0..4)),
        13 => Doing::SwapIn,
        14 => Doing::RevokeTokens,
        _ => Doing::ExpireTokens,
    }
}

fn troubles(seed: Seed, restores: &Restores, at: DateTime<Utc>) -> Vec<Trouble> {
    let rng = &mut seed.rng();
    let count = match rng.random_range(0..10) {
        0..=3 => 0,
        4..=7 => rng.random_range(1..=2),
        _ => rng.random_range(2..=5),
    };
    (0..count)
        .map(|n| trouble(&mut seed.nth(n).rng(), restores, at))
        .collect()
}

fn trouble(rng: &mut StdRng, restores: &Restores, at: DateTime<Utc>) -> Trouble {
    match rng.random_range(0..20) {
        0..=11 => Trouble::Fault(fault(rng)),
        12 | 13 => {
            let behaviour = match rng.random_range(0..5) {
                0 | 1 => Behaviour::VolumeFails,
                2 => Behaviour::VolumeHangs,
                _ => Behaviour::VolumeSlowly(Duration::from_secs(rng.random_range(1..90))),
            };
            Trouble::Backend(Rule::new(Snapshots::Any, behaviour).times(rng.random_range(1..=2)))
        }
        14 => Trouble::VolumeQuota(rng.random_range(0..3)),
        15 => Trouble::GigabytesQuota(rng.random_range(0..20)),
        16 => Trouble::Latency(Latency::LogNormal {
            median: Duration::from_millis(rng.random_range(300..3_000)),
            sigma: 0.9,
        }),
        _ => {
            let route = one_of(rng, &ROUTES[1..7]);
            let when = one_of(rng, &[When::Before, When::After]);
            Trouble::Meanwhile(
                route,
                rng.random_range(1..=4),
                when,
                doing(rng, restores, at),
            )
        }
    }
}

fn fault(rng: &mut StdRng) -> Fault {
    // What is lost of a creation is what matters most here.
    if rng.random_bool(0.4) {
        let delay = Duration::from_millis(one_of(rng, &[0, 0, 0, 1_500, 20_000]));
        let lost = match rng.random_range(0..6) {
            0 => Kind::ResetAfter,
            1 => Kind::HangAfter,
            2 => Kind::Truncate,
            3 => Kind::NotJson,
            _ => Kind::LateWork {
                code: one_of(rng, &[500, 502, 504]),
                delay,
            },
        };
        return Fault::on(Route::CreateVolume, lost)
            .skip(rng.random_range(0..3))
            .times(rng.random_range(1..=2));
    }
    let requests: Requests = match rng.random_range(0..10) {
        0 => Requests::Any,
        1..=3 => Route::CreateVolume.into(),
        _ => one_of(rng, &ROUTES).into(),
    };
    let fault = Fault::on(requests, kind(rng)).skip(rng.random_range(0..4));
    match rng.random_range(0..12) {
        0 => fault.forever(),
        1..=3 => fault.times(rng.random_range(2..=5)),
        _ => fault,
    }
}

fn kind(rng: &mut StdRng) -> Kind {
    match rng.random_range(0..20) {
        0 => Kind::status(one_of(rng, &[400, 403, 404, 409])),
        1 => Kind::status_with(413, "retry-after", one_of(rng, &["1", "20"])),
        2 => Kind::status_with(413, "retry-after", "0"),
        3 | 4 => Kind::RateLimit {
            retry_after: one_of(rng, &[None, Some("0"), Some("2"), Some("25")]).map(str::to_owned),
        },
        5..=7 => Kind::status(one_of(rng, &[500, 502, 503, 504])),
        8 => Kind::status_with(503, "retry-after", one_of(rng, &["1", "90"])),
        9 | 10 => Kind::ResetBefore,
        11 => Kind::ResetAfter,
        12 => Kind::Refused,
        13 => Kind::DelayBefore(Duration::from_secs(rng.random_range(1..40))),
        14 => Kind::DelayAfter(Duration::from_secs(rng.random_range(1..40))),
        15 => Kind::HangBefore,
        16 => Kind::Unauthorized,
        17 => Kind::ExpireToken,
        18 => Kind::Truncate,
        _ => one_of(
            rng,
            &[
                Kind::NotJson,
                Kind::Oversized {
                    bytes: LARGEST_BODY + 1,
                },
                Kind::Redirect {
                    code: 302,
                    location: "http://elsewhere.example/".into(),
                },
            ],
        ),
    }
}
