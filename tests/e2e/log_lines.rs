//! What is said while it runs. That every line is JSON with a timestamp and a level, on standard
//! output, is checked for every run; see `world::promises`.

use serde_json::{Value, json};
use simcloud::{Fault, Kind, Route};

use crate::world::{World, daily, express, monthly, weekly};

#[tokio::test]
async fn there_is_one_line_for_each_volume_and_policy_with_verdict_and_reason() {
    let world = World::new().await;
    let (daily, weekly) = (daily(), weekly());
    let unreadable = express().with("timezone", "Nowhere");
    let volume = world.volume(&[&daily, &weekly, &monthly(), &unreadable]);
    world.taken(&volume, &daily);
    let refused = Fault::on(Route::CreateSnapshot, Kind::status(400));
    world.cloud.inject(refused.containing("managed-weekly"));
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1, failed 1");
    let mut verdicts = run.verdicts();
    verdicts.sort();
    let expected = [
        ("DEBUG", "daily", "served"),
        ("INFO", "express", "invalid"),
        ("INFO", "monthly", "created"),
        ("INFO", "weekly", "failed"),
    ];
    let expected = expected
        .map(|(level, policy, verdict)| (level.to_owned(), policy.to_owned(), verdict.to_owned()));
    assert_eq!(verdicts, expected);
    let run_id = &run.answer()["run_id"];
    for line in run
        .log()
        .iter()
        .filter(|line| line.get("verdict").is_some())
    {
        assert_eq!(line["volume_id"], volume.as_str(), "{line}");
        assert_eq!(line["run_id"], *run_id, "{line}");
        assert_eq!(line["phase"], "snapshot", "{line}");
        let why = [&line["reason"], &line["message"]];
        assert!(
            why.iter()
                .any(|why| why.as_str().is_some_and(|why| why.len() > 5)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_cold_start_tells_the_version_of_the_zone_rules_once() {
    let world = World::new().await;
    let mut function = world.function().await;
    let first = function.snapshot().await;
    let line = first.said("cold start").remove(0);
    let version = line["zone_rules"].as_str().expect("a version");
    assert!(version >= "2026e", "{version}");
    assert!(function.snapshot().await.said("cold start").is_empty());
}

#[tokio::test]
async fn lines_carry_the_ids_of_the_cloud_and_of_lambda() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let run = world.snapshot().await;
    let created = world.requests(Route::CreateSnapshot).remove(0);
    let id = created.answered_request_id.expect("an id");
    let log = run.log();
    assert!(
        log.iter().any(|line| line.to_string().contains(&id)),
        "the cloud's"
    );
    let lambda = &run.invocation.request_id;
    assert!(
        log.iter()
            .any(|line| line["lambda_request_id"] == lambda.as_str())
    );
}

#[tokio::test]
async fn by_default_info_is_said_and_debug_is_not() {
    let levels = |run: &crate::world::Run| -> Vec<Value> {
        run.log().iter().map(|line| line["level"].clone()).collect()
    };
    for (set, debug) in [
        (None, false),
        (Some(("AWS_LAMBDA_LOG_LEVEL", "DEBUG")), true),
        (Some(("AWS_LAMBDA_LOG_LEVEL", "INFO")), false),
        (Some(("RUST_LOG", "debug")), true),
    ] {
        let mut world = World::new().await.unset("RUST_LOG");
        if let Some((name, value)) = set {
            world = world.set(name, value);
        }
        world.volume(&[&daily()]);
        let run = world.snapshot().await;
        let levels = levels(&run);
        assert!(levels.contains(&json!("INFO")), "{set:?}");
        assert_eq!(levels.contains(&json!("DEBUG")), debug, "{set:?}");
    }
}

#[tokio::test]
async fn metrics_are_printed_whatever_the_level() {
    // The standing check of each run looks for them.
    let world = World::new().await.set("RUST_LOG", "error");
    world.volume(&[&daily()]);
    let run = world.snapshot().await;
    assert_eq!(run.metrics()["SnapshotsCreated"], 1);
    assert!(run.log().is_empty(), "{:?}", run.log());
}

#[tokio::test]
async fn without_the_json_format_lines_are_readable_text() {
    let world = World::new().await.set("AWS_LAMBDA_LOG_FORMAT", "Text");
    let mut function = world.function().await;
    let deadline = simcloud::lambda::Deadline::After(crate::world::MINUTE);
    let invocation = function
        .function
        .invoke(json!({"phase": "snapshot"}), deadline)
        .await;
    assert!(invocation.result.is_ok());
    assert_eq!(invocation.metrics().len(), 1);
    let text: Vec<&String> = invocation
        .log
        .iter()
        .filter(|line| !line.starts_with('{'))
        .collect();
    assert!(
        text.iter()
            .any(|line| line.contains("INFO") && line.contains("cold start"))
    );
    assert!(
        text.iter().all(|line| !line.contains('\u{1b}')),
        "{text:#?}"
    );
}

#[tokio::test]
async fn what_a_cloud_says_begins_no_line_of_its_own() {
    let world = World::new().await.set("AWS_LAMBDA_LOG_FORMAT", "Text");
    let message = "no\n{\"_aws\": {}}\r\u{1b}[2J\u{85}";
    let body = json!({"forbidden": {"code": 403, "message": message}});
    let kind = Kind::Status {
        code: 403,
        headers: Vec::new(),
        body: Some(body.to_string().into()),
    };
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, kind).forever());
    let mut function = world.function().await;
    let deadline = simcloud::lambda::Deadline::After(crate::world::MINUTE);
    let event = json!({"phase": "snapshot"});
    let invocation = function.function.invoke(event, deadline).await;
    let told = &invocation.failure().error_message;
    assert!(told.contains("no {\"_aws\": {}}"), "{told}");
    assert_eq!(invocation.metrics().len(), 1);
    let log = invocation.log.join("\n");
    for text in [told, &log] {
        assert!(!text.contains(['\r', '\u{1b}', '\u{85}']), "{text:?}");
    }
}
