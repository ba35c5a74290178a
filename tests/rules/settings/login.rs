//! The login from plain variables, and that it comes from one source.

use secrecy::ExposeSecret;
use snapsentry::openstack::{ApplicationCredential, AuthMethod, Domain, Project, User};

use crate::settings::world::{CREDENTIAL, PASSWORD, WORD, World};

fn credential(world: &World) -> ApplicationCredential {
    match world.settings().auth.method {
        AuthMethod::ApplicationCredential { credential, secret } => {
            assert_eq!(secret.expose_secret(), CREDENTIAL);
            credential
        }
        other => panic!("{other:?}"),
    }
}

fn password(world: &World) -> (User, Project) {
    match world.settings().auth.method {
        AuthMethod::Password {
            user,
            password,
            project,
        } => {
            assert_eq!(password.expose_secret(), PASSWORD);
            (user, project)
        }
        other => panic!("{other:?}"),
    }
}

fn named(name: &str, domain: Domain) -> User {
    User::Name {
        name: name.to_owned(),
        domain,
    }
}

fn by_id() -> ApplicationCredential {
    ApplicationCredential::Id("credential-id".to_owned())
}

fn by_name() -> World {
    World::credential()
        .unset("OS_APPLICATION_CREDENTIAL_ID")
        .set("OS_APPLICATION_CREDENTIAL_NAME", "backup")
        .set("OS_USERNAME", "demo")
        .set("OS_USER_DOMAIN_ID", "default")
}

#[test]
fn keystones_address_is_taken_in_each_usual_spelling() {
    for text in [
        "https://cloud.example:5000",
        "https://cloud.example:5000/",
        "https://cloud.example:5000/v3",
        "https://cloud.example:5000/v3/",
    ] {
        let auth = World::credential().set("OS_AUTH_URL", text).settings().auth;
        assert_eq!(
            auth.auth_url.as_str(),
            "https://cloud.example:5000/v3",
            "{text}"
        );
    }
    let prefixed = World::credential().set("OS_AUTH_URL", "https://cloud.example/identity");
    let tokens = prefixed.settings().auth.tokens_url();
    assert_eq!(
        tokens.as_str(),
        "https://cloud.example/identity/v3/auth/tokens"
    );
}

#[test]
fn an_address_that_is_not_keystones_is_shown_unless_it_carries_a_password() {
    let url = |text: &str| World::credential().set("OS_AUTH_URL", text);
    url("cloud.example").fails(&["OS_AUTH_URL", "\"cloud.example\"", "https://"]);
    url("https://cloud.example/v2.0").fails(&["OS_AUTH_URL", "/v2.0", "v3 is needed"]);
    url(&format!("https://demo:{WORD}@cloud.example")).fails(&["OS_AUTH_URL", "not shown"]);
    url(&format!("demo:{WORD}@cloud.example")).fails(&["OS_AUTH_URL", "not shown"]);
}

#[test]
fn an_application_credential_is_named_by_id_which_wins_or_by_name_with_its_user() {
    assert_eq!(credential(&World::credential()), by_id());
    let both = World::credential().set("OS_APPLICATION_CREDENTIAL_NAME", "backup");
    assert_eq!(credential(&both), by_id());
    let expected = ApplicationCredential::Name {
        name: "backup".to_owned(),
        user: named("demo", Domain::Id("default".to_owned())),
    };
    assert_eq!(credential(&by_name()), expected);
    let expected = ApplicationCredential::Name {
        name: "backup".to_owned(),
        user: User::Id("user-id".to_owned()),
    };
    assert_eq!(
        credential(&by_name().set("OS_USER_ID", "user-id")),
        expected
    );
}

