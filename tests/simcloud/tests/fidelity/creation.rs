//! `POST snapshots` and everything it refuses.

use serde_json::{Value, json};
use simcloud::{Config, Microversions, Role, VolumeSpec};

use crate::client::Client;

#[tokio::test]
async fn the_answer_has_microseconds_and_later_looks_have_none() {
    let config = Config {
        now: "2026-11-22T09:47:29.909351Z".parse().expect("a time"),
        creation_time: std::time::Duration::from_secs(60),
        ..Config::default()
    };
    let client = Client::new(config).await;
    let volume = client.volume();
    let wanted = json!({ "volume_id": volume, "name": " resp ", "description": "d", "force": true,
                         "metadata": { "a": "b" } });
    let answer = client.create(wanted).await;
    assert_eq!(answer.status, 202);
    let created = &answer.json()["snapshot"];
    let keys: Vec<&str> = created
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "created_at",
            "description",
            "id",
            "metadata",
            "name",
            "size",
            "status",
            "updated_at",
            "volume_id"
        ]
    );
    assert!(
        created["created_at"]
            .as_str()
            .expect("text")
            .starts_with("2026-11-22T09:47:29.9")
    );
    assert_eq!(created["status"], "creating");
    assert_eq!(created["updated_at"], Value::Null);
    assert_eq!(created["name"], "resp");
    let id = created["id"].as_str().expect("an id");
    let seen = client
        .get(&format!("/volume/v3/snapshots/{id}"))
        .await
        .json();
    assert_eq!(seen["snapshot"]["created_at"], "2026-11-22T09:47:29.000000");
    assert_eq!(
        seen["snapshot"]["os-extended-snapshot-attributes:progress"],
        "0%"
    );
}

#[tokio::test]
async fn volumes_in_other_states_are_refused_with_the_reason() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let must_be = |allowed: &str, state: &str| {
        format!(
            "Invalid volume: Volume {volume} status must be {allowed}, but current status is: \
             {state}."
        )
    };
    for (status, force, expected) in [
        ("in-use", false, Some(must_be("available", "in-use"))),
        ("in-use", true, None),
        ("attaching", true, Some(must_be("available, in-use", "attaching"))),
        ("error", true, Some("Invalid volume: The snapshot cannot be created when the volume is in error status.".into())),
        ("maintenance", true, Some("Invalid volume: The snapshot cannot be created when the volume is in maintenance mode.".into())),
    ] {
        client.cloud.set_volume_status(&volume, status);
        let answer = client.create(json!({ "volume_id": volume, "force": force })).await;
        match expected {
            None => assert_eq!(answer.status, 202),
            Some(text) => assert_eq!((answer.status, answer.message()), (400, text)),
        }
    }
}

#[tokio::test]
async fn force_false_is_refused_from_3_66_and_null_always() {
    let client = Client::new(Config::default()).await;
    let volume = client.cloud.add_volume(VolumeSpec::default().on("vm-1"));
    let null = json!({ "volume_id": volume, "force": null });
    assert_eq!(client.create(null).await.status, 400);
    let client = client.version("volume 3.66");
    assert_eq!(
        client.create(json!({ "volume_id": volume })).await.status,
        202
    );
    let answer = client
        .create(json!({ "volume_id": volume, "force": false }))
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .message()
            .starts_with("Since microversion 3.66 the 'force' flag is invalid")
    );
    assert_eq!(
        client
            .create(json!({ "volume_id": volume, "force": "yes" }))
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn quotas_are_413_and_ask_for_no_waiting() {
    let client = Client::new(Config {
        snapshot_quota: 1,
        ..Config::default()
    })
    .await;
    let volume = client.volume();
    client.snapshot(&volume, "first").await;
    let answer = client.create(json!({ "volume_id": volume })).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("retry-after"), "0");
    assert_eq!(answer.json()["overLimit"]["retryAfter"], "0");
    let text = "SnapshotLimitExceeded: Maximum number of snapshots allowed (1) exceeded";
    assert_eq!(answer.message(), text);
    client.cloud.configure(|config| config.gigabytes_quota = 2);
    let answer = client.create(json!({ "volume_id": volume })).await;
    assert!(
        answer
            .message()
            .starts_with("VolumeSizeExceedsAvailableQuota: "),
        "{}",
        answer.text
    );
    let limits = client.get("/volume/v3/limits").await.json();
    assert_eq!(limits["limits"]["absolute"]["totalSnapshotsUsed"], 1);
    assert_eq!(limits["limits"]["absolute"]["maxTotalSnapshots"], 1);
    assert_eq!(limits["limits"]["absolute"]["totalGigabytesUsed"], 2);
}

