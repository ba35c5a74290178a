//! No secret is ever told, whoever provokes it. Every run of every test is searched for the
//! secrets of its world, with everything logged that can be; see `world::promises`. Here are the
//! meanest provocations.

use bytes::Bytes;
use serde_json::json;
use simcloud::{Cloud, Fault, Kind, Login, Route, When};

use crate::world::{World, daily, side_by_side};

/// The answer of a service that quotes what it was sent.
fn quoting(code: u16, quoted: &str) -> Kind {
    let body = json!({"error": {"code": code, "message": format!("{quoted} is no good")}});
    Kind::Status {
        code,
        headers: Vec::new(),
        body: Some(Bytes::from(body.to_string())),
    }
}

/// Once somebody has logged in, his token is quoted back at him.
fn quote_tokens(world: &World, route: Route, kind: impl Fn(&str) -> Kind + Send + 'static) {
    world
        .cloud
        .on(Route::Login, 1, When::After, move |cloud: &Cloud| {
            let token = cloud
                .secrets()
                .into_iter()
                .find(|secret| secret.contains("token"));
            let kind = kind(&token.expect("a token"));
            cloud.inject(Fault::on(route, kind).forever());
        });
}

#[tokio::test]
async fn a_keystone_that_quotes_the_secret_is_not_quoted() {
    side_by_side(
        [
            (Login::AppCred, "not-a-secret-application-credential"),
            (Login::Password, "not-a-secret-password"),
        ],
        async |(login, secret)| {
            for code in [400, 401, 500] {
                let world = World::new().await.login(login);
                world
                    .cloud
                    .inject(Fault::on(Route::Login, quoting(code, secret)).forever());
                world.snapshot().await.fails("AuthenticationFailed");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_secret_in_which_a_long_message_is_cut_off_is_not_quoted_in_part() {
    let world = World::new().await;
    let secret = "not-a-secret-application-credential";
    let long = format!("{}{secret}", "x".repeat(290));
    world
        .cloud
        .inject(Fault::on(Route::Login, quoting(400, &long)).forever());
    let run = world.snapshot().await;
    let told = run.fails_with("AuthenticationFailed", &["xxx***"]);
    assert!(!told.contains("not-a"), "{told}");
}

#[tokio::test]
async fn a_cinder_that_quotes_the_token_is_not_quoted() {
    side_by_side([400, 403, 500], async |code| {
        let world = World::new().await;
        world.volume(&[&daily()]);
        quote_tokens(&world, Route::CreateSnapshot, move |token| {
            quoting(code, token)
        });
        assert_eq!(world.snapshot().await.did(), "failed 1", "{code}");
        let world = World::new().await;
        quote_tokens(&world, Route::ListVolumes, move |token| {
            quoting(code, token)
        });
        world.snapshot().await.fails("DiscoveryFailed");
    })
    .await;
}

#[tokio::test]
async fn a_redirect_with_the_token_in_it_is_named_without_it() {
    let world = World::new().await;
    quote_tokens(&world, Route::ListVolumes, |token| Kind::Redirect {
        code: 302,
        location: format!(
            "https://robot:{token}@elsewhere.example/{token}/login?token={token}#{token}"
        ),
    });
    let run = world.snapshot().await;
    run.fails_with("DiscoveryFailed", &["elsewhere.example/***/login"]);
}

#[tokio::test]
async fn a_body_that_is_not_the_json_expected_is_not_quoted() {
    let secret = "not-a-secret-application-credential";
    side_by_side(
        [
            json!({"token": secret}),
            json!({"token": {"expires_at": secret, "issued_at": secret}}),
            json!(secret),
        ],
        async |body| {
            let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "0");
            let kind = Kind::Status {
                code: 201,
                headers: vec![("x-subject-token".into(), secret.into())],
                body: Some(Bytes::from(body.to_string())),
            };
            world.cloud.inject(Fault::on(Route::Login, kind));
            world.snapshot().await.fails("AuthenticationFailed");
        },
    )
    .await;
}

#[tokio::test]
async fn events_and_settings_that_contain_a_secret_by_mistake_do_not_tell_it() {
    let world = World::new().await;
    let secret = "not-a-secret-application-credential";
    // Somebody has put it into the wrong variable.
    for (name, value) in [
        (
            "OS_AUTH_URL",
            format!("https://demo:{secret}@cloud.example/v3"),
        ),
        ("SNAPSENTRY_WEBHOOK_URL", format!("{secret}://x")),
    ] {
        let world = World::new().await.set(name, value);
        let run = world.snapshot().await;
        run.fails_with("InvalidConfiguration", &[name]);
    }
    world.snapshot().await.is_quiet();
}

#[tokio::test]
async fn a_password_survives_a_whole_life_unseen() {
    let world = World::new()
        .await
        .login(Login::Password)
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    let mut function = world.function().await;
    for kind in [
        Kind::ResetAfter,
        Kind::status(503),
        Kind::ExpireToken,
        Kind::NotJson,
    ] {
        for route in [Route::Login, Route::ListVolumes, Route::CreateSnapshot] {
            world.cloud.inject(Fault::on(route, kind.clone()));
        }
    }
    for phase in ["snapshot", "expire", "snapshot"] {
        function.run(json!({"phase": phase})).await;
    }
    let event = json!({"phase": "subscribe", "volume_id": volume, "policy": "weekly"});
    function.run(event).await;
}

#[tokio::test]
async fn a_password_in_an_address_of_the_catalogue_is_not_told() {
    let world = World::new().await.secret("word-of-the-catalogue");
    world.volume(&[&daily()]);
    let address = world.url().replace("://", "://name:word-of-the-catalogue@");
    world.cloud.configure(|config| {
        config.endpoints.block_storage = Some(address.clone());
        config.endpoints.compute = Some(address);
    });
    assert_eq!(world.snapshot().await.did(), "created 1");
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::status(503)).forever());
    world.snapshot().await.fails("DiscoveryFailed");
}
