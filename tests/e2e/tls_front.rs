//! TLS in front of an embedded cloud: takes requests apart as a terminating proxy does, and says
//! to the cloud by which scheme they came, so that its catalogue leads back here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A proxy on a loopback port. It ends when it is dropped.
pub(crate) struct TlsFront {
    port: u16,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// Starts in front of the cloud at this address.
    pub(crate) async fn start(
        cloud: &str,
        certificate: CertificateDer<'static>,
        key: Vec<u8>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider's own")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key).into())
            .expect("a certificate and its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cloud = cloud.trim_start_matches("http://").to_owned();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, cloud, counted) = (acceptor.clone(), cloud.clone(), counted.clone());
                tokio::spawn(async move {
                    // A client that does not like the certificate goes away.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        counted.fetch_add(1, Ordering::Relaxed);
                        forward(stream, &cloud).await;
                    }
                });
            }
        });
        Self {
            port,
            connections,
            accepting,
        }
    }

    /// `https://localhost:PORT`
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// How many connections have agreed on a key.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Forwards one connection, request by request.
async fn forward(client: TlsStream<TcpStream>, cloud: &str) {
    let Ok(cloud) = TcpStream::connect(cloud).await else {
        return;
    };
    let (mut from_client, mut to_client) = split(client);
    let (mut from_cloud, mut to_cloud) = cloud.into_split();
    let answers = tokio::spawn(async move {
        // Either side may leave at any time.
        let _ = copy(&mut from_cloud, &mut to_client).await;
        let _ = to_client.shutdown().await;
    });
    let mut read = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        while let Some(length) = request_length(&read) {
            let request: Vec<u8> = read.drain(..length).collect();
            if to_cloud.write_all(&with_scheme(&request)).await.is_err() {
                return;
            }
        }
        match from_client.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(count) => read.extend_from_slice(&chunk[..count]),
        }
    }
    drop(to_cloud);
    answers.abort();
}

fn head(request: &[u8]) -> Option<(String, usize)> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    Some((head, end))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// The length of the first request, once it is there as a whole.
fn request_length(read: &[u8]) -> Option<usize> {
    let (head, end) = head(read)?;
    let body: usize = header(&head, "content-length").map_or(0, |length| {
        length.parse().expect("the function sends a number")
    });
    (read.len() >= end + body).then_some(end + body)
}

/// The request with its whole address in its first line, as proxies are sent them.
fn with_scheme(request: &[u8]) -> Vec<u8> {
    let (head, _) = head(request).expect("a whole request");
    let host = header(&head, "host").expect("HTTP/1.1 has a host");
    let text = head.replacen(" /", &format!(" https://{host}/"), 1);
    let mut out = text.into_bytes();
    out.extend_from_slice(&request[head.len()..]);
    out
}
