//! The embedded cloud, made to stand where the real one does: the same time, the same page
//! size, the same services in its catalogue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use simcloud::{
    AccessRule, Behaviour, Cloud, Config, Happening, Health, MessageQueue, Role, Rule, Server,
    Snapshots, VolumeSpec,
};

use crate::recorder::Behind;
use crate::tenancy::{Env, Fate, Log, Login, NewVolume, Part};

/// As many rows as the real cloud of these tests has on a page.
const PAGE_SIZE: usize = 10;
/// Shorter than the real one's, since nothing here is late by itself.
const SERVICE_DOWN_TIME: Duration = Duration::from_secs(4);

/// An embedded cloud of one's own.
pub(crate) struct Embedded {
    cloud: Cloud,
    server: Server,
    behaviour: Mutex<BTreeMap<String, Vec<Behaviour>>>,
}

impl Embedded {
    pub(crate) async fn start() -> Self {
        let cloud = Cloud::new(Config {
            now: Utc::now(),
            osapi_max_limit: PAGE_SIZE,
            service_down_time: SERVICE_DOWN_TIME,
            // The real one has no Nova.
            compute: false,
            ..Config::default()
        });
        let server = cloud.serve().await.expect("a loopback port");
        Self {
            cloud,
            server,
            behaviour: Mutex::default(),
        }
    }

    pub(crate) fn behind(&self) -> Behind {
        let url = self.server.url();
        Behind {
            keystone: format!("{url}/identity"),
            cinder: format!("{url}/volume"),
            catalogue_is_fixed: false,
        }
    }

    /// Cinder with the project's id, past the recorder.
    pub(crate) fn cinder(&self) -> String {
        format!(
            "{}/volume/v3/{}",
            self.server.url(),
            self.cloud.project_id()
        )
    }

    pub(crate) fn keystone(&self) -> String {
        format!("{}/identity/v3", self.server.url())
    }

    /// User, password and project.
    pub(crate) fn login(&self) -> [String; 3] {
        let config = Config::default();
        [config.user_name, config.password, config.project_name]
    }

    pub(crate) fn add_volume(&self, volume: NewVolume) -> String {
        self.cloud.add_volume(VolumeSpec {
            name: Some(volume.name),
            metadata: volume.metadata,
            servers: volume.servers,
            ..VolumeSpec::default()
        })
    }

    pub(crate) fn storage(&self, volume: &str, behaviour: &[Behaviour]) {
        let mut all = self
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.insert(volume.to_owned(), behaviour.to_vec());
        self.cloud.clear_backend();
        for (volume, behaviour) in all.iter() {
            for one in behaviour {
                let snapshots = Snapshots::OfVolume(volume.clone());
                self.cloud.backend(Rule::new(snapshots, *one));
            }
        }
    }

    pub(crate) fn set_snapshot_status(&self, id: &str, status: &str) {
        assert!(self.cloud.set_snapshot_status(id, status), "snapshot {id}");
    }

    pub(crate) fn befall(&self, part: Part, fate: Fate) {
        let gone = matches!(fate, Fate::Killed | Fate::Stopped);
        match part {
            Part::Volume => {
                let health = match fate {
                    Fate::Killed => Health::Dead,
                    Fate::Stopped => Health::Stopped,
                    Fate::GoesOn | Fate::StartedAgain => Health::Well,
                };
                let types = Config::default().default_volume_type;
                self.cloud.set_health(&types.unwrap_or_default(), health);
            }
            Part::Scheduler => self.cloud.set_scheduler(!gone),
            Part::MessageQueue => self.cloud.set_message_queue(if gone {
                MessageQueue::Dead
            } else {
                MessageQueue::Well
            }),
            Part::Keystone => self
                .cloud
                .configure(|config| config.keystone_is_gone = gone),
        }
    }

    pub(crate) fn service_down_time(&self) -> Duration {
        SERVICE_DOWN_TIME
    }

    pub(crate) fn set_snapshot_quota(&self, snapshots: u32) {
        self.cloud
            .configure(|config| config.snapshot_quota = snapshots.into());
    }

    pub(crate) fn backdate_snapshot(&self, id: &str, minutes: u32) {
        let by = Duration::from_secs(60 * u64::from(minutes));
        assert!(self.cloud.backdate_snapshot(id, by), "snapshot {id}");
    }

    pub(crate) fn set_volume_quota(&self, volumes: u32) {
        self.cloud
            .configure(|config| config.volume_quota = volumes.into());
    }

    pub(crate) fn set_role(&self, role: Role) {
        self.cloud.configure(|config| config.role = role);
    }

    pub(crate) fn set_access_rules(&self, rules: Option<&[AccessRule]>) {
        let rules = rules.map(<[AccessRule]>::to_vec);
        self.cloud
            .configure(|config| config.application_credential.access_rules = rules);
    }

    pub(crate) fn env(&self, login: Login) -> Env {
        let login = match login {
            Login::Credential => simcloud::Login::AppCred,
            Login::CredentialByName => simcloud::Login::AppCredByName,
            Login::Password => simcloud::Login::Password,
        };
        self.cloud.os_env(&self.server.url(), login)
    }

    pub(crate) fn log_mentions(&self, log: Log, run_id: &str) -> usize {
        let journal = self.cloud.journal();
        let of_run = journal
            .entries
            .iter()
            .filter(|entry| entry.request_id.as_deref() == Some(run_id));
        let sequences: Vec<u64> = of_run.map(|entry| entry.sequence).collect();
        match log {
            Log::Api => sequences.len(),
            Log::Volume => journal
                .changed(Happening::Creating)
                .filter(|change| change.request.is_some_and(|of| sequences.contains(&of)))
                .count(),
        }
    }

    pub(crate) fn page_size(&self) -> usize {
        PAGE_SIZE
    }
}
