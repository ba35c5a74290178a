//! What has to hold whatever a pass was shown, and which deletions it justifies: the rules and
//! common sense, said a second time over the raw JSON.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;
use simcloud::Snapshot;

use crate::exchange::Call;
use crate::scene::{ADDRESS, Ran, Scene, TIME, now};

const ERROR_TYPES: [&str; 7] = [
    "InvalidEvent",
    "InvalidConfiguration",
    "AuthenticationFailed",
    "DiscoveryFailed",
    "DeadlineExceeded",
    "VolumeNotFound",
    "SubscriptionFailed",
];
const POLICIES: [&str; 4] = ["express", "daily", "weekly", "monthly"];
const FALSE: [&str; 6] = ["0", "f", "F", "FALSE", "false", "False"];

/// A pass ended as passes end, told no secret, and asked nobody else.
pub(crate) fn is_sound(scene: &Scene, before: &BTreeMap<String, Snapshot>, ran: &Ran) {
    match &ran.end {
        Ok(answer) => {
            let outcome = answer["outcome"].as_str().unwrap_or_default();
            assert!(
                ["complete", "deferred", "partial"].contains(&outcome),
                "{ran:?}"
            );
        }
        Err((error_type, message)) => {
            assert!(ERROR_TYPES.contains(&error_type.as_str()), "{ran:?}");
            assert!(message.len() > 20, "{ran:?}");
        }
    }
    for secret in scene.cloud.secrets() {
        assert!(!ran.told.contains(&secret), "told {secret}: {}", ran.told);
    }
    assert!(ran.took < TIME.to_std().unwrap_or_default(), "{ran:?}");
    let after = scene.snapshots();
    for one in before.values() {
        if one
            .metadata
            .get("x-snapsentry-managed")
            .is_none_or(|value| value != "true")
        {
            assert_eq!(
                after.get(&one.id).map(|now| &now.status),
                Some(&one.status),
                "{ran:?}"
            );
        }
    }
}

/// Everything went to the cloud, and whatever changes something to one snapshot of it.
pub(crate) fn stays_at_home(ran: &Ran) {
    for one in &ran.exchanges {
        assert!(one.url.starts_with(&format!("{ADDRESS}/")), "{ran:?}");
        // What a client makes of it that knows about dots.
        let url = url::Url::parse(&one.url).expect("it was sent");
        let path: Vec<&str> = url.path().split('/').collect();
        if one.writes() && !matches!(one.call, Call::Write) {
            let at = path.iter().position(|part| *part == "snapshots");
            let rest = &path[at.unwrap_or_else(|| panic!("{url}")) + 1..];
            let is_one = |id: &str| !id.is_empty() && !id.contains('%');
            match rest {
                [] => assert_eq!(one.call, Call::Create),
                [id] | [id, "action"] => assert!(is_one(id), "{url}"),
                _ => panic!("{} {url}", one.method),
            }
        }
    }
}

/// The snapshots whose deletion was asked for.
fn deleted(ran: &Ran) -> BTreeSet<String> {
    let id = |url: &str| {
        let path = url.trim_end_matches("/action");
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let deletions = ran.exchanges.iter().filter(|one| one.call == Call::Delete);
    deletions.map(|one| id(&one.url)).collect()
}

/// Every deletion of an expire pass is one that some listing of volumes and some listing of
/// snapshots that it was shown justify together.
pub(crate) fn expiry_is_justified(ran: &Ran, keep_last: usize) {
    let shown = |call: Call, rows: &str| -> Vec<Vec<Value>> {
        let answers = ran.exchanges.iter().filter(|one| one.call == call);
        answers
            .filter_map(|one| Some(one.shown()?.get(rows)?.as_array()?.clone()))
            .collect()
    };
    let (volumes, snapshots) = (
        shown(Call::Volumes, "volumes"),
        shown(Call::Snapshots, "snapshots"),
    );
    for id in deleted(ran) {
        let is_justified = volumes.iter().any(|volumes| {
            snapshots
                .iter()
                .any(|snapshots| may_expire(&id, volumes, snapshots, keep_last))
        });
        assert!(is_justified, "{id} in {ran:?}");
    }
}

fn may_expire(id: &str, volumes: &[Value], snapshots: &[Value], keep_last: usize) -> bool {
    let rows = snapshots.iter().filter(|one| one["id"] == id);
    rows.clone().any(|one| {
        let Some(policy) = ours(one) else {
            return false;
        };
        let has_expired = tag(one, "snapshot-expiry-date")
            .and_then(Value::as_str)
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .is_some_and(|at| at <= now());
        let deletable =
            matches!(one["status"].as_str(), Some("available" | "error")) || is_stuck(one);
        let volume = volumes
            .iter()
            .rev()
            .find(|volume| volume["id"] == one["volume_id"]);
        let is_protected = volume.is_some_and(|volume| wants(volume, policy))
            && newest(snapshots, one, policy, keep_last).contains(id);
        has_expired && !is_held(one) && deletable && !is_protected
    })
}

/// The policy of a snapshot that is ours to delete.
fn ours(snapshot: &Value) -> Option<&str> {
    let is_managed = tag(snapshot, "managed").is_some_and(|value| value == "true");
    let policy = tag(snapshot, "snapshot-policy-type")?.as_str()?;
    (is_managed && POLICIES.contains(&policy)).then_some(policy)
}

fn tag<'a>(row: &'a Value, key: &str) -> Option<&'a Value> {
    row.get("metadata")?.get(format!("x-snapsentry-{key}"))
}

