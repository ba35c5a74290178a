//! Every key that a volume may carry, seen in what a dry run would take on one Wednesday.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simcloud::VolumeSpec;

use crate::world::{World, managed};

const WEDNESDAY: &str = "2026-03-18T10:20:30Z";

/// What is expected of a volume.
enum Expected {
    /// The window's start, its end, and the snapshot's expiry: month, day, hour, minute.
    Window([&'static str; 3]),
    /// The policy is off.
    Off,
    /// The policy is invalid.
    Invalid,
}
use Expected::{Invalid, Off, Window};

/// The policy, its settings, and what is expected.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Expected,
);

const DAY: Expected = Window(["03-18T00:00", "03-19T00:00", "03-20T00:00"]);

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        ("daily", &[], Off),
        ("daily", &[("enabled", "")], Off),
        ("daily", &[("enabled", "yes")], Invalid),
        ("daily", &[("enabled", "true"), ("retention-days", "")], DAY),
        (
            "daily",
            &[("enabled", "true"), ("retention-days", "0")],
            DAY,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-days", "-3")],
            DAY,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-days", "36501")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-days", "ten")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-days", "0x5")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-type", "time")],
            DAY,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-type", "count")],
            DAY,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-type", "size")],
            Invalid,
        ),
        ("daily", &[("enabled", "true"), ("timezone", "")], DAY),
        (
            "daily",
            &[("enabled", "true"), ("timezone", "Berlin")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("start-time", "24:00")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("start-time", "noon")],
            Invalid,
        ),
        // Settings of other policies are not looked at.
        (
            "daily",
            &[("enabled", "true"), ("interval-hours", "7")],
            DAY,
        ),
        (
            "daily",
            &[("enabled", "true"), ("retention-days", "5")],
            Window(["03-18T00:00", "03-19T00:00", "03-23T00:00"]),
        ),
        (
            "daily",
            &[
                ("enabled", "true"),
                ("timezone", "Europe/Berlin"),
                ("start-time", "9:30:59"),
            ],
            Window(["03-18T08:30", "03-19T08:30", "03-20T08:30"]),
        ),
        (
            "daily",
            &[("enabled", "true"), ("start-time", "10:21")],
            Window(["03-17T10:21", "03-18T10:21", "03-19T10:21"]),
        ),
        (
            "weekly",
            &[("enabled", "true")],
            Window(["03-15T00:00", "03-22T00:00", "03-22T00:00"]),
        ),
        (
            "weekly",
            &[("enabled", "true"), ("start-day-of-week", "7")],
            Invalid,
        ),
        (
            "weekly",
            &[("enabled", "true"), ("start-day-of-week", "wednes")],
            Invalid,
        ),
        (
            "monthly",
            &[("enabled", "true")],
            Window(["03-01T00:00", "04-01T00:00", "04-01T00:00"]),
        ),
        (
            "monthly",
            &[
                ("enabled", "true"),
                ("start-day-of-month", "18"),
                ("retention-days", "60"),
            ],
            Window(["03-18T00:00", "04-18T00:00", "05-17T00:00"]),
        ),
        (
            "monthly",
            &[("enabled", "true"), ("start-day-of-month", "0")],
            Window(["03-01T00:00", "04-01T00:00", "04-01T00:00"]),
        ),
        (
            "monthly",
            &[("enabled", "true"), ("start-day-of-month", "99")],
            Window(["02-28T00:00", "03-31T00:00", "03-31T00:00"]),
        ),
        (
            "monthly",
            &[
                ("enabled", "true"),
                ("start-day-of-month", "5"),
                ("day-of-month", "9"),
            ],
            Window(["03-05T00:00", "04-05T00:00", "04-05T00:00"]),
        ),
        (
            "monthly",
            &[("enabled", "true"), ("day-of-month", "9")],
            Window(["03-09T00:00", "04-09T00:00", "04-09T00:00"]),
        ),
        (
            "monthly",
            &[("enabled", "true"), ("start-day-of-month", "first")],
            Invalid,
        ),
        (
            "express",
            &[("enabled", "true"), ("interval-hours", "7")],
            Invalid,
        ),
        (
            "express",
            &[("enabled", "true"), ("interval-hours", "1")],
            Window(["03-18T10:00", "03-18T11:00", "03-19T10:00"]),
        ),
        (
            "express",
            &[
                ("enabled", "true"),
                ("timezone", "Asia/Kolkata"),
                ("interval-hours", "4"),
            ],
            Window(["03-18T06:30", "03-18T10:30", "03-19T06:30"]),
        ),
        (
            "daily",
            &[
                ("enabled", "true"),
                ("start-time", "odd"),
                ("times", "21:00, 9:15,10:20:59"),
            ],
            Window(["03-18T10:20", "03-18T21:00", "03-20T10:20"]),
        ),
        (
            "daily",
            &[("enabled", "true"), ("times", ""), ("start-time", "10:21")],
            Window(["03-17T10:21", "03-18T10:21", "03-19T10:21"]),
        ),
        (
            "daily",
            &[("enabled", "true"), ("times", "09:15,9:15")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("timezone", "null")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("keep-at-most", "0")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("keep-at-most", "1001")],
            Invalid,
        ),
        (
            "daily",
            &[("enabled", "true"), ("keep-last", "101")],
            Invalid,
        ),
        (
            "daily",
            &[
                ("enabled", "true"),
                ("keep-at-most", "1000"),
                ("keep-last", "0"),
            ],
            DAY,
        ),
        (
            "yearly",
            &[
                ("enabled", "true"),
                ("retention-days", "1"),
                ("start-month", "Mar"),
                ("start-day-of-month", "18"),
                ("start-time", "10:20"),
            ],
            Window(["03-18T10:20", "2027-03-18T10:20", "2027-03-18T10:20"]),
        ),
        (
            "yearly",
            &[("enabled", "true")],
            Window(["01-01T00:00", "2027-01-01T00:00", "2027-01-01T00:00"]),
        ),
        (
            "yearly",
            &[
                ("enabled", "true"),
                ("start-month", "february"),
                ("start-day-of-month", "31"),
                ("retention-days", "730"),
            ],
            Window(["02-28T00:00", "2027-02-28T00:00", "2028-02-28T00:00"]),
        ),
        (
            "yearly",
            &[("enabled", "true"), ("start-month", "13")],
            Invalid,
        ),
        // The older key of the day is the monthly policy's alone.
        (
            "yearly",
            &[("enabled", "true"), ("day-of-month", "9")],
            Window(["01-01T00:00", "2027-01-01T00:00", "2027-01-01T00:00"]),
        ),
        (
            "express",
            &[("enabled", "true"), ("interval-hours", "24")],
            Invalid,
        ),
        (
            "express",
            &[("enabled", "true"), ("interval-hours", "six")],
            Invalid,
        ),
        (
            "express",
            &[
                ("enabled", "true"),
                ("interval-hours", "8"),
                ("retention-days", "2"),
            ],
            Window(["03-18T08:00", "03-18T16:00", "03-20T08:00"]),
        ),
        (
            "express",
            &[
                ("enabled", "true"),
                ("interval-hours", "12"),
                ("start-time", "odd"),
            ],
            Window(["03-18T00:00", "03-18T12:00", "03-19T00:00"]),
        ),
    ];
    for hours in [
        &[("enabled", "true")][..],
        &[("enabled", "true"), ("interval-hours", "-1")],
    ] {
        rows.push((
            "express",
            hours,
            Window(["03-18T06:00", "03-18T12:00", "03-19T06:00"]),
        ));
    }
    macro_rules! each {
        ($policy:literal, $values:expr, $expected:expr) => {
            rows.extend($values.map(|value| -> Row { ($policy, value, $expected) }));
        };
    }
    each!(
        "daily",
        [
            &[("enabled", "1")],
            &[("enabled", "t")],
            &[("enabled", "T")],
            &[("enabled", "TRUE")],
            &[("enabled", "True")],
        ],
        DAY
    );
    each!(
        "daily",
        [
            &[("enabled", "0")],
            &[("enabled", "f")],
            &[("enabled", "F")],
            &[("enabled", "FALSE")],
            &[("enabled", "false")],
            &[("enabled", "False")],
        ],
        Off
    );
    each!(
        "weekly",
        [
            &[("enabled", "true"), ("start-day-of-week", "wednesday")],
            &[("enabled", "true"), ("start-day-of-week", "WED")],
            &[("enabled", "true"), ("start-day-of-week", "3")],
        ],
        Window(["03-18T00:00", "03-25T00:00", "03-25T00:00"])
    );
    rows
}

