//! Envelopes of EventBridge.

use crate::events::requests::{VOLUME, accepted, all_refused, envelope, refused, with};
use serde_json::json;

#[test]
fn an_envelope_is_opened_and_its_detail_is_the_request() {
    let detail = json!({"phase": "expire", "dry_run": true, "shard": {"index": 1, "count": 2}});
    assert_eq!(accepted(&envelope(detail.clone())), accepted(&detail));
    let own = with(envelope(detail.clone()), json!({"replay-name": "again"}));
    assert_eq!(accepted(&own), accepted(&detail));
}

#[test]
fn an_envelope_without_a_phase_is_refused_and_told_of_the_constant_input() {
    let advice = &["phase", "constant Input"];
    all_refused(vec![
        (envelope(json!({})), advice),
        (envelope(json!({"dry_run": true})), advice),
        (envelope(json!(null)), advice),
        (envelope(json!("snapshot")), advice),
        (
            json!({"detail-type": "Scheduled Event", "source": "aws.events"}),
            advice,
        ),
        (
            json!({"detail": {"phase": "snapshot"}}),
            &["detail-type", "constant Input"],
        ),
        (
            json!({"detail-type": "x", "detail": {"phase": "snapshot"}}),
            &["source", "constant Input"],
        ),
    ]);
}

#[test]
fn a_field_beside_an_envelopes_detail_is_refused_since_it_would_be_lost() {
    let detail = json!({"phase": "expire"});
    all_refused(vec![
        (
            with(envelope(detail.clone()), json!({"dry_run": true})),
            &["dry_run", "inside detail"],
        ),
        (
            with(envelope(detail.clone()), json!({"volume_id": VOLUME})),
            &["volume_id", "inside detail"],
        ),
        (
            with(envelope(detail), json!({"phase": "expire"})),
            &["detail", "no such field"],
        ),
    ]);
}

#[test]
fn what_keeps_an_envelope_from_being_read_is_named() {
    let detail = json!({"phase": "expire"});
    for (field, value) in [
        ("time", json!("yesterday")),
        ("detail-type", json!(null)),
        ("source", json!(["aws.events"])),
        ("account", json!(123456789012_u64)),
        ("resources", json!("all")),
    ] {
        let message = refused(&with(envelope(detail.clone()), json!({field: value})));
        let named = format!("{field}: the EventBridge envelope cannot be read");
        assert!(message.starts_with(&named), "{message}");
    }
}
