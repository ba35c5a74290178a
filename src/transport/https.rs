//! The seam's production side: HTTP and HTTPS through reqwest and rustls.
//!
//! Certificates are checked against Mozilla's roots, compiled in (reading the system's costs
//! milliseconds at every cold start), and whatever private authority is configured besides.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::BoxFuture;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificates::Verifier;
use super::{Request, Response, Transport, TransportError};
use crate::deadline::Deadline;

/// No answer of Cinder's comes near: a page of 1000 snapshots has half a megabyte.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// An address that answers nobody leaves time for the host's others, and for another try.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// What is trusted: made once, at cold start.
#[derive(Clone, Debug)]
pub struct Trust(ClientConfig);

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadCertificates(String);

impl Trust {
    /// Trusts Mozilla's roots and the certificates in this PEM text; `insecure` trusts anybody.
    ///
    /// # Errors
    /// [`BadCertificates`] where the text has no certificate, or one that cannot be read.
    pub fn new(pem: Option<&[u8]>, insecure: bool) -> Result<Self, BadCertificates> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| BadCertificates(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let configured = match pem {
            Some(pem) => add_certificates(&mut roots, pem)?,
            None => Vec::new(),
        };
        let verifier: Arc<dyn ServerCertVerifier> = if insecure {
            Arc::new(Anybody(provider))
        } else {
            let verifier = Verifier::new(roots, configured, provider);
            Arc::new(verifier.map_err(|error| BadCertificates(error.to_string()))?)
        };
        let builder = builder.dangerous();
        let config = builder.with_custom_certificate_verifier(verifier);
        Ok(Self(config.with_no_client_auth()))
    }
}

/// Adds the certificates in this PEM text, and gives them.
fn add_certificates(
    roots: &mut RootCertStore,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, BadCertificates> {
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let number = found.len() + 1;
        let bad = |error: String| BadCertificates(format!("certificate {number}: {error}"));
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        let added = roots.add(certificate.clone());
        added.map_err(|error| bad(error.to_string()))?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(BadCertificates("no PEM certificate in it".into()));
    }
    Ok(found)
}

/// HTTP and HTTPS over one pool of connections.
///
/// Made anew for every invocation: a thawed sandbox finds yesterday's connections dead.
#[derive(Clone, Debug)]
pub struct Https(reqwest::Client);

impl Https {
    /// A client with an empty pool.
    ///
    /// # Errors
    /// [`TransportError::Connect`] where reqwest cannot be set up.
    pub(crate) fn new(trust: &Trust) -> Result<Self, TransportError> {
        Self::built(reqwest::Client::builder(), trust)
    }

    /// A client that goes through no proxy: what is on this host stays on this host.
    ///
    /// # Errors
    /// As [`Https::new`].
    pub fn direct(trust: &Trust) -> Result<Self, TransportError> {
        Self::built(reqwest::Client::builder().no_proxy(), trust)
    }

    fn built(builder: reqwest::ClientBuilder, trust: &Trust) -> Result<Self, TransportError> {
        builder
            .tls_backend_preconfigured(trust.0.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(LONGEST_CONNECT)
            .build()
            .map(Self)
            .map_err(|error| TransportError::Connect(told(error)))
    }
}

impl Transport for Https {
    fn send(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            deadline
                .bound(self.exchange(request))
                .await
                .unwrap_or(Err(TransportError::TimedOut))
        }
        .boxed()
    }
}

impl Https {
    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::Connect(told(error)))?;
        let mut response = self.0.execute(request).await.map_err(lost)?;
        let expected = response.content_length().unwrap_or_default();
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        if expected > LARGEST_BODY {
            return Err(TransportError::TooLarge {
                limit: LARGEST_BODY,
            });
        }
        let mut body = BytesMut::with_capacity(expected.min(1024 * 1024));
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(TransportError::TooLarge {
                    limit: LARGEST_BODY,
                });
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::new(Bytes::from(body));
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        Ok(whole)
    }
}

fn lost(error: reqwest::Error) -> TransportError {
    if error.is_connect() {
        TransportError::Connect(told(error))
    } else if error.is_timeout() {
        TransportError::TimedOut
    } else {
        TransportError::Interrupted(told(error))
    }
}

/// The error and its causes, without the address.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        let deeper_text = deeper.to_string();
        if !text.contains(&deeper_text) {
            text.push_str(": ");
            text.push_str(&deeper_text);
        }
        cause = deeper.source();
    }
    text
}

/// Accepts every certificate: what `OS_INSECURE` asks for.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
