//! The settings in use, kept from one invocation to the next.

use std::sync::Arc;

use super::Handler;
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::locked::locked;
use crate::openstack::Session;
use crate::settings::{SecretText, Settings, read_secret, secret_reference};
use crate::transport::Trust;

/// Settings in use, and what goes with them.
#[derive(Clone)]
pub(super) struct Configured {
    pub(super) settings: Arc<Settings>,
    pub(super) secret: Option<SecretText>,
    pub(super) trust: Arc<Trust>,
    pub(super) session: Arc<Session>,
}

impl Handler {
    /// The settings in use. Those that come from a secret are read in the first invocation, and
    /// again where `refused` names the text that no longer works.
    pub(super) async fn configured(
        &self,
        deadline: Deadline,
        refused: Option<&SecretText>,
    ) -> Result<Configured, Failure> {
        if refused.is_none()
            && let Some(configured) = &*locked(&self.configured)
        {
            return Ok(configured.clone());
        }
        let secret = match secret_reference(&self.environment) {
            None => None,
            Some(reference) => {
                let transport = self
                    .surroundings
                    .local_transport()
                    .map_err(Failure::InvalidConfiguration)?;
                Some(read_secret(&*transport, deadline, &reference).await?)
            }
        };
        let settings = Settings::resolve(&self.environment, secret.as_ref(), &*self.files)?;
        let tls = &settings.tls;
        let trust = Trust::new(tls.ca_certificates.as_deref(), tls.insecure)
            .map_err(|error| Failure::InvalidConfiguration(format!("OS_CACERT: {error}")))?;
        if tls.insecure {
            tracing::warn!(
                "OS_INSECURE is set: the cloud's certificate is not checked, and anybody on the \
                 way can read the credentials"
            );
        }
        let configured = Configured {
            settings: Arc::new(settings),
            secret,
            trust: Arc::new(trust),
            session: Arc::default(),
        };
        *locked(&self.configured) = Some(configured.clone());
        Ok(configured)
    }
}
