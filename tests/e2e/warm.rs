//! What a warm sandbox keeps from one invocation to the next, and what it does not.

use std::fs;
use std::time::Duration;

use serde_json::json;
use simcloud::lambda::Deadline;
use simcloud::{Fault, Kind, Route};

use crate::world::{MINUTE, World, daily, eventually};

#[tokio::test]
async fn one_login_serves_many_invocations() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    for phase in ["snapshot", "expire", "snapshot"] {
        function.run(json!({"phase": phase})).await;
    }
    assert_eq!(world.count(Route::Login), 1);
    assert!(function.function.exited().is_none());
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let world = World::of(|config| config.token_lifetime = Duration::from_secs(3)).await;
    let mut function = world.function().await;
    function.snapshot().await.is_quiet();
    // It is too near its end to be used again, and has not ended yet.
    tokio::time::sleep(Duration::from_millis(2600)).await;
    let run = function.snapshot().await;
    run.is_quiet();
    assert_eq!(world.count(Route::Login), 2);
    assert_eq!(run.figure("/requests/retried"), 0);
    let journal = world.cloud.journal();
    assert!(journal.entries.iter().all(|one| one.status() != Some(401)));
}

#[tokio::test]
async fn a_token_that_was_revoked_between_two_passes_is_replaced() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    assert_eq!(function.snapshot().await.did(), "created 1");
    for end in [false, true] {
        if end {
            world.cloud.expire_tokens();
        } else {
            world.cloud.revoke_tokens();
        }
        function.snapshot().await.is_quiet();
    }
    assert_eq!(world.count(Route::Login), 3);
}

#[tokio::test]
async fn a_failed_invocation_does_not_spoil_the_next() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    let event = json!({"phase": "snapshot"});
    for (route, kind, error_type) in [
        (Route::Login, Kind::status(401), "AuthenticationFailed"),
        (Route::Login, Kind::HangBefore, "DeadlineExceeded"),
        (Route::ListVolumes, Kind::status(403), "DiscoveryFailed"),
        (Route::ListSnapshots, Kind::HangBefore, "DeadlineExceeded"),
    ] {
        world.cloud.inject(Fault::on(route, kind).forever());
        let short = Duration::from_millis(1500);
        let run = function.run_within(short, event.clone()).await;
        run.fails(error_type);
        world.cloud.clear_faults();
    }
    function
        .run(json!({"phase": "nothing"}))
        .await
        .fails("InvalidEvent");
    assert_eq!(function.snapshot().await.did(), "created 1");
}

#[tokio::test]
async fn pooled_connections_do_not_outlive_an_invocation() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    let pid = function.function.pid().expect("a process");
    let port: u16 = world
        .url()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    assert_eq!(function.snapshot().await.did(), "created 1");
    eventually(|| connections(pid, port) == 0).await;
    function.snapshot().await.is_quiet();
}

/// How many sockets of the process are connected to this local port, as the kernel tells.
fn connections(pid: u32, port: u16) -> usize {
    let sockets: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("the process lives")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let remote = format!(":{port:04X}");
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("the table");
    let rows = table.lines().skip(1).map(|row| row.split_whitespace());
    rows.filter(|row| {
        let fields: Vec<&str> = row.clone().collect();
        fields[2].ends_with(&remote) && sockets.iter().any(|inode| inode == fields[9])
    })
    .count()
}

#[tokio::test]
async fn bad_configuration_is_told_by_each_invocation() {
    let world = World::new().await.set("SNAPSENTRY_MAX_CREATING", "0");
    let mut function = world.function().await;
    for _ in 0..2 {
        let run = function.snapshot().await;
        run.fails_with("InvalidConfiguration", &["SNAPSENTRY_MAX_CREATING"]);
    }
    assert!(function.function.exited().is_none(), "no crash loop");
}

#[tokio::test]
async fn a_catalogue_that_has_moved_is_noticed() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    assert_eq!(function.snapshot().await.did(), "created 1");
    for (moved, logins) in [(true, 2), (false, 3)] {
        world
            .cloud
            .configure(|config| config.endpoints.block_storage_has_moved = moved);
        let run = function.snapshot().await;
        run.is_quiet();
        assert_eq!(run.figure("/volumes/managed"), 1);
        assert_eq!(world.count(Route::Login), logins, "one for both listings");
    }
}

#[tokio::test]
async fn an_address_at_which_nobody_listens_any_more_is_asked_for_anew() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let other = world.cloud.serve().await.expect("a free port");
    let moved = Some(other.url());
    world
        .cloud
        .configure(|config| config.endpoints.block_storage = moved);
    let mut function = world.function().await;
    assert_eq!(function.snapshot().await.did(), "created 1");
    drop(other);
    world
        .cloud
        .configure(|config| config.endpoints.block_storage = None);
    // What is refused a connection is sent and never seen, so this is no run like others.
    let event = json!({"phase": "snapshot"});
    let deadline = Deadline::After(MINUTE);
    let run = function.function.invoke(event, deadline).await;
    assert_eq!(run.answer()["outcome"], "complete", "{:#}", run.answer());
    assert_eq!(run.answer()["volumes"]["managed"], 1);
    assert_eq!(world.count(Route::Login), 2);
}

#[tokio::test]
async fn a_redirect_of_the_first_listing_means_one_fresh_login() {
    let world = World::new().await;
    let mut function = world.function().await;
    function.snapshot().await.is_quiet();
    let redirect = Kind::Redirect {
        code: 308,
        location: format!("{}/moved", world.url()),
    };
    let once = Fault::on(Route::ListVolumes, redirect.clone());
    world.cloud.inject(once);
    function.snapshot().await.is_quiet();
    assert_eq!(world.count(Route::Login), 2);
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, redirect).forever());
    function.snapshot().await.fails("DiscoveryFailed");
    assert_eq!(world.count(Route::Login), 3, "one, and no more");
}

#[tokio::test]
async fn a_marker_that_has_vanished_is_no_catalogue_that_has_moved() {
    let world = World::of(|config| config.osapi_max_limit = 2).await;
    for _ in 0..5 {
        world.volume(&[&daily()]);
    }
    let mut function = world.function().await;
    assert_eq!(function.snapshot().await.did(), "created 5");
    let vanished = Fault::on(Route::ListVolumes, Kind::status(404)).containing("marker");
    world.cloud.inject(vanished);
    function.snapshot().await.is_quiet();
    assert_eq!(world.count(Route::Login), 1);
}
