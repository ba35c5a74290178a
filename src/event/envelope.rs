//! The way in: EventBridge wraps a request in an envelope, everyone else sends it bare.

use std::borrow::Cow;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde_json::Value;

use super::fields::{cut, kind};
use super::{InvalidEvent, Phase};

/// What to do about a rule that says nothing of what it wants.
const CONSTANT_INPUT: &str = "give the rule's target a constant Input such as \
    {\"phase\":\"snapshot\"}, or put the request into the envelope's detail";

/// The request inside the payload.
///
/// A payload with a `phase` is always the request itself; otherwise a `detail` or a
/// `detail-type` makes it an envelope.
pub(super) fn open(payload: &Value) -> Result<Cow<'_, Value>, InvalidEvent> {
    if !is_envelope(payload) {
        return Ok(Cow::Borrowed(payload));
    }
    // Beside `detail` a field of ours would do nothing: a `dry_run` there would be lost.
    for phase in Phase::ALL {
        for field in phase.fields() {
            if payload.get(field).is_some() {
                return Err(InvalidEvent::new(format!(
                    "{field}: stands beside the EventBridge envelope's detail; it is accepted \
                     inside detail only"
                )));
            }
        }
    }
    let envelope: EventBridgeEvent<Value> =
        serde_json::from_value(payload.clone()).map_err(|error| {
            InvalidEvent::new(format!(
                "the EventBridge envelope cannot be read ({}): an envelope has detail-type, source \
                 and detail, and detail is the request; {CONSTANT_INPUT}",
                cut(error.to_string())
            ))
        })?;
    match &envelope.detail {
        Value::Object(detail) if detail.contains_key("phase") => Ok(Cow::Owned(envelope.detail)),
        Value::Object(_) => Err(InvalidEvent::new(format!(
            "phase: missing in the EventBridge envelope's detail (detail-type {}); accepted \
             are {}; {CONSTANT_INPUT}",
            cut(format!("{:?}", envelope.detail_type)),
            Phase::all_in_words()
        ))),
        other => Err(InvalidEvent::new(format!(
            "detail: {} in the EventBridge envelope, and so no phase; detail has to be the \
             request, a JSON object with a phase; {CONSTANT_INPUT}",
            kind(other)
        ))),
    }
}

/// The same place, for a look that must not fail.
pub(super) fn peek(payload: &Value) -> &Value {
    match payload.get("detail") {
        Some(detail) if is_envelope(payload) => detail,
        _ => payload,
    }
}

fn is_envelope(payload: &Value) -> bool {
    let has = |field| payload.get(field).is_some();
    !has("phase") && (has("detail") || has("detail-type"))
}
