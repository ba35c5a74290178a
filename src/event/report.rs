//! What a report is asked for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::InvalidEvent;
use super::fields::{Fields, uuid};
use super::pass::{MOST_VOLUME_IDS, volume_ids};
use crate::plan::{Scope, Shard};

pub(super) const FIELDS: &[&str] = &["volume_ids", "shard", "limit", "after", "only"];

/// The most rows of one page.
const MOST_ROWS: u64 = 1_000;
const ROWS: u64 = 200;

const ACCEPTED_AFTER: &str = "the next_after of the page before, a volume's UUID like \"7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b\"";

/// One page of how the volumes stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// Only these volumes: their UUIDs, hyphenated and in lower case.
    pub volume_ids: Option<BTreeSet<String>>,
    /// Only this share.
    pub shard: Option<Shard>,
    /// The most rows; 1 to 1,000.
    pub limit: usize,
    /// Only the rows that come after this volume's.
    pub after: Option<String>,
    /// Only the volumes that somebody should look at.
    pub only_attention: bool,
}

impl ReportRequest {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, InvalidEvent> {
        let limit = fields.read("limit", "a whole number of rows from 1 to 1000", |value| {
            value.as_u64().filter(|rows| (1..=MOST_ROWS).contains(rows))
        })?;
        let only = fields.read("only", "\"attention\"", |value| {
            (value == "attention").then_some(())
        })?;
        Ok(Self {
            volume_ids: fields
                .get("volume_ids")
                .map(|ids| volume_ids(ids, MOST_VOLUME_IDS))
                .transpose()?,
            shard: fields.get("shard").map(Shard::read).transpose()?,
            limit: limit.unwrap_or(ROWS) as usize,
            after: fields.read("after", ACCEPTED_AFTER, uuid)?,
            only_attention: only.is_some(),
        })
    }

    /// The volumes that the report is about.
    pub fn scope(&self) -> Scope {
        Scope {
            volume_ids: self.volume_ids.clone(),
            shard: self.shard,
        }
    }
}

/// The error for a volume whose row no page can come after.
pub fn gone(after: &str) -> InvalidEvent {
    InvalidEvent::new(format!(
        "after: there is no volume {} any more; accepted is {ACCEPTED_AFTER}; begin again without \
         after",
        Value::from(after)
    ))
}
