//! How far back a snapshot pass lists, and what it does not rely on.

use std::time::Duration;

use chrono::TimeDelta;
use simcloud::quirks::{Fate, Filtering, LargePages, Sorting, Undated};
use simcloud::{Config, Fault, Kind, Microversions, Route};

use crate::world::{Run, World, daily, express, monthly, side_by_side, tagged, weekly};

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
    // Of each of four policies five rows of the active window, and as many of the one before; one
    // page of volumes.
    assert!(long <= 4 + 1 + 8, "{long} requests");
}

#[tokio::test]
async fn what_can_be_restored_from_settles_what_came_before_it() {
    let world = with_history(60, |_| {}).await;
    finds_all_served(&world, "").await;
    // The common page, and of each policy one that shows its five rows and what is older. Nobody asks
    // for those of years before it is known that some volume wants them.
    let pages = world.count(Route::ListSnapshots);
    assert!(pages <= 1 + 4, "{pages} pages");
    let listed = world.requests(Route::ListSnapshots);
    assert!(!listed.iter().any(|one| one.path.contains("yearly")));
}

#[tokio::test]
async fn where_nothing_can_be_restored_from_the_window_before_is_looked_at_too() {
    let previous = daily().start - TimeDelta::days(1);
    side_by_side([true, false], async |is_there| {
        let world = with_history(8, |_| {}).await;
        let blocked = world
            .cloud
            .add_volume(tagged(&[&daily()]).status("maintenance"));
        if is_there {
            let start = previous.to_rfc3339();
            let earlier = daily().snapshot_of(&blocked);
            let earlier = earlier.created_at(previous + TimeDelta::minutes(1));
            let earlier = earlier.meta("x-snapsentry-snapshot-window-start", start);
            world.cloud.add_snapshot(earlier);
        }
        let run = world.snapshot().await;
        assert_eq!((run.did().as_str(), run.due()), ("blocked 1", 1));
        let since = if is_there { daily().start } else { previous };
        let age = run.metrics()["OldestBlockedAgeSeconds"].as_i64();
        let expected = (world.cloud.now() - since).num_seconds();
        let age = age.unwrap_or_default();
        assert!(
            (expected - 60..=expected).contains(&age),
            "{age}, {expected}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_policys_last_page_is_no_larger_than_what_is_missing() {
    // A whole page of each policy's snapshots, then older ones without end.
    let world = World::of(|config| config.osapi_max_limit = 60).await;
    let policies = [daily(), weekly()];
    for second in 0..60 {
        let volume = world.volume(&policies.each_ref());
        for policy in &policies {
            let made = policy.start + TimeDelta::seconds(60 + second);
            let serving = policy.snapshot_of(&volume).created_at(made);
            world.cloud.add_snapshot(serving);
            for days in [60, 90] {
                let old = policy.expired(&volume, 1);
                let old = old.created_at(made - TimeDelta::days(days));
                world.cloud.add_snapshot(old);
            }
        }
    }
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
    let listed = world.requests(Route::ListSnapshots);
    for policy in ["daily", "weekly"] {
        let pages = listed.iter().filter(|one| one.path.contains(policy));
        let last = pages.last().map(|one| one.path.as_str());
        let last = last.unwrap_or_default();
        assert!(last.contains("limit=50"), "{policy}: {last}");
    }
}

#[tokio::test]
async fn more_rows_than_expected_cost_one_page_more_and_not_many() {
    // Others' snapshots of the active window, which nobody expects.
    let world = World::of(|config| config.osapi_max_limit = 200).await;
    let volume = world.volume(&[&daily(), &weekly()]);
    world.taken(&volume, &daily());
    world.taken(&volume, &weekly());
    for second in 0..900 {
        let at = daily().start + TimeDelta::minutes(2) + TimeDelta::seconds(second);
        let gone = daily().snapshot_of(&volume).created_at(at).status("error");
        world.cloud.add_snapshot(gone);
    }
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
    let pages = world.count(Route::ListSnapshots);
    // The common one, four of daily ones, one of what is not there, and one too many of each.
    assert!(pages <= 1 + 4 + 4 + 2, "{pages} pages");
}

#[tokio::test]
async fn a_cloud_that_does_not_go_on_behind_another_policys_row_is_asked_from_the_first() {
    let world = with_history(8, |config| config.quirks.filtered_markers = true).await;
    finds_all_served(&world, "").await;
    assert!(world.count(Route::ListSnapshots) <= 1 + 2 * 5);
}

#[tokio::test]
async fn a_policy_of_which_there_is_nothing_does_not_make_the_pass_list_everything() {
    // The common page goes back far enough for the only policy that has snapshots; that the
    // other has none is believed, since the filter shows the first one's.
    let world = World::of(|config| config.osapi_max_limit = PAGE).await;
    for nth in 0..5 {
        let volume = world.volume(&[&daily()]);
        world.taken(&volume, &daily());
        for days in 0..30 {
            let at = daily().start - TimeDelta::days(40 + days) - TimeDelta::minutes(nth);
            let old = daily().expired(&volume, 1).created_at(at);
            world.cloud.add_snapshot(old);
        }
    }
    world
        .cloud
        .add_volume(tagged(&[&monthly()]).status("maintenance"));
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("blocked 1", 1));
    let pages = world.count(Route::ListSnapshots);
    assert!(pages <= 1 + 4 + 1, "{pages} pages");
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
