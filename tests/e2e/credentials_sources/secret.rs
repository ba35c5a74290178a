//! A secret: variables as JSON, or a `clouds.yaml`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use simcloud::extension::{Extension, Reply};
use simcloud::webhook::Webhook;
use simcloud::{Fault, Kind, Login, Route};

use super::{clouds, entry, variables, works};
use crate::world::{Folder, World, daily, side_by_side};

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:snapsentry/cloud-AbCdEf";

/// A world whose login is in a secret, and what hands the secret out.
async fn with_secret(replies: impl FnOnce(&World) -> Vec<Reply>) -> (World, Extension) {
    let world = World::new().await;
    let extension = Extension::start(replies(&world)).await.expect("a port");
    let world = world
        .without_login()
        .set("SNAPSENTRY_CREDENTIALS_SECRET", ARN)
        .set_all(extension.env())
        .secret("not-a-secret-session-token");
    (world, extension)
}

fn json_of(variables: &BTreeMap<String, String>) -> Reply {
    Reply::Secret(json!(variables).to_string())
}

#[tokio::test]
async fn a_secret_of_variables_is_asked_for_once_an_invocation_and_never_before() {
    side_by_side([Login::AppCred, Login::Password], async |login| {
        let (world, extension) = with_secret(|world| vec![json_of(&variables(world, login))]).await;
        world.volume(&[&daily()]);
        let mut function = world.function().await;
        function.function.ready().await.expect("a poll");
        assert!(extension.reads().is_empty(), "never at init");
        assert_eq!(function.snapshot().await.did(), "created 1");
        function.snapshot().await.is_quiet();
        let reads = extension.reads();
        assert_eq!(reads.len(), 2);
        assert!(
            reads
                .iter()
                .all(|one| one.secret_id == ARN && one.authorized)
        );
        assert_eq!(world.count(Route::Login), 1, "it says what it said");
    })
    .await;
}

#[tokio::test]
async fn a_secret_may_be_a_clouds_yaml() {
    let only = |world: &World| clouds(&[("blue", entry(world, Login::AppCred, ""))]);
    let (world, _extension) = with_secret(|world| vec![Reply::Secret(only(world))]).await;
    works(&world).await;
    let two = |world: &World| {
        let other = "    auth:\n      auth_url: https://nowhere.example\n".to_owned();
        clouds(&[("green", other), ("blue", entry(world, Login::AppCred, ""))])
    };
    let (world, _extension) = with_secret(|world| vec![Reply::Secret(two(world))]).await;
    let world = world.set("OS_CLOUD", "blue");
    works(&world).await;
    let (world, _extension) = with_secret(|world| vec![Reply::Secret(two(world))]).await;
    let run = world.snapshot().await;
    run.fails_with("InvalidConfiguration", &["OS_CLOUD", "blue", "green"]);
}

#[tokio::test]
async fn a_rotation_takes_effect_with_the_next_invocation() {
    let (world, extension) =
        with_secret(|world| vec![json_of(&variables(world, Login::AppCred))]).await;
    let world = world.secret("not-a-secret-that-is-new");
    let mut function = world.function().await;
    function.snapshot().await.is_quiet();
    world.cloud.configure(|config| {
        config.application_credential.secret = "not-a-secret-that-is-new".into();
    });
    // What Keystone still takes of the old one is not used any more.
    extension.set([json_of(&variables(&world, Login::AppCred))]);
    function.snapshot().await.is_quiet();
    assert_eq!((extension.reads().len(), world.count(Route::Login)), (2, 2));
}

