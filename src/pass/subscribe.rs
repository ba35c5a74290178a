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
use crate::policy::{Metadata, PolicyState, Setting, keys, read};
use crate::report::Warning;

/// What came of a subscription.
#[derive(Debug)]
pub struct Subscription {
    /// The keys written and what the volume now says; of a dry run, what would be written.
    pub metadata: BTreeMap<String, String>,
    /// The cloud's id of the writing request.
    pub request_id: Option<String>,
    /// What somebody should know.
    pub warnings: Vec<Warning>,
}

/// Why a volume was not tagged.
#[derive(Debug)]
pub enum NotSubscribed {
    /// What would come of it cannot be read by a pass.
    Invalid(InvalidEvent),
    /// There is no such volume in this project.
    NoSuchVolume(Error),
    /// The volume could not be read.
    Unread(Error),
    /// The keys could not be written, or do not read back.
    Unwritten(Error),
}

/// Reads the volume, works out what to write, and writes it unless this is a dry run.
///
/// # Errors
/// [`NotSubscribed`]; the volume is unchanged unless it is `Unwritten`.
pub async fn run(
    client: &Client,
    deadline: Deadline,
    now: DateTime<Utc>,
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
    let warnings = check(request, &merged, now).map_err(NotSubscribed::Invalid)?;
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
    for setting in Setting::of(kind) {
        let default = || is_first.then(|| setting.default_value(kind).to_owned());
        if let Some(value) = given(request, setting).or_else(default) {
            written.insert(setting.key(kind).to_owned(), value);
        }
    }
    written
}

fn given(request: &SubscribeRequest, setting: Setting) -> Option<String> {
    match setting {
        Setting::Enabled => Some(request.enabled.to_string()),
        Setting::RetentionDays => request.retention_days.map(|days| days.to_string()),
        Setting::RetentionType => None,
        Setting::Timezone => request.timezone.clone(),
        Setting::StartTime => request.start_time.clone(),
        Setting::DayOfWeek => request.day_of_week.clone(),
        Setting::DayOfMonth => request.day_of_month.map(|day| day.to_string()),
        Setting::IntervalHours => request.interval_hours.map(|hours| hours.to_string()),
    }
}

/// Reads the result as a pass will.
fn check(
    request: &SubscribeRequest,
    merged: &Metadata,
    now: DateTime<Utc>,
) -> Result<Vec<Warning>, InvalidEvent> {
    match read(request.policy, merged) {
        PolicyState::Disabled => Ok(Vec::new()),
        PolicyState::Invalid(invalid) => Err(InvalidEvent::new(format!(
            "policy: the volume already has a value that no pass can read: {invalid}; give the \
             setting in the event, or correct the key on the volume"
        ))),
        PolicyState::Enabled(policy) => {
            let window = policy.window_at(now);
            let is_shorter = policy.retention_falls_short_of(&window);
            Ok(is_shorter
                .then(|| Warning {
                    volume_id: Some(request.volume_id.clone()),
                    policy: Some(request.policy),
                    snapshot_id: None,
                    warning: format!(
                        "the retention of {} days is shorter than the policy's window, so each \
                         snapshot is kept until its window ends; set {} higher to keep more \
                         than one",
                        policy.retention_days(),
                        Setting::RetentionDays.key(request.policy)
                    ),
                })
                .into_iter()
                .collect())
        }
    }
}
