//! The payload: the request in EventBridge's envelope or bare, and its fields, taken one by one with
//! errors that name them.

use std::borrow::Cow;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde_json::{Map, Value, json};

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
            let field = unreadable(payload).map_or_else(String::new, |field| format!("{field}: "));
            InvalidEvent::new(format!(
                "{field}the EventBridge envelope cannot be read ({}): an envelope has detail-type, \
                 source and detail, and detail is the request; {CONSTANT_INPUT}",
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

/// The field of an envelope that keeps it from being read; the reader's own errors name those alone
/// that are missing.
fn unreadable(envelope: &Value) -> Option<&str> {
    let fields = envelope.as_object()?.iter();
    let is_at_fault = |field: &str, value: &Value| {
        let mut alone = json!({"detail-type": "", "source": "", "detail": null});
        alone[field] = value.clone();
        serde_json::from_value::<EventBridgeEvent<Value>>(alone).is_err()
    };
    let mut at_fault = fields.filter(|(field, value)| is_at_fault(field, value));
    at_fault.next().map(|(field, _)| field.as_str())
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

/// The object that holds the request.
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, InvalidEvent> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(InvalidEvent::new(format!(
                "the payload is {}; accepted is a JSON object with a phase, such as \
                 {{\"phase\":\"snapshot\"}}",
                kind(other)
            ))),
        }
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.0.get(field)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub(super) fn without_phase(&self) -> InvalidEvent {
        InvalidEvent::new(format!(
            "phase: missing; accepted are {}, for instance {{\"phase\":\"snapshot\"}}",
            Phase::all_in_words()
        ))
    }

    /// Refuses what this phase does not know, all of it at once.
    pub(super) fn only_those_of(&self, phase: Phase) -> Result<(), InvalidEvent> {
        let known = phase.fields();
        let unknown = self.unknown(&known);
        if unknown.is_empty() {
            return Ok(());
        }
        let elsewhere: Vec<&str> = Phase::ALL
            .into_iter()
            .filter(|other| unknown.iter().all(|field| other.fields().contains(field)))
            .map(Phase::as_str)
            .collect();
        let hint = if elsewhere.is_empty() {
            String::new()
        } else {
            format!(" (known to the phase {} only)", elsewhere.join(" and "))
        };
        Err(InvalidEvent::new(format!(
            "{}: no such field in the phase {phase}{hint}; accepted are {}",
            cut(unknown
                .iter()
                .map(|name| shown_name(name))
                .collect::<Vec<_>>()
                .join(", ")),
            known.join(", ")
        )))
    }

    fn unknown(&self, known: &[&str]) -> Vec<&'a str> {
        let all = self.0.keys().map(String::as_str);
        all.filter(|field| !known.contains(field)).collect()
    }

    pub(super) fn boolean(&self, field: &str) -> Result<Option<bool>, InvalidEvent> {
        self.read(field, "true or false, without quotes", Value::as_bool)
    }

    pub(super) fn whole(
        &self,
        field: &str,
        accepted: &str,
        allowed: impl Fn(u32) -> bool,
    ) -> Result<Option<u32>, InvalidEvent> {
        self.read(field, accepted, |value| {
            let number = u32::try_from(value.as_u64()?).ok()?;
            allowed(number).then_some(number)
        })
    }

    /// The field read by `reader`; an error that says what is accepted where that gives nothing.
    pub(super) fn read<T>(
        &self,
        field: &str,
        accepted: &str,
        reader: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, InvalidEvent> {
        match self.get(field) {
            None => Ok(None),
            Some(value) => match reader(value) {
                Some(read) => Ok(Some(read)),
                None => Err(refused(field, value, accepted)),
            },
        }
    }

    /// The same where the field has to be there.
    pub(super) fn required<T>(
        &self,
        field: &str,
        accepted: &str,
        reader: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, InvalidEvent> {
        self.read(field, accepted, reader)?
            .ok_or_else(|| missing(field, accepted))
    }
}

/// The error for a field that has to be there.
pub(super) fn missing(field: &str, accepted: &str) -> InvalidEvent {
    InvalidEvent::new(format!("{field}: missing; accepted is {accepted}"))
}

/// The error for a value that is not accepted.
pub(super) fn refused(field: &str, value: &Value, accepted: &str) -> InvalidEvent {
    let leave_out = if value.is_null() {
        " (leave the field out for its default)"
    } else {
        ""
    };
    InvalidEvent::new(format!(
        "{field}: {} is not accepted{leave_out}; accepted is {accepted}",
        shown(value)
    ))
}

/// The value as JSON, cut where it is long: an error is one line.
pub(super) fn shown(value: &Value) -> String {
    cut(value.to_string())
}

/// A name as it is where it looks like one, as JSON where it does not.
pub(super) fn shown_name(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !name.is_empty() && name.len() <= 40 && name.bytes().all(plain) {
        return name.to_owned();
    }
    shown(&Value::from(name))
}

/// The beginning of a text that may be of any length.
pub(super) fn cut(text: String) -> String {
    let (beginning, rest) = crate::text::cut(&text, 100);
    format!("{beginning}{rest}")
}

/// What sort of JSON it is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A UUID in its canonical, hyphenated form, in lower case as Cinder writes them.
pub(super) fn uuid(value: &Value) -> Option<String> {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let text = value.as_str()?;
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let digits = text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    (digits && lengths == GROUPS).then(|| text.to_ascii_lowercase())
}
