//! Deleting, by force too, and what the storage makes of it.

use serde_json::json;
use simcloud::{Behaviour, Config, Happening, Role, Rule, SnapshotSpec, Snapshots};

use crate::client::Client;

const REFUSAL: &str =
    "Invalid snapshot: Snapshot status must be available or error and must not be part of a group.";

#[tokio::test(start_paused = true)]
async fn a_deletion_is_202_without_a_body_then_400_then_404() {
    let deletion_time = std::time::Duration::from_secs(2);
    let client = Client::new(Config {
        deletion_time,
        ..Config::default()
    })
    .await;
    let volume = client.volume();
    let path = format!(
        "/volume/v3/snapshots/{}",
        client.snapshot(&volume, "s").await
    );
    let first = client.delete(&path).await;
    assert_eq!((first.status, first.text.as_str()), (202, ""));
    assert!(first.header("content-type").starts_with("text/html"));
    assert!(first.header("x-openstack-request-id").starts_with("req-"));
    assert_eq!(first.header("x-compute-request-id"), "");
    let second = client.delete(&path).await;
    assert_eq!((second.status, second.message().as_str()), (400, REFUSAL));
    client.cloud.advance(deletion_time);
    assert_eq!(client.delete(&path).await.status, 404);
}

#[tokio::test]
async fn only_available_and_error_can_be_deleted() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    for (status, expected) in [
        ("available", 202),
        ("error", 202),
        ("creating", 400),
        ("deleting", 400),
        ("error_deleting", 400),
        ("backing-up", 400),
    ] {
        let id = client
            .cloud
            .add_snapshot(SnapshotSpec::of(&volume).status(status));
        let answer = client.delete(&format!("/volume/v3/snapshots/{id}")).await;
        assert_eq!(answer.status, expected, "{status}");
    }
    for id in ["zzz", "00000000-0000-4000-8000-000000000000"] {
        let answer = client.delete(&format!("/volume/v3/snapshots/{id}")).await;
        let text = format!("Snapshot {id} could not be found.");
        assert_eq!((answer.status, answer.message()), (404, text));
    }
}

#[tokio::test(start_paused = true)]
async fn the_storage_can_fail_be_busy_or_hang_after_202() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    for (name, behaviour, after) in [
        ("fails", Behaviour::DeleteFails, Some("error_deleting")),
        ("busy", Behaviour::DeleteBusy, Some("available")),
        ("hangs", Behaviour::DeleteHangs, Some("deleting")),
        (
            "fine",
            Behaviour::DeleteSlowly(std::time::Duration::from_secs(1)),
            None,
        ),
    ] {
        client
            .cloud
            .backend(Rule::new(Snapshots::Named(format!("{name}*")), behaviour));
        let id = client.snapshot(&volume, &format!("{name}-1")).await;
        let path = format!("/volume/v3/snapshots/{id}");
        assert_eq!(client.delete(&path).await.status, 202);
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let status = client.cloud.snapshot(&id).map(|snapshot| snapshot.status);
        assert_eq!(status.as_deref(), after, "{name}");
    }
    let journal = client.cloud.journal();
    assert_eq!(journal.changed(Happening::DeletionFailed).count(), 1);
    assert_eq!(journal.changed(Happening::Busy).count(), 1);
    assert_eq!(journal.changed(Happening::Deleted).count(), 1);
    assert_eq!(journal.changed(Happening::Deleting).count(), 4);
}

#[tokio::test]
async fn force_is_for_admins_and_works_from_every_state() {
    for (role, expected) in [(Role::Member, 403), (Role::Admin, 202)] {
        let client = Client::new(Config {
            role,
            ..Config::default()
        })
        .await;
        let volume = client.volume();
        for status in ["available", "deleting", "error_deleting", "creating"] {
            let id = client
                .cloud
                .add_snapshot(SnapshotSpec::of(&volume).status(status));
            let path = format!("/volume/v3/snapshots/{id}/action");
            let answer = client.post(&path, json!({ "os-force_delete": {} })).await;
            assert_eq!(answer.status, expected, "{role:?} {status}");
            assert_eq!(client.cloud.snapshot(&id).is_none(), role == Role::Admin);
            if role == Role::Member {
                let text = "Policy doesn't allow volume_extension:snapshot_admin_actions:\
                            force_delete to be performed.";
                assert_eq!(answer.json()["forbidden"]["message"], text);
            }
        }
    }
}

#[tokio::test]
async fn force_still_asks_the_storage() {
    let client = Client::new(Config {
        role: Role::Admin,
        ..Config::default()
    })
    .await;
    let volume = client.volume();
    let id = client
        .cloud
        .add_snapshot(SnapshotSpec::of(&volume).status("error_deleting"));
    client
        .cloud
        .backend(Rule::new(Snapshots::Id(id.clone()), Behaviour::DeleteFails).times(1));
    let path = format!("/volume/v3/snapshots/{id}/action");
    client.post(&path, json!({ "os-force_delete": {} })).await;
    let status = client.cloud.snapshot(&id).map(|snapshot| snapshot.status);
    assert_eq!(status.as_deref(), Some("error_deleting"));
    client.post(&path, json!({ "os-force_delete": {} })).await;
    assert_eq!(client.cloud.snapshot(&id), None);
}
