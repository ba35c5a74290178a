//! Answers that no pass provokes on purpose, and that it has to understand all the same.

use http::Method;
use serde_json::{Value, json};

use crate::tenancy::{NewVolume, Tenancy};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The same calls, with things that are not there, that are in the wrong state or that no
/// client should say.
pub async fn calls_that_go_wrong_are_refused_in_the_cloud_s_own_way(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let snapshot = t.add_expired_snapshot(&volume, "daily").await;
    let stuck = t.add_expired_snapshot(&volume, "daily").await;
    t.set_snapshot_status(&stuck, "error_deleting").await;
    let client = t.direct_client().await;
    let new = |volume: &str, name: &str| {
        json!({ "snapshot": { "volume_id": volume, "name": name, "force": true,
            "metadata": { "x-snapsentry-managed": "true" } } })
    };
    let force = json!({ "os-force_delete": {} });
    let metadata = |value: &str| json!({ "metadata": { "note": value } });
    let emoji = "\u{1f600}";
    let long = "x".repeat(256);
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let calls: Vec<(&Method, String, Value, u16)> = vec![
        (&get, "/snapshots/detail".into(), Value::Null, 200),
        (&get, "/snapshots/detail?limit=1".into(), Value::Null, 200),
        (&get, "/snapshots/detail?limit=-1".into(), Value::Null, 400),
        (
            &get,
            format!("/snapshots/detail?marker={NOBODY}"),
            Value::Null,
            404,
        ),
        (
            &get,
            "/snapshots/detail?metadata=nonsense".into(),
            Value::Null,
            200,
        ),
        (
            &get,
            format!("/snapshots/detail?volume_id={volume}"),
            Value::Null,
            200,
        ),
        (&get, "/volumes/detail?limit=1".into(), Value::Null, 200),
        (
            &get,
            format!("/volumes/detail?marker={NOBODY}"),
            Value::Null,
            404,
        ),
        (
            &get,
            "/volumes/detail?metadata=nonsense".into(),
            Value::Null,
            200,
        ),
        (&get, format!("/volumes/{NOBODY}"), Value::Null, 404),
        (&get, format!("/volumes/{volume}"), Value::Null, 200),
        (&get, format!("/snapshots/{NOBODY}"), Value::Null, 404),
        (&get, format!("/snapshots/{snapshot}"), Value::Null, 200),
        (&post, "/snapshots".into(), new(NOBODY, "n"), 404),
        (&post, "/snapshots".into(), new(&volume, &long), 400),
        (&post, "/snapshots".into(), new(&volume, emoji), 500),
        (&post, "/snapshots".into(), new(&volume, "good"), 202),
        (&delete, format!("/snapshots/{NOBODY}"), Value::Null, 404),
        (&delete, format!("/snapshots/{stuck}"), Value::Null, 400),
        (
            &post,
            format!("/snapshots/{stuck}/action"),
            force.clone(),
            403,
        ),
        (&post, format!("/snapshots/{NOBODY}/action"), force, 404),
        (
            &post,
            format!("/volumes/{volume}/metadata"),
            metadata("plain"),
            200,
        ),
        (
            &post,
            format!("/volumes/{volume}/metadata"),
            metadata(&long),
            400,
        ),
        (
            &post,
            format!("/volumes/{volume}/metadata"),
            metadata(emoji),
            500,
        ),
        (
            &post,
            format!("/volumes/{NOBODY}/metadata"),
            metadata("plain"),
            404,
        ),
        (
            &delete,
            format!("/volumes/{volume}/metadata/note"),
            Value::Null,
            200,
        ),
        (
            &delete,
            format!("/volumes/{volume}/metadata/note"),
            Value::Null,
            404,
        ),
        (&delete, format!("/snapshots/{snapshot}"), Value::Null, 202),
    ];
    for (method, path, body, expected) in calls {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = client.send(method.clone(), &path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    // With a description, and perhaps still being created.
    let mut described = new(&volume, "described");
    described["snapshot"]["description"] = json!("Created by hand");
    let made = client
        .call(Method::POST, "/snapshots", Some(described))
        .await;
    let id = made["snapshot"]["id"].as_str().expect("an id");
    client.wait_for_snapshot(id, "available").await;

    let path = "/volumes/detail";
    let too_new = client.clone().microversion("volume 3.999");
    assert_eq!(too_new.send(Method::GET, path, None).await.0, 406);
    let nonsense = client.microversion("volume nonsense");
    assert_eq!(nonsense.send(Method::GET, path, None).await.0, 400);
}

/// What a restore asks for, what a person types afterwards, and what is refused of it.
pub async fn volumes_are_made_from_snapshots_in_the_cloud_s_own_way(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let snapshot = t.add_expired_snapshot(&volume, "daily").await;
    let client = t.direct_client().await;
    let from =
        |snapshot: &str| json!({ "volume": { "snapshot_id": snapshot, "name": "restored" } });
    let with = |field: &str, value: Value| {
        let mut body = from(&snapshot);
        body["volume"][field] = value;
        body
    };
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);

    let tagged = with("metadata", json!({ "x-snapsentry-restore-id": "live" }));
    let made = client.call(Method::POST, "/volumes", Some(tagged)).await;
    let made = made["volume"]["id"].as_str().expect("an id").to_owned();
    client.wait_for_volume(&made, "available").await;

    let hold = format!("/snapshots/{snapshot}/metadata/x-snapsentry-hold");
    let held = json!({ "meta": { "x-snapsentry-hold": "true" } });
    let calls: Vec<(&Method, String, Value, u16)> = vec![
        (
            &get,
            "/volumes/detail?metadata=%7B%22x-snapsentry-restore-id%22%3A%22live%22%7D".into(),
            Value::Null,
            200,
        ),
        (&post, "/volumes".into(), from(NOBODY), 404),
        (&post, "/volumes".into(), from("zzz"), 400),
        (&post, "/volumes".into(), with("size", json!(0)), 400),
        (
            &post,
            "/volumes".into(),
            with("name", json!("\u{1f600}")),
            500,
        ),
        (
            &post,
            "/volumes".into(),
            json!({ "volume": { "name": "x" } }),
            400,
        ),
        (&Method::PUT, hold.clone(), held, 200),
        (&get, hold.clone(), Value::Null, 200),
        (&delete, hold.clone(), Value::Null, 200),
        (&delete, hold.clone(), Value::Null, 404),
        (&get, hold, Value::Null, 404),
        (&delete, format!("/volumes/{volume}"), Value::Null, 400),
        (&delete, format!("/volumes/{NOBODY}"), Value::Null, 404),
        (&delete, format!("/volumes/{made}"), Value::Null, 202),
    ];
    for (method, path, body, expected) in calls {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = client.send(method.clone(), &path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    t.set_volume_quota(1).await;
    let (status, answer) = client
        .send(Method::POST, "/volumes", Some(from(&snapshot)))
        .await;
    assert_eq!(status, 413, "{answer}");
    t.set_snapshot_status(&snapshot, "error").await;
    let (status, answer) = client
        .send(Method::POST, "/volumes", Some(from(&snapshot)))
        .await;
    assert_eq!(status, 400, "{answer}");
}
