//! One project in one cloud, with a recorder in front of it: what a scenario plays in.
//!
//! Scenarios see no difference between the clouds. What goes over HTTP in both is done so
//! ([`Api`]); the rest is asked of whoever runs the cloud (`Control`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use http::Method;
use simcloud::lambda::{Function, FunctionSpec};
use simcloud::{AccessRule, Behaviour, Role};

use crate::api::{Api, Snapshot};
use crate::embedded::Embedded;
use crate::real::RealProject;
use crate::recorder::{Exchange, Recorder};
use crate::sandbox::Sandbox;

/// Variables of an environment.
pub type Env = Vec<(String, String)>;

/// A volume to be made.
#[derive(Clone, Debug, Default)]
pub struct NewVolume {
    /// Name.
    pub name: String,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// UUIDs of the servers it is attached to.
    pub servers: Vec<String>,
}

impl NewVolume {
    /// An unattached volume.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// With one more metadata key.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Managed, with this policy enabled and all its settings left to their defaults.
    #[must_use]
    pub fn policy(self, policy: &str) -> Self {
        self.meta("x-snapsentry-managed", "true")
            .meta(format!("x-snapsentry-{policy}-enabled"), "true")
    }

    /// Attached to one more server.
    #[must_use]
    pub fn on(mut self, server: impl Into<String>) -> Self {
        self.servers.push(server.into());
        self
    }
}

/// How the function logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Application credential by its id.
    Credential,
    /// Application credential by its name and the user's.
    CredentialByName,
    /// Name, password and project.
    Password,
}

/// A part of a cloud that can go missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// cinder-volume, which serves the one backend.
    Volume,
    /// cinder-scheduler.
    Scheduler,
    /// RabbitMQ.
    MessageQueue,
    /// Keystone.
    Keystone,
}

/// What becomes of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// SIGKILL.
    Killed,
    /// SIGSTOP.
    Stopped,
    /// SIGCONT, for one that was stopped.
    GoesOn,
    /// For one that was killed.
    StartedAgain,
}

/// Whoever runs the cloud.
pub(crate) enum Control {
    Real(Box<RealProject>),
    Embedded(Embedded),
}

/// Which of Cinder's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// What was asked.
    Api,
    /// What the volume service did.
    Volume,
}

/// One project, and the function that looks after it.
pub struct Tenancy {
    /// For setting the scene, as a user of the project with role member.
    pub api: Api,
    pub(crate) recorder: Recorder,
    pub(crate) control: Control,
    pub(crate) binary: PathBuf,
    /// Parts that are gone, and what brings them back.
    pub(crate) missing: Mutex<Vec<(Part, Fate)>>,
}

impl Tenancy {
    /// Makes a volume, attaches it, and gives its id.
    pub async fn add_volume(&self, volume: NewVolume) -> String {
        match &self.control {
            Control::Real(project) => project.add_volume(&self.api, &volume).await,
            Control::Embedded(cloud) => cloud.add_volume(volume),
        }
    }

    /// Says how the storage behaves with the snapshots of a volume from now on.
    pub fn storage(&self, volume: &str, behaviour: &[Behaviour]) {
        match &self.control {
            Control::Real(project) => project.storage(volume, behaviour),
            Control::Embedded(cloud) => cloud.storage(volume, behaviour),
        }
    }

    /// Puts a snapshot into a state, as an administrator can.
    pub async fn set_snapshot_status(&self, id: &str, status: &str) {
        match &self.control {
            Control::Real(project) => project.set_snapshot_status(id, status).await,
            Control::Embedded(cloud) => cloud.set_snapshot_status(id, status),
        }
    }

