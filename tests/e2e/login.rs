//! Getting in: every kind of credential, the catalogue, and what a 401 means.

use serde_json::{Value, json};
use simcloud::{Fault, Kind, Login, Route};

use crate::world::{World, daily, side_by_side};

/// The pass must work: it takes the one snapshot that is due.
pub(crate) async fn works(world: World, what: &str) -> World {
    world.volume(&[&daily()]);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1", "{what}");
    world
}

#[tokio::test]
async fn every_kind_of_credential_opens_the_cloud() {
    side_by_side(
        [Login::AppCred, Login::AppCredByName, Login::Password],
        async |login| {
            works(World::new().await.login(login), &format!("{login:?}")).await;
            let inferred = World::new().await.login(login).unset("OS_AUTH_TYPE");
            works(inferred, &format!("{login:?}, inferred")).await;
        },
    )
    .await;
    let password = World::new().await.login(Login::Password);
    works(password.set("OS_AUTH_TYPE", "password"), "the short name").await;
}

#[tokio::test]
async fn user_domain_and_project_may_be_named_by_id() {
    let world = World::of(|config| config.user_id = Some("0123456789abcdef".into())).await;
    let project = world.cloud.project_id();
    let world = world
        .login(Login::Password)
        .unset("OS_USERNAME")
        .unset("OS_USER_DOMAIN_NAME")
        .set("OS_USER_ID", "0123456789abcdef")
        .unset("OS_PROJECT_NAME")
        .unset("OS_PROJECT_DOMAIN_NAME")
        .set("OS_PROJECT_ID", project);
    works(world, "ids").await;
    let world = World::new().await.login(Login::Password);
    let world = world
        .unset("OS_USER_DOMAIN_NAME")
        .set("OS_USER_DOMAIN_ID", "default")
        .unset("OS_PROJECT_DOMAIN_NAME")
        .set("OS_PROJECT_DOMAIN_ID", "default");
    works(world, "domains by id").await;
}

#[tokio::test]
async fn the_id_of_an_application_credential_wins_over_its_name() {
    let world = World::new().await;
    let by_name = world.login_variables(Login::AppCredByName);
    let world = world
        .set_all(by_name)
        .set("OS_APPLICATION_CREDENTIAL_NAME", "no-such-name");
    works(world, "the id wins").await;
}

#[tokio::test]
async fn the_auth_url_may_lack_the_version_and_end_in_a_slash() {
    side_by_side(
        [
            "/identity",
            "/identity/",
            "/identity/v3",
            "/identity/v3/",
            "",
            "/v3",
        ],
        async |tail| {
            let world = World::new().await;
            let url = format!("{}{tail}", world.url());
            works(world.set("OS_AUTH_URL", url), tail).await;
        },
    )
    .await;
}

#[tokio::test]
async fn an_empty_variable_counts_as_unset() {
    let world = World::new().await;
    let empty = [
        "OS_REGION_NAME",
        "OS_INTERFACE",
        "OS_CACERT",
        "OS_INSECURE",
        "OS_CLOUD",
        "OS_USERNAME",
        "OS_IDENTITY_API_VERSION",
        "SNAPSENTRY_MAX_CREATING",
        "SNAPSENTRY_POLL_INTERVAL",
        "SNAPSENTRY_KEEP_LAST",
        "SNAPSENTRY_CREDENTIALS_SECRET",
        "SNAPSENTRY_WEBHOOK_URL",
    ];
    let empty = empty.map(|name| (name.to_owned(), String::new()));
    works(world.set_all(empty), "empty ones").await;
    let refused = World::new().await.set("OS_IDENTITY_API_VERSION", "2.0");
    let run = refused.snapshot().await;
    run.fails_with("InvalidConfiguration", &["OS_IDENTITY_API_VERSION"]);
    for version in ["3", "3.14"] {
        let world = World::new().await;
        works(world.set("OS_IDENTITY_API_VERSION", version), version).await;
    }
}

#[tokio::test]
async fn a_credential_that_is_unknown_or_has_ended_says_so() {
    let unknown = World::of(|config| config.application_credential.deleted = true).await;
    let run = unknown.snapshot().await;
    run.fails_with(
        "AuthenticationFailed",
        &["404", "Could not find Application Credential"],
    );
    let ended = World::of(|config| {
        config.application_credential.expires_at = Some(config.now - chrono::TimeDelta::hours(1));
    });
    let run = ended.await.snapshot().await;
    let message = run.fails_with("AuthenticationFailed", &["401", "expired"]);
    assert!(!message.contains("fresh token"), "{message}");
}

#[tokio::test]
async fn logins_and_calls_carry_the_run_id() {
    let world = works(World::new().await, "a pass").await;
    let journal = world.cloud.journal();
    assert!(journal.count(Route::Login) == 1 && journal.total() > 3);
    let ids: Vec<Value> = journal
        .entries
        .iter()
        .map(|one| one.request_id.clone().into())
        .collect();
    assert!(
        ids.iter().all(|id| *id == ids[0] && id.is_string()),
        "{ids:?}"
    );
    let id = ids[0].as_str().unwrap_or_default();
    assert!(id.starts_with("req-") && id.len() == 40, "{id}");
}

#[tokio::test]
async fn a_token_without_its_header_or_without_a_project_opens_nothing() {
    let answer = |headers: &[(&str, &str)], token: Value| Kind::Status {
        code: 201,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Some(json!({"token": token}).to_string().into()),
    };
    let header = [("x-subject-token", "not-a-secret")];
    let end = json!({"expires_at": "2026-11-22T10:00:00Z"});
    let whole = json!({"issued_at": "2026-11-22T09:00:00Z", "expires_at": "2026-11-22T10:00:00Z"});
    let no_project = "the token is for no project";
    let rows = [
        (answer(&[], whole.clone()), "X-Subject-Token"),
        (answer(&header, whole), no_project),
        // When it was issued need not be said.
        (answer(&header, end), no_project),
    ];
    side_by_side(rows, async |(kind, says)| {
        let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "0");
        world.cloud.inject(Fault::on(Route::Login, kind).forever());
        let run = world.snapshot().await;
        run.fails_with("AuthenticationFailed", &[says]);
    })
    .await;
}