#[tokio::test]
async fn lengths_and_characters_are_limited() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let long = "n".repeat(256);
    for (field, value, status) in [
        ("name", json!(long), 400),
        ("name", json!("n".repeat(255)), 202),
        ("name", json!(""), 202),
        ("name", json!("\u{1f600}"), 500),
        ("description", json!("\u{1f600}"), 400),
        ("metadata", json!({ "k": long }), 400),
        ("metadata", json!({ "k": "ü".repeat(255) }), 202),
        ("metadata", json!({ "k": 1 }), 400),
        ("metadata", json!({ "k": null }), 400),
        ("metadata", json!({ "": "v" }), 400),
        ("metadata", json!({ "k%": "v" }), 400),
        ("metadata", json!({ "a:b/c": "v" }), 202),
        ("metadata", json!({ "k": "\u{1f600}" }), 500),
        ("volume_id", json!("zzz"), 400),
        ("bogus", json!(1), 400),
    ] {
        let before = client.cloud.snapshots().len();
        let mut wanted = json!({ "volume_id": volume });
        wanted[field] = value.clone();
        let answer = client.create(wanted).await;
        assert_eq!(answer.status, status, "{field} {value}: {}", answer.text);
        let made = client.cloud.snapshots().len() - before;
        assert_eq!(made, usize::from(status == 202), "{field} {value}");
    }
    let unexpected = client
        .create(json!({ "volume_id": volume, "bogus": 1 }))
        .await;
    let text = "Additional properties are not allowed ('bogus' was unexpected)";
    assert!(unexpected.message().contains(text));
    let missing = "00000000-0000-4000-8000-000000000000";
    let unknown = client.create(json!({ "volume_id": missing })).await;
    assert_eq!(
        (unknown.status, unknown.message()),
        (404, format!("Volume {missing} could not be found."))
    );
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused() {
    let client = Client::new(Config::default()).await;
    let path = "/volume/v3/snapshots";
    let broken = client.send("POST", path, "{").await;
    assert_eq!(
        (broken.status, broken.message().as_str()),
        (400, "Malformed request body")
    );
    let large = client.send("POST", path, &" ".repeat(200_000)).await;
    assert_eq!(large.status, 413);
    assert!(large.header("content-type").starts_with("text/html"));
    assert_eq!(large.header("retry-after"), "");
    let mut request = client.request("POST", path, "{}");
    request
        .headers_mut()
        .insert("content-type", "text/plain".parse().expect("a value"));
    let answer = client.cloud.handle(request).await.expect("an answer");
    assert_eq!(answer.status(), 415);
}

#[tokio::test]
async fn a_reader_may_look_and_not_write() {
    let client = Client::new(Config {
        role: Role::Reader,
        ..Config::default()
    })
    .await;
    let volume = client.volume();
    assert_eq!(client.get("/volume/v3/snapshots/detail").await.status, 200);
    let answer = client.create(json!({ "volume_id": volume })).await;
    let text = "Policy doesn't allow volume:create_snapshot to be performed.";
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["forbidden"]["message"], text);
}

#[tokio::test]
async fn a_cloud_of_the_first_version_takes_snapshots_too() {
    let config = Config {
        microversions: Microversions::UpTo(0),
        ..Config::default()
    };
    let client = Client::new(config).await;
    let volume = client.volume();
    client.snapshot(&volume, "s").await;
    assert_eq!(client.cloud.snapshots()[0].status, "available");
}
