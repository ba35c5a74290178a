//! Events as they are written in these tests, and what becomes of them.

use serde_json::{Value, json};
use snapsentry::event::{Event, PassRequest, Request, SubscribeRequest, TargetsRequest};

pub(crate) const VOLUME: &str = "7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b";

pub(crate) fn read(event: &Value) -> Event {
    Event::parse(event).unwrap_or_else(|error| panic!("{event}: {error}"))
}

/// What is asked of one cloud.
pub(crate) fn accepted(event: &Value) -> Request {
    match read(event) {
        Event::Cloud { request, .. } => request,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refused(event: &Value) -> String {
    match Event::parse(event) {
        Ok(request) => panic!("{event} was accepted as {request:?}"),
        Err(error) => error.to_string(),
    }
}

/// Each event is refused, and the message has every one of these words.
pub(crate) fn all_refused(rows: Vec<(Value, &[&str])>) {
    for (event, words) in rows {
        let message = refused(&event);
        for word in words {
            assert!(message.contains(word), "{event}\nlacks {word:?}: {message}");
        }
        assert!(!message.contains('\n'), "{message}");
    }
}

pub(crate) fn pass(event: &Value) -> PassRequest {
    match accepted(event) {
        Request::Snapshot(pass) | Request::Expire(pass) => pass,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn subscribe(settings: Value) -> SubscribeRequest {
    match accepted(&with(subscription("daily"), settings)) {
        Request::Subscribe(subscribe) => subscribe,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn targets(event: &Value) -> TargetsRequest {
    match read(event) {
        Event::Targets(targets) => targets,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn subscription(policy: &str) -> Value {
    json!({"phase": "subscribe", "volume_id": VOLUME, "policy": policy})
}

pub(crate) fn with(mut event: Value, fields: Value) -> Value {
    let fields = fields.as_object().expect("fields are an object").clone();
    let object = event.as_object_mut().expect("an event is an object");
    object.extend(fields);
    event
}

pub(crate) fn envelope(detail: Value) -> Value {
    json!({
        "version": "0", "id": "0b2c3d4e-5f60-4718-89a0-b1c2d3e4f506",
        "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
        "time": "2026-11-22T09:10:00Z", "region": "eu-central-1", "resources": [],
        "detail": detail
    })
}
