//! One line of embedded metrics an invocation. That its figures are the answer's, that there is
//! one for each run and none for a dry one, is checked for every run; see `world::promises`.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::{Fault, Kind, Route};

use crate::world::{Folder, World, daily};

const SNAPSHOT: [&str; 8] = [
    "DurationMs",
    "OldestDueAgeSeconds",
    "OldestBlockedAgeSeconds",
    "SnapshotsCreated",
    "SnapshotsFailed",
    "SnapshotsDeferred",
    "VolumesManaged",
    "VolumesInvalid",
];
const EXPIRE: [&str; 6] = [
    "DurationMs",
    "OldestExpiredAgeSeconds",
    "SnapshotsDeleted",
    "SnapshotsFailed",
    "SnapshotsDeferred",
    "VolumesLost",
];

/// What is declared, by dimensions; each is a figure of the line, and each dimension a text.
fn declared(line: &Value) -> Vec<(Value, BTreeSet<String>)> {
    let directives = &line["_aws"]["CloudWatchMetrics"];
    let directives = directives.as_array().expect("directives").iter();
    directives
        .map(|directive| {
            assert_eq!(directive["Namespace"], "SnapSentry");
            let dimensions = &directive["Dimensions"];
            for dimension in dimensions[0].as_array().expect("dimensions") {
                let name = dimension.as_str().expect("a name");
                assert!(line[name].is_string(), "{name}: {line}");
            }
            let metrics = directive["Metrics"].as_array().expect("metrics").iter();
            let names: BTreeSet<String> = metrics
                .map(|metric| {
                    let name = metric["Name"].as_str().expect("a name");
                    let unit = match name {
                        "DurationMs" => "Milliseconds",
                        _ if name.ends_with("Seconds") => "Seconds",
                        _ => "Count",
                    };
                    assert_eq!(metric["Unit"], unit, "{name}");
                    assert!(line[name].is_u64(), "{name}: {line}");
                    name.to_owned()
                })
                .collect();
            (dimensions.clone(), names)
        })
        .collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Whether it is how many seconds ago that was, to a minute.
fn is_age(metric: &Value, since: DateTime<Utc>) -> bool {
    let age = (Utc::now() - since).num_seconds();
    metric
        .as_i64()
        .is_some_and(|metric| (metric - age).abs() <= 60)
}

#[tokio::test]
async fn each_phase_declares_what_an_alarm_or_a_graph_needs_and_nothing_else() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let mut function = world.function().await;
    let subscribe = json!({"phase": "subscribe", "volume_id": volume, "policy": "weekly"});
    let rows: [(Value, &[&str]); 5] = [
        (json!({"phase": "snapshot"}), &SNAPSHOT),
        (json!({"phase": "expire"}), &EXPIRE),
        (subscribe, &[]),
        (json!({"phase": "nothing"}), &[]),
        (json!([1]), &[]),
    ];
    for (event, expected) in rows {
        let line = function.run(event.clone()).await.metrics();
        let project = json!([["Project", "Phase"]]);
        let directives = match expected.is_empty() {
            true => Vec::new(),
            false => vec![(project, names(expected))],
        };
        assert_eq!(declared(&line), directives, "{event}");
        assert_eq!(line.get("Fleet"), None);
        let at = line["_aws"]["Timestamp"]
            .as_i64()
            .and_then(DateTime::from_timestamp_millis);
        let age = Utc::now() - at.expect("milliseconds since 1970");
        let recently = TimeDelta::zero()..TimeDelta::minutes(1);
        assert!(recently.contains(&age), "{age}");
        let phase = match event["phase"].as_str() {
            None | Some("nothing") => "unknown",
            Some(phase) => phase,
        };
        assert_eq!(line["Phase"], phase);
        assert_eq!(
            line.get("ErrorType").is_some(),
            phase == "unknown",
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_line_is_of_the_instant_at_which_the_pass_ended() {
    // CloudWatch's alarms look at the newest period: a pass that lasts longer than a tick, as each does
    // whose backend hangs, would otherwise be told of a period that no alarm looks at any more.
    let world = World::new().await;
    world.volume(&[&daily()]);
    let slow = Kind::DelayAfter(Duration::from_secs(2));
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, slow).forever());
    for phase in ["snapshot", "expire"] {
        let begun = Utc::now();
        let line = world.run(json!({"phase": phase})).await.metrics();
        let lasted = line["DurationMs"].as_i64().expect("milliseconds");
        assert!(lasted >= 2000, "{line}");
        let at = line["_aws"]["Timestamp"].as_i64().expect("milliseconds");
        let ended = begun.timestamp_millis() + lasted;
        assert!(
            (ended..=Utc::now().timestamp_millis()).contains(&at),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_pass_that_failed_declares_how_long_it_took_and_has_seen_nothing() {
    // That it has no counts and no ages either is checked for every run.
    let world = World::new().await.set("SNAPSENTRY_FLEET", "all-of-them");
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::status(403)).forever());
    for phase in ["snapshot", "expire"] {
        for event in [json!({"phase": phase}), json!({"phase": phase, "shard": 1})] {
            let line = world.run(event).await.metrics();
            let fleet = json!([["Fleet", "Phase"]]);
            assert_eq!(declared(&line), [(fleet, names(&["DurationMs"]))]);
            assert_eq!(line["Phase"], phase);
        }
    }
}

#[tokio::test]
async fn a_fleet_is_told_as_a_whole_and_what_each_cloud_is_rung_for_by_cloud() {
    let world = World::new().await.set("SNAPSENTRY_FLEET", "all-of-them");
    world.volume(&[&daily()]);
    let rows: [(&str, &[&str], &[&str]); 2] = [
        (
            "snapshot",
            &SNAPSHOT,
            &["OldestDueAgeSeconds", "SnapshotsFailed"],
        ),
        (
            "expire",
            &EXPIRE,
            &["OldestExpiredAgeSeconds", "SnapshotsFailed"],
        ),
    ];
    for (phase, all, of_each) in rows {
        let line = world.run(json!({"phase": phase})).await.metrics();
        let expected = [
            (json!([["Fleet", "Phase"]]), names(all)),
            (json!([["Fleet", "Project", "Phase"]]), names(of_each)),
        ];
        assert_eq!(declared(&line), expected);
        assert_eq!(line["Fleet"], "all-of-them");
    }
    let volume = world.volume(&[]);
    let event = json!({"phase": "subscribe", "volume_id": volume, "policy": "daily"});
    assert_eq!(declared(&world.run(event).await.metrics()), []);
}

#[tokio::test]
async fn targets_declares_how_many_there_are_and_how_many_entries_are_faulty() {
    let folder = Folder::new();
    let text = "clouds: {blue: {auth: {}}, green: {x-snapsentry: {shards: two}}}";
    let file = folder.write("clouds.yaml", text);
    let world = World::new()
        .await
        .without_login()
        .set("OS_CLIENT_CONFIG_FILE", file)
        .set("SNAPSENTRY_PROJECT", "a-project");
    let event = json!({"phase": "targets", "for": "snapshot"});
    let line = world.run(event.clone()).await.metrics();
    let expected = [(json!([["Project", "Phase"]]), names(&["Targets", "Faults"]))];
    assert_eq!(declared(&line), expected);
    assert_eq!((&line["Targets"], &line["Faults"]), (&json!(0), &json!(2)));
    assert_eq!(line["Project"], "a-project");
    let world = world.set("SNAPSENTRY_FLEET", "all-of-them");
    let line = world.run(event.clone()).await.metrics();
    let expected = [(json!([["Fleet", "Phase"]]), names(&["Targets", "Faults"]))];
    assert_eq!(declared(&line), expected);

    let broken = world.set("OS_CLIENT_CONFIG_FILE", "/nowhere.yaml");
    let run = broken.run(event).await;
    run.fails("InvalidConfiguration");
    assert_eq!(
        declared(&run.metrics()),
        [],
        "a zero would call an alarm off"
    );
}

#[tokio::test]
async fn the_project_is_the_setting_or_the_tokens_or_unknown() {
    let world = World::of(|config| config.project_name = "blue".into()).await;
    assert_eq!(world.snapshot().await.metrics()["Project"], "blue");
    let refused = world.run(json!({"phase": "nothing"})).await;
    assert_eq!(refused.metrics()["Project"], "unknown");
    let world = world.set("SNAPSENTRY_PROJECT", "green");
    assert_eq!(world.snapshot().await.metrics()["Project"], "green");
    let refused = world.run(json!({"phase": "nothing"})).await;
    assert_eq!(refused.metrics()["Project"], "green");
    let broken = world.set("OS_AUTH_URL", "");
    let run = broken.snapshot().await;
    run.fails("InvalidConfiguration");
    assert_eq!(run.metrics()["Project"], "green");
}

#[tokio::test]
async fn a_refused_dry_run_prints_none() {
    // The standing check of each run counts them.
    let world = World::new().await;
    for event in [
        json!({"phase": "nothing", "dry_run": true}),
        json!({"phase": "snapshot", "dry_run": true, "unknown": 1}),
        json!({"phase": "subscribe", "dry_run": true}),
    ] {
        world.run(event).await.fails("InvalidEvent");
    }
}

#[tokio::test]
async fn failed_invocations_are_counted_by_error_type() {
    let world = World::new().await;
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::status(403)).forever());
    let run = world.snapshot().await;
    let line = run.metrics();
    assert_eq!(line["ErrorType"], "DiscoveryFailed");
    assert_eq!(line["InvocationsFailed"], 1);
    let sent = world.cloud.journal().total();
    assert_eq!(line["RequestsSent"], sent);
}

#[tokio::test]
async fn the_oldest_expired_age_is_that_of_the_oldest_one_that_may_go() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "1");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 3);
    world.expired(&volume, &daily(), 5);
    let held = daily()
        .expired(&volume, 9)
        .meta("x-snapsentry-hold", "true");
    world.cloud.add_snapshot(held);
    let run = world.expire().await;
    assert_eq!(run.did(), "deleted 1, kept 1");
    let age = &run.metrics()["OldestExpiredAgeSeconds"];
    assert!(
        is_age(age, Utc::now() - TimeDelta::hours(5)),
        "as seen at the start: {age}"
    );
    let run = world.expire().await;
    assert_eq!(run.metrics()["OldestExpiredAgeSeconds"], 0);
}
