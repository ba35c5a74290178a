//! How far back a snapshot pass lists, and what it does not rely on.

use std::time::Duration;

use chrono::TimeDelta;
use simcloud::quirks::{Fate, Filtering, LargePages, Sorting, Undated};
use simcloud::{Config, Fault, Kind, Microversions, Route};

use crate::world::{Run, World, daily, express, monthly, side_by_side, weekly};

/// Rows a page.
const PAGE: usize = 10;

/// Five volumes with four policies each, all of whose active windows are served, and of each
/// policy snapshots of many windows past.
async fn with_history(windows: i64, change: impl FnOnce(&mut Config)) -> World {
    let world = World::of(|config| {
        config.osapi_max_limit = PAGE;
        change(config);
    })
    .await;
    let policies = [express(), daily(), weekly(), monthly()];
    for (n, nth) in (0..5).zip(1..) {
        let volume = world.volume(&policies.each_ref());
        for policy in &policies {
            let length = policy.end - policy.start;
            for window in 0..=windows {
                let back = length * i32::try_from(window).expect("few");
                let made = policy.start - back + TimeDelta::seconds(60 + nth + n);
                let mut snapshot = policy.snapshot_of(&volume).created_at(made);
                if window > 0 {
                    let start = (policy.start - back).to_rfc3339();
                    snapshot = snapshot.meta("x-snapsentry-snapshot-window-start", start);
                }
                world.cloud.add_snapshot(snapshot);
            }
        }
    }
    world
}

/// A pass that finds nothing to do.
async fn finds_all_served(world: &World, why: &str) -> Run {
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0), "{why}");
    assert_eq!(run.figure("/volumes/managed"), 5, "{why}");
    assert_eq!(world.writes(), 0, "{why}");
    run
}

#[tokio::test]
async fn the_requests_of_a_quiet_pass_do_not_depend_on_the_length_of_history() {
    let [short, long] = [20, 60].map(|windows| async move {
        let world = with_history(windows, |_| {}).await;
        finds_all_served(&world, "").await.figure("/requests/sent")
    });
    let (short, long) = (short.await, long.await);
    assert_eq!(short, long);
    // Of each policy five rows a window, of five to eleven windows; one page of volumes.
    assert!(long <= 18 + 1 + 8, "{long} requests");
}

#[tokio::test]
async fn where_one_page_holds_all_snapshots_it_is_the_only_one() {
    let world = with_history(20, |config| config.osapi_max_limit = 1000).await;
    finds_all_served(&world, "").await;
    assert_eq!(world.count(Route::ListSnapshots), 1);
}

#[tokio::test]
async fn a_first_page_that_goes_back_far_enough_is_the_only_one() {
    let world = World::of(|config| config.osapi_max_limit = PAGE).await;
    for days in 0..5 {
        let volume = world.volume(&[&daily()]);
        let since = daily().start + TimeDelta::minutes(1 + days);
        let serving = daily().snapshot_of(&volume).created_at(since);
        world.cloud.add_snapshot(serving);
        for old in 0..5 {
            let at = daily().start - TimeDelta::days(900 + 9 * days + old);
            let old = daily().expired(&volume, 1).created_at(at);
            world.cloud.add_snapshot(old);
        }
    }
    finds_all_served(&world, "").await;
    assert_eq!(world.count(Route::ListSnapshots), 1);
}

#[tokio::test]
async fn an_order_that_does_not_hold_is_not_relied_on() {
    let sorts = [
        Sorting::Reversed,
        Sorting::ById,
        Sorting::Shuffled(1),
        Sorting::Shuffled(2),
    ];
    let rows = sorts.map(|sort| [1, 3, PAGE].map(|page| (sort, page)));
    side_by_side(rows.into_iter().flatten(), async |(sort, page)| {
        let world = with_history(8, |config| {
            config.quirks.snapshot_sort = sort;
            config.osapi_max_limit = page;
        })
        .await;
        finds_all_served(&world, &format!("{sort:?}, pages of {page}")).await;
    })
    .await;
}

#[tokio::test]
async fn rows_of_one_second_prove_no_order() {
    // The wrong way round, and all that is old is of one second: no row is newer than the one
    // before it until the last page.
    let world = World::of(|config| {
        config.osapi_max_limit = 2;
        config.quirks.snapshot_sort = Sorting::Reversed;
    })
    .await;
    let past = world.cloud.now() - TimeDelta::days(500);
    for _ in 0..5 {
        let volume = world.volume(&[&daily()]);
        world.taken(&volume, &daily());
        for _ in 0..3 {
            let old = daily().expired(&volume, 1).created_at(past);
            world.cloud.add_snapshot(old);
        }
    }
    finds_all_served(&world, "").await;
}

