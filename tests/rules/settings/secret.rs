//! Settings from the secret's text.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use snapsentry::openstack::{ApplicationCredential, AuthMethod, Project, User};
use snapsentry::settings::{Interface, Secret};

use crate::settings::world::{CREDENTIAL, HOOK, PASSWORD, WORD, World};

fn login() -> Value {
    json!({
        "OS_AUTH_URL": "https://cloud.example/v3",
        "OS_APPLICATION_CREDENTIAL_ID": "credential-id",
        "OS_APPLICATION_CREDENTIAL_SECRET": CREDENTIAL
    })
}

fn login_and(more: Value) -> World {
    let mut secret = login();
    let object = secret.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    World::empty().secret(&secret.to_string())
}

const CLOUDS: &str = "
clouds:
  one:
    auth:
      auth_url: https://one.example:5000
      username: demo
      user_domain_name: Default
      password: not-a-secret-password
      project_id: 0123456789
    region_name: RegionOne
  two:
    auth:
      auth_url: https://two.example:5000
      application_credential_id: 12e4
      application_credential_secret: not-a-secret-credential
";

#[test]
fn a_json_object_of_variables_is_the_login() {
    let settings = login_and(json!({})).settings();
    let AuthMethod::ApplicationCredential { credential, secret } = settings.auth.method else {
        panic!()
    };
    assert_eq!(
        credential,
        ApplicationCredential::Id("credential-id".to_owned())
    );
    assert_eq!(secret.expose_secret(), CREDENTIAL);
}

#[test]
fn any_other_variable_may_stand_in_the_secret_and_the_environment_wins() {
    let more = json!({
        "OS_REGION_NAME": "RegionOne",
        "OS_INTERFACE": "internal",
        "OS_INSECURE": true,
        "SNAPSENTRY_MAX_CREATING": 7,
        "SNAPSENTRY_KEEP_LAST": "5",
        "SNAPSENTRY_POLL_INTERVAL": "3s",
        "SNAPSENTRY_WEBHOOK_URL": format!("https://hook.example/{HOOK}"),
        "SNAPSENTRY_PROJECT": null,
        "OS_CACERT": "",
        "RUST_LOG": "debug"
    });
    let settings = login_and(more.clone()).settings();
    assert_eq!(settings.region.as_deref(), Some("RegionOne"));
    assert_eq!(settings.interface, Interface::Internal);
    assert!(settings.tls.insecure && settings.webhook.is_some());
    assert_eq!((settings.max_creating, settings.keep_last), (7, 5));
    assert_eq!(settings.poll_interval, Duration::from_secs(3));

    let settings = login_and(more)
        .set("OS_REGION_NAME", "RegionTwo")
        .set("OS_ENDPOINT_TYPE", "adminURL")
        .set("OS_INSECURE", "false")
        .set("SNAPSENTRY_MAX_CREATING", "9")
        .set("SNAPSENTRY_POLL_INTERVAL", "")
        .settings();
    assert_eq!(settings.region.as_deref(), Some("RegionTwo"));
    assert_eq!(settings.interface, Interface::Admin);
    assert!(!settings.tls.insecure);
    assert_eq!((settings.max_creating, settings.keep_last), (9, 5));
    assert_eq!(
        settings.poll_interval,
        Duration::from_secs(3),
        "empty is unset"
    );
}

#[test]
fn a_secret_without_a_login_leaves_the_login_to_the_environment() {
    let hook = json!({"SNAPSENTRY_WEBHOOK_URL": format!("https://hook.example/{HOOK}")});
    let settings = World::credential().secret(&hook.to_string()).settings();
    assert!(settings.webhook.is_some());
    let nowhere = World::empty().secret(&hook.to_string());
    nowhere.fails(&["no login", "its secret has no login variables"]);
}

