//! Drawing a volume's metadata together with what they mean.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;

use super::{Home, Seed, one_of};
use crate::meaning::{Kind, Meaning, Schedule, Tags};

const ZONES: [&str; 11] = [
    "UTC",
    "UTC",
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
    "Pacific/Chatham",
    "America/Sao_Paulo",
];
const WEEKDAYS: [[&str; 3]; 7] = [
    ["sunday", "Sun", "0"],
    ["Monday", "mon", "1"],
    ["TUESDAY", "tue", "2"],
    ["wednesday", "wed", "3"],
    ["thursday", "THU", "4"],
    ["friday", "fri", "5"],
    ["Saturday", "sat", "6"],
];
const TRUE: [&str; 6] = ["true", "true", "1", "t", "T", "TRUE"];
const FALSE: [&str; 4] = ["false", "0", "F", "False"];

/// Draws a volume's metadata.
pub(super) fn draw(seed: Seed, home: Home) -> Tags {
    let rng = &mut seed.rng();
    let mut metadata = BTreeMap::new();
    let mut policies = [Meaning::Off; 4];
    let managed = match rng.random_range(0..20) {
        0 => None,
        1 => Some(one_of(rng, &["false", "True", "1", ""])),
        _ => Some("true"),
    };
    if let Some(text) = managed {
        metadata.insert("x-snapsentry-managed".to_owned(), text.to_owned());
    }
    if rng.random_bool(0.3) {
        metadata.insert("owner".to_owned(), "somebody".to_owned());
    }
    for kind in Kind::ALL {
        let rng = &mut seed.of(kind.as_str()).rng();
        if rng.random_bool(0.45) {
            policies[kind as usize] = policy(rng, home, kind, &mut metadata);
        }
    }
    Tags {
        managed: managed == Some("true"),
        has_our_keys: metadata
            .iter()
            .any(|(key, value)| key.starts_with("x-snapsentry-") && !value.is_empty()),
        metadata,
        policies,
    }
}

/// No key of ours at all, as another tool leaves it.
pub(crate) fn wiped() -> Tags {
    Tags {
        metadata: BTreeMap::from([("owner".to_owned(), "terraform".to_owned())]),
        managed: false,
        has_our_keys: false,
        policies: [Meaning::Off; 4],
    }
}

/// `managed` is `false`: goodbye on purpose.
pub(super) fn goodbye(mut tags: Tags) -> Tags {
    tags.metadata
        .insert("x-snapsentry-managed".into(), "false".into());
    tags.managed = false;
    tags.has_our_keys = true;
    tags
}

fn policy(
    rng: &mut StdRng,
    home: Home,
    kind: Kind,
    metadata: &mut BTreeMap<String, String>,
) -> Meaning {
    let mut put = |name: &str, value: &str| {
        let key = format!("x-snapsentry-{}-{name}", kind.as_str());
        metadata.insert(key, value.to_owned());
    };
    let default_days = match kind {
        Kind::Express => 1,
        Kind::Daily => 2,
        Kind::Weekly => 7,
        Kind::Monthly => 30,
    };
    let mut schedule = Schedule {
        kind,
        zone: "UTC",
        start_minute: 0,
        weekday: 0,
        day: 1,
        interval_hours: 6,
        retention_days: default_days,
    };
    let mut readable = true;
    if rng.random_bool(0.7) {
        schedule.zone = if rng.random_bool(0.5) {
            home.zone
        } else {
            one_of(rng, &ZONES)
        };
        put("timezone", schedule.zone);
    } else if rng.random_bool(0.05) {
        put(
            "timezone",
            one_of(rng, &["Mars/Phobos", "GMT+25", "berlin"]),
        );
        readable = false;
    }
    match rng.random_range(0..20) {
        0 => put("retention-days", one_of(rng, &["0", "-3", ""])),
        1 => {
            put("retention-days", one_of(rng, &["many", "7.5", "40000"]));
            readable = false;
        }
        2..=9 => {
            schedule.retention_days = one_of(rng, &[1, 2, 3, 5, 14, 90]);
            put("retention-days", &schedule.retention_days.to_string());
        }
        _ => {}
    }
    if rng.random_bool(0.1) {
        put("retention-type", one_of(rng, &["time", "count", ""]));
    }
    if kind != Kind::Express && rng.random_bool(0.6) {
        let hour = if rng.random_bool(0.35) {
            home.hour
        } else {
            rng.random_range(0..24)
        };
        let minute = one_of(rng, &[0, 0, 30, 59]);
        schedule.start_minute = hour * 60 + minute;
        match rng.random_range(0..10) {
            0 => put("start-time", &format!("{hour}:{minute:02}")),
            1 => put("start-time", &format!("{hour:02}:{minute:02}:45")),
            2 if rng.random_bool(0.3) => {
                put("start-time", one_of(rng, &["25:00", "noon", "7"]));
                readable = false;
            }
            _ => put("start-time", &format!("{hour:02}:{minute:02}")),
        }
    }
    match kind {
        Kind::Express => {
            if rng.random_bool(0.6) {
                schedule.interval_hours = one_of(rng, &[1, 2, 3, 4, 6, 8, 12]);
                put("interval-hours", &schedule.interval_hours.to_string());
            } else if rng.random_bool(0.1) {
                put("interval-hours", one_of(rng, &["7", "24"]));
                readable = false;
            }
        }
        Kind::Weekly => {
            if rng.random_bool(0.8) {
                schedule.weekday = rng.random_range(0..7);
                put(
                    "start-day-of-week",
                    one_of(rng, &WEEKDAYS[schedule.weekday as usize]),
                );
            }
        }
        Kind::Monthly => {
            // The older key counts only where the newer one is missing.
            let day = rng.random_range(1..=31u32);
            let text = match (day, rng.random_range(0..4)) {
                (31, 0) => "77".to_owned(),
                (1, 0) => "0".to_owned(),
                _ => day.to_string(),
            };
            match rng.random_range(0..4) {
                0 => {}
                1 => {
                    put("day-of-month", &text);
                    schedule.day = day;
                }
                2 => {
                    put("day-of-month", "9");
                    put("start-day-of-month", &text);
                    schedule.day = day;
                }
                _ => {
                    put("start-day-of-month", &text);
                    schedule.day = day;
                }
            }
        }
        Kind::Daily => {}
    }
    // Nothing is read of a policy that is off.
    match rng.random_range(0..20) {
        0 => Meaning::Off,
        1 => {
            put("enabled", one_of(rng, &FALSE));
            Meaning::Off
        }
        2 => {
            put("enabled", one_of(rng, &["yes", "on", "treu"]));
            Meaning::Unreadable
        }
        _ => {
            put("enabled", one_of(rng, &TRUE));
            if readable {
                Meaning::On(schedule)
            } else {
                Meaning::Unreadable
            }
        }
    }
}
