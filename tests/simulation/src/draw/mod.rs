//! Drawing a case from a seed.
//!
//! Each part of a case has a file: the tenancy ([`tenancy`], [`tags`]), what goes wrong
//! ([`misfortune`]), what is odd about the cloud itself ([`oddities`]), what is invoked ([`passes`]) and what is rare ([`edges`]). [`real_time`] makes
//! a case one for the real clock.

mod chains;
mod edges;
mod misfortune;
mod oddities;
mod passes;
mod real_time;
mod seed;
mod tags;
mod tenancy;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use simcloud::{Catalogue, Config, Latency, Login, Microversions, Role};

use crate::case::{Case, Knobs, Pace, Step};

pub use seed::Seed;
pub(crate) use tags::wiped;
pub(crate) use tenancy::uuid;

/// The zone that most policies are in, and the hour at which they like to start.
#[derive(Clone, Copy)]
struct Home {
    zone: &'static str,
    hour: u32,
}

/// Draws the case of a seed.
pub fn case(seed: u64) -> Case {
    draw(seed, None)
}

/// Draws the case of a seed for the built program, from the present time on.
pub fn case_by_the_real_clock(seed: u64) -> Case {
    real_time::quickened(draw(seed, Some(Utc::now())))
}

fn draw(number: u64, now: Option<DateTime<Utc>>) -> Case {
    let seed = Seed::new(number);
    let (day, zone, hour) = one_of(&mut seed.of("day").rng(), &INTERESTING_DAYS);
    let home = Home { zone, hour };
    let mut config = config(&mut seed.of("cloud").rng(), number, day);
    oddities::of_listings(seed, &mut config);
    let skew = oddities::clocks(seed, &mut config);
    config.now = now.unwrap_or(config.now);
    let knobs = knobs(&mut seed.of("settings").rng());
    let login = one_of(
        &mut seed.of("login").rng(),
        &[Login::AppCred, Login::AppCredByName, Login::Password],
    );
    let volumes = tenancy::volumes(seed.of("volumes"), config.now, home);
    let snapshots = tenancy::snapshots(seed.of("snapshots"), &volumes, &config, knobs.stuck_after);
    let mut case = Case {
        seed: number,
        config,
        login,
        knobs,
        volumes,
        snapshots,
        steps: Vec::new(),
        without: BTreeSet::new(),
        pace: Pace::Paused,
    };
    let steps = seed.of("steps").rng().random_range(2..=5);
    for n in 0..steps {
        let seed = seed.of("steps").nth(n);
        let step = Step {
            wait: match n {
                0 => Duration::ZERO,
                _ => wait(&mut seed.of("wait").rng()),
            },
            doings: misfortune::doings(seed.of("doings"), &case, home),
            troubles: misfortune::troubles(seed.of("troubles"), &case, home),
            passes: passes::side_by_side(seed.of("passes"), &case),
        };
        case.steps.push(step);
    }
    oddities::set_clocks(skew, &mut case);
    oddities::nulls(seed, &mut case);
    chains::deaf_filters(seed, &mut case);
    chains::lost_creations(seed, &mut case);
    chains::refused_deletions(seed, &mut case);
    chains::busy_keystone(seed, &mut case);
    edges::exact_expiry(seed, &mut case);
    edges::held_twin(seed, &mut case);
    edges::other_key(seed, &mut case);
    edges::busy_keystone(seed, &mut case);
    edges::young_leftover(seed, &mut case);
    edges::slow_member(seed, &mut case);
    edges::nameless_servers(seed, &mut case);
    edges::late_holds(seed, &mut case);
    edges::side_by_side(seed, &mut case);
    case
}

/// One of several, each as likely as the others.
pub(crate) fn one_of<T: Clone>(rng: &mut StdRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())].clone()
}

fn seconds(rng: &mut StdRng, from: u64, to: u64) -> Duration {
    Duration::from_secs(rng.random_range(from..=to))
}

fn milliseconds(rng: &mut StdRng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.random_range(from..=to))
}

fn wait(rng: &mut StdRng) -> Duration {
    match rng.random_range(0..10) {
        0 => seconds(rng, 1, 30),
        1..=4 => seconds(rng, 60, 900),
        5..=7 => seconds(rng, 3600, 13 * 3600),
        _ => seconds(rng, 86_400, 9 * 86_400),
    }
}

