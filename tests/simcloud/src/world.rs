//! The world of a test: what is in the cloud, how it behaves, and what happened in it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::Cloud;
use crate::backend::Rule;
use crate::config::Config;
use crate::faults::{Fault, FaultId, Injected, Requests};
use crate::hooks::{Hook, When};
use crate::id::Id;
use crate::journal::Journal;
use crate::rows::{
    Attachment, Metadata, Snapshot, SnapshotRow, SnapshotSpec, Volume, VolumeRow, VolumeSpec,
};
use crate::state::State;

/// Which variables [`Cloud::os_env`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Application credential by its id.
    AppCred,
    /// Application credential by its name and the user's.
    AppCredByName,
    /// Name, password and project.
    Password,
}

fn id_of(text: &str) -> Id {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is no UUID, and Cinder has no other ids"))
}

/// The clock.
impl Cloud {
    /// The cloud's present time.
    pub fn now(&self) -> DateTime<Utc> {
        self.lock().now()
    }

    /// Moves the cloud's clock on.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).expect("a step of less than 292 million years");
        let mut state = self.lock();
        state.move_clock(by);
        state.settle();
    }

    /// Sets the cloud's clock, also back.
    pub fn set_now(&self, now: DateTime<Utc>) {
        let mut state = self.lock();
        let by = now - state.now();
        state.move_clock(by);
        state.settle();
    }
}

/// Volumes, snapshots and servers.
impl Cloud {
    /// Puts a volume in and gives its id. One with the same id is replaced.
    ///
    /// # Panics
    /// If the id is no UUID.
    pub fn add_volume(&self, spec: VolumeSpec) -> String {
        let mut state = self.lock();
        let id = spec.id.as_deref().map_or_else(|| state.new_id(), id_of);
        let created_at = spec.created_at.unwrap_or_else(|| state.now());
        let created_at = state.kept(created_at);
        let mut attachments: Vec<Attachment> = spec
            .servers
            .into_iter()
            .map(|server| Attachment {
                id: state.new_id(),
                server,
                at: created_at,
            })
            .collect();
        // Cinder gives them in no order at all.
        attachments.sort_by_key(|attachment| attachment.id);
        let usual = if attachments.is_empty() {
            "available"
        } else {
            "in-use"
        };
        state.volumes.insert(VolumeRow {
            id,
            name: spec.name,
            status: spec.status.unwrap_or_else(|| usual.into()),
            size: spec.size.unwrap_or(1),
            created_at,
            updated_at: Some(spec.updated_at.unwrap_or(created_at)),
            metadata: spec.metadata.into(),
            doubled: Default::default(),
            first_written: Default::default(),
            attachments,
        });
        id.to_string()
    }

    /// Puts a snapshot in and gives its id. One with the same id is replaced. It stays in its
    /// state until somebody changes it.
    ///
    /// # Panics
    /// If one of the ids is no UUID.
    pub fn add_snapshot(&self, spec: SnapshotSpec) -> String {
        let mut state = self.lock();
        let id = spec.id.as_deref().map_or_else(|| state.new_id(), id_of);
        let volume_id = id_of(&spec.volume_id);
        let created_at = spec.created_at.unwrap_or_else(|| state.now());
        let size = spec
            .size
            .or_else(|| Some(state.volumes.get(volume_id)?.size));
        let row = SnapshotRow {
            id,
            volume_id,
            name: spec.name,
            description: spec.description,
            status: spec.status.unwrap_or_else(|| "available".into()),
            size: size.unwrap_or(1),
            created_at: state.kept(created_at),
            updated_at: spec.updated_at.map(|at| state.kept(at)),
            metadata: spec.metadata.into(),
        };
        state.add_snapshot(row);
        id.to_string()
    }

    /// Puts a server in, for Nova to name.
    pub fn add_server(&self, id: impl Into<String>, name: impl Into<String>) {
        self.lock().servers.insert(id.into(), name.into());
    }

    /// All volumes, newest first.
    pub fn volumes(&self) -> Vec<Volume> {
        let mut state = self.lock();
        state.settle();
        state.volumes.iter().map(VolumeRow::show).collect()
    }

    /// A volume.
    pub fn volume(&self, id: &str) -> Option<Volume> {
        let state = self.lock();
        state.volumes.get(id.parse().ok()?).map(VolumeRow::show)
    }

