//! What the properties of this folder have found, each as the smallest case.

use serde_json::{Value, json};
use snapsentry::transport::Response;

use crate::exchange::Call;
use crate::judge;
use crate::scene::{Ran, Scene, play};

const VOLUME: &str = "4b1c2d3e-0000-4000-8000-000000000001";
const SNAPSHOT: &str = "4b1c2d3e-0000-4000-8000-000000000002";

/// A pass that is shown these bodies.
fn shown(phase: &str, volumes: Value, snapshots: Value) -> Ran {
    play(async {
        let scene = Scene::full();
        let spoil = move |call: Call, answer: &mut Response| match call {
            Call::Volumes => *answer.body_mut() = volumes.to_string().into(),
            Call::Snapshots => *answer.body_mut() = snapshots.to_string().into(),
            _ => {}
        };
        scene.run(&json!({ "phase": phase }), Box::new(spoil)).await
    })
}

/// An expired snapshot with something changed.
fn expired(change: impl Fn(&mut Value)) -> Value {
    let mut row = json!({
        "id": SNAPSHOT,
        "volume_id": VOLUME,
        "status": "available",
        "created_at": "2026-11-01T00:00:00.000000",
        "metadata": {
            "x-snapsentry-managed": "true",
            "x-snapsentry-snapshot-policy-type": "daily",
            "x-snapsentry-snapshot-expiry-date": "2026-11-03T00:00:00Z",
        },
    });
    change(&mut row);
    json!({ "snapshots": [row] })
}

fn subscribed(enabled: Value) -> Value {
    let tags = json!({"x-snapsentry-managed": "true", "x-snapsentry-daily-enabled": enabled});
    json!({"volumes": [{"id": VOLUME, "status": "available", "metadata": tags}]})
}

fn deletions(ran: &Ran) -> usize {
    judge::stays_at_home(ran);
    let is_deletion = |one: &&crate::exchange::Exchange| one.call == Call::Delete;
    ran.exchanges.iter().filter(is_deletion).count()
}

#[test]
fn the_snapshot_that_the_others_change_is_one_that_goes() {
    let ran = shown("expire", json!({"volumes": []}), expired(|_| {}));
    assert_eq!(deletions(&ran), 1, "{ran:?}");
}

#[test]
fn a_hold_that_is_no_string_holds() {
    for hold in [
        json!(true),
        json!(null),
        json!(false),
        json!(0),
        json!([]),
        json!({}),
    ] {
        let snapshots = expired(|row| row["metadata"]["x-snapsentry-hold"] = hold.clone());
        let ran = shown("expire", json!({"volumes": []}), snapshots);
        assert_eq!(deletions(&ran), 0, "{hold}: {ran:?}");
    }
}

#[test]
fn a_policy_that_is_enabled_by_no_string_cannot_be_read_and_so_keeps_its_last() {
    for enabled in [json!(true), json!(1), json!(["true"])] {
        let ran = shown("expire", subscribed(enabled.clone()), expired(|_| {}));
        assert_eq!(deletions(&ran), 0, "{enabled}: {ran:?}");
        let answer = ran.end.as_ref().expect("the pass could look");
        assert_eq!(answer["volumes"]["invalid"], 1, "{answer}");
    }
}

#[test]
fn an_answer_to_another_question_is_no_empty_listing() {
    for volumes in [
        json!({"snapshots": []}),
        json!({"rows": []}),
        json!({}),
        json!([]),
    ] {
        let ran = shown("expire", volumes.clone(), expired(|_| {}));
        assert_eq!(deletions(&ran), 0, "{volumes}: {ran:?}");
        let failure = ran.end.as_ref().expect_err("volumes could not be listed");
        assert_eq!(failure.0, "DiscoveryFailed");
    }
}

#[test]
fn times_at_the_ends_of_the_calendar_are_none() {
    for at in [
        "-262143-01-01T00:00:00",
        "+262142-12-31T23:59:59",
        "0000-01-01T00:00:00",
    ] {
        for phase in ["expire", "snapshot"] {
            let snapshots = expired(|row| row["created_at"] = at.into());
            let ran = shown(phase, subscribed(json!("true")), snapshots);
            assert!(ran.end.is_ok(), "{at}: {ran:?}");
        }
    }
}

#[test]
fn an_id_that_is_none_leads_nowhere_and_the_others_go_their_way() {
    for odd in [
        "",
        ".",
        "..",
        "../volumes/x",
        "a/b",
        "?x",
        "#",
        "%2e%2e",
        "a b",
        "ü",
    ] {
        let snapshots = expired(|row| row["id"] = odd.into());
        let [mut both, other] = [snapshots, expired(|_| {})];
        let rows = both["snapshots"].as_array_mut().expect("rows");
        rows.push(other["snapshots"][0].clone());
        let ran = shown("expire", json!({"volumes": []}), both);
        assert_eq!(deletions(&ran), 1, "{odd}: {ran:?}");
        let answer = ran.end.as_ref().expect("the pass could look");
        assert_eq!(answer["snapshots"]["failed"], 1, "{answer}");
    }
}
