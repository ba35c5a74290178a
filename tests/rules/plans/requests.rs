//! What is asked of the cloud for a due window: name, description and metadata, to the letter.

use snapsentry::plan::creation::DESCRIPTION;
use snapsentry::policy::Metadata;
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};

use super::{at, attached, due, metadata, subscribed, volume};

const ID: &str = "11111111-1111-4111-8111-111111111111";

struct Row {
    kind: PolicyKind,
    settings: &'static [(&'static str, &'static str)],
    /// The start of the window, as in the name.
    start: &'static str,
    days: &'static str,
    expiry: [&'static str; 2],
}

const UTC: &[Row] = &[
    Row {
        kind: Express,
        settings: &[("express-enabled", "true")],
        start: "2026-11-22T06:00:00Z",
        days: "1",
        expiry: ["2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z"],
    },
    Row {
        kind: Daily,
        settings: &[("daily-enabled", "true")],
        start: "2026-11-22T00:00:00Z",
        days: "2",
        expiry: ["2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z"],
    },
    Row {
        kind: Weekly,
        settings: &[("weekly-enabled", "true"), ("weekly-retention-days", "1")],
        start: "2026-11-22T00:00:00Z",
        days: "1",
        // Never before the window ends.
        expiry: ["2026-11-29T00:00:00Z", "2026-11-29T00:00:00Z"],
    },
    Row {
        kind: Monthly,
        settings: &[("monthly-enabled", "true")],
        start: "2026-11-01T00:00:00Z",
        days: "30",
        expiry: ["2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"],
    },
];

const ELSEWHERE: &[Row] = &[
    Row {
        kind: Daily,
        settings: &[
            ("daily-enabled", "true"),
            ("daily-timezone", "Europe/Berlin"),
            ("daily-start-time", "2:30"),
            ("daily-retention-days", "14"),
        ],
        start: "2026-11-22T02:30:00+01:00",
        days: "14",
        expiry: ["2026-12-06T01:30:00Z", "2026-12-06T02:30:00+01:00"],
    },
    Row {
        kind: Express,
        settings: &[
            ("express-enabled", "true"),
            ("express-timezone", "Asia/Kathmandu"),
            ("express-interval-hours", "8"),
        ],
        start: "2026-11-22T08:00:00+05:45",
        days: "1",
        expiry: ["2026-11-23T02:15:00Z", "2026-11-23T08:00:00+05:45"],
    },
];

#[test]
fn name_and_metadata_say_policy_volume_window_and_expiry() {
    for row in UTC.iter().chain(ELSEWHERE) {
        let mut keys = row.settings.to_vec();
        keys.push(("managed", "true"));
        let due = due(&volume(ID, &keys), &[]);

        let Row { kind, start, .. } = row;
        assert_eq!(due.name, format!("managed-{kind}-{ID}-{start}"));
        let window_start = at(start).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let expected: Metadata = metadata(&[
            ("managed", "true"),
            ("snapshot-policy-type", kind.as_str()),
            ("snapshot-retention-days", row.days),
            ("snapshot-expiry-date", row.expiry[0]),
            ("snapshot-expiry-date-user-tz", row.expiry[1]),
            ("snapshot-window-start", &window_start),
        ]);
        assert_eq!(due.metadata, expected);
        assert_eq!(due.window.start, at(start));
        assert_eq!(due.expires_at, at(row.expiry[0]));
    }
}

#[test]
fn the_description_names_the_program() {
    assert_eq!(DESCRIPTION, "Created and managed by SnapSentry");
}

#[test]
fn a_due_window_names_the_vm_where_there_is_one() {
    for (servers, vm) in [
        (&["web"][..], Some("web")),
        (&["web", "db"], None),
        (&[], None),
    ] {
        let volume = attached(subscribed("v", &[Daily]), servers);
        assert_eq!(due(&volume, &[]).vm.as_deref(), vm, "{servers:?}");
    }
}
