//! Which certificates of a server are believed: what an authority has signed, and what was configured
//! itself.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

/// Believes a certificate that an authority has signed, and one that is configured as it is.
///
/// A certificate that somebody has made with `openssl req -x509` is a server's and says that it is
/// an authority's, and `webpki` takes none that says so for a server's. Where it is the very one
/// that was configured, it is believed for its names and in its time, like any other.
#[derive(Debug)]
pub(super) struct Verifier {
    of_authorities: Arc<WebPkiServerVerifier>,
    configured: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Believes what these roots have signed, and these certificates themselves.
    pub(super) fn new(
        roots: RootCertStore,
        configured: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let of_authorities =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self {
            of_authorities,
            configured,
        })
    }
}

/// Why a certificate that is an authority's is not believed to be a server's.
#[derive(thiserror::Error)]
#[error("it is an authority's, and OS_CACERT does not have this very certificate")]
struct NotConfigured;

/// What is read: of errors that it does not know `rustls` shows this alone.
impl fmt::Debug for NotConfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a server's certificate is not believed because it is an authority's. That it is not
/// of another time was found before.
fn says_it_is_an_authority(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::Other(why))
            if why.to_string() == "CaUsedAsEndEntity"
    )
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.of_authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            Err(error) if says_it_is_an_authority(&error) => {
                if !self.configured.iter().any(|one| one == end_entity) {
                    return Err(CertificateError::Other(OtherError(Arc::new(NotConfigured))).into());
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.of_authorities
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.of_authorities
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.of_authorities.supported_verify_schemes()
    }
}
