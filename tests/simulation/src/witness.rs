//! What a pass sends and prints, written down by whoever stands between it and the cloud.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, Request, Response, StatusCode};
use simcloud::Cloud;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::case::Kill;
use crate::world::{VolumeCopy, World};

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

/// What was on a page of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Whether there was a row.
    pub has_rows: bool,
    /// Whether it named a next page.
    pub has_next: bool,
    /// When its first row was made.
    pub first: Option<DateTime<Utc>>,
    /// When its last row was made.
    pub last: Option<DateTime<Utc>>,
    /// Whether each row says when it was made, and none is newer than the one before it.
    pub is_in_order: bool,
}

impl Page {
    /// What is on a page: read once for as long as the cloud gives the same one again.
    fn of(body: &Bytes) -> Self {
        const KEPT: usize = 16;
        thread_local! {
            static READ: RefCell<VecDeque<(Bytes, Page)>> = RefCell::default();
        }
        let is_it = |one: &Bytes| one.as_ptr() == body.as_ptr() && one.len() == body.len();
        READ.with_borrow_mut(|read| {
            if let Some((_, page)) = read.iter().find(|(one, _)| is_it(one)) {
                return *page;
            }
            let page = Self::read(body);
            read.truncate(KEPT - 1);
            read.push_front((body.clone(), page));
            page
        })
    }

    /// The cloud writes rows and links like this.
    fn read(body: &[u8]) -> Self {
        // Links come after all rows.
        const LINKS: usize = 2_048;
        let has = |body: &[u8], text: &[u8]| body.windows(text.len()).any(|part| part == text);
        let end = &body[body.len().saturating_sub(LINKS)..];
        let times = times_of_creation(body);
        let is_in_order = times.windows(2).all(|pair| {
            pair[0]
                .zip(pair[1])
                .is_some_and(|(one, other)| one >= other)
        });
        Self {
            has_rows: has(body, b"\"id\""),
            has_next: has(end, b"s_links\""),
            first: times.first().copied().flatten(),
            last: times.last().copied().flatten(),
            is_in_order: is_in_order && times.iter().all(Option::is_some),
        }
    }
}

/// When the rows of a page were made, where they say so.
fn times_of_creation(body: &[u8]) -> Vec<Option<DateTime<Utc>>> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let rows = text.split("\"created_at\"").skip(1);
    rows.map(|rest| {
        let value = rest.trim_start_matches([':', ' ']).strip_prefix('"')?;
        let (text, _) = value.split_once('"')?;
        let at = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(at.and_utc())
    })
    .collect()
}

/// Makes fields of rows NULL, in a listing or where one thing was asked for.
fn nulled(body: &Bytes, nulls: &HashMap<String, Vec<&'static str>>) -> Option<Bytes> {
    let mut answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let mut is_changed = false;
    for name in ["snapshots", "volumes", "snapshot", "volume"] {
        let rows = match answer.get_mut(name) {
            Some(serde_json::Value::Array(rows)) => rows.iter_mut().collect(),
            Some(row) => vec![row],
            None => continue,
        };
        for row in rows {
            let fields = row["id"].as_str().and_then(|id| nulls.get(id));
            for field in fields.into_iter().flatten() {
                row[*field] = serde_json::Value::Null;
                is_changed = true;
            }
        }
    }
    is_changed.then(|| answer.to_string().into())
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
    /// Whether its time was over before an answer came: of a try, or of the pass.
    pub timed_out: bool,
    /// The status of a whole answer.
    pub status: Option<u16>,
    /// Whether the answer was a whole one and, for a creation, told of the snapshot.
    pub is_clear: bool,
    /// The seconds that the answer asks to wait.
    pub retry_after: Option<u64>,
    /// The last part of its path: of a deletion, the snapshot.
    pub target: String,
    /// Of a page: what was on it.
    pub page: Option<Page>,
    /// What is listed, page and filter included; empty for all but listings.
    pub query: String,
    /// Its body.
    pub body: Bytes,
    /// Of a creation or deletion, and where a snapshot is read: how its volume stood when it left.
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
    /// Lines of metrics on standard output.
    pub lines: Vec<String>,
    /// The run id that the requests carry, and the time by the machine's clock when the first
    /// one came; known only where they come over a socket.
    pub first: Option<(String, DateTime<Utc>)>,
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

/// One pass as it is seen from outside.
pub struct Watch {
    record: Mutex<Record>,
    kill: Option<Kill>,
    /// Tells the driver that the pass has to die now.
    killed: Notify,
    webhook: Receiver,
}

/// The watch of the pass that is under way in a sandbox: the next one's takes its place.
pub type Current = Arc<Mutex<Arc<Watch>>>;

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

    /// The watch of a sandbox in which nothing runs yet.
    pub fn idle() -> Current {
        Arc::new(Mutex::new(Self::new(None, Receiver::Takes)))
    }

    /// What is written down so far.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes to an end when the pass has to die; never, where that was not drawn.
    pub async fn dies(&self) {
        match self.kill {
            Some(Kill::After(after)) => sleep(after).await,
            _ => self.killed.notified().await,
        }
    }

    async fn die(&self) -> ! {
        self.killed.notify_one();
        std::future::pending().await
    }

    /// A notification: its answer, unless none ever comes.
    pub fn notified(&self, body: Bytes) -> Option<Response<Bytes>> {
        let takes = self.webhook == Receiver::Takes;
        self.record().notified.push((body, takes));
        let status = match self.webhook {
            Receiver::Takes => StatusCode::NO_CONTENT,
            Receiver::Refuses => StatusCode::SERVICE_UNAVAILABLE,
            Receiver::Hangs => return None,
        };
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = status;
        Some(answer)
    }
}