#[tokio::test]
async fn a_setting_that_is_changed_in_the_secret_takes_effect_with_the_next_invocation() {
    let (world, extension) =
        with_secret(|world| vec![json_of(&variables(world, Login::AppCred))]).await;
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    let mut function = world.function().await;
    let event = json!({"phase": "expire"});
    assert_eq!(function.run(event.clone()).await.did(), "kept 1");
    let mut all = variables(&world, Login::AppCred);
    all.insert("SNAPSENTRY_KEEP_LAST".into(), "0".into());
    extension.set([json_of(&all)]);
    assert_eq!(function.run(event.clone()).await.did(), "deleted 1");
    all.insert("SNAPSENTRY_KEEP_LAST".into(), "none".into());
    extension.set([json_of(&all)]);
    let run = function.run(event.clone()).await;
    run.fails_with(
        "InvalidConfiguration",
        &["SNAPSENTRY_KEEP_LAST (in the secret)"],
    );
    all.remove("SNAPSENTRY_KEEP_LAST");
    extension.set([json_of(&all)]);
    function.run(event).await.is_quiet();
}

#[tokio::test]
async fn a_login_that_is_refused_does_not_ask_for_the_secret_again() {
    let (world, extension) = with_secret(|world| {
        let mut wrong = variables(world, Login::AppCred);
        wrong.insert(
            "OS_APPLICATION_CREDENTIAL_SECRET".into(),
            "not-a-secret-at-all".into(),
        );
        vec![json_of(&wrong)]
    })
    .await;
    let world = world.secret("not-a-secret-at-all");
    world.snapshot().await.fails("AuthenticationFailed");
    assert_eq!((extension.reads().len(), world.count(Route::Login)), (1, 1));
}

