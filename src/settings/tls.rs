//! Which certificates of the cloud are believed.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::environment::Files;
use super::values::Reader;

/// How the cloud's certificate is checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates as PEM, at least one, to be added to the built-in roots.
    pub ca_certificates: Option<Vec<u8>>,
    /// No checks at all.
    pub insecure: bool,
}

impl Tls {
    pub(super) fn read(reader: &mut Reader<'_>, files: &dyn Files, home: Option<&str>) -> Self {
        let insecure = reader.boolean("OS_INSECURE");
        let ca_certificates = ca_certificates(reader, files, home);
        Self {
            ca_certificates,
            insecure,
        }
    }
}

/// The certificates' size alone: a bundle would fill a screen.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.ca_certificates.as_ref().map(Vec::len);
        f.debug_struct("Tls")
            .field("ca_certificates_bytes", &size)
            .field("insecure", &self.insecure)
            .finish()
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

fn ca_certificates(
    reader: &mut Reader<'_>,
    files: &dyn Files,
    home: Option<&str>,
) -> Option<Vec<u8>> {
    let layer = reader.find("OS_CACERT")?;
    let text = layer.trimmed("OS_CACERT")?;
    let (subject, pem) = if text.contains("-----BEGIN") {
        let subject = format!("{}: the PEM text", layer.label("OS_CACERT"));
        (subject, Ok(unfolded(text)))
    } else {
        let pem = files.read(&expanded(text, home));
        (layer.shown("OS_CACERT"), pem)
    };
    let checked = match pem {
        Err(error) => Err(format!("cannot be read ({error})")),
        Ok(pem) => checked(&pem).map(|()| pem),
    };
    match checked {
        Ok(pem) => Some(pem),
        Err(problem) => {
            reader.faults.push(format!(
                "{subject} {problem}; accepted is the path of a PEM file, or the PEM text itself, \
                 with one certificate or more"
            ));
            None
        }
    }
}

fn expanded(path: &str, home: Option<&str>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Puts back the line breaks around the markers that consoles and parameter stores turn into
/// blanks or into a backslash and an n. Base64 itself may stand in one line.
fn unfolded(text: &str) -> Vec<u8> {
    let text = text.replace("\\n", "\n");
    let mut pem = String::with_capacity(text.len());
    for block in text.split(BEGIN).skip(1) {
        let (body, _) = block.split_once(END).unwrap_or((block, ""));
        let body: Vec<&str> = body.split_whitespace().collect();
        pem.push_str(&format!("{BEGIN}\n{}\n", body.join("\n")));
        if block.contains(END) {
            pem.push_str(&format!("{END}\n"));
        }
    }
    pem.into_bytes()
}

/// Reads every certificate now, so that a broken one is a setting's fault and not a riddle
/// of the first connection.
fn checked(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let number = index + 1;
        let certificate =
            certificate.map_err(|_| format!("is broken: certificate {number} is not whole PEM"))?;
        roots
            .add(certificate)
            .map_err(|_| format!("is broken: certificate {number} is not an X.509 certificate"))?;
    }
    if roots.is_empty() {
        return Err("contains no certificate".to_owned());
    }
    Ok(())
}
