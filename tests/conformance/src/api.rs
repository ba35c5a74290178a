//! A client for setting a scene and looking at what became of it: the same for both clouds.
//!
//! It is no part of what is tested, so it gives up loudly: a scene that could not be set proves
//! nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long something is waited for that the cloud does behind the answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A snapshot as the cloud lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// UUID.
    pub id: String,
    /// UUID of its volume.
    pub volume_id: String,
    /// Name.
    pub name: String,
    /// State.
    pub status: String,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
}

impl Snapshot {
    fn read(value: &Value) -> Self {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        Self {
            id: text("id"),
            volume_id: text("volume_id"),
            name: text("name"),
            status: text("status"),
            metadata: strings(&value["metadata"]),
        }
    }

    /// The policy it was taken for.
    pub fn policy(&self) -> &str {
        self.metadata
            .get("x-snapsentry-snapshot-policy-type")
            .map_or("", String::as_str)
    }
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Sends requests with one token.
#[derive(Clone, Debug)]
pub struct Api {
    client: reqwest::Client,
    base: String,
    token: String,
    microversion: String,
}

/// Status and JSON of an answer.
pub type Answer = (u16, Value);

impl Api {
    /// A client for the service at `base`.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            client: client(),
            base: base.into(),
            token: token.into(),
            microversion: "volume 3.70".into(),
        }
    }

    /// The same client with another `OpenStack-API-Version`; 3.70 where none was set.
    #[must_use]
    pub fn microversion(mut self, microversion: &str) -> Self {
        microversion.clone_into(&mut self.microversion);
        self
    }

    /// Logs in at Keystone (`…/v3`) with a password for a project; the token and what Keystone
    /// tells about it.
    pub async fn log_in(
        keystone: &str,
        user: &str,
        password: &str,
        project: &str,
    ) -> (String, Value) {
        let domain = json!({ "name": "Default" });
        let body = json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": user, "domain": domain, "password": password } } },
            "scope": { "project": { "name": project, "domain": domain } },
        } });
        let answer = client()
            .post(format!("{keystone}/auth/tokens"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap_or_else(|error| panic!("Keystone does not answer: {error}"));
        assert_eq!(answer.status(), 201, "login of {user} for {project}");
        let token = answer.headers()["x-subject-token"]
            .to_str()
            .expect("a token is text")
            .to_owned();
        let told = answer.bytes().await.expect("the body of a login");
        let told: Value = serde_json::from_slice(&told).expect("the JSON of a login");
        (token, told["token"].clone())
    }

    /// Sends a request and gives whatever is answered.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .header("x-auth-token", &self.token)
            .header("openstack-api-version", &self.microversion);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap_or_default();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Sends a request that has to succeed.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method.clone(), path, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    /// Every row of a listing, newest first, page by page; begun again where the row that a page
    /// ended with is gone meanwhile.
    async fn list(&self, what: &str) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let marker = rows.last().and_then(|row| row["id"].as_str());
            let marker = marker.map_or_else(String::new, |id| format!("?marker={id}"));
            let path = format!("/{what}/detail{marker}");
            let (status, page) = self.send(Method::GET, &path, None).await;
            match page[what].as_array().map(Vec::as_slice) {
                None if status == 404 && !rows.is_empty() => rows.clear(),
                None => panic!("GET {path}: {status} {page}"),
                Some([]) => return rows,
                Some(page) => rows.extend(page.iter().cloned()),
            }
        }
    }

    /// All snapshots of the project, newest first.
    pub async fn snapshots(&self) -> Vec<Snapshot> {
        let rows = self.list("snapshots").await;
        rows.iter().map(Snapshot::read).collect()
    }

    /// All snapshots of a volume, newest first.
    pub async fn snapshots_of(&self, volume: &str) -> Vec<Snapshot> {
        let all = self.snapshots().await.into_iter();
        all.filter(|one| one.volume_id == volume).collect()
    }

    /// A snapshot, if it is there.
    pub async fn snapshot(&self, id: &str) -> Option<Snapshot> {
        let (status, answer) = self
            .send(Method::GET, &format!("/snapshots/{id}"), None)
            .await;
        (status == 200).then(|| Snapshot::read(&answer["snapshot"]))
    }

    /// Waits until a snapshot is in a state; `gone` is one.
    pub async fn wait_for_snapshot(&self, id: &str, status: &str) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let found = self.snapshot(id).await.map(|one| one.status);
            let found = found.as_deref().unwrap_or("gone");
            if found == status {
                return;
            }
            assert!(
                Instant::now() < give_up,
                "snapshot {id} is {found}, not {status}"
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Takes a snapshot by hand and waits until it is available.
    pub async fn add_snapshot(
        &self,
        volume: &str,
        name: &str,
        metadata: &BTreeMap<String, String>,
    ) -> String {
        let body = json!({ "snapshot": {
            "volume_id": volume, "name": name, "force": true, "metadata": metadata } });
        let made = self.call(Method::POST, "/snapshots", Some(body)).await;
        let id = made["snapshot"]["id"].as_str().expect("an id").to_owned();
        self.wait_for_snapshot(&id, "available").await;
        id
    }

    /// Sets metadata of a snapshot; other keys stay.
    pub async fn tag_snapshot(&self, id: &str, key: &str, value: &str) {
        let body = json!({ "metadata": { key: value } });
        self.call(
            Method::POST,
            &format!("/snapshots/{id}/metadata"),
            Some(body),
        )
        .await;
    }

    /// Sets metadata of a volume; other keys stay.
    pub async fn tag_volume(&self, id: &str, key: &str, value: &str) {
        let body = json!({ "metadata": { key: value } });
        self.call(Method::POST, &format!("/volumes/{id}/metadata"), Some(body))
            .await;
    }

    /// The metadata of a volume.
    pub async fn volume_metadata(&self, id: &str) -> BTreeMap<String, String> {
        let volume = self
            .call(Method::GET, &format!("/volumes/{id}"), None)
            .await;
        strings(&volume["volume"]["metadata"])
    }

    /// Waits until a volume is in a state.
    pub async fn wait_for_volume(&self, id: &str, status: &str) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let volume = self
                .call(Method::GET, &format!("/volumes/{id}"), None)
                .await;
            let found = volume["volume"]["status"].as_str().unwrap_or_default();
            if found == status {
                return;
            }
            assert!(
                Instant::now() < give_up && found != "error",
                "volume {id} is {found}, not {status}"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Proxies are for the outside.
pub(crate) fn client() -> reqwest::Client {
    // Nothing here speaks TLS, but built together with the function the library wants a provider.
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client without TLS needs nothing")
}
