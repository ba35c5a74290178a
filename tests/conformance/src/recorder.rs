//! Stands between the function and the cloud, and remembers every request with its answer.
//!
//! The function finds Cinder through Keystone's catalogue, so the recorder is all it needs to
//! know: it hands out a catalogue in which Cinder, too, is the recorder. Nothing else of an
//! answer is touched.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Where the cloud behind a recorder is.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Keystone's address without its version.
    pub keystone: String,
    /// Cinder's address without its version.
    pub cinder: String,
    /// Whether the catalogue has these very addresses, rather than the one the client used.
    pub catalogue_is_fixed: bool,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// HTTP method.
    pub method: Method,
    /// `identity` or `volume`.
    pub service: String,
    /// Path below the service.
    pub path: String,
    /// Query, as sent.
    pub query: String,
    /// Headers of the request.
    pub request_headers: HeaderMap,
    /// Body of the request.
    pub request_body: Bytes,
    /// Status of the answer.
    pub status: StatusCode,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// Body of the answer.
    pub body: Bytes,
}

impl Exchange {
    /// The request's body as JSON; null where there is none.
    pub fn request_json(&self) -> Value {
        serde_json::from_slice(&self.request_body).unwrap_or_default()
    }

    /// Whether it is a call of Cinder with this method whose path ends like this.
    pub fn is(&self, method: Method, path_end: &str) -> bool {
        self.service == "volume" && self.method == method && self.path.ends_with(path_end)
    }
}

/// Something done once, between an answer of the cloud and its arrival at the function.
type Meanwhile = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

struct State {
    behind: Behind,
    client: reqwest::Client,
    address: SocketAddr,
    exchanges: Mutex<Vec<Exchange>>,
    meanwhile: Mutex<Vec<(Method, String, Meanwhile)>>,
}

/// A recording stand-in for a cloud on a loopback port. It ends when it is dropped.
pub struct Recorder {
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

impl Recorder {
    /// Starts recording what goes to the cloud behind.
    ///
    /// # Errors
    /// If no port could be had.
    pub async fn start(behind: Behind) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let client = crate::api::client();
        let state = Arc::new(State {
            behind,
            client,
            address: listener.local_addr()?,
            exchanges: Mutex::default(),
            meanwhile: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Ok(Self { state, accepting })
    }

    /// `OS_AUTH_URL` for whoever is to be recorded.
    pub fn auth_url(&self) -> String {
        format!("http://{}/identity/v3", self.state.address)
    }

    /// Address below which Cinder is.
    pub fn cinder_url(&self) -> String {
        format!("http://{}/volume", self.state.address)
    }

    /// Everything so far, in the order of the answers.
    pub fn exchanges(&self) -> Vec<Exchange> {
        locked(&self.state.exchanges).clone()
    }

    /// Does something when the next such call has been answered, before the function hears of
    /// it.
    pub fn meanwhile<F: Future<Output = ()> + Send + 'static>(
        &self,
        method: Method,
        path_end: impl Into<String>,
        action: impl FnOnce() -> F + Send + 'static,
    ) {
        let action: Meanwhile = Box::new(move || Box::pin(action()));
        locked(&self.state.meanwhile).push((method, path_end.into(), action));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, state.clone()));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = state.clone();
        async move { state.pass_on(request).await }
    });
    // A client that goes away in the middle is its own affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl State {
    async fn pass_on(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let request_body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let whole = parts.uri.path().trim_start_matches('/');
        let (service, path) = whole.split_once('/').unwrap_or((whole, ""));
        let base = if service == "identity" {
            &self.behind.keystone
        } else {
            &self.behind.cinder
        };
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let mark = if query.is_empty() { "" } else { "?" };
        let answer = self
            .client
            .request(parts.method.clone(), format!("{base}/{path}{mark}{query}"))
            .headers(parts.headers.clone())
            .body(request_body.clone())
            .send()
            .await
            .map_err(io::Error::other)?;
        let status = answer.status();
        let mut headers = answer.headers().clone();
        let body = answer.bytes().await.map_err(io::Error::other)?;
        let exchange = Exchange {
            method: parts.method,
            service: service.to_owned(),
            path: format!("/{path}"),
            query,
            request_headers: parts.headers,
            request_body,
            status,
            headers: headers.clone(),
            body: body.clone(),
        };
        let action = self.take_meanwhile(&exchange);
        locked(&self.exchanges).push(exchange);
        if let Some(action) = action {
            action().await;
        }
        for hop_by_hop in [
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::CONTENT_LENGTH,
        ] {
            headers.remove(hop_by_hop);
        }
        let body = if service == "identity" && self.behind.catalogue_is_fixed {
            self.with_ourselves_in_the_catalogue(&body)
        } else {
            body
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn take_meanwhile(&self, exchange: &Exchange) -> Option<Meanwhile> {
        let mut waiting = locked(&self.meanwhile);
        let at = waiting
            .iter()
            .position(|(method, path_end, _)| exchange.is(method.clone(), path_end))?;
        Some(waiting.remove(at).2)
    }

    fn with_ourselves_in_the_catalogue(&self, body: &Bytes) -> Bytes {
        let text = String::from_utf8_lossy(body);
        let here = format!("http://{}/volume", self.address);
        text.replace(&self.behind.cinder, &here).into()
    }
}
