//! A listed snapshot: what its metadata say, and what is made of what they should not say.

use snapsentry::plan::{Expiry, Snapshot, State};
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};

use super::{at, metadata};

fn snapshot(entries: &[(&str, &str)]) -> Snapshot {
    Snapshot::new(
        "s".to_owned(),
        "v".to_owned(),
        "error_deleting",
        Some(at("2026-11-22T00:05:00Z")),
        Some(at("2026-11-22T00:06:00Z")),
        &metadata(entries),
    )
}

#[test]
fn a_snapshot_says_what_it_is_of_what_for_and_until_when() {
    let read = snapshot(&[
        ("managed", "true"),
        ("snapshot-policy-type", "daily"),
        ("snapshot-retention-days", "2"),
        ("snapshot-expiry-date", "2026-11-24T00:00:00Z"),
        ("snapshot-expiry-date-user-tz", "2026-11-24T01:00:00+01:00"),
        ("snapshot-window-start", "2026-11-22T00:00:00Z"),
        ("hold", "until the audit"),
    ]);
    let expected = Snapshot {
        id: "s".to_owned(),
        volume_id: "v".to_owned(),
        state: State::ErrorDeleting,
        created_at: Some(at("2026-11-22T00:05:00Z")),
        updated_at: Some(at("2026-11-22T00:06:00Z")),
        policy: Some(Daily),
        window_start: Some(at("2026-11-22T00:00:00Z")),
        expiry: Expiry::At(at("2026-11-24T00:00:00Z")),
        held: true,
    };
    assert_eq!(read, expected);
}

#[test]
fn one_that_says_nothing_has_no_policy_no_window_and_no_expiry() {
    let read = snapshot(&[("managed", "true")]);
    assert_eq!(
        (read.policy, read.window_start, read.expiry, read.held),
        (None, None, Expiry::Missing, false)
    );
}

#[test]
fn an_expiry_date_has_a_time_and_a_zone_or_cannot_be_read() {
    let instant = at("2026-11-24T00:00:00Z");
    for (text, expiry) in [
        ("2026-11-24T00:00:00Z", Expiry::At(instant)),
        ("2026-11-24T00:00:00.000Z", Expiry::At(instant)),
        ("2026-11-24T00:00:00+00:00", Expiry::At(instant)),
        ("2026-11-24T05:45:00+05:45", Expiry::At(instant)),
        ("2026-11-23T14:30:00-09:30", Expiry::At(instant)),
        ("", Expiry::Missing),
        ("2026-11-24", Expiry::Unreadable),
        ("2026-11-24T00:00:00", Expiry::Unreadable),
        ("00:00:00Z", Expiry::Unreadable),
        ("2026-02-30T00:00:00Z", Expiry::Unreadable),
        ("1795478400", Expiry::Unreadable),
        ("never", Expiry::Unreadable),
        (" ", Expiry::Unreadable),
    ] {
        let read = snapshot(&[("snapshot-expiry-date", text)]);
        assert_eq!(read.expiry, expiry, "{text:?}");
    }
}

#[test]
fn a_window_start_that_cannot_be_read_is_none() {
    for (text, start) in [
        ("2026-11-22T00:00:00Z", Some(at("2026-11-22T00:00:00Z"))),
        (
            "2026-11-22T01:00:00+01:00",
            Some(at("2026-11-22T00:00:00Z")),
        ),
        ("2026-11-22", None),
        ("2026-11-22T00:00:00", None),
        ("midnight", None),
        ("", None),
    ] {
        let read = snapshot(&[("snapshot-window-start", text)]);
        assert_eq!(read.window_start, start, "{text:?}");
    }
}

#[test]
fn a_policy_type_is_one_of_four_words() {
    for (text, policy) in [
        ("express", Some(Express)),
        ("daily", Some(Daily)),
        ("weekly", Some(Weekly)),
        ("monthly", Some(Monthly)),
        ("Daily", None),
        ("hourly", None),
        ("", None),
    ] {
        let read: Option<PolicyKind> = snapshot(&[("snapshot-policy-type", text)]).policy;
        assert_eq!(read, policy, "{text:?}");
    }
}
