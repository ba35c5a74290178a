//! What is said of a value that cannot be read.

use proptest::prelude::*;
use snapsentry::policy::PolicyKind::{self, Daily, Express};
use snapsentry::policy::keys::Setting;
use snapsentry::policy::{PolicyState, read};

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
        "x-snapsentry-express-interval-hours is \"5\"; accepted: 6, 8 or 12"
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

proptest! {
    #[test]
    fn any_value_of_any_key_is_read_or_refused_by_name(
        kind in proptest::sample::select(&PolicyKind::ALL),
        setting in proptest::sample::select(&Setting::ALL),
        value in prop_oneof![any::<String>(), "[-+]?[0-9]{0,25}", "[0-9:]{0,9}", "[A-Za-z]{0,9}"],
    ) {
        let key = setting.key(kind);
        let reading = if setting == Setting::Enabled {
            read(kind, &metadata(&[(key, &value)]))
        } else {
            read_with(kind, key, &value)
        };
        match reading {
            PolicyState::Disabled => prop_assert_eq!(setting, Setting::Enabled),
            PolicyState::Enabled(policy) => {
                prop_assert!((1..=36_500).contains(&policy.retention_days()));
                prop_assert!(setting.belongs_to(kind) || policy == default_policy(kind));
            }
            PolicyState::Invalid(error) => {
                prop_assert!(setting.belongs_to(kind));
                prop_assert_eq!((error.key.as_str(), &error.value), (key, &value));
                let text = error.to_string();
                prop_assert!(text.contains(setting.accepted()));
                prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
            }
        }
    }
}
