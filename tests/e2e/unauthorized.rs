//! What a 401 means: an old token, or a call that the credential is not for.

use serde_json::json;
use simcloud::{AccessRule, Fault, Kind, Route, VolumeSpec};

use crate::expire_pass::with_expired;
use crate::world::{World, daily};

#[tokio::test]
async fn all_requests_refused_with_one_token_share_one_login() {
    let world = with_expired(8).await;
    // The token ends between the listings and the deletions.
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::ExpireToken));
    let run = world.expire().await;
    assert_eq!(run.did(), "deleted 8");
    assert_eq!(world.count(Route::Login), 2);
}

#[tokio::test]
async fn a_401_with_a_token_fetched_because_of_a_401_is_final() {
    let world = with_expired(3).await.set("SNAPSENTRY_MAX_CONCURRENCY", "1");
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::Unauthorized).forever());
    let run = world.expire().await;
    assert_eq!(run.did(), "failed 3");
    assert_eq!(world.count(Route::Login), 2);
    assert_eq!(world.count(Route::DeleteSnapshot), 2 + 1 + 1);
}

#[tokio::test]
async fn a_login_that_fails_after_a_401_is_shared_too() {
    let world = with_expired(5).await;
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::ExpireToken));
    world
        .cloud
        .inject(Fault::on(Route::Login, Kind::status(401)).skip(1).forever());
    let run = world.expire().await;
    assert_eq!(run.did(), "failed 5");
    assert_eq!(world.count(Route::Login), 2, "one for all of them");
}

#[tokio::test]
async fn a_401_on_a_fresh_token_names_both_possibilities() {
    let world = World::of(|config| {
        let rule = AccessRule::block_storage("GET", "/v3/**");
        config.application_credential.access_rules = Some(vec![rule]);
    });
    let world = world.await.set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    for phase in ["snapshot", "expire"] {
        let run = world.run(json!({"phase": phase})).await;
        assert_eq!(run.did(), "failed 1", "{phase}");
        let failure = run.only_failure();
        let error = failure["error"].as_str().unwrap_or_default().to_lowercase();
        assert!(error.contains("401"), "{error}");
        assert!(
            error.contains("access rule") && error.contains("token"),
            "{error}"
        );
        assert!(failure["request_id"].is_string(), "{failure}");
    }
    let untagged = world.cloud.add_volume(VolumeSpec::default());
    let event = json!({"phase": "subscribe", "volume_id": untagged, "policy": "daily"});
    let run = world.run(event).await;
    run.fails_with("SubscriptionFailed", &["401", "access rule"]);
}

#[tokio::test]
async fn access_rules_that_allow_what_is_needed_are_enough() {
    let world = World::of(|config| {
        let rules = [
            ("GET", "/v3/*/volumes/detail"),
            ("GET", "/v3/*/snapshots/detail"),
            ("POST", "/v3/*/snapshots"),
            ("DELETE", "/v3/*/snapshots/*"),
        ];
        let rules = rules.map(|(method, path)| AccessRule::block_storage(method, path));
        config.application_credential.access_rules = Some(rules.into());
    });
    let world = world.await.set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    assert_eq!(world.snapshot().await.did(), "created 1");
    assert_eq!(world.expire().await.did(), "deleted 1");
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_the_listings_is_replaced_once() {
    let world = World::of(|config| config.osapi_max_limit = 2).await;
    for _ in 0..7 {
        let volume = world.volume(&[&daily()]);
        world.taken(&volume, &daily());
    }
    let ends = Fault::on(Route::ListSnapshots, Kind::ExpireToken);
    world.cloud.inject(ends.skip(2));
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!((run.due(), run.figure("/snapshots/managed")), (0, 7));
    assert_eq!(world.count(Route::Login), 2);
}
