//! The words themselves: keys, defaults and the names of policies.

use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly, Yearly};
use snapsentry::policy::keys::{self, Metadata};
use snapsentry::policy::{PolicyState, Setting, read};

use super::{default_policy, enabled, metadata};

#[test]
fn the_keys_are_those_that_volumes_and_snapshots_carry() {
    let mut spelt: Vec<&str> = Vec::new();
    for kind in PolicyKind::ALL {
        spelt.extend(Setting::keys_of(kind).map(|(_, key)| key));
    }
    assert_eq!(
        spelt,
        [
            "x-snapsentry-express-enabled",
            "x-snapsentry-express-retention-days",
            "x-snapsentry-express-keep-at-most",
            "x-snapsentry-express-keep-last",
            "x-snapsentry-express-retention-type",
            "x-snapsentry-express-timezone",
            "x-snapsentry-express-interval-hours",
            "x-snapsentry-daily-enabled",
            "x-snapsentry-daily-retention-days",
            "x-snapsentry-daily-keep-at-most",
            "x-snapsentry-daily-keep-last",
            "x-snapsentry-daily-retention-type",
            "x-snapsentry-daily-timezone",
            "x-snapsentry-daily-start-time",
            "x-snapsentry-daily-times",
            "x-snapsentry-weekly-enabled",
            "x-snapsentry-weekly-retention-days",
            "x-snapsentry-weekly-keep-at-most",
            "x-snapsentry-weekly-keep-last",
            "x-snapsentry-weekly-retention-type",
            "x-snapsentry-weekly-timezone",
            "x-snapsentry-weekly-start-time",
            "x-snapsentry-weekly-start-day-of-week",
            "x-snapsentry-monthly-enabled",
            "x-snapsentry-monthly-retention-days",
            "x-snapsentry-monthly-keep-at-most",
            "x-snapsentry-monthly-keep-last",
            "x-snapsentry-monthly-retention-type",
            "x-snapsentry-monthly-timezone",
            "x-snapsentry-monthly-start-time",
            "x-snapsentry-monthly-start-day-of-month",
            "x-snapsentry-yearly-enabled",
            "x-snapsentry-yearly-retention-days",
            "x-snapsentry-yearly-keep-at-most",
            "x-snapsentry-yearly-keep-last",
            "x-snapsentry-yearly-retention-type",
            "x-snapsentry-yearly-timezone",
            "x-snapsentry-yearly-start-time",
            "x-snapsentry-yearly-start-month",
            "x-snapsentry-yearly-start-day-of-month",
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
        let mut spelt_out: Metadata = Setting::keys_of(kind)
            .filter_map(|(setting, key)| {
                Some((key.to_owned(), setting.default_value(kind)?.to_owned()))
            })
            .collect();
        // An empty value would count as missing, and spell nothing out.
        for (key, value) in &spelt_out {
            assert!(!value.is_empty(), "{key}");
        }
        assert_eq!(read(kind, &spelt_out), PolicyState::Disabled);
        let switch = format!("x-snapsentry-{kind}-enabled");
        assert!(spelt_out.contains_key(&switch));
        spelt_out.insert(switch, "true".to_owned());
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
        for (_, key) in Setting::keys_of(kind) {
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
        (Yearly, "yearly"),
    ] {
        assert_eq!(kind.as_str(), word);
        assert_eq!(format!("{kind:>8}"), format!("{word:>8}"));
        assert_eq!(word.parse(), Ok(kind));
        let json = format!("\"{word}\"");
        assert_eq!(serde_json::to_string(&kind).ok(), Some(json.clone()));
        assert_eq!(serde_json::from_str::<PolicyKind>(&json).ok(), Some(kind));
    }
    for word in ["", "Daily", "hourly", " daily", "annually"] {
        let error = word.parse::<PolicyKind>().expect_err(word);
        assert!(
            error
                .to_string()
                .contains("express, daily, weekly, monthly and yearly")
        );
    }
}

#[test]
fn limits_by_number_and_several_times_a_day_have_no_default() {
    for setting in [Setting::KeepAtMost, Setting::KeepLast, Setting::Times] {
        for kind in PolicyKind::ALL {
            assert_eq!(setting.default_value(kind), None, "{setting:?}");
        }
    }
    for kind in PolicyKind::ALL {
        let policy = default_policy(kind);
        assert_eq!((policy.keep_at_most(), policy.keep_last()), (None, None));
    }
}

#[test]
fn no_two_settings_share_a_key_or_a_field() {
    let mut keys: Vec<&str> = Vec::new();
    for kind in PolicyKind::ALL {
        keys.extend(Setting::keys_of(kind).map(|(_, key)| key));
    }
    let mut fields: Vec<&str> = Setting::ALL
        .into_iter()
        .filter_map(Setting::field)
        .collect();
    for names in [&mut keys, &mut fields] {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
    assert_eq!(
        fields.len(),
        Setting::ALL.len() - 1,
        "all but the retention type"
    );
}