/// Nights on which clocks change somewhere, ends of months, leap days, and plain days; with the
/// zone whose clocks change, and the hour that is skipped or comes twice.
pub(crate) const INTERESTING_DAYS: [(&str, &str, u32); 16] = [
    ("2026-11-22", "UTC", 0),
    ("2026-10-25", "Europe/Berlin", 2),
    ("2026-10-25", "Europe/Berlin", 2),
    ("2027-03-28", "Europe/Berlin", 2),
    ("2026-11-01", "America/New_York", 1),
    ("2026-11-01", "America/New_York", 1),
    ("2027-03-14", "America/New_York", 2),
    ("2027-02-28", "Asia/Kathmandu", 0),
    ("2028-02-29", "Pacific/Apia", 0),
    ("2026-12-31", "UTC", 0),
    ("2027-01-01", "America/Sao_Paulo", 0),
    ("2027-04-04", "Australia/Lord_Howe", 1),
    ("2026-09-27", "Pacific/Chatham", 3),
    ("2027-01-31", "UTC", 0),
    ("2026-10-04", "Australia/Lord_Howe", 2),
    ("2027-04-30", "Africa/Cairo", 0),
];

fn config(rng: &mut StdRng, seed: u64, day: &str) -> Config {
    let day: DateTime<Utc> = format!("{day}T00:00:00Z")
        .parse()
        .expect("the days are dates");
    let now = day + TimeDelta::milliseconds(rng.random_range(-86_400_000..86_400_000));
    let creation_time = match rng.random_range(0..4) {
        0 => Duration::ZERO,
        1 => milliseconds(rng, 1, 900),
        _ => milliseconds(rng, 500, 8_000),
    };
    Config {
        seed,
        now,
        osapi_max_limit: one_of(rng, &[2, 3, 5, 8, 20, 1000, 1000]),
        catalogue: one_of(
            rng,
            &[Catalogue::Both, Catalogue::Modern, Catalogue::Legacy],
        ),
        compute: rng.random_bool(0.8),
        microversions: match rng.random_range(0..10) {
            0 => Microversions::UpTo(0),
            1 => Microversions::UpTo(21),
            2 => Microversions::HeaderRefused(one_of(rng, &[400, 406])),
            3 => Microversions::UpTo(22),
            _ => Microversions::UpTo(71),
        },
        creation_time,
        deletion_time: if rng.random_bool(0.5) {
            Duration::ZERO
        } else {
            milliseconds(rng, 1, 4_000)
        },
        role: match rng.random_range(0..20) {
            0 => Role::Reader,
            1..=12 => Role::Member,
            _ => Role::Admin,
        },
        token_lifetime: Duration::from_secs(one_of(rng, &[3600, 3600, 3600, 900, 120])),
        token_cache: Duration::from_secs(one_of(rng, &[0, 0, 300])),
        latency: latency(rng),
        whole_seconds: rng.random_bool(0.8),
        link_base: rng
            .random_bool(0.15)
            .then(|| "http://inside.example:8776".into()),
        ..Config::default()
    }
}

fn latency(rng: &mut StdRng) -> Latency {
    match rng.random_range(0..4) {
        0 => Latency::None,
        1 => Latency::Fixed(milliseconds(rng, 1, 400)),
        _ => Latency::LogNormal {
            median: milliseconds(rng, 10, 300),
            sigma: 0.7,
        },
    }
}

fn knobs(rng: &mut StdRng) -> Knobs {
    let usual = rng.random_bool(0.4);
    let mut pick = |usual_one: u64, others: &[u64]| {
        if usual {
            usual_one
        } else {
            one_of(rng, others)
        }
    };
    Knobs {
        max_concurrency: pick(16, &[1, 2, 3, 4, 16]) as usize,
        max_creating: pick(64, &[1, 2, 3, 5, 64]) as usize,
        max_retries: pick(3, &[0, 1, 2, 3, 5]) as u32,
        base_delay: Duration::from_millis(pick(500, &[50, 500, 2_000])),
        max_delay: Duration::from_millis(pick(10_000, &[1_000, 10_000])),
        operation_timeout: Duration::from_millis(pick(30_000, &[3_000, 10_000, 30_000])),
        poll_interval: Duration::from_millis(pick(1_000, &[250, 1_000, 3_000])),
        margin: Duration::from_millis(pick(2_000, &[500, 2_000, 5_000])),
        default_timeout: Duration::from_millis(pick(60_000, &[20_000, 60_000])),
        keep_last: pick(1, &[0, 1, 2, 3]) as usize,
        stuck_after: Duration::from_secs(pick(6 * 3600, &[600, 3600, 6 * 3600])),
        webhook: rng.random_bool(0.4),
    }
}
