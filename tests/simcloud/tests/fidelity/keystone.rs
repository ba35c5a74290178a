//! Logging in, being let in, and being put out.

use serde_json::{Value, json};
use simcloud::{AccessRule, Catalogue, Config};
use std::time::Duration;

use crate::client::{Answer, Client, application_credential};

const TOKENS: &str = "/identity/v3/auth/tokens";

fn password(scope: bool) -> Value {
    let domain = json!({ "name": "Default" });
    let user = json!({ "name": "demo", "domain": domain, "password": "not-a-secret-password" });
    let mut auth = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": user } } } });
    if scope {
        auth["auth"]["scope"] = json!({ "project": { "name": "demo", "domain": domain } });
    }
    auth
}

async fn log_in(client: &Client, body: Value) -> Answer {
    client.post(TOKENS, body).await
}

#[tokio::test]
async fn every_way_of_logging_in_gives_a_token_and_a_catalogue() {
    let client = Client::new(Config::default()).await;
    let by_name = json!({ "auth": { "identity": { "methods": ["application_credential"],
        "application_credential": { "name": "demo-snapshots",
            "secret": "not-a-secret-application-credential",
            "user": { "name": "demo", "domain": { "name": "Default" } } } } } });
    for body in [application_credential(), by_name, password(true)] {
        let answer = log_in(&client, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.header("vary"), "X-Auth-Token");
        assert!(answer.header("x-subject-token").len() > 150);
        let token = &answer.json()["token"];
        assert_eq!(token["project"]["id"], client.cloud.project_id().as_str());
        assert_eq!(token["project"]["name"], "demo");
        assert!(
            token["expires_at"]
                .as_str()
                .expect("text")
                .ends_with(".000000Z")
        );
        assert_eq!(token["catalog"].as_array().expect("a list").len(), 4);
    }
}

#[tokio::test]
async fn the_catalogue_is_as_configured() {
    for (catalogue, kinds) in [
        (
            Catalogue::Both,
            vec!["identity", "block-storage", "volumev3", "compute"],
        ),
        (
            Catalogue::Modern,
            vec!["identity", "block-storage", "compute"],
        ),
        (Catalogue::Legacy, vec!["identity", "volumev3", "compute"]),
    ] {
        let regions = vec!["RegionOne".to_owned(), "RegionTwo".to_owned()];
        let client = Client::new(Config {
            catalogue,
            regions,
            ..Config::default()
        })
        .await;
        let answer = log_in(&client, application_credential()).await.json();
        let entries = answer["token"]["catalog"]
            .as_array()
            .expect("a list")
            .clone();
        let listed: Vec<&str> = entries
            .iter()
            .filter_map(|entry| entry["type"].as_str())
            .collect();
        assert_eq!(listed, kinds);
        assert_eq!(entries[1]["endpoints"].as_array().expect("a list").len(), 6);
        client.volume();
        for (at, count) in [(0, 1), (1, 1), (3, 0)] {
            let url = entries[1]["endpoints"][at]["url"].as_str().expect("a URL");
            let path = url.trim_start_matches("http://cloud.example");
            let found = client
                .get(&format!("{path}/volumes/detail"))
                .await
                .ids()
                .len();
            assert_eq!(found, count, "{url}");
        }
    }
}

#[tokio::test]
async fn without_scope_or_with_nocatalog_there_is_no_catalogue() {
    let client = Client::new(Config::default()).await;
    let unscoped = log_in(&client, password(false)).await;
    assert_eq!(unscoped.status, 201);
    assert!(unscoped.json()["token"].get("catalog").is_none());
    assert!(unscoped.json()["token"].get("project").is_none());
    let without = client
        .post(&format!("{TOKENS}?nocatalog"), application_credential())
        .await;
    assert!(without.json()["token"].get("catalog").is_none());
    assert!(without.json()["token"].get("project").is_some());
}

