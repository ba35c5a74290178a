//! Private clouds: certificates of an authority of one's own, over real TLS.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use simcloud::Login;

use crate::tls_front::TlsFront;
use crate::world::{Folder, Run, World, daily};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// A certificate of the authority for this host, in front of the world's cloud.
async fn front(world: &World, authority: &Authority, host: &str, until: i32) -> TlsFront {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    TlsFront::start(&world.url(), certificate.der().clone(), key.serialize_der()).await
}

/// A cloud behind TLS whose login is asked for there.
async fn world(authority: &Authority) -> (World, TlsFront) {
    world_of(authority, "localhost", 2100).await
}

async fn world_of(authority: &Authority, host: &str, until: i32) -> (World, TlsFront) {
    let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "0");
    world.volume(&[&daily()]);
    let front = front(&world, authority, host, until).await;
    let url = format!("{}/identity/v3", front.url());
    (world.set("OS_AUTH_URL", url), front)
}

/// The run failed because of the certificate, and says so.
#[track_caller]
fn names_the_certificate(run: &Run, cause: &str) {
    let message = run.fails("AuthenticationFailed").to_lowercase();
    assert!(message.contains("certificate"), "{message}");
    assert!(message.contains(cause), "lacks {cause:?}: {message}");
}

#[tokio::test]
async fn the_right_authority_works_as_text_as_a_file_and_among_others() {
    let (ours, other) = (authority("Ours"), authority("Other"));
    let folder = Folder::new();
    let file = folder.write("ca.pem", &ours.pem());
    for trusted in [ours.pem(), file, format!("{}{}", other.pem(), ours.pem())] {
        let (world, front) = world(&ours).await;
        let run = world.set("OS_CACERT", trusted).snapshot().await;
        assert_eq!(run.did(), "created 1");
        assert!(front.connections() > 0, "it went through TLS");
    }
}

#[tokio::test]
async fn without_the_authority_or_with_another_the_cause_is_named() {
    let (ours, other) = (authority("Ours"), authority("Other"));
    let (unset, _front) = world(&ours).await;
    names_the_certificate(&unset.snapshot().await, "issuer");
    let (wrong, _front) = world(&ours).await;
    let wrong = wrong.set("OS_CACERT", other.pem());
    names_the_certificate(&wrong.snapshot().await, "issuer");
}

#[tokio::test]
async fn a_certificate_for_another_host_or_of_another_time_is_refused_with_its_cause() {
    let ours = authority("Ours");
    let (elsewhere, _front) = world_of(&ours, "elsewhere.example", 2100).await;
    let elsewhere = elsewhere.set("OS_CACERT", ours.pem());
    names_the_certificate(&elsewhere.snapshot().await, "localhost");
    let (ended, _front) = world_of(&ours, "localhost", 2021).await;
    let ended = ended.set("OS_CACERT", ours.pem());
    names_the_certificate(&ended.snapshot().await, "expired");
}

/// What `openssl req -x509` makes: a server's certificate that says it is an authority's.
async fn front_with_its_own_authority(world: &World, host: &str, until: i32) -> (TlsFront, String) {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let der = certificate.der().clone();
    let front = TlsFront::start(&world.url(), der, key.serialize_der()).await;
    (front, certificate.pem())
}

#[tokio::test]
async fn a_certificate_that_is_its_own_authority_works_where_it_is_the_one_configured() {
    let other = authority("Other").pem();
    let rows: [(&str, i32, Option<&str>, Option<&str>); 6] = [
        ("localhost", 2100, Some(""), None),
        ("localhost", 2100, Some(&other), None),
        ("localhost", 2100, None, Some("os_cacert")),
        ("elsewhere.example", 2100, Some(""), Some("localhost")),
        ("localhost", 2021, Some(""), Some("expired")),
        ("localhost", 2021, None, Some("expired")),
    ];
    for (host, until, beside, cause) in rows {
        let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "0");
        world.volume(&[&daily()]);
        let (front, pem) = front_with_its_own_authority(&world, host, until).await;
        let trusted = beside.map_or(other.clone(), |beside| format!("{beside}{pem}"));
        let world = world
            .set("OS_AUTH_URL", format!("{}/identity/v3", front.url()))
            .set("OS_CACERT", trusted);
        let run = world.snapshot().await;
        match cause {
            None => assert_eq!(run.did(), "created 1"),
            Some(cause) => names_the_certificate(&run, cause),
        }
    }
}

#[tokio::test]
async fn insecure_works_and_warns_on_every_cold_start() {
    let warned = |run: &Run| {
        run.log()
            .iter()
            .any(|line| line["level"] == "WARN" && line.to_string().contains("OS_INSECURE"))
    };
    let (world, _front) = world(&authority("Ours")).await;
    let world = world.set("OS_INSECURE", "true");
    let first = world.snapshot().await;
    assert_eq!(first.did(), "created 1");
    assert!(warned(&first), "{:#?}", first.log());
    let second = world.snapshot().await;
    assert!(warned(&second), "a cold start too");
    let secure = World::new().await.snapshot().await;
    assert!(!warned(&secure));
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_an_invalid_configuration() {
    let folder = Folder::new();
    let empty = folder.write("empty.pem", "nothing here\n");
    let broken = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
    for value in ["/no/such/file.pem", &empty, broken] {
        let world = World::new().await.set("OS_CACERT", value);
        let run = world.snapshot().await;
        run.fails_with("InvalidConfiguration", &["OS_CACERT"]);
        assert_eq!(world.cloud.journal().total(), 0);
    }
}

#[tokio::test]
async fn a_clouds_yaml_has_its_own_words_for_it() {
    let ours = authority("Ours");
    let folder = Folder::new();
    let cacert = format!("cacert: {}", folder.write("ca.pem", &ours.pem()));
    for (name, line) in [("verify", "verify: false"), ("cacert", &cacert)] {
        let (world, front) = world(&ours).await;
        let variables: std::collections::BTreeMap<_, _> =
            world.login_variables(Login::AppCred).into_iter().collect();
        let text = format!(
            "clouds:\n  private:\n    auth_type: v3applicationcredential\n    auth:\n      \
             auth_url: {}/identity\n      application_credential_id: {}\n      \
             application_credential_secret: {}\n    {line}\n",
            front.url(),
            variables["OS_APPLICATION_CREDENTIAL_ID"],
            variables["OS_APPLICATION_CREDENTIAL_SECRET"],
        );
        let file = folder.write(&format!("{name}.yaml"), &text);
        let world = world
            .without_login()
            .unset("OS_AUTH_URL")
            .set("OS_CLOUD", "private")
            .set("OS_CLIENT_CONFIG_FILE", file);
        assert_eq!(world.snapshot().await.did(), "created 1", "{name}");
    }
}

#[tokio::test]
async fn a_token_does_not_travel_in_clear_text_because_a_catalogue_says_so() {
    for compute in [false, true] {
        let ours = authority("Ours");
        let (world, front) = world(&ours).await;
        let world = world.set("OS_CACERT", ours.pem());
        let clear = Some(world.url());
        world.cloud.configure(|config| {
            if compute {
                config.endpoints.compute = clear;
            } else {
                config.endpoints.block_storage = clear;
            }
        });
        let run = world.snapshot().await;
        run.fails_with("InvalidConfiguration", &["http://", "OS_INSECURE"]);
        let sent = world.cloud.journal().entries.len();
        assert_eq!(sent, 1, "the login alone");
        // Who wants it so may have it.
        let run = world.set("OS_INSECURE", "true").snapshot().await;
        assert_eq!(run.did(), "created 1");
        drop(front);
    }
}
