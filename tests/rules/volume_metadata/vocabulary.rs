//! The words themselves: keys, defaults and the names of policies.

use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};
use snapsentry::policy::keys::{self, Metadata, Setting};
use snapsentry::policy::{PolicyState, read};

use super::{default_policy, enabled, metadata};

#[test]
fn the_keys_are_those_that_volumes_and_snapshots_carry() {
    let mut spelt: Vec<&str> = Vec::new();
    for kind in PolicyKind::ALL {
        spelt.extend(Setting::of(kind).map(|setting| setting.key(kind)));
    }
    assert_eq!(
        spelt,
        [
            "x-snapsentry-express-enabled",
            "x-snapsentry-express-retention-days",
            "x-snapsentry-express-retention-type",
            "x-snapsentry-express-timezone",
            "x-snapsentry-express-interval-hours",
            "x-snapsentry-daily-enabled",
            "x-snapsentry-daily-retention-days",
            "x-snapsentry-daily-retention-type",
            "x-snapsentry-daily-timezone",
            "x-snapsentry-daily-start-time",
            "x-snapsentry-weekly-enabled",
            "x-snapsentry-weekly-retention-days",
            "x-snapsentry-weekly-retention-type",
            "x-snapsentry-weekly-timezone",
            "x-snapsentry-weekly-start-time",
            "x-snapsentry-weekly-start-day-of-week",
            "x-snapsentry-monthly-enabled",
            "x-snapsentry-monthly-retention-days",
            "x-snapsentry-monthly-retention-type",
            "x-snapsentry-monthly-timezone",
            "x-snapsentry-monthly-start-time",
            "x-snapsentry-monthly-start-day-of-month",
        ]
    );
    for (key, spelt) in [
        (keys::MANAGED, "x-snapsentry-managed"),
        (keys::HOLD, "x-snapsentry-hold"),
        (
            keys::SNAPSHOT_POLICY_TYPE,
            "x-snapsentry-snapshot-policy-type",
        ),
        (
            keys::SNAPSHOT_RETENTION_DAYS,
            "x-snapsentry-snapshot-retention-days",
        ),
        (
            keys::SNAPSHOT_EXPIRY_DATE,
            "x-snapsentry-snapshot-expiry-date",
        ),
        (
            keys::SNAPSHOT_EXPIRY_DATE_USER_TZ,
            "x-snapsentry-snapshot-expiry-date-user-tz",
        ),
        (
            keys::SNAPSHOT_WINDOW_START,
            "x-snapsentry-snapshot-window-start",
        ),
        (
            keys::MONTHLY_DAY_OF_MONTH,
            "x-snapsentry-monthly-day-of-month",
        ),
    ] {
        assert_eq!(key, spelt);
        assert!(key.starts_with(keys::PREFIX));
    }
}

#[test]
fn defaults_spelt_out_mean_what_missing_keys_mean() {
    for kind in PolicyKind::ALL {
        let mut spelt_out: Metadata = Setting::of(kind)
            .map(|setting| {
                (
                    setting.key(kind).to_owned(),
                    setting.default_value(kind).to_owned(),
                )
            })
            .collect();
        // An empty value would count as missing, and spell nothing out.
        for (key, value) in &spelt_out {
            assert!(!value.is_empty(), "{key}");
        }
        assert_eq!(read(kind, &spelt_out), PolicyState::Disabled);
        spelt_out.insert(Setting::Enabled.key(kind).to_owned(), "true".to_owned());
        assert_eq!(enabled(read(kind, &spelt_out)), default_policy(kind));
    }
}

#[test]
fn a_volume_has_settings_of_a_policy_once_one_of_its_keys_has_a_value() {
    for kind in PolicyKind::ALL {
        assert!(!keys::has_settings_of(kind, &Metadata::new()));
        assert!(!keys::has_settings_of(
            kind,
            &metadata(&[("x-snapsentry-managed", "true")])
        ));
        for setting in Setting::of(kind) {
            let key = setting.key(kind);
            assert!(
                !keys::has_settings_of(kind, &metadata(&[(key, "")])),
                "{key}"
            );
            for other in PolicyKind::ALL {
                assert_eq!(
                    keys::has_settings_of(other, &metadata(&[(key, "false")])),
                    other == kind
                );
            }
        }
    }
    let older = metadata(&[("x-snapsentry-monthly-day-of-month", "3")]);
    assert!(keys::has_settings_of(Monthly, &older));
    assert!(!keys::has_settings_of(Daily, &older));
}

#[test]
fn a_policy_goes_by_one_word_everywhere() {
    for (kind, word) in [
        (Express, "express"),
        (Daily, "daily"),
        (Weekly, "weekly"),
        (Monthly, "monthly"),
    ] {
        assert_eq!(kind.as_str(), word);
        assert_eq!(format!("{kind:>8}"), format!("{word:>8}"));
        assert_eq!(word.parse(), Ok(kind));
        let json = format!("\"{word}\"");
        assert_eq!(serde_json::to_string(&kind).ok(), Some(json.clone()));
        assert_eq!(serde_json::from_str::<PolicyKind>(&json).ok(), Some(kind));
    }
    for word in ["", "Daily", "hourly", " daily", "yearly"] {
        let error = word.parse::<PolicyKind>().expect_err(word);
        assert!(
            error
                .to_string()
                .contains("express, daily, weekly and monthly")
        );
    }
}