#[tokio::test]
async fn a_row_without_a_time_of_creation_is_no_end() {
    side_by_side([Undated::Largest, Undated::InPlace], async |place| {
        let world = with_history(8, |config| config.quirks.undated = place).await;
        let mut hidden = 0;
        for snapshot in world.cloud.snapshots() {
            let start = &snapshot.metadata["x-snapsentry-snapshot-window-start"];
            if *start == snapshot_start(&weekly()) {
                hidden += usize::from(world.cloud.hide_created_at(&snapshot.id));
            }
        }
        assert_eq!(hidden, 5);
        finds_all_served(&world, &format!("{place:?}")).await;
    })
    .await;
}

fn snapshot_start(policy: &crate::world::Policy) -> String {
    policy.start.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[tokio::test]
async fn a_filter_is_believed_only_as_far_as_it_is_proven() {
    let filters = [
        Filtering::AnyPair,
        Filtering::FirstPair,
        Filtering::Ignored,
        Filtering::Empty,
        Filtering::Refused(400),
        Filtering::Refused(422),
    ];
    side_by_side(filters, async |filter| {
        let world = with_history(3, |config| config.quirks.snapshot_filter = filter).await;
        let run = finds_all_served(&world, &format!("{filter:?}")).await;
        let rows = world.cloud.snapshots().len();
        let pages = (rows / PAGE + 1 + 1) as u64;
        let sent = run.figure("/requests/sent");
        assert!(sent <= pages + 8, "{filter:?}: {sent} requests");
    })
    .await;
}

#[tokio::test]
async fn a_cloud_that_knows_no_filter_of_snapshots_is_listed_once_for_all_policies() {
    let world = with_history(20, |config| {
        config.microversions = Microversions::UpTo(21);
    })
    .await;
    finds_all_served(&world, "").await;
    let queries: Vec<String> = world
        .requests(Route::ListSnapshots)
        .iter()
        .map(|one| one.path.clone())
        .collect();
    let of_one_policy = queries.iter().filter(|one| one.contains("policy-type"));
    assert_eq!(of_one_policy.count(), 0, "{queries:#?}");
}

#[tokio::test]
async fn an_empty_answer_for_one_policy_is_believed_where_another_shows_rows() {
    let world = World::of(|config| config.osapi_max_limit = 3).await;
    for minute in 0..7 {
        let volume = world.volume(&[&daily()]);
        let made = daily().start + TimeDelta::minutes(1 + minute);
        let snapshot = daily().snapshot_of(&volume).created_at(made);
        world.cloud.add_snapshot(snapshot);
    }
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
    assert_eq!(run.figure("/snapshots/managed"), 7, "each counted once");
    let unfiltered = world.requests(Route::ListSnapshots);
    assert!(unfiltered.iter().all(|one| one.path.contains("metadata=")));
}

#[tokio::test]
async fn the_difference_of_the_clocks_is_allowed_for() {
    let behind = TimeDelta::days(10);
    let world = World::of(|config| {
        config.osapi_max_limit = 3;
        config.now -= behind;
    })
    .await;
    for minute in 0..7 {
        let volume = world.volume(&[&daily()]);
        let made = world.cloud.now() - TimeDelta::minutes(minute);
        let snapshot = daily().snapshot_of(&volume).created_at(made);
        world.cloud.add_snapshot(snapshot);
    }
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
}

#[tokio::test]
async fn where_one_policys_snapshots_cannot_be_listed_nothing_is_created() {
    let world = with_history(8, |_| {}).await;
    world.volume(&[&daily()]);
    let broken = Fault::on(Route::ListSnapshots, Kind::status(503)).containing("weekly");
    world.cloud.inject(broken.forever());
    world.snapshot().await.fails("DiscoveryFailed");
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_page_that_does_not_come_is_asked_for_in_smaller_ones() {
    let gives_up = Fate::Status(504, Duration::ZERO);
    let ways = [
        (250, gives_up, "3"),
        (50, gives_up, "3"),
        (50, Fate::Never, "3"),
        // However few retries there are.
        (50, gives_up, "0"),
    ];
    side_by_side(ways, async |(above, fate, retries)| {
        let rows = above as u64 + 10;
        for phase in ["snapshot", "expire"] {
            let world = World::of(|config| {
                config.quirks.large_pages = Some(LargePages { above, fate });
            })
            .await
            .set("SNAPSENTRY_OPERATION_TIMEOUT", "1s")
            .set("SNAPSENTRY_MAX_RETRIES", retries);
            for _ in 0..rows {
                let volume = world.volume(&[&daily()]);
                world.taken(&volume, &daily());
            }
            let run = world.run(serde_json::json!({"phase": phase})).await;
            let why = format!("{phase}, {fate:?}, above {above}, {retries} retries");
            assert_eq!(run.did(), "", "{why}");
            assert_eq!(run.figure("/volumes/managed"), rows, "{why}");
            assert_eq!(run.figure("/snapshots/managed"), rows, "{why}");
            let limit = format!("limit={above}");
            for route in [Route::ListVolumes, Route::ListSnapshots] {
                let asked = world.requests(route);
                assert!(asked.iter().any(|one| one.path.contains(&limit)), "{why}");
            }
        }
    })
    .await;
}
