//! Drawing some weeks: a tenancy that people really have, what they do, and what lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use simcloud::{Config, Health, Latency, Login, MessageQueue, Role, VolumeSpec};

use super::template::Template;
use super::{Ill, Sickness, Silence, Weeks};
use crate::case::{Case, Doing, Knobs, Pace, VolumeDraw};
use crate::draw::{INTERESTING_DAYS, Seed, one_of, uuid};
use crate::meaning::{Kind, Meaning, Schedule, Tags};

/// The volume types, each with a backend of its own.
const TYPES: [&str; 2] = ["fast", "large"];
const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"];

/// Draws the weeks of a seed.
pub fn weeks(number: u64) -> Weeks {
    let seed = Seed::new(number).of("weeks");
    let rng = &mut seed.rng();
    let (day, zone, _) = one_of(rng, &INTERESTING_DAYS);
    let day: DateTime<Utc> = format!("{day}T00:00:00Z")
        .parse()
        .expect("the days are dates");
    let begins = day - TimeDelta::minutes(rng.random_range(0..20 * 24 * 60));
    let length = TimeDelta::days(rng.random_range(28..=33));
    let volumes = volumes(seed.of("volumes"), begins, zone);
    let case = Case {
        seed: number,
        config: config(&mut seed.of("cloud").rng(), number, begins),
        login: one_of(
            &mut seed.of("login").rng(),
            &[Login::AppCred, Login::AppCredByName, Login::Password],
        ),
        knobs: knobs(&mut seed.of("settings").rng()),
        volumes,
        snapshots: Vec::new(),
        steps: Vec::new(),
        without: BTreeSet::new(),
        pace: Pace::Paused,
    };
    let mut weeks = Weeks {
        doings: doings(seed.of("people"), &case, length),
        sicknesses: sicknesses(seed.of("sicknesses"), &case, length),
        one_in: one_of(&mut seed.of("noise").rng(), &[0, 100]),
        length,
        case: Arc::new(case),
    };
    weeks.doings.sort_by_key(|(at, _)| *at);
    weeks.sicknesses.sort_by_key(|one| one.from);
    weeks
}

fn config(rng: &mut StdRng, seed: u64, now: DateTime<Utc>) -> Config {
    Config {
        seed,
        now,
        osapi_max_limit: one_of(rng, &[20, 1000, 1000]),
        creation_time: Duration::from_millis(rng.random_range(0..6_000)),
        deletion_time: Duration::from_millis(rng.random_range(0..4_000)),
        role: one_of(rng, &[Role::Member, Role::Member, Role::Admin]),
        latency: Latency::Fixed(Duration::from_millis(rng.random_range(5..300))),
        ..Config::default()
    }
}

/// What the template deploys, and now and then something else.
fn knobs(rng: &mut StdRng) -> Knobs {
    let template = Template::read();
    let number = |name: &str| template.number(name) as usize;
    let usual = rng.random_bool(0.6);
    let poll_interval = one_of(rng, &[1, 5, 15].map(Duration::from_secs));
    let mut pick = |usual_one: usize, others: &[usize]| match usual {
        true => usual_one,
        false => one_of(rng, others),
    };
    Knobs {
        max_concurrency: pick(number("MaxConcurrency"), &[2, 4, 16]),
        max_creating: pick(number("MaxCreating"), &[2, 4, 64]),
        max_retries: 3,
        base_delay: Duration::from_millis(500),
        max_delay: Duration::from_secs(10),
        operation_timeout: template.duration("OperationTimeout"),
        poll_interval,
        margin: template.duration("DeadlineMargin"),
        default_timeout: Duration::from_secs(60),
        keep_last: pick(number("KeepLast"), &[0, 1, 2]),
        stuck_after: template.duration("StuckAfter"),
        webhook: false,
    }
}

