//! What is refused, and with which words.

use proptest::prelude::*;

use super::{AUTH, entry, with, world};
use crate::settings::world::{PASSWORD, WORD, World};

#[test]
fn a_vendors_profile_is_refused_with_what_to_write_instead() {
    with(&["profile: vexxhost"]).fails(&["profile", "demo", "not supported", "auth.auth_url"]);
    with(&["cloud: rackspace"]).fails(&["cloud", "demo", "not supported", "auth.auth_url"]);
    with(&["profile:"]).settings();
}

#[test]
fn a_key_of_auth_that_means_another_login_is_refused() {
    for key in ["token", "passcode", "trust_id", "system_scope", "usrname"] {
        let auth = format!("{AUTH}\n      {key}: {WORD}");
        let world = world(&entry(&auth, &[]));
        world.fails(&[&format!("auth.{key}"), "demo", "application_credential_id"]);
    }
}

#[test]
fn what_is_missing_in_an_entry_is_named_with_its_place() {
    let text = world("clouds:\n  demo:\n").fails(&["OS_AUTH_URL", "entry \"demo\" of clouds.yaml"]);
    assert!(text.contains("missing"), "{text}");
    let auth = "\n      auth_url: ftp://cloud.example\n      username: demo";
    world(&entry(auth, &["auth_type: token"])).fails(&[
        "OS_AUTH_URL (auth.auth_url in the entry \"demo\" of clouds.yaml): \"ftp://cloud.example\"",
        "OS_AUTH_TYPE (auth_type in",
        "token",
    ]);
    with(&["interface: private"]).fails(&["OS_INTERFACE (interface in", "private"]);
    with(&["identity_api_version: 2"]).fails(&["OS_IDENTITY_API_VERSION", "\"2\""]);
}

#[test]
fn what_is_missing_in_an_entry_is_named_by_the_keys_that_it_would_have() {
    let url = "\n      auth_url: https://cloud.example";
    let rows: [(&str, &[&str], &[&str]); 5] = [
        (
            "",
            &[],
            &[
                "auth.application_credential_id (OS_APPLICATION_CREDENTIAL_ID) and \
                 auth.application_credential_secret (OS_APPLICATION_CREDENTIAL_SECRET), or \
                 auth.username (OS_USERNAME)",
            ],
        ),
        (
            "\n      password: not-a-secret-password",
            &[],
            &[
                "auth.username (OS_USERNAME) or auth.user_id (OS_USER_ID), \
                 auth.user_domain_name (OS_USER_DOMAIN_NAME) or auth.user_domain_id",
                "auth.project_id (OS_PROJECT_ID) or auth.project_name (OS_PROJECT_NAME) with \
                 auth.project_domain_name",
            ],
        ),
        (
            "\n      user_id: u\n      project_id: p",
            &[],
            &["auth.password (OS_PASSWORD)"],
        ),
        (
            "\n      application_credential_secret: not-a-secret-credential",
            &[],
            &[
                "auth.application_credential_id",
                "auth.application_credential_name",
            ],
        ),
        (
            "\n      user_id: u",
            &["auth_type: v3applicationcredential"],
            &["auth.application_credential_secret"],
        ),
    ];
    for (auth, rest, words) in rows {
        let text = world(&entry(&format!("{url}{auth}"), rest)).fails(words);
        assert!(text.contains("missing in the entry \"demo\""), "{text}");
    }
}

#[test]
fn what_is_misspelt_in_an_entry_hides_no_other_fault() {
    let auth =
        format!("\n      application_credential_id: i\n      application_credential_secrt: {WORD}");
    let rest = &["region_name: [a]", "interface: private"];
    let faults = [
        "auth.application_credential_secrt: not supported",
        "region_name in the entry",
        "auth.auth_url (OS_AUTH_URL), auth.application_credential_secret",
        "OS_INTERFACE (interface in",
    ];
    let world = world(&entry(&auth, rest));
    world.fails(&faults);
    let list = world.unset("OS_CLOUD").list().expect("a list");
    for fault in faults {
        let error = &list.faults[0].error;
        assert!(error.contains(fault), "lacks {fault:?}: {error}");
    }
}

#[test]
fn a_file_that_is_no_clouds_yaml_is_refused_by_line_without_a_word_of_it() {
    let rows = [
        (String::new(), "clouds"),
        (format!("password: {PASSWORD}"), "\"clouds\""),
        (PASSWORD.to_owned(), "cannot be read"),
        (format!("clouds: {PASSWORD}"), "line 1"),
        (
            format!("clouds:\n  demo:\n    auth:\n      password: [{PASSWORD}]"),
            "line 4",
        ),
        (
            format!("clouds:\n  demo:\n    auth: '{PASSWORD}"),
            "cannot be read",
        ),
        (
            format!("clouds: {{}}\n---\npassword: {PASSWORD}"),
            "cannot be read",
        ),
        (
            format!("clouds:\n  demo: {{}}\n  demo: {{auth: {PASSWORD}}}"),
            "line 3",
        ),
    ];
    for (yaml, word) in rows {
        world(&yaml).fails(&["clouds.yaml", word]);
    }
    let binary = World::empty()
        .set("OS_CLOUD", "demo")
        .file("clouds.yaml", vec![0xff, 0xfe, 0]);
    binary.fails(&["clouds.yaml", "UTF-8"]);
    world("clouds: {}").fails(&["OS_CLOUD", "none"]);
}

#[test]
fn an_unknown_entry_is_refused_with_those_there_are() {
    let world = with(&[]).set("OS_CLOUD", "prod");
    world.fails(&["OS_CLOUD", "\"prod\"", "clouds.yaml", "\"demo\""]);
}

proptest! {
    #[test]
    fn no_damage_to_the_text_panics_or_brings_out_a_secret(
        noise in "[ -~\n]{0,20}",
        at in 0_usize..400,
        missing in 0_usize..5,
    ) {
        let whole = entry(AUTH, &["regions: [a, {name: b}]", "interface: admin"]);
        let at = at.min(whole.len());
        let rest = &whole[(at + missing).min(whole.len())..];
        let damaged = format!("{}{noise}{rest}", &whole[..at]);
        world(&damaged).survives();
        World::empty().secret(&damaged).survives();
    }
}