#[test]
fn a_password_goes_with_a_user_and_a_project_by_id_or_by_name_and_domain() {
    let name = |text: &str| Domain::Name(text.to_owned());
    let id = |text: &str| Domain::Id(text.to_owned());
    let project = |domain| Project::Name {
        name: "demo-project".to_owned(),
        domain,
    };
    let world = World::password();
    assert_eq!(
        password(&world),
        (named("demo", name("Default")), project(name("Default")))
    );
    let ids = world
        .clone()
        .set("OS_USER_DOMAIN_ID", "u")
        .set("OS_PROJECT_DOMAIN_ID", "p");
    assert_eq!(password(&ids), (named("demo", id("u")), project(id("p"))));
    let ids = world
        .set("OS_USER_ID", "user-id")
        .set("OS_PROJECT_ID", "project-id");
    let expected = (
        User::Id("user-id".to_owned()),
        Project::Id("project-id".to_owned()),
    );
    assert_eq!(password(&ids), expected);
    let bare = ids.unset("OS_USERNAME").unset("OS_USER_DOMAIN_NAME");
    let bare = bare
        .unset("OS_PROJECT_NAME")
        .unset("OS_PROJECT_DOMAIN_NAME");
    assert_eq!(password(&bare), expected);
}

#[test]
fn a_password_keeps_its_blanks() {
    let world = World::password().set("OS_PASSWORD", &format!(" {PASSWORD} "));
    let AuthMethod::Password { password, .. } = world.settings().auth.method else {
        panic!()
    };
    assert_eq!(password.expose_secret(), format!(" {PASSWORD} "));
}

#[test]
fn the_type_of_login_is_inferred_or_said_in_three_words() {
    let typed = |world: World, text| world.set("OS_AUTH_TYPE", text);
    credential(&typed(World::credential(), "v3applicationcredential"));
    password(&typed(World::password(), "v3password"));
    password(&typed(World::password(), "password"));
    for wrong in ["v2password", "token", "v3oidcpassword", "none"] {
        let world = typed(World::password(), wrong);
        world.fails(&[
            "OS_AUTH_TYPE",
            wrong,
            "v3applicationcredential",
            "v3password",
            "password",
        ]);
    }
}

#[test]
fn two_logins_at_once_contradict_each_other_unless_the_type_decides() {
    let both = || {
        World::password()
            .set("OS_APPLICATION_CREDENTIAL_ID", "credential-id")
            .set("OS_APPLICATION_CREDENTIAL_SECRET", CREDENTIAL)
    };
    both().fails(&[
        "OS_APPLICATION_CREDENTIAL_ID",
        "OS_APPLICATION_CREDENTIAL_SECRET",
        "OS_PASSWORD",
        "OS_AUTH_TYPE",
    ]);
    credential(&both().set("OS_AUTH_TYPE", "v3applicationcredential"));
    password(&both().set("OS_AUTH_TYPE", "v3password"));
}

#[test]
fn user_and_project_beside_an_application_credential_are_harmless() {
    let world = World::credential()
        .set("OS_USERNAME", "demo")
        .set("OS_PROJECT_ID", "project-id")
        .set("OS_PROJECT_NAME", "demo-project");
    assert_eq!(credential(&world), by_id());
}

#[test]
fn nothing_at_all_names_every_way_to_log_in() {
    World::empty().fails(&[
        "OS_AUTH_URL",
        "OS_APPLICATION_CREDENTIAL_ID",
        "OS_APPLICATION_CREDENTIAL_SECRET",
        "OS_USERNAME",
        "OS_PASSWORD",
        "OS_PROJECT_ID",
        "OS_CLOUD",
        "SNAPSENTRY_CREDENTIALS_SECRET",
    ]);
}

