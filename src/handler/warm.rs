//! What is kept from one invocation to the next: the secret as it was read last, and for each of the
//! clouds that were used last its settings, certificates and session.
//!
//! Nothing here outlives its worth. The secret is asked for with every invocation, and a change of
//! what it says of a cloud means a new session for that cloud, and for no other.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Handler;
use super::report::Listings;
use crate::cloud_name::CloudName;
use crate::deadline::Deadline;
use crate::error::InvocationError;
use crate::lock::lock;
use crate::openstack::{Error, Session};
use crate::settings::{
    InvalidConfiguration, Secret, Settings, Sources, read_secret, secret_reference,
};
use crate::transport::Trust;

/// The most clouds that are kept.
const MOST: usize = 64;

/// The secret as it was read last.
#[derive(Default)]
pub(super) struct KnownSecret {
    secret: Option<Arc<Secret>>,
    /// Counts the changes.
    version: u64,
}

impl KnownSecret {
    fn learn(&mut self, text: SecretString) {
        if !self.secret.as_ref().is_some_and(|known| known.says(&text)) {
            self.secret = Some(Arc::new(Secret::read(text)));
            self.version += 1;
        }
    }

    /// A variable's value, where the secret is an object of such.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.secret.as_ref()?.variable(name).map(str::to_owned)
    }
}

/// Settings in use, and what goes with them.
#[derive(Clone)]
pub(super) struct WarmState {
    pub(super) settings: Arc<Settings>,
    pub(super) trust: Arc<Trust>,
    pub(super) session: Arc<Session>,
    /// What a dashboard was last shown.
    pub(super) listings: Arc<Listings>,
    /// What the settings were read from.
    sources: Arc<Sources>,
    /// Of which version of the secret that is known.
    version: u64,
}

/// What is kept, the least recently used first; `None` is the cloud that the configuration says.
#[derive(Default)]
pub(super) struct WarmStates(Vec<(Option<CloudName>, WarmState)>);

impl WarmStates {
    fn take(&mut self, cloud: Option<&CloudName>) -> Option<WarmState> {
        let at = self.0.iter().position(|(one, _)| one.as_ref() == cloud)?;
        Some(self.0.remove(at).1)
    }

    fn keep(&mut self, cloud: Option<&CloudName>, state: WarmState) {
        self.take(cloud);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((cloud.cloned(), state));
    }

    /// Forgets listings that are too old to be shown again, whatever the cloud.
    pub(super) fn forget_stale_listings(&self, now: DateTime<Utc>) {
        for (_, state) in &self.0 {
            state.listings.forget_stale(now);
        }
    }

    /// The name of the project that the cloud's latest token was for.
    pub(super) fn project_name(&self, cloud: Option<&CloudName>) -> Option<String> {
        let (_, state) = self.0.iter().find(|(one, _)| one.as_ref() == cloud)?;
        state.session.project_name()
    }
}

impl Handler {
    /// Asks for the secret, where the environment names one. The extension keeps it, so that this
    /// costs little; what has changed takes effect at once.
    pub(super) async fn ask_for_secret(&self, deadline: Deadline) -> Result<(), InvocationError> {
        let Some(reference) = secret_reference(&self.environment) else {
            return Ok(());
        };
        if deadline.remaining().is_zero() {
            let out_of_time = Error::out_of_time(None);
            return Err(InvocationError::DeadlineExceeded(out_of_time));
        }
        let transport = self
            .platform
            .local_transport()
            .map_err(InvalidConfiguration::new)?;
        let read = read_secret(&*transport, deadline, &reference).await;
        let text =
            read.map_err(|fault| Settings::with_faults_of(fault, &self.environment, &*self.files))?;
        lock(&self.secret).learn(text);
        Ok(())
    }

    /// The secret as it was read last, and its version.
    pub(super) fn secret(&self) -> (Option<Arc<Secret>>, u64) {
        let known = lock(&self.secret);
        (known.secret.clone(), known.version)
    }

    /// What goes with a cloud: as it was kept, where nothing else has been said of it since.
    pub(super) fn warm_state(
        &self,
        cloud: Option<&CloudName>,
    ) -> Result<WarmState, InvocationError> {
        let (secret, version) = self.secret();
        let kept = lock(&self.clouds).take(cloud);
        let state = match kept {
            Some(kept) if kept.version == version => kept,
            kept => {
                let sources =
                    Sources::find(&self.environment, secret.as_deref(), &*self.files, cloud);
                match kept {
                    Some(kept) if *kept.sources == sources => WarmState { version, ..kept },
                    _ => self.new_state(sources, version)?,
                }
            }
        };
        lock(&self.clouds).keep(cloud, state.clone());
        Ok(state)
    }

    fn new_state(&self, sources: Sources, version: u64) -> Result<WarmState, InvocationError> {
        let settings = Settings::read(&sources, &*self.files)?;
        let tls = &settings.tls;
        let trust = Trust::new(tls.ca_certificates.as_deref(), tls.insecure)
            .map_err(|error| InvalidConfiguration::new(format!("OS_CACERT: {error}")))?;
        if tls.insecure {
            tracing::warn!(
                "OS_INSECURE is set: the cloud's certificate is not checked, and anybody on the \
                 way can read the credentials"
            );
        }
        Ok(WarmState {
            settings: Arc::new(settings),
            trust: Arc::new(trust),
            session: Arc::default(),
            listings: Arc::default(),
            sources: Arc::new(sources),
            version,
        })
    }
}
