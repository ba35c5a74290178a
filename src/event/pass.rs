//! What a snapshot or an expire pass is asked to look at.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;

use super::InvalidEvent;
use super::payload::{Fields, refused, shown, shown_name, uuid};
use crate::plan::Shard;

pub(super) const FIELDS: &[&str] = &["dry_run", "as_of", "volume_ids", "shard"];

/// The most volumes that one event may name.
pub(super) const MOST_VOLUME_IDS: usize = 500;

const ACCEPTED_VOLUME_IDS: &str =
    "volume UUIDs, each like \"7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b\"";

/// Bounds that every arithmetic on windows and retentions survives.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;

const ACCEPTED_AS_OF: &str = "an RFC 3339 instant of the years 1970 to 2999, such as \
    \"2026-11-22T09:10:00Z\"";

/// One pass over the project, or over a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassRequest {
    /// Decide and report everything, change nothing.
    pub dry_run: bool,
    /// The instant to take as now; only in a dry run.
    pub as_of: Option<DateTime<Utc>>,
    /// Only these volumes: their UUIDs, hyphenated and in lower case.
    pub volume_ids: Option<BTreeSet<String>>,
    /// Only this share.
    pub shard: Option<Shard>,
}

impl PassRequest {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, InvalidEvent> {
        let dry_run = fields.boolean("dry_run")?.unwrap_or(false);
        let as_of = fields.read("as_of", ACCEPTED_AS_OF, instant)?;
        if let (Some(value), false) = (fields.get("as_of"), dry_run) {
            return Err(InvalidEvent::new(format!(
                "as_of: {} is accepted only together with \"dry_run\": true, since another now \
                 would take and delete the wrong snapshots",
                shown(value)
            )));
        }
        Ok(Self {
            dry_run,
            as_of,
            volume_ids: fields
                .get("volume_ids")
                .map(|ids| volume_ids(ids, MOST_VOLUME_IDS))
                .transpose()?,
            shard: fields.get("shard").map(Shard::read).transpose()?,
        })
    }
}

pub(super) fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    let instant = instant.with_timezone(&Utc);
    YEARS.contains(&instant.year()).then_some(instant)
}

pub(super) fn volume_ids(value: &Value, most: usize) -> Result<BTreeSet<String>, InvalidEvent> {
    let accepted = format!("an array of 1 to {most} {ACCEPTED_VOLUME_IDS}");
    let refused_list = || refused("volume_ids", value, &accepted);
    let list = value.as_array().ok_or_else(refused_list)?;
    if list.is_empty() {
        return Err(refused_list());
    }
    if list.len() > most {
        return Err(InvalidEvent::new(format!(
            "volume_ids: {} entries are too many; accepted is {accepted}",
            list.len()
        )));
    }
    let ids = list.iter().enumerate().map(|(index, id)| {
        uuid(id).ok_or_else(|| {
            refused(
                &format!("volume_ids[{index}]"),
                id,
                "a UUID of a volume with its hyphens",
            )
        })
    });
    ids.collect()
}

/// The most shares that one project is split into.
const MOST_SHARES: u32 = 256;

const ACCEPTED: &str = "an object like {\"index\": 0, \"count\": 4} with index < count ≤ 256";

impl Shard {
    pub(super) fn read(value: &Value) -> Result<Self, InvalidEvent> {
        let object = value
            .as_object()
            .ok_or_else(|| refused("shard", value, ACCEPTED))?;
        if let Some(field) = object
            .keys()
            .find(|key| !["index", "count"].contains(&key.as_str()))
        {
            return Err(InvalidEvent::new(format!(
                "shard.{}: no such field; accepted is {ACCEPTED}",
                shown_name(field)
            )));
        }
        let number = |field: &str| {
            let value = object.get(field).ok_or_else(|| {
                InvalidEvent::new(format!("shard.{field}: missing; accepted is {ACCEPTED}"))
            })?;
            value
                .as_u64()
                .ok_or_else(|| refused(&format!("shard.{field}"), value, ACCEPTED))
        };
        let (index, count) = (number("index")?, number("count")?);
        let checked = |number: u64| u32::try_from(number).ok().filter(|&n| n <= MOST_SHARES);
        match (checked(index), checked(count)) {
            (_, None | Some(0)) => Err(InvalidEvent::new(format!(
                "shard.count: {count} is not accepted; accepted is 1 to {MOST_SHARES}"
            ))),
            (Some(index), Some(count)) if index < count => Ok(Self { index, count }),
            _ => Err(InvalidEvent::new(format!(
                "shard.index: {index} is not below the count in {}; accepted is 0 to {}",
                shown(value),
                count - 1
            ))),
        }
    }
}
