//! What stands where the network is: requests go straight into the embedded cloud, and what
//! passed through is written down.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use simcloud::{Cloud, Interrupted};
use snapsentry::deadline::Deadline;
use snapsentry::handler::Surroundings;
use snapsentry::transport::{Request, Response, Transport, TransportError, Trust};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::case::Kill;
use crate::world::{VolumeCopy, World};

/// The largest body that this seam lets through. The real one takes more; a smaller one is the
/// same rule, and cheaper.
pub const LARGEST_BODY: usize = 256 * 1024;
/// The receiver of notifications. Path and query are secrets.
pub const WEBHOOK: &str = "http://hooks.example/not-a-secret-path?key=not-a-secret-query";
/// The name and the password for the webhook.
pub const WEBHOOK_LOGIN: (&str, &str) = ("sentry", "not-a-secret-webhook-password");

/// What a request is for, as the program groups them by how long they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A token.
    Login,
    /// A page of a listing.
    List,
    /// One snapshot or server.
    Read,
    /// A snapshot is to be made.
    Create,
    /// A snapshot is to be deleted, perhaps by force.
    Delete,
    /// Anything else, which no pass sends.
    Other,
}

/// One request on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What it was for.
    pub purpose: Purpose,
    /// When it left.
    pub at: Instant,
    /// How long its answer took, where one came.
    pub took: Option<Duration>,
    /// The status of a whole answer.
    pub status: Option<u16>,
    /// Whether the answer was a whole one and, for a creation, told of the snapshot.
    pub is_clear: bool,
    /// The last part of its path: of a deletion, the snapshot.
    pub target: String,
    /// Its body.
    pub body: Bytes,
    /// Of a creation or deletion: how its volume stood when it left.
    pub copy: Option<VolumeCopy>,
}

/// What one pass has sent and printed.
#[derive(Debug, Default)]
pub struct Record {
    /// Requests to the cloud.
    pub sent: Vec<Sent>,
    /// Snapshots of whose making the pass has heard.
    pub told: HashSet<String>,
    /// Bodies of notifications, and whether they were delivered.
    pub notified: Vec<(Bytes, bool)>,
    /// Lines on standard output.
    pub lines: Vec<String>,
}

/// One pass as the seam sees it.
pub struct Watch {
    /// What is written down.
    record: Mutex<Record>,
    kill: Option<Kill>,
    /// Tells the driver that the pass has to die now.
    pub killed: Notify,
    webhook: Receiver,
}

/// How the receiver of notifications behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Takes them.
    Takes,
    /// Refuses them.
    Refuses,
    /// Never answers.
    Hangs,
}

impl Watch {
    /// Nothing sent yet.
    pub fn new(kill: Option<Kill>, webhook: Receiver) -> Arc<Self> {
        Arc::new(Self {
            record: Mutex::default(),
            kill,
            killed: Notify::new(),
            webhook,
        })
    }

    /// What is written down so far.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn die(&self) -> ! {
        self.killed.notify_one();
        std::future::pending().await
    }
}

/// The surroundings of one sandbox.
pub struct Sandbox {
    cloud: Cloud,
    world: World,
    current: Arc<Mutex<Arc<Watch>>>,
}

impl Sandbox {
    /// Surroundings, and where to put the watch of the next pass.
    pub fn new(cloud: Cloud, world: World) -> (Self, Arc<Mutex<Arc<Watch>>>) {
        let current = Arc::new(Mutex::new(Watch::new(None, Receiver::Takes)));
        let sandbox = Self {
            cloud,
            world,
            current: current.clone(),
        };
        (sandbox, current)
    }

    fn watch(&self) -> Arc<Watch> {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Surroundings for Sandbox {
    fn transport(&self, _: &Trust) -> Result<Arc<dyn Transport>, String> {
        self.local_transport()
    }

    fn local_transport(&self) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(Seam {
            cloud: self.cloud.clone(),
            world: self.world.clone(),
            watch: self.watch(),
        }))
    }

    fn print(&self, line: &str) {
        self.watch().record().lines.push(line.to_owned());
    }
}

/// The way into the cloud for one pass.
struct Seam {
    cloud: Cloud,
    world: World,
    watch: Arc<Watch>,
}

