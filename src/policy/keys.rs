//! The metadata keys of volumes and snapshots: the whole vocabulary in one place.
//!
//! People have these keys on their volumes already, and snapshots that other tools took carry
//! them too. So the keys are fixed for good, and a key that reader and writer would spell
//! differently cannot exist.

use std::collections::BTreeMap;

use super::{PolicyKind, Setting};

/// What every key begins with. A volume without any such key was never subscribed, or wiped.
pub const PREFIX: &str = "x-snapsentry-";
/// On volumes and snapshots: ours to look after, if the value is exactly `true`.
pub const MANAGED: &str = "x-snapsentry-managed";
/// On snapshots: a person wants this one kept, whatever its expiry date.
pub const HOLD: &str = "x-snapsentry-hold";
/// On snapshots: the policy that took it, as in [`PolicyKind::as_str`].
pub const SNAPSHOT_POLICY_TYPE: &str = "x-snapsentry-snapshot-policy-type";
/// On snapshots: the retention in days that the expiry date was made from.
pub const SNAPSHOT_RETENTION_DAYS: &str = "x-snapsentry-snapshot-retention-days";
/// On snapshots: when it may go, RFC 3339, UTC.
pub const SNAPSHOT_EXPIRY_DATE: &str = "x-snapsentry-snapshot-expiry-date";
/// On snapshots: the same instant in the policy's zone, for people.
pub const SNAPSHOT_EXPIRY_DATE_USER_TZ: &str = "x-snapsentry-snapshot-expiry-date-user-tz";
/// On snapshots: the start of the window it serves, RFC 3339, UTC.
pub const SNAPSHOT_WINDOW_START: &str = "x-snapsentry-snapshot-window-start";
/// On restored volumes: the restore that made it.
pub(crate) const RESTORE_ID: &str = "x-snapsentry-restore-id";
/// On restored volumes: the volume that it is a copy of.
pub(crate) const RESTORED_VOLUME: &str = "x-snapsentry-restored-volume";
/// On restored volumes: the snapshot that it was made from.
pub(crate) const RESTORED_SNAPSHOT: &str = "x-snapsentry-restored-snapshot";
/// On restored volumes: the start of the window that the snapshot served, RFC 3339, UTC.
pub(crate) const RESTORED_WINDOW_START: &str = "x-snapsentry-restored-window-start";
/// An older spelling of the monthly start day, read where the newer one is missing.
pub const MONTHLY_DAY_OF_MONTH: &str = "x-snapsentry-monthly-day-of-month";

/// The metadata of a volume or of a snapshot.
pub type Metadata = BTreeMap<String, String>;

/// The value of a key; an empty one counts as missing.
pub(super) fn value<'a>(metadata: &'a Metadata, key: &str) -> Option<&'a str> {
    metadata
        .get(key)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// Whether any setting of this kind of policy has a value, under a current or an older key.
pub fn has_settings_of(kind: PolicyKind, metadata: &Metadata) -> bool {
    let older = (kind == PolicyKind::Monthly).then_some(MONTHLY_DAY_OF_MONTH);
    Setting::keys_of(kind)
        .map(|(_, key)| key)
        .chain(older)
        .any(|key| value(metadata, key).is_some())
}

/// Whether a volume or snapshot is ours to look after: exactly `true`, nothing like it. What
/// may be deleted hangs on this, so nothing is guessed.
pub fn is_managed(metadata: &Metadata) -> bool {
    metadata.get(MANAGED).is_some_and(|value| value == "true")
}

/// Reads a boolean in the spellings that are in use; `None` where it is none of them.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Whether a snapshot is held: the key is there, and its value is not a readable false. An
/// empty or odd value holds as well, because the mistake of keeping one can be mended.
pub fn is_held(metadata: &Metadata) -> bool {
    metadata
        .get(HOLD)
        .is_some_and(|value| parse_bool(value) != Some(false))
}
