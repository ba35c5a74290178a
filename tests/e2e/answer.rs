//! The answer: its parts, their order, and what they count.

use serde_json::{Value, json};
use simcloud::{Fault, Kind, Route};

use crate::world::{Policy, World, daily, express, monthly, tagged, weekly};

#[tokio::test]
async fn it_has_exactly_these_parts_in_this_order() {
    let id = "5f0c0000000040008000000000000001";
    let world = World::of(|config| {
        config.project_id = Some(id.into());
        config.project_name = "shop".into();
    })
    .await;
    let volume = world.volume(&[&daily()]);
    world.taken(&volume, &weekly());
    let mut function = world.function().await;
    let run = function.snapshot().await;
    let answer = run.answer();
    let expected = json!({
        "phase": "snapshot",
        "run_id": answer["run_id"],
        "outcome": "complete",
        "dry_run": false,
        "started_at": answer["started_at"],
        "duration_ms": answer["duration_ms"],
        "project": {"id": id, "name": "shop"},
        "volumes": {"managed": 1, "due": 1, "invalid": 0, "lost": 0},
        "snapshots": {"managed": 1, "created": 1, "adopted": 0, "pending": 0, "deferred": 0,
                      "blocked": 0, "failed": 0, "deleted": 0, "kept": 0, "cleaned": 0},
        "requests": {"sent": answer["requests"]["sent"], "retried": 0},
        "failures": [],
        "warnings": [],
        "plan": [],
    });
    assert_eq!(*answer, expected);
    let started_at = answer["started_at"].as_str().expect("an instant");
    assert!(started_at.ends_with('Z'), "{started_at}");
}

#[tokio::test]
async fn it_is_one_info_line_too_without_its_plan() {
    let world = World::new().await;
    world.volume(&[&daily(), &weekly()]);
    for event in [
        json!({"phase": "snapshot", "dry_run": true}),
        json!({"phase": "snapshot"}),
        json!({"phase": "expire"}),
    ] {
        let run = world.run(event).await;
        let told = run.log();
        let run_id = run.answer()["run_id"].as_str().expect("an id");
        let is_answer = |line: &&Value| {
            let text = line.to_string();
            text.contains("duration_ms") && text.contains("outcome")
        };
        let lines: Vec<&Value> = told.iter().filter(is_answer).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert_eq!(lines[0]["message"], "pass finished");
        assert_eq!(lines[0]["level"], "INFO");
        let text = lines[0].to_string();
        assert!(text.contains(run_id), "{text}");
        assert!(!text.contains("window_start"), "no plan: {text}");
    }
}

#[tokio::test]
async fn a_failure_leaves_out_what_it_has_not() {
    let world = World::new().await;
    let volume = world.volume(&[&daily().with("timezone", "Nowhere"), &weekly()]);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::status(403)));
    let run = world.snapshot().await;
    let failures = run.failures();
    assert_eq!(failures.len(), 2, "{failures:#?}");
    for failure in &failures {
        let keys: Vec<&String> = failure.as_object().expect("an object").keys().collect();
        assert_eq!(failure["volume_id"], volume.as_str());
        if failure["policy"] == "daily" {
            assert_eq!(keys, ["error", "policy", "volume_id"]);
        } else {
            assert_eq!(keys, ["error", "policy", "request_id", "volume_id"]);
            assert_eq!(failure["policy"], "weekly");
        }
    }
    assert_eq!(
        (run.figure("/volumes/invalid"), run.did().as_str()),
        (1, "failed 1")
    );
}

#[tokio::test]
async fn at_most_a_hundred_failures_and_warnings_are_listed() {
    let world = World::new().await;
    let unreadable = daily().with("timezone", "Nowhere");
    for _ in 0..103 {
        world
            .cloud
            .add_volume(tagged(&[&unreadable, &weekly()]).status("error"));
    }
    let run = world.snapshot().await;
    assert_eq!(
        (run.failures().len(), run.figure("/failures_omitted")),
        (100, 3)
    );
    assert_eq!(run.list("warnings").len(), 100);
    assert_eq!(run.figure("/warnings_omitted"), 3);
    assert_eq!(run.figure("/volumes/invalid"), 103);
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("blocked 103", "partial")
    );
    let order: Vec<&String> = run
        .answer()
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    assert!(order.contains(&&"failures_omitted".to_owned()));
}

#[tokio::test]
async fn at_most_ten_thousand_actions_are_listed() {
    let world = World::new().await;
    let all = [express(), daily(), weekly(), monthly()];
    let all: Vec<&Policy> = all.iter().collect();
    for _ in 0..2501 {
        world.volume(&all);
    }
    let run = world
        .run(json!({"phase": "snapshot", "dry_run": true}))
        .await;
    assert_eq!((run.plan().len(), run.figure("/plan_omitted")), (10_000, 4));
    assert_eq!((run.due(), run.outcome()), (10_004, "complete"));
}

#[tokio::test]
async fn a_window_served_by_an_earlier_passs_creating_snapshot_is_not_due() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let recently = daily().snapshot_of(&volume).status("creating");
    world
        .cloud
        .add_snapshot(recently.created_at(chrono::Utc::now()));
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!(run.due(), 0);
}

#[tokio::test]
async fn requests_sent_counts_retries_and_logins() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    for route in [Route::Login, Route::ListVolumes, Route::CreateSnapshot] {
        world.cloud.inject(Fault::on(route, Kind::status(503)));
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(run.figure("/requests/sent"), world.cloud.journal().total());
    assert_eq!(run.figure("/requests/retried"), 3);
}
