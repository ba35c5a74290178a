//! Servers: named, stopped, and given other volumes.

use serde_json::json;
use simcloud::{Config, VolumeSpec};

use crate::client::Client;

const SERVER: &str = "/compute/v2.1/servers/vm";

#[tokio::test]
async fn a_server_is_stopped_gets_another_volume_and_is_started() {
    let client = Client::new(Config::default()).await;
    client.cloud.add_server("vm", "web-1");
    let old = client.cloud.add_volume(VolumeSpec::named("old").on("vm"));
    let new = client.volume();
    let attachments = format!("{SERVER}/os-volume_attachments");

    let found = client.get("/compute/v2.1/servers/detail?name=web-1").await;
    let found = &found.json()["servers"][0];
    assert_eq!(
        (&found["id"], &found["status"]),
        (&json!("vm"), &json!("ACTIVE"))
    );
    let attached = &found["os-extended-volumes:volumes_attached"];
    assert_eq!(attached[0]["id"], old.as_str());

    let action = format!("{SERVER}/action");
    assert_eq!(
        client
            .post(&action, json!({ "os-stop": null }))
            .await
            .status,
        202
    );
    assert_eq!(
        client
            .post(&action, json!({ "os-stop": null }))
            .await
            .status,
        409
    );
    let taken = client.delete(&format!("{attachments}/{old}")).await;
    assert_eq!(taken.status, 202);
    assert_eq!(client.cloud.volume(&old).expect("it").status, "available");
    let wanted = json!({ "volumeAttachment": { "volumeId": new, "device": "/dev/vdb" } });
    let given = client.post(&attachments, wanted.clone()).await;
    assert_eq!(given.status, 200, "{}", given.text);
    assert_eq!(client.cloud.volume(&new).expect("it").servers, ["vm"]);
    assert_eq!(client.post(&attachments, wanted).await.status, 400);
    let listed = client.get(&attachments).await.json();
    assert_eq!(listed["volumeAttachments"][0]["device"], "/dev/vdb");
    assert_eq!(
        client
            .post(&action, json!({ "os-start": null }))
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn a_root_volume_stays_and_what_is_not_there_is_404() {
    let client = Client::new(Config::default()).await;
    client.cloud.add_server("vm", "web-1");
    let root = client.cloud.add_volume(VolumeSpec {
        device: Some("/dev/vda".into()),
        ..VolumeSpec::named("root").on("vm")
    });
    let path = format!("{SERVER}/os-volume_attachments/{root}");
    assert_eq!(client.delete(&path).await.status, 403);
    let other = client.volume();
    let path = format!("{SERVER}/os-volume_attachments/{other}");
    assert_eq!(client.delete(&path).await.status, 404);
    assert_eq!(client.get("/compute/v2.1/servers/nobody").await.status, 404);
}
