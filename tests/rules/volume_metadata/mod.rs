//! Volume metadata: what each key of a subscription says, and what is refused.

mod enabling;
mod errors;
mod settings;
mod vocabulary;

use snapsentry::policy::keys::Metadata;
use snapsentry::policy::{InvalidSetting, Policy, PolicyKind, PolicyState, read};

fn metadata(entries: &[(&str, &str)]) -> Metadata {
    entries
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// What is read where the policy is enabled and this one more key is there.
fn read_with(kind: PolicyKind, key: &str, value: &str) -> PolicyState {
    let enabled = format!("x-snapsentry-{kind}-enabled");
    read(kind, &metadata(&[(&enabled, "true"), (key, value)]))
}

/// The policy with its defaults.
fn default_policy(kind: PolicyKind) -> Policy {
    enabled(read_with(kind, "unrelated", "key"))
}

fn enabled(reading: PolicyState) -> Policy {
    match reading {
        PolicyState::Enabled(policy) => policy,
        other => panic!("not an enabled policy: {other:?}"),
    }
}

fn invalid(reading: PolicyState) -> InvalidSetting {
    match reading {
        PolicyState::Invalid(invalid) => invalid,
        other => panic!("not an invalid setting: {other:?}"),
    }
}

/// These values of a key are all read, and mean the same policy as the first.
fn assert_same(kind: PolicyKind, key: &str, values: &[&str]) -> Policy {
    let first = enabled(read_with(kind, key, values[0]));
    for value in values {
        assert_eq!(
            enabled(read_with(kind, key, value)),
            first,
            "{key}={value:?}"
        );
    }
    first
}

/// These values of a key mean what a missing key means.
fn assert_default(kind: PolicyKind, key: &str, values: &[&str]) {
    for value in values {
        let policy = enabled(read_with(kind, key, value));
        assert_eq!(policy, default_policy(kind), "{key}={value:?}");
    }
}

/// These values of a key are refused, and the error names key and value.
fn assert_invalid(kind: PolicyKind, key: &str, values: &[&str]) {
    for value in values {
        let error = invalid(read_with(kind, key, value));
        assert_eq!((error.key.as_str(), error.value.as_str()), (key, *value));
        assert!(error.to_string().contains(key), "{error}");
        assert!(!error.accepted.is_empty());
    }
}
