//! What is said of a value that cannot be read.

use proptest::prelude::*;
use snapsentry::policy::PolicyKind::{self, Daily, Express};
use snapsentry::policy::{PolicyState, Setting, read};

use super::{default_policy, invalid, metadata, read_with};

#[test]
fn an_error_says_which_key_has_which_value_and_what_is_accepted() {
    let error = invalid(read_with(
        Express,
        "x-snapsentry-express-interval-hours",
        "5",
    ));
    assert_eq!(
        error.to_string(),
        "x-snapsentry-express-interval-hours is \"5\"; accepted: 1, 2, 3, 4, 6, 8 or 12"
    );
}

#[test]
fn an_error_stays_short_and_on_one_line_whatever_the_value() {
    let long = "ü".repeat(255);
    let error = invalid(read_with(Daily, "x-snapsentry-daily-timezone", &long)).to_string();
    assert!(
        error.contains(&format!("\"{}…\"", "ü".repeat(64))),
        "{error}"
    );
    let just_fits = "u".repeat(64);
    let error = invalid(read_with(Daily, "x-snapsentry-daily-timezone", &just_fits)).to_string();
    assert!(error.contains(&format!("\"{just_fits}\"")), "{error}");
    let lines = invalid(read_with(
        Daily,
        "x-snapsentry-daily-timezone",
        "UTC\nERROR\u{7}",
    ))
    .to_string();
    assert!(lines.contains(r#""UTC\nERROR\u{7}""#), "{lines}");
}

#[test]
fn the_word_null_is_told_where_it_comes_from() {
    for kind in PolicyKind::ALL {
        for (setting, key) in Setting::keys_of(kind) {
            let state = match setting {
                Setting::Enabled => read(kind, &metadata(&[(key, "null")])),
                _ => read_with(kind, key, "null"),
            };
            let error = invalid(state).to_string();
            assert!(
                error.starts_with(&format!("{key} is \"null\"; accepted: ")),
                "{error}"
            );
            assert!(error.contains("Horizon"), "{error}");
        }
    }
    let other = invalid(read_with(Daily, "x-snapsentry-daily-timezone", "nil")).to_string();
    assert!(!other.contains("Horizon"), "{other}");
}

proptest! {
    #[test]
    fn any_value_of_any_key_is_read_or_refused_by_name(
        kind in proptest::sample::select(&PolicyKind::ALL),
        setting in proptest::sample::select(&Setting::ALL),
        value in prop_oneof![any::<String>(), "[-+]?[0-9]{0,25}", "[0-9:]{0,9}", "[A-Za-z]{0,9}"],
    ) {
        // A key that the kind does not have is never read.
        let key = setting.key(kind).map_or_else(
            || format!("x-snapsentry-{kind}-{setting:?}").to_lowercase(),
            str::to_owned,
        );
        let key = key.as_str();
        let belongs = setting.key(kind).is_some();
        let reading = if setting == Setting::Enabled {
            read(kind, &metadata(&[(key, &value)]))
        } else {
            read_with(kind, key, &value)
        };
        match reading {
            PolicyState::Disabled => prop_assert_eq!(setting, Setting::Enabled),
            PolicyState::Enabled(policy) => {
                prop_assert!((1..=36_500).contains(&policy.retention_days()));
                prop_assert!(belongs || policy == default_policy(kind));
                prop_assert!(policy.keep_at_most().is_none_or(|most| (1..=1000).contains(&most)));
                prop_assert!(policy.keep_last().is_none_or(|last| last <= 100));
            }
            PolicyState::Invalid(error) => {
                prop_assert!(belongs);
                prop_assert_eq!((error.key.as_str(), &error.value), (key, &value));
                let text = error.to_string();
                prop_assert!(text.contains(&setting.grammar().accepted()));
                prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
            }
        }
    }
}