    /// Lets something happen to a part of the cloud, for all of its projects.
    pub fn befall(&self, part: Part, fate: Fate) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.retain(|(gone, _)| *gone != part);
        match fate {
            Fate::Killed => missing.push((part, Fate::StartedAgain)),
            Fate::Stopped => missing.push((part, Fate::GoesOn)),
            Fate::GoesOn | Fate::StartedAgain => {}
        }
        drop(missing);
        match &self.control {
            Control::Real(project) => project.befall(part, fate),
            Control::Embedded(cloud) => cloud.befall(part, fate),
        }
    }

    /// Brings back what is still missing: a scenario that was broken off must not take others
    /// with it.
    pub async fn heal(&self) {
        let missing =
            std::mem::take(&mut *self.missing.lock().unwrap_or_else(PoisonError::into_inner));
        for (part, fate) in &missing {
            self.befall(*part, *fate);
        }
        if !missing.is_empty() {
            self.wait_until_up().await;
        }
    }

    /// Waits until the scheduler takes a cinder-volume for dead that has just gone.
    pub async fn wait_until_given_up(&self) {
        match &self.control {
            Control::Real(project) => project.wait_for_services(false).await,
            Control::Embedded(cloud) => tokio::time::sleep(cloud.service_down_time()).await,
        }
    }

    /// Waits until all of Cinder is up by its own account.
    pub async fn wait_until_up(&self) {
        if let Control::Real(project) = &self.control {
            project.wait_for_services(true).await;
        }
    }

    /// For how long a service may not report before it is taken for dead.
    pub fn service_down_time(&self) -> std::time::Duration {
        match &self.control {
            Control::Real(project) => project.service_down_time(),
            Control::Embedded(cloud) => cloud.service_down_time(),
        }
    }

    /// Limits the number of snapshots.
    pub async fn set_snapshot_quota(&self, snapshots: u32) {
        match &self.control {
            Control::Real(project) => project.set_quota("snapshots", snapshots).await,
            Control::Embedded(cloud) => cloud.set_snapshot_quota(snapshots),
        }
    }

    /// Makes a snapshot this many minutes older than it is, in the database.
    pub async fn backdate_snapshot(&self, id: &str, minutes: u32) {
        match &self.control {
            Control::Real(project) => project.backdate_snapshot(id, minutes).await,
            Control::Embedded(cloud) => cloud.backdate_snapshot(id, minutes),
        }
    }

    /// Limits the number of volumes.
    pub async fn set_volume_quota(&self, volumes: u32) {
        match &self.control {
            Control::Real(project) => project.set_quota("volumes", volumes).await,
            Control::Embedded(cloud) => cloud.set_volume_quota(volumes),
        }
    }

    /// Gives the user a role in place of the one it has, for logins from now on.
    pub async fn set_role(&mut self, role: Role) {
        match &mut self.control {
            Control::Real(project) => project.set_role(role).await,
            Control::Embedded(cloud) => cloud.set_role(role),
        }
    }

    /// Replaces the application credential by one with these access rules; `None` for all.
    pub async fn set_access_rules(&mut self, rules: Option<&[AccessRule]>) {
        match &mut self.control {
            Control::Real(project) => project.set_access_rules(rules).await,
            Control::Embedded(cloud) => cloud.set_access_rules(rules),
        }
    }

    /// The variables with which the function logs in.
    pub fn env(&self, login: Login) -> Env {
        let mut env = match &self.control {
            Control::Real(project) => project.env(login),
            Control::Embedded(cloud) => cloud.env(login),
        };
        env.retain(|(name, _)| name != "OS_AUTH_URL");
        env.push(("OS_AUTH_URL".into(), self.recorder.auth_url()));
        env
    }

    /// Starts the function with an application credential.
    pub async fn function(&self) -> Sandbox {
        self.function_with(&self.env(Login::Credential), &[]).await
    }

    /// Starts the function with a login and more variables.
    pub async fn function_with(&self, login: &Env, more: &[(&str, &str)]) -> Sandbox {
        let spec = FunctionSpec::new(&self.binary)
            .env(login.clone())
            .env(more.iter().copied());
        let function = Function::start(spec).await;
        let function =
            function.unwrap_or_else(|error| panic!("the function does not start: {error}"));
        Sandbox::new(function)
    }

    /// Every request that the function made, with its answer.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.recorder.exchanges()
    }

    /// Number of calls of Cinder with this method whose path ends like this.
    pub fn count(&self, method: &Method, path_end: &str) -> usize {
        let exchanges = self.exchanges();
        let calls = exchanges.iter();
        calls.filter(|one| one.is(method.clone(), path_end)).count()
    }

    /// Number of logins, granted or not.
    pub fn logins(&self) -> usize {
        let exchanges = self.exchanges();
        let logins = exchanges.iter();
        logins
            .filter(|one| one.method == Method::POST && one.path == "/v3/auth/tokens")
            .count()
    }

    /// Somebody else sets a metadata key of a volume, right after the function has written
    /// there.
    pub fn meanwhile_tag_volume(&self, volume: &str, key: &str, value: &str) {
        let (api, id) = (self.api.clone(), volume.to_owned());
        let (key, value) = (key.to_owned(), value.to_owned());
        let path_end = format!("/volumes/{volume}/metadata");
        self.recorder
            .meanwhile(Method::POST, path_end, move || async move {
                api.tag_volume(&id, &key, &value).await;
            });
    }

    /// Ends the token that the function was given last.
    pub async fn revoke_last_token(&self) {
        let exchanges = self.exchanges();
        let token = exchanges
            .iter()
            .rev()
            .find_map(|exchange| exchange.headers.get("x-subject-token"))
            .expect("the function has logged in");
        let url = format!("{}/auth/tokens", self.recorder.auth_url());
        let answer = crate::api::client()
            .delete(url)
            .header("x-auth-token", token)
            .header("x-subject-token", token)
            .send()
            .await
            .expect("Keystone answers");
        assert_eq!(answer.status(), 204, "revoking a token");
    }

    /// A client that is recorded like the function, and asks in the same microversion.
    pub async fn direct_client(&self) -> Api {
        let env = self.env(Login::Password);
        let variable = |wanted: &str| {
            let found = env.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let (token, told) = Api::log_in(
            &self.recorder.auth_url(),
            variable("OS_USERNAME"),
            variable("OS_PASSWORD"),
            variable("OS_PROJECT_NAME"),
        )
        .await;
        let project = told["project"]["id"].as_str().unwrap_or_default();
        let base = format!("{}/v3/{project}", self.recorder.cinder_url());
        Api::new(base, token).microversion("volume 3.22")
    }

    /// How often a log of Cinder names a run.
    pub fn log_mentions(&self, log: Log, run_id: &str) -> usize {
        match &self.control {
            Control::Real(project) => project.log_mentions(log, run_id),
            Control::Embedded(cloud) => cloud.log_mentions(log, run_id),
        }
    }

    /// Most rows that a page of this cloud holds.
    pub fn page_size(&self) -> usize {
        match &self.control {
            Control::Real(project) => project.page_size(),
            Control::Embedded(cloud) => cloud.page_size(),
        }
    }

    /// All snapshots of the project that are in this state.
    pub async fn snapshots_in(&self, status: &str) -> Vec<Snapshot> {
        let all = self.api.snapshots().await.into_iter();
        all.filter(|one| one.status == status).collect()
    }

    /// Takes a snapshot as the function would have, whose time is over.
    pub async fn add_expired_snapshot(&self, volume: &str, policy: &str) -> String {
        self.add_snapshot_until(volume, policy, "2021-03-02T00:00:00Z")
            .await
    }

    /// Takes a snapshot as the function would have, whose time is never over.
    pub async fn add_lasting_snapshot(&self, volume: &str, policy: &str) -> String {
        self.add_snapshot_until(volume, policy, "2121-03-02T00:00:00Z")
            .await
    }

    async fn add_snapshot_until(&self, volume: &str, policy: &str, expiry: &str) -> String {
        let metadata = [
            ("x-snapsentry-managed", "true"),
            ("x-snapsentry-snapshot-policy-type", policy),
            ("x-snapsentry-snapshot-retention-days", "1"),
            ("x-snapsentry-snapshot-expiry-date", expiry),
            ("x-snapsentry-snapshot-expiry-date-user-tz", expiry),
            ("x-snapsentry-snapshot-window-start", "2021-03-01T00:00:00Z"),
        ];
        let metadata = metadata
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let name = format!("managed-{policy}-{volume}-2021-03-01T00:00:00Z");
        self.api.add_snapshot(volume, &name, &metadata).await
    }
}