#[tokio::test]
async fn a_warm_sandbox_that_cannot_ask_for_its_secret_does_not_work_with_an_old_one() {
    let (world, extension) =
        with_secret(|world| vec![json_of(&variables(world, Login::AppCred))]).await;
    let mut function = world.function().await;
    function.snapshot().await.is_quiet();
    let sent = world.cloud.journal().total();
    extension.set([Reply::access_denied()]);
    function.snapshot().await.fails("InvalidConfiguration");
    assert_eq!(world.cloud.journal().total(), sent);
    extension.set([json_of(&variables(&world, Login::AppCred))]);
    function.snapshot().await.is_quiet();
    assert_eq!(world.count(Route::Login), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_said_without_showing_it() {
    let words = "not-a-secret-word in a text";
    let rows: [(Reply, &[&str]); 9] = [
        (Reply::access_denied(), &["secretsmanager:GetSecretValue"]),
        (Reply::not_found(), &["no such secret"]),
        (Reply::Binary, &["SecretString"]),
        (Reply::Secret(words.into()), &["JSON"]),
        (
            Reply::Secret(format!("{{\"OS_AUTH_URL\": \"{words}")),
            &["JSON"],
        ),
        (Reply::Secret(json!([words]).to_string()), &["object"]),
        (Reply::Secret("{}".into()), &["OS_AUTH_URL"]),
        (Reply::Status(500, words.into()), &["500"]),
        (Reply::Reset, &["Extension"]),
    ];
    side_by_side(rows, async |(reply, expected)| {
        let (world, _extension) = with_secret(|_| vec![reply.clone()]).await;
        let world = world.secret("not-a-secret-word");
        let run = world.snapshot().await;
        let message = run.fails("InvalidConfiguration");
        for word in expected {
            assert!(
                message.contains(word),
                "{reply:?}: lacks {word:?}: {message}"
            );
        }
        assert_eq!(world.cloud.journal().total(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_extension_that_is_missing_is_said() {
    let taken = tokio::net::TcpSocket::new_v4().expect("a socket");
    taken.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let world = World::new()
        .await
        .without_login()
        .set("SNAPSENTRY_CREDENTIALS_SECRET", ARN)
        .set("AWS_SESSION_TOKEN", "not-a-secret-session-token")
        .set("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port.to_string())
        .secret("not-a-secret-session-token");
    let run = world.snapshot().await;
    run.fails_with(
        "InvalidConfiguration",
        &["Parameters and Secrets", "layer", &port.to_string()],
    );
    // Whatever else can be told is told at once.
    let world = world.set("SNAPSENTRY_KEEP_LAST", "many").set(
        "SNAPSENTRY_WEBHOOK_USERNAME",
        "its address may be in the secret",
    );
    let run = world.snapshot().await;
    let told = ["SNAPSENTRY_CREDENTIALS_SECRET", "SNAPSENTRY_KEEP_LAST"];
    let message = run.fails_with("InvalidConfiguration", &told);
    assert!(!message.contains("WEBHOOK"), "{message}");
}

#[tokio::test]
async fn an_extension_that_hangs_does_not_outlive_the_deadline() {
    let (world, _extension) = with_secret(|_| vec![Reply::Hang]).await;
    let world = world.set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_millis(1500), event).await;
    let failure = run.invocation.failure();
    let named = ["InvalidConfiguration", "DeadlineExceeded"];
    assert!(named.contains(&failure.error_type.as_str()), "{failure:?}");
}

#[tokio::test]
async fn a_deadline_within_the_margin_is_no_fault_of_the_extension() {
    let (world, extension) =
        with_secret(|world| vec![json_of(&variables(world, Login::AppCred))]).await;
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(1), event).await;
    run.fails_with("DeadlineExceeded", &["longer time-out"]);
    assert!(extension.reads().is_empty());
}

#[tokio::test]
async fn a_mixture_of_sources_is_refused_and_named() {
    let (world, _extension) =
        with_secret(|world| vec![json_of(&variables(world, Login::AppCred))]).await;
    let world = world.set("OS_USERNAME", "demo");
    let run = world.snapshot().await;
    run.fails_with(
        "InvalidConfiguration",
        &["OS_USERNAME", "OS_AUTH_URL", "secret"],
    );
    assert_eq!(world.cloud.journal().total(), 0);

    let world = World::new().await;
    let text = clouds(&[("blue", entry(&world, Login::AppCred, ""))]);
    let folder = Folder::new();
    let file = folder.write("clouds.yaml", &text);
    let world = world
        .set("OS_CLOUD", "blue")
        .set("OS_CLIENT_CONFIG_FILE", file);
    let run = world.snapshot().await;
    run.fails_with("InvalidConfiguration", &["OS_CLOUD", "OS_AUTH_URL"]);
    assert_eq!(world.cloud.journal().total(), 0);
}

#[tokio::test]
async fn for_everything_else_the_environment_wins_over_the_secret() {
    let (world, _extension) = with_secret(|world| {
        let mut all = variables(world, Login::AppCred);
        for (name, value) in [
            ("SNAPSENTRY_KEEP_LAST", "0"),
            ("SNAPSENTRY_PROJECT", "from-the-secret"),
            ("OS_INTERFACE", "internal"),
        ] {
            all.insert(name.into(), value.into());
        }
        vec![json_of(&all)]
    })
    .await;
    let world = world.set("SNAPSENTRY_PROJECT", "from-the-environment");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    let run = world.expire().await;
    assert_eq!(run.did(), "deleted 1", "the secret's own says 0");
    assert_eq!(run.metrics()["Project"], "from-the-environment");
    let listed = &world.requests(Route::ListVolumes)[0].path;
    assert!(listed.starts_with("/internal/"), "{listed}");
}

#[tokio::test]
async fn a_webhook_may_come_from_the_secret() {
    let webhook = Webhook::start().await.expect("a port");
    let (world, _extension) = with_secret(|world| {
        let mut all = variables(world, Login::AppCred);
        let url = webhook.url("/not-a-secret-path");
        all.insert("SNAPSENTRY_WEBHOOK_URL".into(), url);
        vec![json_of(&all)]
    })
    .await;
    let world = world.secret("not-a-secret-path");
    world.volume(&[&daily()]);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::status(403)));
    assert_eq!(world.snapshot().await.did(), "failed 1");
    let received: Vec<Value> = webhook.received().iter().map(|one| one.json()).collect();
    assert_eq!(received.len(), 1, "{received:?}");
}
