//! The least an application credential has to be allowed.

use std::time::Duration;

use serde_json::json;
use simcloud::{AccessRule, Role};

use crate::tenancy::{Login, NewVolume, Tenancy};

/// Method and path of each rule for the service `block-storage` that both passes and subscribe
/// need. One `*` stands for one segment: `volumes/*` is a volume, and `volumes/detail` too.
pub const LEAST: [(&str, &str); 6] = [
    ("GET", "/v3/*/volumes/*"),
    ("GET", "/v3/*/snapshots/*"),
    ("POST", "/v3/*/snapshots"),
    ("DELETE", "/v3/*/snapshots/*"),
    ("POST", "/v3/*/volumes/*/metadata"),
    ("DELETE", "/v3/*/volumes/*/metadata/*"),
];

/// What deletion by force needs on top, which only administrators are allowed anyway.
pub const FORCE: (&str, &str) = ("POST", "/v3/*/snapshots/*/action");

fn rules(of: &[(&str, &str)]) -> Vec<AccessRule> {
    of.iter()
        .map(|(method, path)| AccessRule::block_storage(method, path))
        .collect()
}

/// Subscribes (with another writer in between), takes what is due, and removes what expired;
/// whether all of that went well.
async fn all_phases_work(t: &Tenancy) -> bool {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let expired = t.add_expired_snapshot(&volume, "weekly").await;
    let login = t.env(Login::Credential);
    let mut function = t.function_with(&login, &[]).await;

    t.meanwhile_tag_volume(&volume, "x-snapsentry-daily-enabled", "false");
    let event = json!({ "phase": "subscribe", "volume_id": volume, "policy": "daily" });
    let subscribed = function.invoke(event).await;
    // Whatever came of that, there has to be something to take.
    t.api
        .tag_volume(&volume, "x-snapsentry-managed", "true")
        .await;
    t.api
        .tag_volume(&volume, "x-snapsentry-daily-enabled", "true")
        .await;
    let taken = function.invoke(json!({ "phase": "snapshot" })).await;
    let deleted = function.invoke(json!({ "phase": "expire" })).await;
    t.api
        .tag_volume(&volume, "x-snapsentry-managed", "false")
        .await;

    let is_gone = t
        .api
        .snapshot(&expired)
        .await
        .is_none_or(|one| one.status == "deleting");
    let is_taken = !t
        .api
        .snapshots_of(&volume)
        .await
        .iter()
        .all(|one| one.id == expired);
    let complete = [&subscribed, &taken, &deleted].iter().all(|invocation| {
        invocation
            .result
            .as_ref()
            .is_ok_and(|answer| answer["outcome"] == "complete")
    });
    complete && is_gone && is_taken
}

/// With all six everything works; with any five of them something does not.
pub async fn the_least_access_rules_suffice_and_none_can_be_spared(t: &mut Tenancy) {
    t.set_access_rules(Some(&rules(&LEAST))).await;
    assert!(all_phases_work(t).await, "with the whole list");
    for spared in LEAST {
        let mut fewer = LEAST.to_vec();
        fewer.retain(|rule| *rule != spared);
        let fewer = rules(&fewer);
        t.set_access_rules(Some(&fewer)).await;
        assert!(!all_phases_work(t).await, "without {spared:?}");
    }
}

/// What is stuck goes with that rule and stays without it.
pub async fn an_administrator_needs_one_rule_more_to_force(t: &mut Tenancy) {
    t.set_role(Role::Admin).await;
    let volume = t.add_volume(NewVolume::named("data")).await;
    for (with_force, status) in [(false, "error_deleting"), (true, "gone")] {
        let mut allowed = LEAST.to_vec();
        if with_force {
            allowed.push(FORCE);
        }
        t.set_access_rules(Some(&rules(&allowed))).await;
        let stuck = t.add_expired_snapshot(&volume, "daily").await;
        t.set_snapshot_status(&stuck, "error_deleting").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let login = t.env(Login::Credential);
        t.function_with(&login, &[("SNAPSENTRY_STUCK_AFTER", "1s")])
            .await
            .expire()
            .await;
        t.api.wait_for_snapshot(&stuck, status).await;
    }
}