#[test]
fn whatever_is_missing_is_named_at_once() {
    let credential = |name| World::credential().unset(name);
    let password = |name| World::password().unset(name);
    let only_url = World::empty().set("OS_AUTH_URL", "https://cloud.example");
    let only_user = World::empty().set("OS_USERNAME", "demo");
    let rows: Vec<(World, &[&str])> = vec![
        (credential("OS_AUTH_URL"), &["OS_AUTH_URL"]),
        (
            credential("OS_APPLICATION_CREDENTIAL_SECRET"),
            &["OS_APPLICATION_CREDENTIAL_SECRET"],
        ),
        (
            credential("OS_APPLICATION_CREDENTIAL_ID"),
            &[
                "OS_APPLICATION_CREDENTIAL_ID",
                "OS_APPLICATION_CREDENTIAL_NAME",
            ],
        ),
        (
            by_name().unset("OS_USERNAME"),
            &["OS_USERNAME", "OS_USER_ID"],
        ),
        (
            by_name().unset("OS_USER_DOMAIN_ID"),
            &["OS_USER_DOMAIN_ID", "OS_USER_DOMAIN_NAME"],
        ),
        (password("OS_USERNAME"), &["OS_USERNAME", "OS_USER_ID"]),
        (password("OS_PASSWORD"), &["OS_PASSWORD"]),
        (
            password("OS_USER_DOMAIN_NAME"),
            &["OS_USER_DOMAIN_NAME", "OS_USER_DOMAIN_ID"],
        ),
        (
            password("OS_PROJECT_NAME"),
            &["OS_PROJECT_ID", "OS_PROJECT_NAME"],
        ),
        (
            password("OS_PROJECT_DOMAIN_NAME"),
            &["OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID"],
        ),
        (
            only_url,
            &["OS_APPLICATION_CREDENTIAL_ID", "OS_USERNAME", "OS_PASSWORD"],
        ),
        (
            only_user.clone(),
            &[
                "OS_AUTH_URL",
                "OS_USER_DOMAIN_NAME",
                "OS_PASSWORD",
                "OS_PROJECT_ID",
            ],
        ),
        (
            only_user.set("OS_AUTH_TYPE", "v3applicationcredential"),
            &[
                "OS_AUTH_URL",
                "OS_APPLICATION_CREDENTIAL_ID",
                "OS_APPLICATION_CREDENTIAL_SECRET",
            ],
        ),
    ];
    for (world, words) in rows {
        let text = world.fails(words);
        assert!(text.contains("missing in the environment"), "{text}");
    }
}

#[test]
fn a_login_that_is_spread_over_several_sources_is_refused_with_all_of_them() {
    let words = |more: &[&'static str]| [&["as a whole"], more].concat();
    let cloud = World::credential().set("OS_CLOUD", "demo").file(
        "clouds.yaml",
        "clouds: {demo: {auth: {auth_url: 'https://cloud.example'}}}",
    );
    cloud.fails(&words(&[
        "OS_CLOUD",
        "OS_AUTH_URL",
        "OS_APPLICATION_CREDENTIAL_ID",
    ]));
    let file = World::password().set("OS_CLIENT_CONFIG_FILE", "/clouds.yaml");
    file.fails(&words(&[
        "OS_CLIENT_CONFIG_FILE",
        "OS_USERNAME",
        "OS_PASSWORD",
    ]));

    let secret = format!(r#"{{"OS_APPLICATION_CREDENTIAL_SECRET": "{CREDENTIAL}"}}"#);
    let split = World::credential()
        .unset("OS_APPLICATION_CREDENTIAL_SECRET")
        .secret(&secret);
    split.fails(&words(&[
        "OS_AUTH_URL",
        "OS_APPLICATION_CREDENTIAL_SECRET in the secret",
    ]));
    let both = World::empty().set("OS_CLOUD", "demo").secret(&secret);
    both.fails(&words(&[
        "OS_CLOUD",
        "OS_APPLICATION_CREDENTIAL_SECRET in the secret",
    ]));

    let yaml = "clouds: {demo: {auth: {auth_url: 'https://cloud.example'}}}";
    let both = World::credential().secret(yaml);
    both.fails(&words(&["OS_AUTH_URL", "SNAPSENTRY_CREDENTIALS_SECRET"]));
    let both = World::empty()
        .set("OS_CLIENT_CONFIG_FILE", "/clouds.yaml")
        .secret(yaml);
    both.fails(&words(&[
        "OS_CLIENT_CONFIG_FILE",
        "SNAPSENTRY_CREDENTIALS_SECRET",
    ]));
}
