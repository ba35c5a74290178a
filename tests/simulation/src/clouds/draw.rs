//! Drawing some clouds, what people do to their entries, and how the clouds misbehave.

use std::time::Duration;

use chrono::TimeDelta;
use rand::RngExt;
use rand::rngs::StdRng;
use simcloud::{ApplicationCredential, Catalogue, Config, Latency, Login};

use super::{CloudDraw, Clouds, Edit, Entry, Fault, Ill, Step};
use crate::draw::{Seed, one_of, uuid};

const NAMES: [&str; 6] = ["blue", "green", "red", "Team.7-prod_eu", "x", "amber"];

/// Draws the clouds of a seed.
pub fn clouds(number: u64) -> Clouds {
    let seed = Seed::new(number).of("clouds");
    let rng = &mut seed.rng();
    let first = rng.random_range(0..NAMES.len());
    let count = rng.random_range(2..=5);
    let shares_address = rng.random_bool(0.4);
    let clouds: Vec<CloudDraw> = (0..count)
        .map(|n| {
            let name = NAMES[(first + n) % NAMES.len()];
            // Many projects of one installation have one address.
            let host = if shares_address && n < 2 {
                "shared"
            } else {
                name
            };
            cloud(seed.of("cloud").nth(n), number * 8 + n as u64, name, host)
        })
        .collect();
    let steps = (0..rng.random_range(2..=5))
        .map(|n| step(seed.of("step").nth(n), n, &clouds))
        .collect();
    Clouds {
        seed: number,
        clouds,
        as_json: rng.random_bool(0.5),
        operation_timeout: one_of(rng, &["10s", "30s"]),
        steps,
    }
}

fn cloud(seed: Seed, number: u64, name: &str, host: &str) -> CloudDraw {
    let rng = &mut seed.rng();
    let id = uuid(rng).replace('-', "");
    let config = Config {
        seed: number,
        catalogue: one_of(
            rng,
            &[Catalogue::Both, Catalogue::Modern, Catalogue::Legacy],
        ),
        compute: rng.random_bool(0.7),
        creation_time: Duration::from_millis(rng.random_range(0..3_000)),
        latency: Latency::Fixed(Duration::from_millis(rng.random_range(1..200))),
        token_lifetime: Duration::from_secs(one_of(rng, &[3_600, 200_000, 200_000])),
        project_name: format!("project-{name}"),
        project_id: Some(uuid(rng).replace('-', "")),
        user_name: format!("user-{name}"),
        user_id: Some(uuid(rng).replace('-', "")),
        password: format!("not-a-secret-password-{id}"),
        application_credential: ApplicationCredential {
            id: uuid(rng).replace('-', ""),
            name: format!("credential-{name}"),
            secret: format!("not-a-secret-credential-{id}"),
            ..Config::default().application_credential
        },
        ..Config::default()
    };
    CloudDraw {
        name: name.to_owned(),
        address: format!(
            "https://{}.example",
            host.to_lowercase().replace(['.', '_'], "-")
        ),
        config,
        login: one_of(
            rng,
            &[Login::AppCred, Login::AppCredByName, Login::Password],
        ),
        volumes: (0..rng.random_range(1..=3)).map(|_| uuid(rng)).collect(),
        entry: match rng.random_range(0..10) {
            0 => Entry::Absent,
            1 => entry(rng),
            _ => Entry::Good(1),
        },
    }
}

fn entry(rng: &mut StdRng) -> Entry {
    match rng.random_range(0..8) {
        0 => Entry::Absent,
        1 => Entry::Paused,
        2 => Entry::Unstartable,
        3 => Entry::Good(one_of(rng, &[2, 3])),
        4 | 5 => Entry::Good(1),
        _ => Entry::Faulty(one_of(
            rng,
            &[
                Fault::NoAddress,
                Fault::NoSecret,
                Fault::UnknownLogin,
                Fault::NoMapping,
            ],
        )),
    }
}

fn step(seed: Seed, number: usize, clouds: &[CloudDraw]) -> Step {
    let rng = &mut seed.rng();
    let any = |rng: &mut StdRng| rng.random_range(0..clouds.len());
    let count = match number {
        0 => 0,
        _ => one_of(rng, &[0, 1, 1, 2, 3]),
    };
    let edits = (0..count)
        .map(|_| {
            let cloud = any(rng);
            match rng.random_range(0..12) {
                0..=5 => Edit::Write(cloud, entry(rng)),
                6..=8 => Edit::Rotate(cloud),
                9 => Edit::RotateCloud(cloud),
                10 => Edit::Scramble,
                _ => Edit::Write(cloud, Entry::Good(1)),
            }
        })
        .collect();
    let sick = one_of(rng, &[0, 0, 1, 1, 2]);
    let ills = (0..sick)
        .map(|_| {
            let cloud = any(rng);
            let other = (cloud + rng.random_range(1..clouds.len())) % clouds.len();
            let ill = match rng.random_range(0..11) {
                0 => Ill::Unauthorized,
                1 => Ill::LoginRefused,
                2 => Ill::Redirects(other),
                3 => Ill::Garbage,
                4 => Ill::Hangs,
                5 => Ill::Oversized,
                6 => Ill::ClearText,
                7 => Ill::Elsewhere(other),
                8 => Ill::Dead,
                9 => Ill::Flaky,
                _ => Ill::TokensEnd,
            };
            (cloud, ill)
        })
        .collect();
    let mut order: Vec<usize> = (0..clouds.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, rng.random_range(0..=at));
    }
    Step {
        edits,
        ills,
        is_cold: number > 0 && rng.random_bool(0.15),
        phase: one_of(rng, &["snapshot", "snapshot", "expire"]),
        order,
    }
}

/// Between two steps, so that there is a new window now and then.
pub(super) const BETWEEN: TimeDelta = TimeDelta::hours(9);
