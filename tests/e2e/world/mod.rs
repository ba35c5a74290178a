//! The world of an end-to-end test: an embedded cloud on a port, and the built function in a
//! sandbox of its own that talks to it.
//!
//! Every run is held to what is promised of every run ([`promises`]), whatever the test is about: so
//! each test is also one of the answer, of the metrics, of the deadline and of the secrets.

mod folder;
mod policies;
mod promises;
mod run;
mod sandbox;
mod timing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::lambda::FunctionSpec;
use simcloud::{
    Change, Cloud, Config, Entry, Happening, Login, Role, Route, Server, Snapshot, SnapshotSpec,
    VolumeSpec,
};

pub(crate) use folder::Folder;
pub(crate) use policies::{
    Policy, daily, express, hourly, monthly, rfc3339, twice_a_day, weekly, yearly,
};
pub(crate) use run::Run;
pub(crate) use sandbox::Sandbox;
pub(crate) use timing::{eventually, overlap, side_by_side};

/// Long enough for everything that is not about deadlines.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A cloud, and how the function is to be configured.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    server: Server,
    login: Option<Login>,
    variables: BTreeMap<String, Option<String>>,
    directory: Option<PathBuf>,
    secrets: Vec<String>,
}

impl World {
    /// A healthy cloud by the real clock, and a function that does not wait long.
    pub(crate) async fn new() -> Self {
        Self::of(|_| {}).await
    }