fn volumes(seed: Seed, begins: DateTime<Utc>, zone: &'static str) -> Vec<VolumeDraw> {
    let rng = &mut seed.rng();
    let vms: Vec<String> = (0..2).map(|_| uuid(rng)).collect();
    let types = if rng.random_bool(0.6) { 2 } else { 1 };
    // Now and then there are many that all want theirs at the same time.
    let same = rng.random_bool(0.02).then(|| Arc::new(nightly()));
    let count = match same {
        Some(_) => rng.random_range(16..=24),
        None => rng.random_range(2..=5),
    };
    (0..count)
        .map(|n| {
            let seed = seed.nth(n);
            let rng = &mut seed.rng();
            let id = uuid(rng);
            let own = || Arc::new(tags(seed.of("tags"), zone));
            let tags = same.clone().unwrap_or_else(own);
            // Each type has the volumes of a machine of its own.
            let kind = n % types;
            let servers = match rng.random_range(0..3) {
                0 => vec![],
                _ => vec![vms[kind].clone()],
            };
            VolumeDraw {
                spec: VolumeSpec {
                    id: Some(id.clone()),
                    name: Some(format!("volume-{n}")),
                    size: Some(rng.random_range(1..50)),
                    created_at: Some(begins - TimeDelta::days(rng.random_range(1..400))),
                    metadata: tags.metadata.clone(),
                    servers,
                    volume_type: Some(TYPES[kind].into()),
                    ..VolumeSpec::default()
                },
                id,
                tags,
                later: rng.random_bool(0.1),
            }
        })
        .collect()
}

