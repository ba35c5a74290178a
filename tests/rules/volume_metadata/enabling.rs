//! Whether a policy is on, a volume managed, a snapshot held.

use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};
use snapsentry::policy::keys::{self, Metadata};
use snapsentry::policy::{PolicyState, Setting, read};

use super::{default_policy, enabled, invalid, metadata};

#[test]
fn a_volume_is_managed_only_if_the_key_says_exactly_true() {
    assert!(keys::is_managed(&metadata(&[(
        "x-snapsentry-managed",
        "true"
    )])));
    for value in ["", "True", "TRUE", "1", "t", "yes", " true", "false"] {
        assert!(
            !keys::is_managed(&metadata(&[("x-snapsentry-managed", value)])),
            "{value:?}"
        );
    }
    assert!(!keys::is_managed(&Metadata::new()));
}

#[test]
fn a_boolean_has_twelve_spellings_and_no_others() {
    for text in ["1", "t", "T", "TRUE", "true", "True"] {
        assert_eq!(keys::parse_bool(text), Some(true), "{text}");
    }
    for text in ["0", "f", "F", "FALSE", "false", "False"] {
        assert_eq!(keys::parse_bool(text), Some(false), "{text}");
    }
    for text in [
        "", "yes", "no", "on", "off", "tRUE", "fALSE", " true", "true ", "2", "01", "-1",
    ] {
        assert_eq!(keys::parse_bool(text), None, "{text:?}");
    }
}

#[test]
fn a_snapshot_is_held_by_anything_but_a_readable_false() {
    for value in [
        "true",
        "1",
        "yes",
        "",
        "until the audit",
        "FALSE ",
        "no",
        "off",
    ] {
        assert!(
            keys::is_held(&metadata(&[("x-snapsentry-hold", value)])),
            "{value:?}"
        );
    }
    for value in ["0", "f", "F", "FALSE", "false", "False"] {
        assert!(
            !keys::is_held(&metadata(&[("x-snapsentry-hold", value)])),
            "{value:?}"
        );
    }
    assert!(!keys::is_held(&Metadata::new()));
}

#[test]
fn a_policy_is_off_unless_its_key_says_otherwise() {
    for kind in PolicyKind::ALL {
        assert_eq!(read(kind, &Metadata::new()), PolicyState::Disabled);
        let key = format!("x-snapsentry-{kind}-enabled");
        for value in ["", "0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(
                read(kind, &metadata(&[(&key, value)])),
                PolicyState::Disabled
            );
        }
        for value in ["1", "t", "T", "TRUE", "true", "True"] {
            let policy = enabled(read(kind, &metadata(&[(&key, value)])));
            assert_eq!(policy.kind(), kind);
        }
        for value in ["yes", "on", "tRue", " true", "2"] {
            let error = invalid(read(kind, &metadata(&[(&key, value)])));
            assert_eq!((error.key, error.value.as_str()), (key.clone(), value));
        }
    }
}

#[test]
fn a_policy_that_is_off_is_not_looked_at_further() {
    for kind in PolicyKind::ALL {
        for off in ["false", ""] {
            let mut metadata: Metadata = Setting::keys_of(kind)
                .map(|(_, key)| (key.to_owned(), "nonsense".to_owned()))
                .collect();
            metadata.insert(format!("x-snapsentry-{kind}-enabled"), off.to_owned());
            assert_eq!(read(kind, &metadata), PolicyState::Disabled);
        }
    }
}

#[test]
fn one_policys_mistake_leaves_the_others_alone() {
    let metadata = metadata(&[
        ("x-snapsentry-daily-enabled", "true"),
        ("x-snapsentry-daily-timezone", "Mars/Olympus"),
        ("x-snapsentry-weekly-enabled", "true"),
        ("x-snapsentry-monthly-enabled", "maybe"),
    ]);
    assert_eq!(
        invalid(read(Daily, &metadata)).key,
        "x-snapsentry-daily-timezone"
    );
    assert_eq!(
        invalid(read(Monthly, &metadata)).key,
        "x-snapsentry-monthly-enabled"
    );
    assert_eq!(enabled(read(Weekly, &metadata)), default_policy(Weekly));
    assert_eq!(read(Express, &metadata), PolicyState::Disabled);
}
