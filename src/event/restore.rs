//! What is to be got back, and as of when.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::InvalidEvent;
use super::pass::{instant, volume_ids};
use super::payload::{Fields, missing, refused, uuid};
use super::subscribe::accepted_policies;
use crate::policy::PolicyKind;
use crate::text::is_plain_name;

pub(super) const FIELDS: &[&str] = &[
    "restore_id",
    "server_id",
    "volume_ids",
    "at",
    "policy",
    "dry_run",
];

/// The most volumes that one restore may name.
const MOST_VOLUME_IDS: usize = 50;

const ACCEPTED_RESTORE_ID: &str = "a name of your choice of 1 to 64 of A-Z a-z 0-9 . _ -, such as \"incident-42\"; the same name \
     again continues the same restore";
const ACCEPTED_SERVER_ID: &str =
    "the UUID of a server whose volumes are to be restored, or volume_ids in its place";
const ACCEPTED_AT: &str = "an RFC 3339 instant that is not in the future, such as \
    \"2026-11-22T09:10:00Z\"";

/// One restore: new volumes from the snapshots of one point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Decide and report everything, create nothing.
    pub dry_run: bool,
    /// The name by which a later call knows what an earlier one has made.
    pub restore_id: String,
    /// Whose data are to be got back.
    pub of: RestoreTarget,
    /// Only snapshots made at or before this instant; any where absent.
    pub at: Option<DateTime<Utc>>,
    /// Only snapshots of this policy.
    pub policy: Option<PolicyKind>,
}

/// Whose data are to be got back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreTarget {
    /// Those of the volumes attached to this server.
    Server(String),
    /// Those of these volumes, there or gone.
    Volumes(BTreeSet<String>),
}

impl RestoreRequest {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, InvalidEvent> {
        let restore_id = fields.required("restore_id", ACCEPTED_RESTORE_ID, |value| {
            value.as_str().filter(|text| is_plain_name(text))
        })?;
        let server_id = fields.read("server_id", ACCEPTED_SERVER_ID, uuid)?;
        let volumes = fields
            .get("volume_ids")
            .map(|value| volume_ids(value, MOST_VOLUME_IDS))
            .transpose()?;
        let of = match (server_id, volumes) {
            (Some(server), None) => RestoreTarget::Server(server),
            (None, Some(volumes)) => RestoreTarget::Volumes(volumes),
            (None, None) => return Err(missing("server_id", ACCEPTED_SERVER_ID)),
            (Some(server), Some(_)) => {
                return Err(InvalidEvent::new(format!(
                    "server_id: \"{server}\" and volume_ids exclude each other; accepted is one of \
                     them"
                )));
            }
        };
        let accepted = accepted_policies();
        Ok(Self {
            dry_run: fields.boolean("dry_run")?.unwrap_or(false),
            restore_id: restore_id.to_owned(),
            of,
            at: fields.read("at", ACCEPTED_AT, instant)?,
            policy: fields.read("policy", &accepted, |value| value.as_str()?.parse().ok())?,
        })
    }

    /// Refuses an instant that has not come yet: its snapshots cannot be known.
    ///
    /// # Errors
    /// [`InvalidEvent`] naming `at`.
    pub(crate) fn check_against(&self, now: DateTime<Utc>) -> Result<(), InvalidEvent> {
        match self.at {
            Some(at) if at > now => {
                let value = Value::from(at.to_rfc3339());
                Err(refused("at", &value, ACCEPTED_AT))
            }
            _ => Ok(()),
        }
    }
}