/// Puts the watch of the next pass in place.
pub fn put(current: &Current, watch: Arc<Watch>) {
    *current.lock().unwrap_or_else(PoisonError::into_inner) = watch;
}

/// The watch of the pass that is under way.
pub fn under_way(current: &Current) -> Arc<Watch> {
    current
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Stands between one pass and the cloud.
pub struct Witness {
    /// The cloud.
    pub cloud: Cloud,
    /// What is known of it.
    pub world: World,
    /// What is written down of the pass.
    pub watch: Arc<Watch>,
}

impl Witness {
    /// Writes down a request that is about to leave, and gives its number. Never resolves where
    /// the pass has to die first.
    pub async fn leaves(&self, request: &Request<Bytes>) -> usize {
        let number = {
            let sent = self.describe(request);
            let mut record = self.watch.record();
            record.sent.push(sent);
            record.sent.len()
        };
        if self.watch.kill == Some(Kill::BeforeRequest(number as u64)) {
            // It has not left.
            self.watch.record().sent.pop();
            self.watch.die().await;
        }
        number
    }

    /// An answer with what is NULL in the cloud's database.
    pub fn with_nulls(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let Some(nulls) = self.world.nulls() else {
            return answer;
        };
        match nulled(answer.body(), &nulls) {
            None => answer,
            Some(body) => {
                let (mut parts, _) = answer.into_parts();
                parts.headers.remove(http::header::CONTENT_LENGTH);
                Response::from_parts(parts, body)
            }
        }
    }

    /// Writes down that a request's time was over before its answer came.
    pub fn timed_out(&self, number: usize) {
        self.watch.record().sent[number - 1].timed_out = true;
    }

    /// Writes down what came of a request. Never resolves where the pass has to die then.
    pub async fn came_back(&self, number: usize, answer: Option<&Response<Bytes>>) {
        self.note(number - 1, answer);
        if self.watch.kill == Some(Kill::AfterAnswer(number as u64)) {
            self.watch.die().await;
        }
    }

    fn describe(&self, request: &Request<Bytes>) -> Sent {
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
            (&Method::GET, "snapshots" | "servers" | "volumes", id) => (Purpose::Read, id),
            _ => (Purpose::Other, last),
        };
        let copy = match purpose {
            Purpose::Delete | Purpose::Read => self
                .cloud
                .snapshot(target)
                .map(|one| self.world.copy_of_volume(&self.cloud, &one.volume_id)),
            Purpose::Create => volume_of(request.body())
                .map(|volume| self.world.copy_of_volume(&self.cloud, &volume)),
            _ => None,
        };
        let query = request.uri().query().filter(|_| purpose == Purpose::List);
        Sent {
            purpose,
            at: Instant::now(),
            took: None,
            timed_out: false,
            status: None,
            is_clear: false,
            retry_after: None,
            page: None,
            target: target.to_owned(),
            query: query.unwrap_or_default().to_owned(),
            // A login's body has the password in it.
            body: match purpose {
                Purpose::Login => Bytes::new(),
                _ => request.body().clone(),
            },
            copy,
        }
    }

    fn note(&self, index: usize, answer: Option<&Response<Bytes>>) {
        let Some(answer) = answer else { return };
        let mut record = self.watch.record();
        let now = Instant::now();
        let mut told = None;
        let sent = &mut record.sent[index];
        sent.took = Some(now - sent.at);
        sent.status = Some(answer.status().as_u16());
        sent.is_clear = true;
        let retry_after = answer.headers().get("retry-after");
        sent.retry_after = retry_after.and_then(|text| text.to_str().ok()?.parse().ok());
        if sent.purpose == Purpose::List && answer.status() == StatusCode::OK {
            sent.page = Some(Page::of(answer.body()));
        }
        if sent.purpose == Purpose::Create && answer.status().is_success() {
            let body: Option<serde_json::Value> = serde_json::from_slice(answer.body()).ok();
            told = body.and_then(|body| Some(body["snapshot"]["id"].as_str()?.to_owned()));
            sent.is_clear = told.is_some();
        }
        record.told.extend(told);
    }
}

/// The volume that a creation is for.
fn volume_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body["snapshot"]["volume_id"].as_str()?.to_owned())
}
