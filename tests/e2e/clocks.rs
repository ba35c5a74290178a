//! Clocks that differ: told from five minutes on, and from an hour on nothing is deleted.

use chrono::TimeDelta;
use serde_json::json;
use simcloud::{DateHeader, Route};

use crate::world::{Run, World, daily, side_by_side};

/// A cloud whose answers are dated by a clock that is this much ahead, with one snapshot that has
/// expired and one window that is due.
async fn world(ahead: TimeDelta) -> World {
    let world = World::of(|config| config.date = DateHeader::Shifted(ahead))
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    world
}

fn warned(run: &Run) -> Option<String> {
    let told = run.warnings_with("clock");
    assert!(told.len() <= 1, "{told:?}");
    Some(told.first()?["warning"].as_str()?.to_owned())
}

#[tokio::test]
async fn more_than_five_minutes_are_told_in_every_phase_that_lists() {
    let rows = [
        (TimeDelta::zero(), None),
        (TimeDelta::minutes(4), None),
        (-TimeDelta::minutes(4), None),
        (TimeDelta::minutes(7), Some("the cloud's clock is")),
        (-TimeDelta::minutes(7), Some("this function's clock is")),
    ];
    side_by_side(rows, async |(ahead, told)| {
        let world = world(ahead).await;
        let passes = [
            (world.snapshot().await, "created 1"),
            (world.expire().await, "deleted 1"),
        ];
        for (run, did) in passes {
            assert_eq!((run.did().as_str(), run.outcome()), (did, "complete"));
            let warning = warned(&run);
            assert_eq!(warning.is_some(), told.is_some(), "{ahead}");
            if let (Some(warning), Some(told)) = (warning, told) {
                assert!(warning.contains(told), "{ahead}: {warning}");
                // By whole minutes: the answers take a while.
                assert!(
                    warning.contains(" 7 min") || warning.contains(" 6 min"),
                    "{warning}"
                );
            }
        }
        let volume = world.cloud.volumes()[0].id.clone();
        let restore = json!({"phase": "restore", "restore_id": "r", "volume_ids": [volume]});
        for event in [json!({"phase": "report"}), restore] {
            let run = world.run(event.clone()).await;
            assert_eq!(warned(&run).is_some(), told.is_some(), "{ahead} {event}");
        }
    })
    .await;
}

#[tokio::test]
async fn with_more_than_an_hour_an_expire_pass_deletes_nothing_and_says_which_clock_is_ahead() {
    let rows = [
        (TimeDelta::minutes(59), "deleted 1", None),
        (-TimeDelta::minutes(59), "deleted 1", None),
        (
            TimeDelta::minutes(121),
            "deferred 1",
            Some("the cloud's clock is 2 h"),
        ),
        (
            -TimeDelta::minutes(122),
            "deferred 1",
            Some("this function's clock is 2 h"),
        ),
    ];
    side_by_side(rows, async |(ahead, did, failure)| {
        let world = world(ahead).await;
        let run = world.expire().await;
        assert_eq!(run.did(), did, "{ahead}");
        assert!(warned(&run).is_some(), "{ahead}");
        match failure {
            None => assert_eq!(run.outcome(), "complete"),
            Some(failure) => {
                assert_eq!(run.outcome(), "partial");
                let error = run.only_failure()["error"].to_string();
                assert!(error.contains(failure), "{ahead}: {error}");
                assert_eq!(world.count(Route::DeleteSnapshot), 0);
                assert!(run.metrics()["OldestExpiredAgeSeconds"].as_i64() >= Some(5 * 3600));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_report_counts_as_expired_only_what_an_expire_pass_would_delete() {
    for (ahead, expired) in [(TimeDelta::minutes(59), 1), (TimeDelta::minutes(121), 0)] {
        let world = world(ahead).await;
        let run = world.run(json!({"phase": "report"})).await;
        assert_eq!(run.figure("/totals/expired"), expired, "{ahead}");
        let planned = world.plan("expire").await;
        assert_eq!(planned.len() as u64, expired, "{ahead}");
    }
}

#[tokio::test]
async fn a_dry_run_decides_as_a_real_one_whatever_instant_it_is_for() {
    let world = world(TimeDelta::hours(3)).await;
    let event = json!({
        "phase": "expire", "dry_run": true, "as_of": "2100-01-01T00:00:00Z",
    });
    let run = world.run(event).await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("deferred 1", "partial")
    );
    assert_eq!(run.plan(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn answers_without_a_date_prove_nothing() {
    let world = World::of(|config| config.date = DateHeader::Absent)
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 1");
}