#[test]
fn a_secret_may_name_an_entry_of_a_clouds_yaml_file() {
    let world = World::empty()
        .secret(r#"{"OS_CLOUD": "two", "OS_CLIENT_CONFIG_FILE": "/clouds.yaml"}"#)
        .file("/clouds.yaml", CLOUDS);
    assert_eq!(
        world.settings().auth.auth_url.as_str(),
        "https://two.example:5000/v3"
    );
}

#[test]
fn a_secret_that_is_a_clouds_yaml_gives_the_entry_of_os_cloud_or_its_only_one() {
    let one = World::empty()
        .secret(CLOUDS)
        .set("OS_CLOUD", "one")
        .settings();
    assert_eq!(one.auth.auth_url.as_str(), "https://one.example:5000/v3");
    assert_eq!(one.region.as_deref(), Some("RegionOne"));
    World::empty()
        .secret(CLOUDS)
        .fails(&["OS_CLOUD", "\"one\", \"two\""]);
    let three = World::empty().secret(CLOUDS).set("OS_CLOUD", "three");
    three.fails(&["OS_CLOUD", "three", "\"one\", \"two\""]);

    let (_, only) = CLOUDS.split_once("  two:").unwrap();
    let only = World::empty()
        .secret(&format!("clouds:\n  two:{only}"))
        .settings();
    let AuthMethod::ApplicationCredential { credential, .. } = only.auth.method else {
        panic!()
    };
    assert_eq!(
        credential,
        ApplicationCredential::Id("12e4".to_owned()),
        "as it is written"
    );
}

#[test]
fn a_json_object_with_the_key_clouds_is_a_clouds_yaml() {
    let secret = json!({"clouds": {"only": {
        "auth": {
            "auth_url": "https://cloud.example",
            "application_credential_id": "caf\u{e9}\u{1f600}\u{0}\n",
            "application_credential_secret": CREDENTIAL
        },
        "region_name": "RegionOne", "verify": false
    }}});
    let pretty = serde_json::to_string_pretty(&secret).unwrap();
    for text in [
        secret.to_string(),
        pretty.clone(),
        pretty.replace("  ", "\t"),
    ] {
        let settings = World::empty().secret(&text).settings();
        assert_eq!(settings.region.as_deref(), Some("RegionOne"));
        assert!(settings.tls.insecure);
    }
}

#[test]
fn variables_beside_the_key_clouds_are_refused_since_they_would_be_lost() {
    let both = json!({"clouds": {"demo": {}}, "SNAPSENTRY_WEBHOOK_URL": HOOK, "OS_TYPO": WORD});
    let yaml = format!("{CLOUDS}SNAPSENTRY_WEBHOOK_URL: {HOOK}\nOS_TYPO: {WORD}\n");
    for secret in [both.to_string(), yaml.clone()] {
        for world in [World::empty(), World::empty().set("OS_CLOUD", "one")] {
            world.secret(&secret).fails(&[
                "OS_TYPO, SNAPSENTRY_WEBHOOK_URL (in the secret)",
                "environment",
            ]);
        }
    }
    assert!(World::empty().secret(&yaml).list().is_err());
    // Whatever else stands there is somebody else's.
    let others = format!("cache: {{expiration: {{}}}}\nbase: &base {{}}\n{CLOUDS}");
    World::empty().secret(&others).cloud("one").settings();
    // A file has what other tools put there, and the environment is beside it.
    let file = World::empty()
        .set("OS_CLOUD", "one")
        .file("clouds.yaml", yaml);
    file.settings();
}

#[test]
fn a_misspelt_variable_in_the_secret_is_named_and_others_are_left_alone() {
    login_and(json!({"engine": "mysql", "username": WORD, "os_region_name": "x"})).settings();
    let typo = login_and(json!({"OS_REGION": WORD, "SNAPSENTRY_KEEP": 3, "OS_TENANT_NAME": "x"}));
    typo.fails(&[
        "OS_REGION (in the secret)",
        "SNAPSENTRY_KEEP (",
        "OS_TENANT_NAME (",
        "spelling",
    ]);
    let itself = login_and(json!({"SNAPSENTRY_CREDENTIALS_SECRET": "snapsentry/cloud"}));
    itself.fails(&["SNAPSENTRY_CREDENTIALS_SECRET", "in the secret itself"]);
}

#[test]
fn what_is_misspelt_in_the_secret_hides_no_other_fault() {
    let secret = json!({
        "OS_AUTH_URL": "https://cloud.example/v3",
        "OS_APPLICATION_CREDENTIAL_ID": "credential-id",
        "OS_APPLICATION_CREDENTIAL_SECRT": WORD,
        "OS_REGION_NAME": [WORD],
        "SNAPSENTRY_KEEP_LAST": "all"
    });
    World::empty()
        .secret(&secret.to_string())
        .set("SNAPSENTRY_MAX_RETRIES", "x")
        .fails(&[
            "OS_APPLICATION_CREDENTIAL_SECRT (in the secret): no such variable",
            "OS_APPLICATION_CREDENTIAL_SECRET: missing in the secret",
            "OS_REGION_NAME (in the secret): an array",
            "SNAPSENTRY_KEEP_LAST (in the secret)",
            "SNAPSENTRY_MAX_RETRIES",
        ]);
}

#[test]
fn a_value_out_of_the_secret_is_named_and_never_shown() {
    let world = login_and(json!({
        "SNAPSENTRY_POLL_INTERVAL": WORD,
        "SNAPSENTRY_MAX_CREATING": WORD,
        "OS_INTERFACE": WORD,
        "OS_IDENTITY_API_VERSION": WORD,
        "OS_INSECURE": WORD,
        "OS_CACERT": WORD,
        "SNAPSENTRY_WEBHOOK_URL": HOOK,
        "OS_AUTH_TYPE": WORD
    }));
    world.fails(&[
        "SNAPSENTRY_POLL_INTERVAL (in the secret)",
        "SNAPSENTRY_MAX_CREATING (in the secret)",
        "OS_INTERFACE (in the secret)",
        "OS_IDENTITY_API_VERSION (in the secret)",
        "OS_INSECURE (in the secret)",
        "OS_CACERT (in the secret)",
        "SNAPSENTRY_WEBHOOK_URL (in the secret)",
        "OS_AUTH_TYPE (in the secret)",
        "not shown",
    ]);
    login_and(json!({"OS_REGION_NAME": [WORD], "OS_INSECURE": {"x": WORD}})).fails(&[
        "OS_REGION_NAME (in the secret)",
        "OS_INSECURE (in the secret)",
        "string",
    ]);
    login_and(json!({"OS_AUTH_URL": format!("not a url {WORD}")}))
        .fails(&["OS_AUTH_URL (in the secret)", "not shown"]);
}

#[test]
fn missing_keys_of_the_secret_are_named() {
    let partial = json!({"OS_AUTH_URL": "https://cloud.example", "OS_USERNAME": "demo"});
    World::empty().secret(&partial.to_string()).fails(&[
        "OS_PASSWORD",
        "OS_USER_DOMAIN_NAME",
        "OS_PROJECT_ID",
        "missing in the secret",
    ]);
    for nothing in ["{}", r#"{"username": "not-a-secret-word"}"#] {
        let world = World::empty().secret(nothing);
        world.fails(&["none of the variables", "OS_AUTH_URL", "clouds.yaml"]);
    }
}

#[test]
fn a_secret_that_is_neither_json_nor_a_clouds_yaml_is_refused_without_a_word_of_it() {
    let neither = &[
        "SNAPSENTRY_CREDENTIALS_SECRET",
        "JSON object",
        "clouds.yaml",
    ];
    for text in [
        PASSWORD.to_owned(),
        format!("\"{PASSWORD}\""),
        format!("[\"{PASSWORD}\"]"),
        format!("password: {PASSWORD}"),
        format!("OS_PASSWORD={PASSWORD}\nOS_USERNAME={WORD}"),
        "123".to_owned(),
        "   ".to_owned(),
    ] {
        World::empty().secret(&text).fails(neither);
    }
    let broken = format!("{{\"OS_PASSWORD\": \"{PASSWORD}\",\n \"OS_USERNAME\": {WORD}}}");
    World::empty()
        .secret(&broken)
        .fails(&["not valid JSON", "line 2", "clouds.yaml"]);
    let broken = format!("clouds:\n  one:\n    auth:\n   password: '{PASSWORD}\n");
    World::empty()
        .secret(&broken)
        .fails(&["SNAPSENTRY_CREDENTIALS_SECRET", "clouds.yaml at line"]);
    let odd = format!("clouds:\n  one:\n    auth: {PASSWORD}\n");
    World::empty()
        .secret(&odd)
        .fails(&["the secret's clouds.yaml", "line 3"]);
    let odd = json!({"clouds": [PASSWORD]}).to_string();
    World::empty()
        .secret(&odd)
        .fails(&["the secret's clouds.yaml"]);
}

#[test]
fn a_secret_compares_itself_and_shows_nothing() {
    let secret = Secret::read(PASSWORD);
    assert!(secret.says(&PASSWORD.into()));
    assert!(!secret.says(&WORD.into()));
    assert!(!format!("{secret:?}").contains(PASSWORD));
}

#[test]
fn a_number_in_the_secret_is_the_text_that_it_is_written_as() {
    for written in [
        "12345678901234567890123456789012",
        "1.10",
        "12e4",
        "-0",
        "7",
    ] {
        let secret = format!(
            r#"{{"OS_AUTH_URL": "https://cloud.example/v3", "OS_USER_ID": {written},
                "OS_PASSWORD": {written}, "OS_PROJECT_ID": {written}}}"#
        );
        let settings = World::empty().secret(&secret).settings();
        let AuthMethod::Password {
            user,
            password,
            project,
        } = settings.auth.method
        else {
            panic!()
        };
        assert_eq!(user, User::Id(written.to_owned()));
        assert_eq!(password.expose_secret(), written);
        assert_eq!(project, Project::Id(written.to_owned()));
    }
}
