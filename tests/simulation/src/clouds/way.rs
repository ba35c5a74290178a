//! The way out of the sandbox: to the cloud whose address it is, or to the extension beside the
//! function that hands out the secret. All that leaves is written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Response;
use seam::Way;
use serde_json::{Value, json};
use simcloud::Cloud;
use snapsentry::deadline::Deadline;
use snapsentry::transport::{Request, Response as Answer, TransportError};

use super::CloudDraw;
use crate::sandbox::LARGEST_BODY;

/// A request as it left.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) address: String,
    pub(super) path: String,
    /// All headers with their values.
    pub(super) headers: String,
    pub(super) token: Option<String>,
    pub(super) body: Bytes,
}

/// What leaves, and what is known of who is where.
#[derive(Default)]
pub(super) struct Traffic {
    pub(super) secret: String,
    pub(super) sent: Vec<Sent>,
    pub(super) lines: Vec<String>,
    /// How often the extension was asked.
    pub(super) asked: usize,
}

/// The way out of one sandbox. Clones are the same.
#[derive(Clone)]
pub(super) struct Router {
    clouds: Arc<Vec<(CloudDraw, Cloud)>>,
    traffic: Arc<Mutex<Traffic>>,
}

impl Router {
    pub(super) fn new(clouds: Vec<(CloudDraw, Cloud)>) -> Self {
        Self {
            clouds: Arc::new(clouds),
            traffic: Arc::default(),
        }
    }

    pub(super) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose request this is: of several at one address the one that has given out its token, or
    /// that knows its login.
    fn cloud_of(&self, sent: &Sent) -> Option<&Cloud> {
        let mut there = self
            .clouds
            .iter()
            .filter(|(draw, _)| draw.address == sent.address);
        let (first, rest) = (there.next()?, there);
        let body = String::from_utf8_lossy(&sent.body);
        let is_its = |(draw, cloud): &&(CloudDraw, Cloud)| match &sent.token {
            Some(token) => cloud.secrets().contains(token),
            None => {
                let credential = &draw.config.application_credential;
                [&credential.id, &credential.name, &draw.config.user_name]
                    .into_iter()
                    .any(|text| body.contains(&format!("\"{text}\"")))
            }
        };
        let mut all = std::iter::once(first).chain(rest);
        let found = all.find(is_its).unwrap_or(first);
        Some(&found.1)
    }
}

impl Way for Router {
    async fn send(&self, deadline: Deadline, request: Request) -> Result<Answer, TransportError> {
        let uri = request.uri();
        if uri.host() == Some("localhost") {
            let mut traffic = self.traffic();
            traffic.asked += 1;
            let answer: Value = json!({ "SecretString": traffic.secret, "Name": "clouds" });
            return Ok(Response::new(answer.to_string().into()));
        }
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter();
        let sent = Sent {
            address: format!(
                "{}://{}",
                uri.scheme_str().unwrap_or_default(),
                uri.host().unwrap_or_default()
            ),
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            headers: headers
                .map(|(name, value)| format!("{name}: {}\n", text(value)))
                .collect(),
            token: request.headers().get("x-auth-token").map(text),
            body: request.body().clone(),
        };
        let cloud = self.cloud_of(&sent).cloned();
        self.traffic().sent.push(sent);
        match cloud {
            Some(cloud) => seam::answered(&cloud, deadline, request, LARGEST_BODY).await,
            None => Err(TransportError::Connect("no such host".to_owned())),
        }
    }

    fn print(&self, line: &str) {
        self.traffic().lines.push(line.to_owned());
    }
}