impl Transport for Seam {
    fn send(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            if request.uri().host() == Some("hooks.example") {
                return self.notify(deadline, request).await;
            }
            let number = {
                let sent = self.describe(&request);
                let mut record = self.watch.record();
                record.sent.push(sent);
                record.sent.len()
            };
            if self.watch.kill == Some(Kill::BeforeRequest(number as u64)) {
                // It has not left.
                self.watch.record().sent.pop();
                self.watch.die().await;
            }
            let answer = deadline
                .bound(self.cloud.handle(request))
                .await
                .map_err(|_| TransportError::TimedOut)
                .and_then(whole);
            self.note(number - 1, &answer);
            if self.watch.kill == Some(Kill::AfterAnswer(number as u64)) {
                self.watch.die().await;
            }
            answer
        }
        .boxed()
    }
}

fn whole(answer: Result<Response, Interrupted>) -> Result<Response, TransportError> {
    let answer = answer.map_err(|lost| TransportError::Interrupted(lost.to_string()))?;
    if answer.body().len() > LARGEST_BODY {
        return Err(TransportError::TooLarge {
            limit: LARGEST_BODY,
        });
    }
    Ok(answer)
}

impl Seam {
    fn describe(&self, request: &Request) -> Sent {
        let path = request.uri().path();
        let mut parts = path.rsplit('/');
        let (last, before) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let (purpose, target) = match (request.method(), before, last) {
            (&Method::POST, "auth", "tokens") => (Purpose::Login, ""),
            (&Method::GET, "volumes" | "snapshots", "detail") => (Purpose::List, before),
            (&Method::POST, _, "snapshots") => (Purpose::Create, ""),
            (&Method::DELETE, "snapshots", id) => (Purpose::Delete, id),
            (&Method::POST, id, "action") => (Purpose::Delete, id),
            (&Method::GET, "snapshots" | "servers", id) => (Purpose::Read, id),
            _ => (Purpose::Other, last),
        };
        let copy = match purpose {
            Purpose::Delete => self
                .cloud
                .snapshot(target)
                .map(|one| self.world.copy_of_volume(&self.cloud, &one.volume_id)),
            Purpose::Create => volume_of(request.body())
                .map(|volume| self.world.copy_of_volume(&self.cloud, &volume)),
            _ => None,
        };
        Sent {
            purpose,
            at: Instant::now(),
            took: None,
            status: None,
            is_clear: false,
            target: target.to_owned(),
            // A login's body has the password in it.
            body: match purpose {
                Purpose::Login => Bytes::new(),
                _ => request.body().clone(),
            },
            copy,
        }
    }

    fn note(&self, index: usize, answer: &Result<Response, TransportError>) {
        let mut record = self.watch.record();
        let now = Instant::now();
        let mut told = None;
        let sent = &mut record.sent[index];
        if let Ok(answer) = answer {
            sent.took = Some(now - sent.at);
            sent.status = Some(answer.status().as_u16());
            sent.is_clear = true;
            if sent.purpose == Purpose::Create && answer.status().is_success() {
                let body: Option<serde_json::Value> = serde_json::from_slice(answer.body()).ok();
                told = body.and_then(|body| Some(body["snapshot"]["id"].as_str()?.to_owned()));
                sent.is_clear = told.is_some();
            }
        }
        record.told.extend(told);
    }

    async fn notify(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> Result<Response, TransportError> {
        let takes = self.watch.webhook == Receiver::Takes;
        self.watch
            .record()
            .notified
            .push((request.into_body(), takes));
        match self.watch.webhook {
            Receiver::Takes | Receiver::Refuses => {
                let mut answer = Response::new(Bytes::new());
                *answer.status_mut() = if takes {
                    http::StatusCode::NO_CONTENT
                } else {
                    http::StatusCode::SERVICE_UNAVAILABLE
                };
                Ok(answer)
            }
            Receiver::Hangs => deadline
                .bound(std::future::pending())
                .await
                .unwrap_or(Err(TransportError::TimedOut)),
        }
    }
}

/// The volume that a creation is for.
pub fn volume_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body["snapshot"]["volume_id"].as_str()?.to_owned())
}
