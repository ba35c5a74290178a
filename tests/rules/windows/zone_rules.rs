//! The compiled-in zone rules are current, and they are the only ones.
//!
//! Governments change their clocks at short notice. The zones below are those whose rules of
//! early 2025 are wrong for some instant from 2024 to 2027.

use snapsentry::policy::PolicyKind::Daily;
use snapsentry::policy::zone_rules_version;

use super::{assert_windows, at, policy};

#[test]
fn the_rules_are_not_older_than_the_recorded_minimum() {
    // A year and a letter, so that they sort as text.
    let version = zone_rules_version();
    assert!(version >= "2026e", "zone rules {version} are too old");
    assert!(version.len() == 5 && version.starts_with("20"), "{version}");
}

/// What the clocks of a zone show at an instant.
fn assert_clock(zone: &str, instant: &str, shown: &str) {
    let policy = policy(Daily, &[("timezone", zone)]);
    assert_eq!(policy.in_zone(at(instant)), shown, "{zone}");
}

#[test]
fn morocco_stays_on_utc_from_september_2026() {
    for zone in ["Africa/Casablanca", "Africa/El_Aaiun"] {
        assert_clock(zone, "2026-09-20T00:59:59Z", "2026-09-20T01:59:59+01:00");
        assert_clock(zone, "2026-09-20T01:00:00Z", "2026-09-20T01:00:00Z");
        assert_clock(zone, "2027-07-01T12:00:00Z", "2027-07-01T12:00:00Z");
    }
}

#[test]
fn western_canada_stays_on_summer_time_from_2026() {
    for (zone, offset, hour) in [
        ("America/Vancouver", "-07:00", "05"),
        ("Canada/Pacific", "-07:00", "05"),
        ("America/Edmonton", "-06:00", "06"),
        ("America/Yellowknife", "-06:00", "06"),
        ("America/Inuvik", "-06:00", "06"),
        ("Canada/Mountain", "-06:00", "06"),
        ("America/Winnipeg", "-05:00", "07"),
        ("America/Rainy_River", "-05:00", "07"),
        ("Canada/Central", "-05:00", "07"),
    ] {
        for date in ["2026-07-01", "2026-12-24", "2027-02-01", "2027-12-24"] {
            let shown = format!("{date}T{hour}:00:00{offset}");
            assert_clock(zone, &format!("{date}T12:00:00Z"), &shown);
        }
    }
}

#[test]
fn cuba_keeps_summer_time_through_the_winter_of_2026() {
    for zone in ["America/Havana", "Cuba"] {
        assert_clock(zone, "2026-12-24T12:00:00Z", "2026-12-24T08:00:00-04:00");
        assert_clock(zone, "2027-12-24T12:00:00Z", "2027-12-24T07:00:00-05:00");
    }
}

#[test]
fn moldova_changes_its_clocks_with_the_european_union() {
    for zone in ["Europe/Chisinau", "Europe/Tiraspol"] {
        assert_clock(zone, "2024-03-31T00:59:59Z", "2024-03-31T02:59:59+02:00");
        assert_clock(zone, "2024-03-31T01:00:00Z", "2024-03-31T04:00:00+03:00");
        assert_clock(zone, "2027-10-31T00:59:59Z", "2027-10-31T03:59:59+03:00");
        assert_clock(zone, "2027-10-31T01:00:00Z", "2027-10-31T03:00:00+02:00");
    }
}

#[test]
fn a_night_whose_change_was_called_off_has_an_ordinary_window() {
    assert_windows(
        &policy(Daily, &[("timezone", "America/Vancouver")]),
        &[
            "2026-11-01T00:00:00-07:00",
            "2026-11-02T00:00:00-07:00",
            "2026-11-03T00:00:00-07:00",
        ],
    );
    assert_windows(
        &policy(
            Daily,
            &[("timezone", "Europe/Chisinau"), ("start-time", "03:30")],
        ),
        &[
            "2026-03-28T03:30:00+02:00",
            "2026-03-29T04:00:00+03:00",
            "2026-03-30T03:30:00+03:00",
        ],
    );
}