    /// All snapshots, newest first.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        let mut state = self.lock();
        state.settle();
        state.snapshots.iter().map(SnapshotRow::show).collect()
    }

    /// A snapshot.
    pub fn snapshot(&self, id: &str) -> Option<Snapshot> {
        let mut state = self.lock();
        state.settle();
        state.snapshots.get(id.parse().ok()?).map(SnapshotRow::show)
    }

    /// The snapshots of a volume, newest first.
    pub fn snapshots_of(&self, volume_id: &str) -> Vec<Snapshot> {
        let mut state = self.lock();
        state.settle();
        let volume = volume_id.parse::<Id>().ok();
        volume.map_or_else(Vec::new, |id| {
            state.snapshots_of(id).map(SnapshotRow::show).collect()
        })
    }

    /// Takes a volume away; its snapshots stay. Whether it was there.
    pub fn remove_volume(&self, id: &str) -> bool {
        self.lock().volumes.remove(id_of(id)).is_some()
    }

    /// Takes a snapshot away at once, whatever its state. Whether it was there.
    pub fn remove_snapshot(&self, id: &str) -> bool {
        self.lock().remove_snapshot(id_of(id)).is_some()
    }

    /// Puts a volume into a state. Whether it is there.
    pub fn set_volume_status(&self, id: &str, status: &str) -> bool {
        let mut state = self.lock();
        let row = state.volumes.get_mut(id_of(id));
        row.map(|row| status.clone_into(&mut row.status)).is_some()
    }

    /// Replaces a volume's metadata. Whether it is there.
    pub fn set_metadata<K: Into<String>, V: Into<String>>(
        &self,
        volume_id: &str,
        metadata: impl IntoIterator<Item = (K, V)>,
    ) -> bool {
        let metadata = collect(metadata);
        let mut state = self.lock();
        let row = state.volumes.get_mut(id_of(volume_id));
        row.map(|row| row.metadata = metadata).is_some()
    }

    /// Replaces a snapshot's metadata; its `updated_at` stays. Whether it is there.
    pub fn set_snapshot_metadata<K: Into<String>, V: Into<String>>(
        &self,
        id: &str,
        metadata: impl IntoIterator<Item = (K, V)>,
    ) -> bool {
        let metadata = collect(metadata);
        let mut state = self.lock();
        let row = state.snapshots.get_mut(id_of(id));
        row.map(|row| row.metadata = metadata).is_some()
    }

    /// Puts a snapshot into a state, now; what the storage was doing with it no longer counts
    /// unless the state is the same. Whether it is there.
    pub fn set_snapshot_status(&self, id: &str, status: &str) -> bool {
        let mut state = self.lock();
        state.settle();
        let (id, now) = (id_of(id), state.now());
        state.set_status(now, id, status);
        state.snapshots.get(id).is_some()
    }

    /// Leaves two rows for this metadata key of a volume, as a race does: writes to it are
    /// answered with 200 and lost until the key is deleted. Whether the key is there.
    pub fn double_metadata_key(&self, volume_id: &str, key: &str) -> bool {
        let mut state = self.lock();
        let row = state.volumes.get_mut(id_of(volume_id));
        row.filter(|row| row.metadata.get(key).is_some())
            .map(|row| row.doubled.insert(key.to_owned()))
            .is_some()
    }
}

fn collect<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Metadata {
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()));
    Metadata::from(pairs.collect::<std::collections::BTreeMap<String, String>>())
}

