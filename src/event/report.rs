//! What a report is asked for, by an event or by a dashboard's widget.
//!
//! CloudWatch sends the widget's own parameters as the event itself, those that the dashboard has
//! configured in `widgetContext.params`, and what a person has typed in `widgetContext.forms.all`.
//! Text is read as what the field of the report wants, since a form knows nothing else.

use std::collections::BTreeSet;

use chrono::{FixedOffset, Offset, Utc};
use serde_json::{Map, Value};

use super::pass::{MOST_VOLUME_IDS, volume_ids};
use super::payload::{Fields, uuid};
use super::{Event, InvalidEvent, Phase, Request};
use crate::cloud_name::CloudName;
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
pub(crate) fn gone(after: &str) -> InvalidEvent {
    InvalidEvent::new(format!(
        "after: there is no volume {} any more; accepted is {ACCEPTED_AFTER}; begin again without \
         after",
        Value::from(after)
    ))
}

/// What only CloudWatch sends.
const CONTEXT: &str = "widgetContext";
const DESCRIBE: &str = "describe";

/// A report for a dashboard's widget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WidgetRequest {
    /// The page that is asked for.
    pub report: ReportRequest,
    /// Its fields as they were merged: what a click hands on.
    pub fields: Map<String, Value>,
    /// How it is looked at.
    pub viewer: Viewer,
}

/// How a dashboard is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Whether by the dark theme.
    pub dark: bool,
    /// By what clock instants are shown.
    pub offset: FixedOffset,
}

/// Whether it is a dashboard's widget that asks, whatever else the payload says.
pub(super) fn is_widget(payload: &Value) -> bool {
    payload.get(CONTEXT).is_some()
}

/// Whether documentation is asked for.
pub(super) fn is_describe(payload: &Value) -> bool {
    payload.get(DESCRIBE) == Some(&Value::Bool(true))
}

/// The cloud that a widget is about, where it is a name; never fails.
pub(super) fn widget_cloud(payload: &Value) -> Option<CloudName> {
    merged(payload).get("cloud").and_then(CloudName::of_json)
}

impl WidgetRequest {
    pub(super) fn read(payload: &Value) -> Result<Event, InvalidEvent> {
        let fields = merged(payload);
        let merged = Value::Object(fields.clone());
        let merged = Fields::of(&merged)?;
        merged.only_those_of(Phase::Report)?;
        let request = Self {
            report: ReportRequest::read(&merged)?,
            viewer: Viewer::of(&payload[CONTEXT]),
            fields,
        };
        Ok(Event::Cloud {
            cloud: merged.read("cloud", CloudName::ACCEPTED, CloudName::of_json)?,
            request: Request::Widget(request),
        })
    }
}

/// The report's fields: what is typed wins over the event's, and that over what is configured.
fn merged(payload: &Value) -> Map<String, Value> {
    let nothing = Map::new();
    let context = &payload[CONTEXT];
    let sources = [
        context.pointer("/forms/all"),
        Some(payload),
        context.pointer("/params"),
    ];
    let mut fields = Map::new();
    for source in sources {
        let source = source.and_then(Value::as_object).unwrap_or(&nothing);
        for (name, value) in source {
            let ours = ![CONTEXT, DESCRIBE, "phase"].contains(&name.as_str());
            if ours && !is_empty(value) && !fields.contains_key(name) {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    // A click says null of what it takes back.
    fields.retain(|_, value| !value.is_null());
    for (name, value) in &mut fields {
        if let Value::String(text) = value
            && let Some(read) = read_text(name, text)
        {
            *value = read;
        }
    }
    fields
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.iter().all(is_empty),
        _ => false,
    }
}

/// The text as this field's kind of JSON; nothing where the field is a text, or the text does not
/// look like one.
fn read_text(field: &str, text: &str) -> Option<Value> {
    let text = text.trim();
    match field {
        "limit" => text.parse::<u64>().ok().map(Value::from),
        "shard" => serde_json::from_str(text).ok(),
        "volume_ids" => {
            let list = text.trim_start_matches('[').trim_end_matches(']');
            let ids = list.split(|c: char| c == ',' || c.is_whitespace());
            let ids = ids
                .map(|id| id.trim_matches('"'))
                .filter(|id| !id.is_empty());
            Some(ids.collect())
        }
        _ => Some(Value::from(text)),
    }
}

impl Viewer {
    fn of(context: &Value) -> Self {
        let offset = context
            .pointer("/timezone/offsetISO")
            .and_then(Value::as_str);
        Self {
            dark: context.get("theme").and_then(Value::as_str) == Some("dark"),
            offset: offset
                .and_then(|offset| offset.parse().ok())
                .unwrap_or_else(|| Utc.fix()),
        }
    }
}
