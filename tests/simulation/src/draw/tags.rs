//! Drawing a volume's metadata together with what they mean.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;

use super::{Home, Seed, one_of};
use crate::meaning::{Kind, Meaning, Schedule, Tags, Times};

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
const MONTHS: [[&str; 2]; 12] = [
    ["january", "Jan"],
    ["February", "feb"],
    ["MARCH", "mar"],
    ["april", "APR"],
    ["May", "may"],
    ["june", "Jun"],
    ["july", "jul"],
    ["August", "aug"],
    ["september", "Sep"],
    ["October", "oct"],
    ["november", "NOV"],
    ["December", "dec"],
];
const TRUE: [&str; 6] = ["true", "true", "1", "t", "T", "TRUE"];
const FALSE: [&str; 4] = ["false", "0", "F", "False"];

/// Draws a volume's metadata.
pub(super) fn draw(seed: Seed, home: Home) -> Tags {
    let rng = &mut seed.rng();
    let mut metadata = BTreeMap::new();
    let Tags {
        mut policies,
        mut keep_last,
        ..
    } = Tags::nothing();
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
            let limits = seed.of(kind.as_str()).of("limits");
            let policy = &mut policies[kind as usize];
            keep_last[kind as usize] = limit(&mut limits.rng(), kind, policy, &mut metadata);
        }
    }
    Tags {
        managed: managed == Some("true"),
        has_our_keys: metadata
            .iter()
            .any(|(key, value)| key.starts_with("x-snapsentry-") && !value.is_empty()),
        metadata,
        policies,
        keep_last,
    }
}

/// No key of ours at all, as another tool leaves it.
pub(crate) fn wiped() -> Tags {
    Tags {
        metadata: BTreeMap::from([("owner".to_owned(), "terraform".to_owned())]),
        ..Tags::nothing()
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
        Kind::Yearly => 365,
    };
    let mut schedule = Schedule {
        retention_days: default_days,
        ..Schedule::of(kind)
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
    let is_zone_and_retention_readable = readable;
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
        Kind::Yearly => {
            let month = rng.random_range(1..=12);
            if let Some(text) = match rng.random_range(0..5) {
                0 => None,
                1 | 2 => Some(month.to_string()),
                _ => Some(one_of(rng, &MONTHS[month as usize - 1]).to_owned()),
            } {
                schedule.month = month;
                put("start-month", &text);
            } else if rng.random_bool(0.1) {
                put("start-month", one_of(rng, &["0", "13", "Brumaire"]));
                readable = false;
            }
            if rng.random_bool(0.8) {
                // Days that not every month has are the more interesting ones.
                schedule.day = one_of(rng, &[1, 9, 28, 29, 30, 31]);
                put("start-day-of-month", &schedule.day.to_string());
            }
        }
        Kind::Daily => {
            if rng.random_bool(0.3) {
                let unreadable = rng.random_bool(0.1);
                let (times, text) = times(rng, home);
                if unreadable {
                    let wrong = ["25:00", "02:00,2:00", "02:00,", "noon"];
                    put("times", one_of(rng, &wrong));
                } else {
                    put("times", &text);
                    schedule.times = times;
                }
                // What the start time says no longer matters, readable or not.
                readable = !unreadable && is_zone_and_retention_readable;
            }
        }
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

/// Several times of day, as minutes and as people write them: in any order, and more often than not
/// around the hour at which the clocks change.
fn times(rng: &mut StdRng, home: Home) -> (Times, String) {
    let mut minutes: Vec<u32> = Vec::new();
    let count = match rng.random_range(0..8) {
        0 => 1,
        1 => 24,
        _ => rng.random_range(2..=5),
    };
    while minutes.len() < count {
        let hour = if rng.random_bool(0.6) && minutes.len() < 3 {
            home.hour
        } else {
            rng.random_range(0..24)
        };
        let minute = hour * 60 + rng.random_range(0..60);
        if !minutes.contains(&minute) {
            minutes.push(minute);
        }
    }
    let texts: Vec<String> = minutes
        .iter()
        .map(|at| match rng.random_range(0..4) {
            0 => format!(" {}:{:02} ", at / 60, at % 60),
            1 => format!("{:02}:{:02}:30", at / 60, at % 60),
            _ => format!("{:02}:{:02}", at / 60, at % 60),
        })
        .collect();
    (Times::of(&minutes), texts.join(","))
}

/// Draws the limits by number of a policy, and gives how many of the newest it keeps by its own
/// word. One that cannot be read makes the policy unreadable, and limits nothing.
fn limit(
    rng: &mut StdRng,
    kind: Kind,
    policy: &mut Meaning,
    metadata: &mut BTreeMap<String, String>,
) -> Option<usize> {
    let mut put = |name: &str, value: String| {
        let key = format!("x-snapsentry-{}-{name}", kind.as_str());
        metadata.insert(key, value);
    };
    let (mut own_keep_last, mut readable) = (None, true);
    match rng.random_range(0..20) {
        0 => {
            let wrong = ["0", "-1", "1001", "three", "2.0", "null"];
            put("keep-at-most", one_of(rng, &wrong).to_owned());
            readable = false;
        }
        1 => put("keep-at-most", String::new()),
        2..=7 => {
            let most = one_of(rng, &[1, 1, 2, 2, 3, 1000]);
            put("keep-at-most", most.to_string());
            if let Meaning::On(schedule) = policy {
                schedule.keep_at_most = Some(most);
            }
        }
        _ => {}
    }
    match rng.random_range(0..20) {
        0 => {
            put("keep-last", one_of(rng, &["-1", "101", "all"]).to_owned());
            readable = false;
        }
        1 => put("keep-last", String::new()),
        2..=6 => {
            let last = one_of(rng, &[0, 1, 2, 3, 100]);
            put("keep-last", last.to_string());
            own_keep_last = Some(last);
        }
        _ => {}
    }
    if let (Meaning::On(_), false) = (&policy, readable) {
        *policy = Meaning::Unreadable;
    }
    own_keep_last
}