/// Behaviour.
impl Cloud {
    /// Changes the configuration of the running cloud. Seed, ids and `now` no longer matter.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        change(&mut self.lock().config);
    }

    /// Makes the storage behave in some way.
    pub fn backend(&self, rule: Rule) {
        self.lock().backend.push(rule);
    }

    /// Makes the storage behave again. What it is doing wrong already goes on.
    pub fn clear_backend(&self) {
        self.lock().backend.clear();
    }

    /// Injects a misfortune.
    pub fn inject(&self, fault: Fault) -> FaultId {
        let mut state = self.lock();
        state.faults.push(Injected { fault, struck: 0 });
        FaultId(state.faults.len() - 1)
    }

    /// How many requests a misfortune has befallen.
    pub fn struck(&self, fault: FaultId) -> u64 {
        self.lock()
            .faults
            .get(fault.0)
            .map_or(0, |injected| injected.struck)
    }

    /// Ends all misfortune. What it has hung already stays hung; ids stay readable.
    pub fn clear_faults(&self) {
        for injected in &mut self.lock().faults {
            injected.fault.times = Some(0);
        }
    }

    /// Runs something in the middle of the handling of the `nth` such request from now (1 is
    /// the next).
    pub fn on(
        &self,
        requests: impl Into<Requests>,
        nth: u64,
        when: When,
        action: impl FnOnce(&Cloud) + Send + 'static,
    ) {
        let hook = Hook {
            requests: requests.into(),
            left: nth,
            when,
            action: Some(Box::new(action)),
        };
        self.lock().hooks.push(hook);
    }

    /// Ends all tokens now, as revoking does, for services that do not cache.
    pub fn revoke_tokens(&self) {
        for token in self.lock().tokens.values_mut() {
            token.revoked = true;
            token.asked_at = None;
        }
    }

    /// Ends all tokens now, as the passing of their time does.
    pub fn expire_tokens(&self) {
        let mut state = self.lock();
        let now = state.now();
        for token in state.tokens.values_mut() {
            token.expires_at = now;
        }
    }
}

/// What happened.
impl Cloud {
    /// Everything that happened so far.
    pub fn journal(&self) -> Journal {
        let mut state = self.lock();
        state.settle();
        state.journal.clone()
    }

    /// Looks at the journal without copying it. The cloud stands still meanwhile, so the
    /// closure must not call it.
    pub fn with_journal<T>(&self, look: impl FnOnce(&Journal) -> T) -> T {
        let mut state = self.lock();
        state.settle();
        look(&state.journal)
    }

    /// Forgets what happened so far. Sequence numbers go on.
    pub fn clear_journal(&self) {
        self.lock().journal.clear();
    }

    /// The project's id.
    pub fn project_id(&self) -> String {
        self.lock().project_id.clone()
    }

    /// A UUID drawn from the seed.
    pub fn new_uuid(&self) -> String {
        self.lock().new_id().to_string()
    }

    /// The `OS_*` variables for logging in at a cloud served at `url`.
    pub fn os_env(&self, url: &str, login: Login) -> Vec<(String, String)> {
        let state = self.lock();
        let mut variables = vec![("OS_AUTH_URL", format!("{url}/identity/v3"))];
        variables.extend(login_variables(&state, login));
        if let [first, _, ..] = state.config.regions.as_slice() {
            variables.push(("OS_REGION_NAME", first.clone()));
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Every secret of this cloud that must never be seen in a log: password, application
    /// credential secret and all tokens.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.lock();
        let mut secrets = vec![
            state.config.password.clone(),
            state.config.application_credential.secret.clone(),
        ];
        secrets.extend(state.tokens.keys().cloned());
        secrets.sort();
        secrets
    }
}

fn login_variables(state: &State, login: Login) -> Vec<(&'static str, String)> {
    let config = &state.config;
    let credential = &config.application_credential;
    let user = [
        ("OS_USERNAME", config.user_name.clone()),
        ("OS_USER_DOMAIN_NAME", config.domain_name.clone()),
    ];
    let secret = (
        "OS_APPLICATION_CREDENTIAL_SECRET",
        credential.secret.clone(),
    );
    let mut variables = match login {
        Login::AppCred => vec![
            ("OS_APPLICATION_CREDENTIAL_ID", credential.id.clone()),
            secret,
        ],
        Login::AppCredByName => {
            vec![
                ("OS_APPLICATION_CREDENTIAL_NAME", credential.name.clone()),
                secret,
            ]
        }
        Login::Password => vec![
            ("OS_PASSWORD", config.password.clone()),
            ("OS_PROJECT_NAME", config.project_name.clone()),
            ("OS_PROJECT_DOMAIN_NAME", config.domain_name.clone()),
        ],
    };
    let kind = match login {
        Login::Password => "v3password",
        Login::AppCred | Login::AppCredByName => "v3applicationcredential",
    };
    if login != Login::AppCred {
        variables.extend(user);
    }
    variables.push(("OS_AUTH_TYPE", kind.into()));
    variables
}