fn is_held(snapshot: &Value) -> bool {
    tag(snapshot, "hold")
        .is_some_and(|value| !value.as_str().is_some_and(|text| FALSE.contains(&text)))
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    // A sign before the year means one that no cloud has seen.
    let is_far = text.starts_with(['-', '+']) || text.starts_with("0000");
    let bare = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    bare.map(|at| at.and_utc())
        .or_else(|_| DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()))
        .ok()
        .filter(|_| !is_far)
}

fn is_stuck(snapshot: &Value) -> bool {
    let since = instant(&snapshot["updated_at"]).or_else(|| instant(&snapshot["created_at"]));
    matches!(
        snapshot["status"].as_str(),
        Some("creating" | "deleting" | "error_deleting")
    ) && since.is_some_and(|since| now() - since > TimeDelta::hours(6))
}

/// Whether a volume still wants its snapshots of a policy, or may have been robbed of its say.
fn wants(volume: &Value, policy: &str) -> bool {
    let has_our_keys = volume["metadata"].as_object().is_some_and(|tags| {
        let ours = tags
            .iter()
            .filter(|(key, _)| key.starts_with("x-snapsentry-"));
        ours.map(|(_, value)| value)
            .any(|value| !value.is_null() && value != "")
    });
    let is_managed = tag(volume, "managed").is_some_and(|value| value == "true");
    let is_off = match tag(volume, &format!("{policy}-enabled")) {
        None | Some(Value::Null) => true,
        Some(value) => value
            .as_str()
            .is_some_and(|text| text.is_empty() || FALSE.contains(&text)),
    };
    is_managed && !is_off || !has_our_keys
}

/// The newest available snapshots of the same volume and policy.
fn newest<'a>(rows: &'a [Value], of: &Value, policy: &str, count: usize) -> BTreeSet<&'a str> {
    let mut keys: Vec<_> = rows
        .iter()
        .filter(|one| {
            ours(one) == Some(policy)
                && one["volume_id"] == of["volume_id"]
                && one["status"] == "available"
        })
        .filter_map(|one| Some((instant(&one["created_at"]), one["id"].as_str()?)))
        .collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .rev()
        .take(count)
        .map(|(_, id)| id)
        .collect()
}

/// Every deletion of a snapshot pass is of a managed snapshot that is not held and that some
/// answer has shown to be broken, stuck, or not the only one.
pub(crate) fn cleaning_is_justified(ran: &Ran) {
    let rows: Vec<Value> = (ran.exchanges.iter())
        .filter_map(|one| {
            let shown = one.shown()?;
            let rows = shown.get("snapshots").and_then(Value::as_array).cloned();
            Some(rows.unwrap_or_else(|| vec![shown["snapshot"].clone()]))
        })
        .flatten()
        .collect();
    for id in deleted(ran) {
        let is_justified = rows.iter().filter(|one| one["id"] == *id).any(|one| {
            let has_twin = || {
                rows.iter().any(|other| {
                    other["id"] != one["id"]
                        && other["volume_id"] == one["volume_id"]
                        && ours(other) == ours(one)
                        && other["status"] == "available"
                })
            };
            let stale_snapshots = one["status"] == "error" || is_stuck(one);
            ours(one).is_some()
                && !is_held(one)
                && (stale_snapshots || one["status"] == "available" && has_twin())
        });
        assert!(is_justified, "{id} in {ran:?}");
    }
}

/// No volume and policy has lost its last available snapshot to a snapshot pass.
pub(crate) fn nothing_is_lost(
    before: &BTreeMap<String, Snapshot>,
    after: &BTreeMap<String, Snapshot>,
    ran: &Ran,
) {
    let served = |all: &BTreeMap<String, Snapshot>| -> BTreeSet<(String, Option<String>)> {
        all.values()
            .filter(|one| one.status == "available")
            .map(|one| {
                let policy = one.metadata.get("x-snapsentry-snapshot-policy-type");
                (one.volume_id.clone(), policy.cloned())
            })
            .collect()
    };
    let lost: Vec<_> = served(before).difference(&served(after)).cloned().collect();
    assert!(lost.is_empty(), "{lost:?} in {ran:?}");
}
