//! Tagging a volume with a policy.
//!
//! Nothing is written that a pass would then call invalid, nothing unrelated is touched, and
//! the answer is what the volume says afterwards, not what was sent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::deadline::Deadline;
use crate::event::{InvalidEvent, SubscribeRequest};
use crate::openstack::{Client, Error};
use crate::policy::{Metadata, Policy, PolicyState, Setting, keys, read};
use crate::report::Warning;

#[derive(Debug)]
pub(crate) struct Subscription {
    /// The keys written and what the volume now says; of a dry run, what would be written.
    pub metadata: BTreeMap<String, String>,
    /// The cloud's id of the writing request.
    pub request_id: Option<String>,
    pub warnings: Vec<Warning>,
}

/// Why a volume was not tagged.
#[derive(Debug)]
pub(crate) enum NotSubscribed {
    /// What would come of it cannot be read by a pass.
    Invalid(InvalidEvent),
    /// There is no such volume in this project.
    NoSuchVolume(Error),
    /// The volume could not be read.
    Unread(Error),
    /// The keys could not be written, or do not read back.
    Unwritten(Error),
}

/// Reads the volume, works out what to write, and writes it unless this is a dry run. `keep_last`
/// is what holds for policies that say nothing about it.
///
/// # Errors
/// [`NotSubscribed`]; the volume is unchanged unless it is `Unwritten`.
pub(crate) async fn run(
    client: &Client,
    deadline: Deadline,
    now: DateTime<Utc>,
    keep_last: usize,
    request: &SubscribeRequest,
) -> Result<Subscription, NotSubscribed> {
    let volume = client
        .volume(deadline, &request.volume_id)
        .await
        .map_err(|error| match error.status() {
            Some(StatusCode::NOT_FOUND) => NotSubscribed::NoSuchVolume(error),
            _ => NotSubscribed::Unread(error),
        })?;
    let written = keys_to_write(request, &volume.metadata);
    let mut merged = volume.metadata;
    merged.extend(written.clone());
    let warnings = check(request, &merged, now, keep_last).map_err(NotSubscribed::Invalid)?;
    if request.dry_run {
        return Ok(Subscription {
            metadata: written,
            request_id: None,
            warnings,
        });
    }
    let subscribed = client
        .create_volume_subscription(deadline, &request.volume_id, &written)
        .await
        .map_err(NotSubscribed::Unwritten)?;
    let mut metadata = subscribed.metadata;
    metadata.retain(|key, _| written.contains_key(key));
    Ok(Subscription {
        metadata,
        request_id: subscribed.request_id,
        warnings,
    })
}

/// A first subscription spells out every setting, so that people see what they can change; a
/// later one changes only what it names.
fn keys_to_write(request: &SubscribeRequest, present: &Metadata) -> Metadata {
    let kind = request.policy;
    let is_first = !keys::has_settings_of(kind, present);
    let mut written = Metadata::from([(keys::MANAGED.to_owned(), "true".to_owned())]);
    for (setting, key) in Setting::keys_of(kind) {
        let given = match setting {
            Setting::Enabled => Some(request.enabled.to_string()),
            other => request.settings.get(&other).cloned(),
        };
        let default = || is_first.then(|| setting.default_value(kind)).flatten();
        if let Some(value) = given.or_else(|| default().map(str::to_owned)) {
            written.insert(key.to_owned(), value);
        }
    }
    written
}

/// Reads the result as a pass will, and says what somebody may not have meant.
fn check(
    request: &SubscribeRequest,
    merged: &Metadata,
    now: DateTime<Utc>,
    keep_last: usize,
) -> Result<Vec<Warning>, InvalidEvent> {
    let policy = match read(request.policy, merged) {
        PolicyState::Disabled => return Ok(Vec::new()),
        PolicyState::Invalid(invalid) => {
            return Err(InvalidEvent::new(format!(
                "policy: the volume already has a value that no pass can read: {invalid}; give \
                 the setting in the event, or correct the key on the volume"
            )));
        }
        PolicyState::Enabled(policy) => policy,
    };
    let warnings = [
        short_retention(&policy, now),
        keep_at_most_below_keep_last(&policy, keep_last),
        hidden_start_time(request, merged),
    ];
    Ok(warnings
        .into_iter()
        .flatten()
        .map(|warning| Warning {
            volume_id: Some(request.volume_id.clone()),
            policy: Some(request.policy),
            snapshot_id: None,
            warning,
        })
        .collect())
}

fn short_retention(policy: &Policy, now: DateTime<Utc>) -> Option<String> {
    let key = Setting::RetentionDays.key(policy.kind())?;
    let is_shorter = policy.retention_falls_short_of(&policy.window_at(now));
    is_shorter.then(|| {
        format!(
            "the retention of {} days is shorter than the policy's window, so each snapshot is \
             kept until its window ends; set {key} higher to keep more than one",
            policy.retention_days(),
        )
    })
}

fn keep_at_most_below_keep_last(policy: &Policy, keep_last: usize) -> Option<String> {
    let keep_at_most = policy.keep_at_most()?;
    let (keep_last, whose) = match policy.keep_last() {
        Some(own) => (own as usize, Setting::KeepLast.key(policy.kind())?),
        None => (keep_last, "SNAPSENTRY_KEEP_LAST"),
    };
    ((keep_at_most as usize) < keep_last).then(|| {
        format!(
            "at most {keep_at_most} are to be kept, but {whose} keeps the newest {keep_last} in \
             any case, so {keep_last} stay; lower that one to keep fewer"
        )
    })
}

/// A start time that was asked for, and that no pass reads on this volume.
fn hidden_start_time(request: &SubscribeRequest, merged: &Metadata) -> Option<String> {
    request.settings.get(&Setting::StartTime)?;
    let times = Setting::Times.key(request.policy)?;
    let value = merged.get(times).filter(|value| !value.is_empty())?;
    Some(format!(
        "start_time has no effect: {times} ({value}) says when windows begin; remove that key \
         to go by the start time"
    ))
}