#[tokio::test]
async fn each_value_of_each_key_means_what_it_says() {
    let world = World::new().await;
    let mut expected = BTreeMap::new();
    for (policy, settings, expectation) in rows() {
        let mut volume = managed(VolumeSpec::default());
        for (setting, value) in settings {
            volume = volume.meta(format!("x-snapsentry-{policy}-{setting}"), *value);
        }
        let id = world.cloud.add_volume(volume);
        expected.insert(id, (policy, settings, expectation));
    }
    let event = json!({"phase": "snapshot", "dry_run": true, "as_of": WEDNESDAY});
    let run = world.run(event).await;
    let (plan, failures) = (run.plan(), run.failures());
    let of = |list: &[Value], id: &str| -> Vec<Value> {
        let own = list.iter().filter(|one| one["volume_id"] == id);
        own.cloned().collect()
    };
    for (id, (policy, settings, expectation)) in &expected {
        let (plan, failures) = (of(&plan, id), of(&failures, id));
        let counts = (plan.len(), failures.len());
        match expectation {
            Off => assert_eq!(counts, (0, 0), "{policy} {settings:?}"),
            Invalid => {
                assert_eq!(counts, (0, 1), "{policy} {settings:?}");
                let error = failures[0]["error"].as_str().expect("an error");
                let (setting, value) = settings.last().expect("a setting");
                let key = format!("x-snapsentry-{policy}-{setting}");
                assert!(error.contains(&key) && error.contains(value), "{error}");
                assert_eq!(failures[0]["policy"], *policy);
            }
            Window(times) => {
                assert_eq!(counts, (1, 0), "{policy} {settings:?}: {failures:?}");
                let fields = ["window_start", "window_end", "expires_at"];
                for (field, time) in fields.iter().zip(times) {
                    // Most are of this year.
                    let year = if time.starts_with("20") { "" } else { "2026-" };
                    let time = format!("{year}{time}:00Z");
                    assert_eq!(plan[0][field], time, "{policy} {settings:?} {field}");
                }
            }
        }
    }
    let invalid = expected.values().filter(|row| matches!(row.2, Invalid));
    assert_eq!(run.figure("/volumes/invalid") as usize, invalid.count());
}