#[tokio::test]
async fn wrong_secrets_are_401_and_unknown_credentials_404() {
    let client = Client::new(Config::default()).await;
    let mut wrong = application_credential();
    let credential = "/auth/identity/application_credential";
    wrong.pointer_mut(credential).expect("it")["secret"] = json!("wrong");
    let mut unknown = application_credential();
    unknown.pointer_mut(credential).expect("it")["id"] = json!("0".repeat(32));
    let mut scoped = application_credential();
    scoped["auth"]["scope"] = json!({ "project": { "id": "x" } });
    let mut bad_password = password(true);
    bad_password["auth"]["identity"]["password"]["user"]["password"] = json!("wrong");
    let mut other_project = password(true);
    other_project["auth"]["scope"]["project"]["name"] = json!("other");
    for (body, status) in [
        (wrong, 401),
        (unknown, 404),
        (scoped, 401),
        (bad_password, 401),
        (other_project, 401),
    ] {
        let answer = log_in(&client, body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.json()["error"]["code"], status);
        if status == 404 {
            let text = format!("Could not find Application Credential: {}.", "0".repeat(32));
            assert_eq!(answer.json()["error"]["message"], text.as_str());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_end_and_are_revoked() {
    let token_lifetime = Duration::from_secs(60);
    let mut client = Client::new(Config {
        token_lifetime,
        ..Config::default()
    })
    .await;
    let path = "/volume/v3/volumes/detail";
    assert_eq!(client.get(path).await.status, 200);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(client.get(path).await.status, 401);
    client.log_in().await;
    let mut request = client.request("DELETE", TOKENS, "");
    let token = client.token.parse().expect("a value");
    request.headers_mut().insert("x-subject-token", token);
    assert_eq!(
        client
            .cloud
            .handle(request)
            .await
            .expect("an answer")
            .status(),
        204
    );
    assert_eq!(client.get(path).await.status, 401);
    client.log_in().await;
    assert_eq!(client.get(path).await.status, 200);
    client.cloud.revoke_tokens();
    assert_eq!(client.get(path).await.status, 401);
    client.log_in().await;
    client.cloud.expire_tokens();
    assert_eq!(client.get(path).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn cinder_goes_on_believing_in_a_revoked_token_it_has_seen() {
    let token_cache = Duration::from_secs(300);
    let mut client = Client::new(Config {
        token_cache,
        ..Config::default()
    })
    .await;
    let path = "/volume/v3/volumes/detail";
    for (seen, after) in [(true, 200), (false, 401)] {
        client.log_in().await;
        if seen {
            client.get(path).await;
        }
        let mut request = client.request("DELETE", TOKENS, "");
        let token = client.token.parse().expect("a value");
        request.headers_mut().insert("x-subject-token", token);
        client.cloud.handle(request).await.expect("an answer");
        assert_eq!(client.get(path).await.status, after);
        tokio::time::sleep(token_cache).await;
        assert_eq!(client.get(path).await.status, 401);
    }
}

#[tokio::test]
async fn a_call_outside_the_access_rules_is_the_same_401() {
    let mut config = Config::default();
    config.application_credential.access_rules =
        Some(vec![AccessRule::block_storage("GET", "/v3/**")]);
    let client = Client::new(config).await;
    let volume = client.volume();
    assert_eq!(client.get("/volume/v3/volumes/detail").await.status, 200);
    let refused = client.create(json!({ "volume_id": volume })).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"]["title"], "Unauthorized");
    assert_eq!(client.get("/compute/v2.1/servers/x").await.status, 401);
}

#[tokio::test]
async fn nova_names_servers() {
    let client = Client::new(Config::default()).await;
    client
        .cloud
        .add_server("22222222-0000-4000-8000-000000000000", "web-1");
    let path = "/compute/v2.1/servers/22222222-0000-4000-8000-000000000000";
    assert_eq!(client.get(path).await.json()["server"]["name"], "web-1");
    assert_eq!(client.get("/compute/v2.1/servers/x").await.status, 404);
}

#[tokio::test]
async fn no_login_is_kept_in_the_journal() {
    let client = Client::new(Config::default()).await;
    let text = format!("{:?}", client.cloud.journal());
    for secret in client.cloud.secrets() {
        assert!(!text.contains(&secret));
    }
}

#[tokio::test]
async fn a_person_can_make_an_application_credential_and_it_cannot() {
    let mut client = Client::new(Config::default()).await;
    let config = Config::default();
    let domain = json!({ "name": "Default" });
    let login = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "name": config.user_name, "domain": domain, "password": config.password } } },
        "scope": { "project": { "name": config.project_name, "domain": domain } } } });
    let by_password = client.post("/identity/v3/auth/tokens", login).await;
    let user = by_password.json()["token"]["user"]["id"].clone();
    let path = format!(
        "/identity/v3/users/{}/application_credentials",
        user.as_str().expect("an id")
    );
    let wanted = json!({ "application_credential": { "name": "snapsentry", "access_rules": [
        { "service": "block-storage", "method": "GET", "path": "/v3/volumes/detail" }] } });
    assert_eq!(client.post(&path, wanted.clone()).await.status, 403);
    client.token = by_password.header("x-subject-token").to_owned();
    let made = client.post(&path, wanted).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json()["application_credential"].clone();
    let login = json!({ "auth": { "identity": { "methods": ["application_credential"],
        "application_credential": { "id": made["id"], "secret": made["secret"] } } } });
    let answer = client.post("/identity/v3/auth/tokens", login).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    client.token = answer.header("x-subject-token").to_owned();
    assert_eq!(client.get("/volume/v3/volumes/detail").await.status, 200);
    assert_eq!(client.get("/volume/v3/snapshots/detail").await.status, 401);
}
