//! Events: any bytes and any JSON are either a request, or refused by a message that names what
//! is wrong.

use proptest::prelude::*;
use serde_json::{Value, json};
use snapsentry::event::{Event, EventLabels};

use crate::cases;
use crate::damage::damage;

const FIELDS: [&str; 22] = [
    "limit",
    "after",
    "only",
    "widgetContext",
    "phase",
    "cloud",
    "for",
    "spread_seconds",
    "dry_run",
    "as_of",
    "volume_ids",
    "shard",
    "volume_id",
    "policy",
    "enabled",
    "retention_days",
    "timezone",
    "start_time",
    "day_of_week",
    "day_of_month",
    "interval_hours",
    "detail",
];

fn requests() -> Vec<Value> {
    let id = "7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b";
    let pass = json!({
        "phase": "snapshot", "dry_run": true, "as_of": "2026-11-22T09:10:00Z",
        "volume_ids": [id], "shard": {"index": 0, "count": 4},
    });
    let subscribe = json!({
        "phase": "subscribe", "volume_id": id, "policy": "monthly", "enabled": true,
        "retention_days": 30, "timezone": "Europe/Berlin", "start_time": "02:30",
        "day_of_month": 31,
    });
    let envelope = json!({
        "version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "1", "time": "2026-11-22T09:10:00Z", "region": "eu-central-1",
        "resources": [], "detail": pass,
    });
    let targets = json!({"phase": "targets", "for": "snapshot", "spread_seconds": 60});
    let expire = json!({"phase": "expire", "cloud": "blue"});
    let report = json!({"phase": "report", "limit": 50, "after": id, "only": "attention"});
    let widget = json!({
        "limit": 50,
        "widgetContext": {
            "forms": {"all": {"volume_ids": id, "only": ""}},
            "params": {"cloud": "blue"},
            "theme": "dark", "timezone": {"offsetISO": "+01:00"},
        },
    });
    vec![pass, subscribe, envelope, targets, expire, report, widget]
}

/// A request or a refusal that names something; whether it was a request.
fn is_read_or_refused(bytes: &[u8]) -> bool {
    // What is no JSON is refused by the runtime library.
    let Ok(payload) = serde_json::from_slice::<Value>(bytes) else {
        return false;
    };
    let labels = EventLabels::of(&payload);
    match Event::parse(&payload) {
        Ok(request) => {
            assert_eq!(labels.phase, Some(request.phase()), "{payload}");
            assert_eq!(labels.dry_run, request.dry_run(), "{payload}");
            assert_eq!(labels.cloud.as_ref(), request.cloud(), "{payload}");
            true
        }
        Err(error) => {
            let text = error.to_string();
            let mut fields = payload
                .as_object()
                .into_iter()
                .flatten()
                .map(|(field, _)| field);
            let names_one = FIELDS.iter().any(|field| text.contains(field))
                || fields.any(|field| text.contains(field.as_str()));
            let says_what_is_right = ["accept", "has to be", "an envelope has"]
                .iter()
                .any(|words| text.contains(words));
            assert!(names_one && says_what_is_right, "{text} of {payload}");
            assert!(text.len() < 1_000 && !text.contains('\n'), "{text}");
            false
        }
    }
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn a_damaged_request_is_read_or_refused_by_name(
        request in prop::sample::select(requests()),
        damage in damage(),
    ) {
        is_read_or_refused(&damage.spoil(request.to_string().as_bytes()));
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        is_read_or_refused(&bytes);
    }
}

#[test]
fn the_requests_that_are_damaged_are_good_ones() {
    for request in requests() {
        assert!(
            is_read_or_refused(request.to_string().as_bytes()),
            "{request}"
        );
    }
}