    /// A cloud of another kind.
    pub(crate) async fn of(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            now: Utc::now(),
            ..Config::default()
        };
        change(&mut config);
        let cloud = Cloud::new(config);
        let server = cloud.serve().await.expect("a free port");
        let quick = [
            // All that can be said is searched for secrets.
            ("RUST_LOG", "trace"),
            ("SNAPSENTRY_BASE_DELAY", "10ms"),
            ("SNAPSENTRY_MAX_DELAY", "40ms"),
            ("SNAPSENTRY_POLL_INTERVAL", "250ms"),
        ];
        let quick = quick.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        Self {
            cloud,
            server,
            login: Some(Login::AppCred),
            variables: quick.into(),
            directory: None,
            secrets: Vec::new(),
        }
    }

    /// A cloud whose user may delete by force.
    pub(crate) async fn of_admin() -> Self {
        Self::of(|config| config.role = Role::Admin).await
    }

    /// Where the cloud is.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Sets a variable of the function.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), Some(value.into()));
        self
    }

    /// Takes a variable of the function away.
    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.variables.insert(name.to_owned(), None);
        self
    }

    /// Sets several.
    pub(crate) fn set_all(self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        variables
            .into_iter()
            .fold(self, |world, (name, value)| world.set(&name, value))
    }

    /// Logs in another way.
    pub(crate) fn login(self, login: Login) -> Self {
        Self {
            login: Some(login),
            ..self
        }
    }

    /// Gives the function no login in its environment.
    pub(crate) fn without_login(self) -> Self {
        Self {
            login: None,
            ..self
        }
    }

    /// Runs the function in this folder.
    pub(crate) fn directory(self, directory: &Path) -> Self {
        Self {
            directory: Some(directory.to_owned()),
            ..self
        }
    }

    /// Also this must never be seen.
    pub(crate) fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// The login variables in use.
    pub(crate) fn login_variables(&self, login: Login) -> Vec<(String, String)> {
        self.cloud.os_env(&self.url(), login)
    }

    /// Everything that must never be seen.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.cloud.secrets();
        secrets.extend(self.secrets.iter().cloned());
        secrets
    }

    /// Starts the function: a cold sandbox.
    pub(crate) async fn function(&self) -> Sandbox<'_> {
        let mut variables = BTreeMap::new();
        if let Some(login) = self.login {
            variables.extend(self.login_variables(login));
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => variables.insert(name.clone(), value.clone()),
                None => variables.remove(name),
            };
        }
        let spec = FunctionSpec {
            log_format: Some("JSON".into()),
            directory: self.directory.clone(),
            patience: Duration::from_secs(20),
            ..FunctionSpec::new(env!("CARGO_BIN_EXE_snapsentry")).env(variables)
        };
        Sandbox::start(self, spec).await
    }

    /// One event in a cold sandbox.
    pub(crate) async fn run(&self, event: Value) -> Run {
        self.run_within(MINUTE, event).await
    }

    /// One event in a cold sandbox that has this long.
    pub(crate) async fn run_within(&self, time: Duration, event: Value) -> Run {
        self.function().await.run_within(time, event).await
    }

    /// A snapshot pass in a cold sandbox.
    pub(crate) async fn snapshot(&self) -> Run {
        self.run(json!({"phase": "snapshot"})).await
    }

    /// An expire pass in a cold sandbox.
    pub(crate) async fn expire(&self) -> Run {
        self.run(json!({"phase": "expire"})).await
    }

    /// What a dry run of the phase would do.
    pub(crate) async fn plan(&self, phase: &str) -> Vec<Value> {
        self.run(json!({"phase": phase, "dry_run": true}))
            .await
            .plan()
    }

    /// Puts in a managed volume that has these policies.
    pub(crate) fn volume(&self, policies: &[&Policy]) -> String {
        self.cloud.add_volume(tagged(policies))
    }

    /// Puts in managed volumes of one server that have these policies.
    pub(crate) fn server_with(&self, volumes: usize, policies: &[&Policy]) -> Vec<String> {
        let server = self.cloud.new_uuid();
        self.cloud.add_server(&server, "a-server");
        (0..volumes)
            .map(|_| self.cloud.add_volume(tagged(policies).on(&server)))
            .collect()
    }

    /// Puts in an available snapshot that serves the policy's window, as a pass leaves it.
    pub(crate) fn taken(&self, volume: &str, policy: &Policy) -> String {
        self.cloud.add_snapshot(policy.snapshot_of(volume))
    }

    /// Puts in a managed snapshot of the policy that expired this many hours ago.
    pub(crate) fn expired(&self, volume: &str, policy: &Policy, hours: i64) -> String {
        self.cloud.add_snapshot(policy.expired(volume, hours))
    }

    /// The requests of a call so far.
    pub(crate) fn requests(&self, route: Route) -> Vec<Entry> {
        self.cloud
            .with_journal(|journal| journal.of(route).cloned().collect())
    }

    /// How many requests of a call there were so far.
    pub(crate) fn count(&self, route: Route) -> u64 {
        self.cloud.with_journal(|journal| journal.count(route))
    }

    /// The changes of this kind so far.
    pub(crate) fn changes(&self, happening: Happening) -> Vec<Change> {
        self.cloud
            .with_journal(|journal| journal.changed(happening).cloned().collect())
    }

    /// How many snapshots were begun so far.
    pub(crate) fn begun(&self) -> usize {
        self.changes(Happening::Creating).len()
    }

    /// How many snapshots the function's requests have removed so far.
    pub(crate) fn removed(&self) -> usize {
        self.changes(Happening::Deleting).len()
    }

    /// How many requests so far would change something.
    pub(crate) fn writes(&self) -> usize {
        self.cloud.with_journal(|journal| {
            journal
                .entries
                .iter()
                .filter(|entry| entry.route.writes())
                .count()
        })
    }

    /// The one snapshot of a volume.
    #[track_caller]
    pub(crate) fn only_snapshot_of(&self, volume: &str) -> Snapshot {
        let snapshots = self.cloud.snapshots_of(volume);
        let [snapshot] = snapshots.as_slice() else {
            panic!("not one snapshot: {snapshots:#?}");
        };
        snapshot.clone()
    }

    /// Whether a snapshot is still there.
    pub(crate) fn has(&self, snapshot: &str) -> bool {
        self.cloud.snapshot(snapshot).is_some()
    }

    /// Waits until the cloud has had this many requests of a call.
    pub(crate) async fn had(&self, route: Route, requests: u64) {
        eventually(|| self.count(route) >= requests).await;
    }
}

/// A managed volume with these policies, made long ago.
pub(crate) fn tagged(policies: &[&Policy]) -> VolumeSpec {
    // Long before any window that a test is about.
    let old = VolumeSpec {
        created_at: Some(Utc::now() - TimeDelta::days(400)),
        ..VolumeSpec::default()
    };
    policies
        .iter()
        .fold(managed(old), |volume, policy| policy.tag(volume))
}

/// The volume, managed.
pub(crate) fn managed(volume: VolumeSpec) -> VolumeSpec {
    volume.meta("x-snapsentry-managed", "true")
}

/// The snapshot, also with the key that keeps it.
pub(crate) fn held(snapshot: SnapshotSpec) -> SnapshotSpec {
    snapshot.meta("x-snapsentry-hold", "true")
}
