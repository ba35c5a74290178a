//! A client without any cleverness: one request, one answer.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use simcloud::{Cloud, Config, Interrupted, VolumeSpec};

/// An answer taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The message of an error in Cinder's envelope.
    pub(crate) fn message(&self) -> String {
        let json = self.json();
        let inner = json.as_object().and_then(|outer| outer.values().next());
        inner
            .and_then(|inner| inner["message"].as_str())
            .unwrap_or_default()
            .to_owned()
    }

    /// The ids in a listing.
    pub(crate) fn ids(&self) -> Vec<String> {
        let json = self.json();
        let list = json["volumes"]
            .as_array()
            .or_else(|| json["snapshots"].as_array());
        let rows = list.expect("a listing").iter();
        rows.map(|row| row["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// Path and query of the link to the next page.
    pub(crate) fn next(&self, collection: &str) -> Option<String> {
        let json = self.json();
        let href = json[format!("{collection}_links")][0]["href"]
            .as_str()?
            .to_owned();
        Some(href.trim_start_matches("http://cloud.example").to_owned())
    }
}

/// A logged-in client of a cloud in the same process.
pub(crate) struct Client {
    pub(crate) cloud: Cloud,
    pub(crate) token: String,
    /// Value of `OpenStack-API-Version`; none if empty.
    pub(crate) version: String,
}

impl Client {
    pub(crate) async fn new(config: Config) -> Self {
        let cloud = Cloud::new(config);
        let mut client = Self {
            cloud,
            token: String::new(),
            version: String::new(),
        };
        client.log_in().await;
        client
    }

    pub(crate) async fn log_in(&mut self) {
        let answer = self
            .post("/identity/v3/auth/tokens", application_credential())
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.token = answer.header("x-subject-token").to_owned();
    }

    pub(crate) fn version(mut self, version: &str) -> Self {
        self.version = version.into();
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &body.to_string()).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.try_send(method, path, body)
            .await
            .expect("a whole answer")
    }

    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Answer, Interrupted> {
        self.cloud
            .handle(self.request(method, path, body))
            .await
            .map(take_apart)
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Request<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "cloud.example")
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.header("x-auth-token", &self.token);
        }
        if !self.version.is_empty() {
            request = request.header("openstack-api-version", &self.version);
        }
        request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request")
    }

    /// Puts a volume in.
    pub(crate) fn volume(&self) -> String {
        self.cloud.add_volume(VolumeSpec::named("v"))
    }

    /// Creates a snapshot, which must be accepted.
    pub(crate) async fn snapshot(&self, volume: &str, name: &str) -> String {
        let answer = self
            .create(json!({ "volume_id": volume, "name": name }))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()["snapshot"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    pub(crate) async fn create(&self, snapshot: Value) -> Answer {
        self.post("/volume/v3/snapshots", json!({ "snapshot": snapshot }))
            .await
    }
}

pub(crate) fn take_apart(response: Response<Bytes>) -> Answer {
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).expect("text"),
    }
}

/// A login by application credential.
pub(crate) fn application_credential() -> Value {
    let credential = Config::default().application_credential;
    let given = json!({ "id": credential.id, "secret": credential.secret });
    json!({ "auth": { "identity": {
        "methods": ["application_credential"], "application_credential": given } } })
}
