//! `OS_CACERT` and `OS_INSECURE`.

use crate::settings::world::World;

/// The certificate of an authority that nobody has the key of.
const ONE: &str = "-----BEGIN CERTIFICATE-----
MIIBmDCCAT+gAwIBAgIUbv2ghetHOWmj6m2B7A8hLiLSCzQwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWRXhhbXBsZSBwcml2YXRlIENBIG9uZTAgFw0yNjExMjIxNTQz
NTZaGA8yMTI2MTAyOTE1NDM1NlowITEfMB0GA1UEAwwWRXhhbXBsZSBwcml2YXRl
IENBIG9uZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI6Wte8Zma65Bect1YzE
71NznjrPXlzrKnmJIvBIdTw9kqg+fO/GezmLcMRfguRwjzUb4C1/YU3ZvIZGJmly
u/SjUzBRMB0GA1UdDgQWBBQQ4e1128PQq3gh54ZlsI1erjSSyTAfBgNVHSMEGDAW
gBQQ4e1128PQq3gh54ZlsI1erjSSyTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0cAMEQCIHfCXVu3lJFi9p4Njc4MBS8E02vXBlOEqHSHn9gxxlx5AiA3hJ3g
kkis/GWnaCkjxuwDgwYzYBtqUnDYdwCXlm2h2Q==
-----END CERTIFICATE-----
";

const TWO: &str = "-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUGnbcwniniMuVlDmt6Sw0KLf3ogswCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWRXhhbXBsZSBwcml2YXRlIENBIHR3bzAgFw0yNjExMjIxNTQz
NTZaGA8yMTI2MTAyOTE1NDM1NlowITEfMB0GA1UEAwwWRXhhbXBsZSBwcml2YXRl
IENBIHR3bzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAB5aGesEgi/gWybkQqC
k8tyEAW41DhJx6H3JBpWNsnGT9J9J4mxQ0P4mRDtiU8sJ5Q6/+PHvuSfSoI2P2W5
nEejUzBRMB0GA1UdDgQWBBTsads8kMZPrvk+e9wiSNEd0+dXpjAfBgNVHSMEGDAW
gBTsads8kMZPrvk+e9wiSNEd0+dXpjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0gAMEUCIQDwHs6GNpIIJEvq9Kv4BzkMTtIyuu0PT7aGm+Fsn79drwIgfalP
RUs2jDgEEQnhmi3jGTlkH1KR/tEzN4a6sa203dQ=
-----END CERTIFICATE-----
";

fn count(world: &World) -> usize {
    let pem = world.settings().tls.ca_certificates.expect("certificates");
    let text = String::from_utf8(pem).expect("PEM is text");
    let lines = text.lines();
    lines
        .filter(|line| *line == "-----END CERTIFICATE-----")
        .count()
}

#[test]
fn without_os_cacert_only_the_built_in_roots_are_believed() {
    let tls = World::credential().settings().tls;
    assert!(tls.ca_certificates.is_none());
    assert!(!tls.insecure);
}

#[test]
fn os_cacert_is_the_path_of_a_pem_file() {
    let world = World::credential()
        .set("OS_CACERT", "/etc/ca.pem")
        .file("/etc/ca.pem", ONE);
    assert_eq!(
        world.settings().tls.ca_certificates.as_deref(),
        Some(ONE.as_bytes())
    );
    let home = World::credential()
        .set("HOME", "/home/someone")
        .set("OS_CACERT", "~/ca.pem")
        .file("/home/someone/ca.pem", format!("An authority\n{ONE}{TWO}"));
    assert_eq!(count(&home), 2);
}

#[test]
fn os_cacert_is_the_pem_text_with_one_certificate_or_several() {
    assert_eq!(count(&World::credential().set("OS_CACERT", ONE)), 1);
    assert_eq!(
        count(&World::credential().set("OS_CACERT", &format!("{ONE}\n{TWO}"))),
        2
    );
    assert_eq!(
        count(&World::credential().set("OS_CACERT", &format!("# Ours\n{ONE}"))),
        1
    );
}

#[test]
fn pem_text_survives_the_loss_of_its_line_breaks() {
    let both = format!("{ONE}{TWO}");
    for folded in [
        both.replace('\n', " "),
        both.replace('\n', "\\n"),
        both.replace('\n', "\r\n"),
    ] {
        assert_eq!(
            count(&World::credential().set("OS_CACERT", &folded)),
            2,
            "{folded:?}"
        );
    }
}

#[test]
fn certificates_that_cannot_be_used_are_a_fault_of_os_cacert() {
    let wrong = |value: &str| World::credential().set("OS_CACERT", value);
    let file = |content: &str| wrong("/ca.pem").file("/ca.pem", content);
    let key = ONE.replace("CERTIFICATE", "PUBLIC KEY");
    let whole: Vec<&str> = ONE.lines().collect();
    let torn = whole[..4].join("\n");
    let flipped = ONE.replacen("MIIB", "AAAA", 1);
    wrong("/missing.pem").fails(&["OS_CACERT", "/missing.pem", "cannot be read", "PEM"]);
    wrong("/secret.pem")
        .forbidden("/secret.pem")
        .fails(&["OS_CACERT", "permission denied"]);
    file("").fails(&["OS_CACERT", "/ca.pem", "no certificate"]);
    file("nothing").fails(&["OS_CACERT", "no certificate"]);
    file(&torn).fails(&["OS_CACERT"]);
    file(&format!("{ONE}{flipped}")).fails(&["OS_CACERT", "certificate 2"]);
    wrong(&key).fails(&["OS_CACERT", "no certificate"]);
    wrong(&torn).fails(&["OS_CACERT", "PEM text"]);
    let text = wrong(&flipped).fails(&["OS_CACERT", "certificate 1", "X.509"]);
    assert!(!text.contains("BEGIN"), "the text is not repeated: {text}");
}

#[test]
fn os_insecure_is_a_boolean() {
    for (text, insecure) in [
        ("true", true),
        ("True", true),
        ("1", true),
        ("yes", true),
        ("false", false),
        ("False", false),
        ("0", false),
        ("no", false),
        ("", false),
    ] {
        let world = World::credential().set("OS_INSECURE", text);
        assert_eq!(world.settings().tls.insecure, insecure, "{text:?}");
    }
    let wrong = World::credential().set("OS_INSECURE", "maybe");
    wrong.fails(&["OS_INSECURE", "\"maybe\"", "true or false"]);
}

#[test]
fn the_debug_text_says_how_large_the_bundle_is_and_not_what_is_in_it() {
    let tls = World::credential().set("OS_CACERT", ONE).settings().tls;
    let debug = format!("{tls:?}");
    assert!(debug.len() < 100, "{debug}");
}
