//! Which cloud an event is for, and the event that asks for all of them.

use serde_json::{Value, json};
use snapsentry::event::{EventLabels, SpreadPhase};

use crate::events::requests::{all_refused, envelope, read, refused, subscription, targets, with};

#[test]
fn every_phase_but_targets_takes_a_cloud() {
    let longest = "x".repeat(64);
    for name in ["blue", "b", "A-Z_0.9", "..", "-", longest.as_str()] {
        for event in [
            json!({"phase": "snapshot", "cloud": name}),
            json!({"phase": "expire", "cloud": name}),
            with(subscription("daily"), json!({"cloud": name})),
            envelope(json!({"phase": "expire", "cloud": name})),
        ] {
            let request = read(&event);
            let cloud = request.cloud().map(|cloud| cloud.as_str());
            assert_eq!(cloud, Some(name), "{event}");
            assert_eq!(EventLabels::of(&event).cloud.as_ref(), request.cloud());
        }
    }
    assert_eq!(read(&json!({"phase": "snapshot"})).cloud(), None);
    let event = json!({"phase": "targets", "for": "expire", "cloud": "blue"});
    let message = refused(&event);
    assert!(
        message.contains("cloud") && message.contains("targets"),
        "{message}"
    );
}

#[test]
fn a_cloud_is_1_to_64_of_letters_digits_dot_underline_and_hyphen() {
    let long = "x".repeat(65);
    for wrong in [
        "",
        " ",
        "a b",
        "a/b",
        "grün",
        "a\n",
        "\"",
        "a:b",
        long.as_str(),
    ] {
        let event = json!({"phase": "snapshot", "cloud": wrong});
        all_refused(vec![(
            event.clone(),
            &["cloud", "1 to 64", "A-Z a-z 0-9 . _ -"],
        )]);
        assert_eq!(EventLabels::of(&event).cloud, None, "{wrong:?}");
    }
    for wrong in [
        json!(null),
        json!(7),
        json!(["blue"]),
        json!({"name": "blue"}),
    ] {
        let event = json!({"phase": "expire", "cloud": wrong});
        all_refused(vec![(event, &["cloud", "1 to 64"])]);
    }
}

#[test]
fn targets_says_for_what_and_over_how_long() {
    let request = targets(&json!({"phase": "targets", "for": "snapshot"}));
    assert_eq!(
        (request.wanted, request.spread_seconds),
        (SpreadPhase::Snapshot, 120)
    );
    for spread in [0, 1, 240] {
        let event = json!({"phase": "targets", "for": "expire", "spread_seconds": spread});
        let request = targets(&event);
        assert_eq!(
            (request.wanted, request.spread_seconds),
            (SpreadPhase::Expire, spread)
        );
    }
    let detail = envelope(json!({"phase": "targets", "for": "expire"}));
    assert_eq!(targets(&detail).wanted, SpreadPhase::Expire);
}

#[test]
fn targets_that_are_asked_for_wrongly_are_refused_by_field() {
    let with_for = |value: Value| json!({"phase": "targets", "for": value});
    let with_spread =
        |value: Value| json!({"phase": "targets", "for": "expire", "spread_seconds": value});
    let accepted_for: &[&str] = &["for: ", "\"snapshot\" or \"expire\""];
    let accepted_spread: &[&str] = &["spread_seconds: ", "0 to 240"];
    let mut rows = vec![(json!({"phase": "targets"}), accepted_for)];
    for wrong in [
        json!(null),
        json!("subscribe"),
        json!("Snapshot"),
        json!(["expire"]),
    ] {
        rows.push((with_for(wrong), accepted_for));
    }
    for wrong in [json!(null), json!(-1), json!(241), json!("60"), json!(1.5)] {
        rows.push((with_spread(wrong), accepted_spread));
    }
    for field in ["dry_run", "shard", "volume_ids", "as_of"] {
        let event = json!({"phase": "targets", "for": "expire", field: true});
        rows.push((
            event,
            &["no such field in the phase targets", "for, spread_seconds"],
        ));
    }
    all_refused(rows);
    for field in ["for", "spread_seconds"] {
        let message = refused(&json!({"phase": "snapshot", field: 1}));
        assert!(
            message.contains(field) && message.contains("targets only"),
            "{message}"
        );
    }
}