/// A snapshot each night.
fn nightly() -> Tags {
    let mut tags = Tags {
        managed: true,
        has_our_keys: true,
        ..Tags::nothing()
    };
    tags.policies[Kind::Daily as usize] = Meaning::On(Schedule::of(Kind::Daily));
    let metadata = [
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-daily-enabled", "true"),
        ("x-snapsentry-daily-retention-days", "1"),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    tags.metadata = metadata.into();
    tags
}

/// One or two policies, written as people write them.
fn tags(seed: Seed, home: &'static str) -> Tags {
    let rng = &mut seed.rng();
    let mut metadata = BTreeMap::from([("x-snapsentry-managed".to_owned(), "true".to_owned())]);
    let mut policies = Tags::nothing().policies;
    let first = match rng.random_range(0..10) {
        0 => Kind::Express,
        1..=6 => Kind::Daily,
        7 | 8 => Kind::Weekly,
        _ => Kind::Monthly,
    };
    let second = one_of(rng, &[None, None, Some(Kind::Weekly), Some(Kind::Express)]);
    for kind in [Some(first), second].into_iter().flatten() {
        let rng = &mut seed.of(kind.as_str()).rng();
        let mut put = |name: &str, value: String| {
            metadata.insert(format!("x-snapsentry-{}-{name}", kind.as_str()), value);
        };
        let schedule = Schedule {
            zone: if rng.random_bool(0.5) {
                home
            } else {
                one_of(rng, &ZONES)
            },
            start_minute: match kind {
                Kind::Express => 0,
                _ => rng.random_range(0..24) * 60 + one_of(rng, &[0, 0, 30]),
            },
            weekday: rng.random_range(0..7),
            day: rng.random_range(1..=31),
            interval_hours: one_of(rng, &[6, 8, 12]),
            retention_days: one_of(rng, &[1, 2, 3, 7]),
            ..Schedule::of(kind)
        };
        put("enabled", "true".into());
        put("timezone", schedule.zone.into());
        put("retention-days", schedule.retention_days.to_string());
        let minute = schedule.start_minute;
        let start = format!("{:02}:{:02}", minute / 60, minute % 60);
        match kind {
            Kind::Express => put("interval-hours", schedule.interval_hours.to_string()),
            _ => put("start-time", start),
        }
        match kind {
            Kind::Weekly => put("start-day-of-week", schedule.weekday.to_string()),
            Kind::Monthly => put("start-day-of-month", schedule.day.to_string()),
            _ => {}
        }
        policies[kind as usize] = Meaning::On(schedule);
    }
    Tags {
        managed: true,
        has_our_keys: true,
        metadata,
        policies,
        ..Tags::nothing()
    }
}

fn instant(rng: &mut StdRng, case: &Case, length: TimeDelta) -> DateTime<Utc> {
    case.begins() + TimeDelta::seconds(rng.random_range(3_600..length.num_seconds()))
}

fn doings(seed: Seed, case: &Case, length: TimeDelta) -> Vec<(DateTime<Utc>, Doing)> {
    let mut doings = Vec::new();
    let count = case.volumes.len();
    for n in 0..seed.rng().random_range(0..14) {
        let rng = &mut seed.nth(n).rng();
        let at = instant(rng, case, length);
        let volume = rng.random_range(0..count);
        let nth = rng.random_range(0..8);
        match rng.random_range(0..14) {
            0 => doings.push((at, Doing::RemoveVolume(volume))),
            1 => {
                let tags = tags(Seed::new(rng.random()), "UTC");
                doings.push((at, Doing::Retag(volume, Arc::new(tags))));
            }
            2 | 3 => {
                // Shelved, or moved; most come back.
                doings.push((at, Doing::VolumeStatus(volume, "maintenance")));
                let back = at + TimeDelta::minutes(rng.random_range(5..12 * 24 * 60));
                if rng.random_bool(0.8) {
                    doings.push((back, Doing::VolumeStatus(volume, "available")));
                }
            }
            4 | 5 => doings.push((at, Doing::RemoveSnapshot(volume, nth))),
            6 => {
                doings.push((at, Doing::Hold(volume, nth, Some("true"))));
                let back = at + TimeDelta::hours(rng.random_range(1..200));
                doings.push((back, Doing::Hold(volume, nth, None)));
            }
            7 => doings.push((at, Doing::ForeignSnapshot(volume))),
            8 => doings.push((at, Doing::RevokeTokens)),
            9 => doings.push((at, Doing::ExpireTokens)),
            _ => {
                if let Some(later) = case.volumes.iter().position(|volume| volume.later) {
                    doings.push((at, Doing::MakeVolume(later)));
                }
            }
        }
    }
    doings
}

/// A third of the seeds are healthy all the time; the others are sick once to four times.
fn sicknesses(seed: Seed, case: &Case, length: TimeDelta) -> Vec<Sickness> {
    let rng = &mut seed.rng();
    if rng.random_bool(0.3) {
        return Vec::new();
    }
    (0..rng.random_range(1..=4))
        .map(|n| {
            let rng = &mut seed.nth(n).rng();
            let from = instant(rng, case, length - TimeDelta::days(2));
            let hours = match rng.random_range(0..4) {
                0 => rng.random_range(1..4),
                1 | 2 => rng.random_range(4..30),
                _ => rng.random_range(30..100),
            };
            let minutes = hours * 60 + rng.random_range(0..60);
            Sickness {
                ill: ill(rng, case),
                from,
                until: (from + TimeDelta::minutes(minutes))
                    .min(case.begins() + length - TimeDelta::hours(8)),
            }
        })
        .collect()
}

fn ill(rng: &mut StdRng, case: &Case) -> Ill {
    let silence = one_of(
        rng,
        &[Silence::Refused, Silence::Unavailable, Silence::Hangs],
    );
    let volume = rng.random_range(0..case.volumes.len());
    match rng.random_range(0..24) {
        0..=8 => {
            let slow = Duration::from_secs(rng.random_range(20..240) * 60);
            let health = one_of(
                rng,
                &[
                    Health::Dead,
                    Health::Dead,
                    Health::Stopped,
                    Health::Hung,
                    Health::Hung,
                    Health::Full,
                    Health::Failing,
                    Health::Slow(slow),
                ],
            );
            Ill::Backend(one_of(rng, &TYPES), health)
        }
        9 => Ill::Queue(MessageQueue::Dead),
        10 => Ill::Queue(MessageQueue::Leaky),
        11 => Ill::Scheduler,
        12 => Ill::Cinder(silence),
        13 => Ill::Keystone(silence),
        14 => Ill::Network,
        15 => Ill::Quota,
        16 => Ill::Credential,
        17 => Ill::OtherProject,
        18 if rng.random_bool(0.5) => Ill::Wiped((0..case.volumes.len()).collect()),
        18 => Ill::Wiped(vec![volume]),
        19 => Ill::Typo(volume),
        20 => {
            let minutes = one_of(rng, &[-400, -90, -20, 3, 20, 90, 400]);
            Ill::Clock(TimeDelta::minutes(minutes))
        }
        21 | 22 => Ill::RuleOff(one_of(rng, &["snapshot", "expire"])),
        _ => Ill::Throttled,
    }
}
