//! What an entry says.

use secrecy::ExposeSecret;
use snapsentry::openstack::{ApplicationCredential, AuthMethod, Domain, Project, User};
use snapsentry::settings::Interface;

use super::{entry, with, world};
use crate::settings::world::CREDENTIAL;

#[test]
fn an_entry_with_an_application_credential_is_a_login() {
    let settings = with(&[
        "auth_type: v3applicationcredential",
        "identity_api_version: 3",
    ])
    .settings();
    assert_eq!(
        settings.auth.auth_url.as_str(),
        "https://cloud.example:5000/v3"
    );
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
fn an_entry_with_a_password_is_a_login_and_scalars_are_what_is_written() {
    let auth = "
      auth_url: https://cloud.example/identity/v3/
      username: 007
      user_domain_name: Default
      password: 0x1F
      project_id: 12345678901234567890123456789012";
    let AuthMethod::Password {
        user,
        password,
        project,
    } = world(&entry(auth, &[])).settings().auth.method
    else {
        panic!()
    };
    let domain = Domain::Name("Default".to_owned());
    assert_eq!(
        user,
        User::Name {
            name: "007".to_owned(),
            domain
        }
    );
    assert_eq!(password.expose_secret(), "0x1F");
    assert_eq!(
        project,
        Project::Id("12345678901234567890123456789012".to_owned())
    );
}

#[test]
fn a_domain_or_a_tenant_is_understood_by_its_other_names() {
    let base = "
      auth_url: https://cloud.example
      username: demo
      password: not-a-secret-password
      tenant_name: demo-project";
    let domains = |more: &str| {
        let auth = format!("{base}\n{more}");
        match world(&entry(&auth, &[])).settings().auth.method {
            AuthMethod::Password {
                user: User::Name { domain: user, .. },
                project: Project::Name { name, domain },
                ..
            } if name == "demo-project" => (user, domain),
            other => panic!("{other:?}"),
        }
    };
    let id = |text: &str| Domain::Id(text.to_owned());
    let name = |text: &str| Domain::Name(text.to_owned());
    let rows = [
        ("      domain_id: d", id("d"), id("d")),
        ("      domain_name: D", name("D"), name("D")),
        ("      default_domain_id: d", id("d"), id("d")),
        ("      default-domain-name: D", name("D"), name("D")),
        (
            "      domain_id: d\n      user_domain_name: U",
            name("U"),
            id("d"),
        ),
        (
            "      user-domain-id: u\n      project-domain-id: p",
            id("u"),
            id("p"),
        ),
    ];
    for (more, user, project) in rows {
        assert_eq!(domains(more), (user, project), "{more}");
    }
}

#[test]
fn every_key_beside_auth_is_read_and_the_environment_wins() {
    let rest = &[
        "region_name: RegionOne",
        "interface: internal",
        "verify: false",
        "identity_api_version: '3'",
        "auth_type: v3applicationcredential",
        "volume_api_version: 3",
        "networks: [{name: net, routes_externally: true}]",
    ];
    let settings = with(rest).settings();
    assert_eq!(settings.region.as_deref(), Some("RegionOne"));
    assert_eq!(settings.interface, Interface::Internal);
    assert!(settings.tls.insecure);
    let settings = with(rest)
        .set("OS_REGION_NAME", "RegionTwo")
        .set("OS_INTERFACE", "admin")
        .set("OS_INSECURE", "false")
        .settings();
    assert_eq!(settings.region.as_deref(), Some("RegionTwo"));
    assert_eq!(settings.interface, Interface::Admin);
    assert!(!settings.tls.insecure);
    assert_eq!(
        with(&["endpoint_type: adminURL"]).settings().interface,
        Interface::Admin
    );
}

#[test]
fn verify_insecure_and_cacert_say_how_certificates_are_checked() {
    let rows: [(&[&str], bool); 8] = [
        (&[], false),
        (&["verify: true"], false),
        (&["verify: false"], true),
        (&["verify: 'False'"], true),
        (&["verify: no"], true),
        (&["insecure: true"], true),
        (&["insecure: false", "verify: true"], false),
        (&["insecure: true", "verify: true"], true),
    ];
    for (rest, insecure) in rows {
        assert_eq!(with(rest).settings().tls.insecure, insecure, "{rest:?}");
    }
    with(&["verify: maybe"]).fails(&["verify in the entry \"demo\" of clouds.yaml", "maybe"]);
    let missing = with(&["cacert: /missing.pem"]);
    missing.fails(&["OS_CACERT", "cacert in the entry", "/missing.pem"]);
}

#[test]
fn the_first_region_is_taken_unless_the_environment_chooses_another() {
    let regions = &[
        "region_name: Ignored",
        "regions:",
        "- RegionOne",
        "- name: RegionTwo",
        "  values: {auth: {auth_url: 'https://two.example'}, interface: admin}",
        "- name: RegionThree",
    ];
    let settings = with(regions).settings();
    assert_eq!(settings.region.as_deref(), Some("RegionOne"));
    assert_eq!(
        settings.auth.auth_url.as_str(),
        "https://cloud.example:5000/v3"
    );

    let settings = with(regions).set("OS_REGION_NAME", "RegionTwo").settings();
    assert_eq!(settings.region.as_deref(), Some("RegionTwo"));
    assert_eq!(settings.auth.auth_url.as_str(), "https://two.example/v3");
    assert_eq!(settings.interface, Interface::Admin);

    let none = with(regions).set("OS_REGION_NAME", "regionone");
    none.fails(&[
        "OS_REGION_NAME",
        "regionone",
        "\"RegionOne\", \"RegionTwo\", \"RegionThree\"",
    ]);
    with(&["regions: [{values: {}}]"]).fails(&["clouds.yaml", "line"]);
    with(&["regions: [{name: x, vaules: {}}]"]).fails(&["clouds.yaml", "line"]);
    assert_eq!(
        with(&["regions: [7]"]).settings().region.as_deref(),
        Some("7")
    );
    assert_eq!(
        with(&["regions: []", "region_name: One"])
            .settings()
            .region
            .as_deref(),
        Some("One")
    );
}

#[test]
fn anchors_and_merge_keys_work_as_in_any_yaml() {
    let yaml = "
base: &base
  auth_url: https://cloud.example:5000
  application_credential_id: credential-id
  application_credential_secret: not-a-secret-credential
clouds:
  demo:
    auth:
      <<: *base
      application_credential_id: other-id
";
    let AuthMethod::ApplicationCredential { credential, .. } = world(yaml).settings().auth.method
    else {
        panic!()
    };
    assert_eq!(credential, ApplicationCredential::Id("other-id".to_owned()));
}
