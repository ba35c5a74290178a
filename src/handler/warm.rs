//! The settings in use, kept from one invocation to the next.

use std::sync::Arc;

use super::Handler;
use crate::deadline::Deadline;
use crate::error::InvocationError;
use crate::lock::lock;
use crate::openstack::Session;
use crate::settings::{SecretText, Settings, read_secret, secret_reference};
use crate::transport::Trust;

/// Settings in use, and what goes with them.
#[derive(Clone)]
pub(super) struct WarmState {
    pub(super) settings: Arc<Settings>,
    pub(super) secret: Option<SecretText>,
    pub(super) trust: Arc<Trust>,
    pub(super) session: Arc<Session>,
}

impl Handler {
    /// The settings in use. Those that come from a secret are read in the first invocation, and
    /// again where `refused` names the text that no longer works.
    pub(super) async fn warm_state(
        &self,
        deadline: Deadline,
        refused: Option<&SecretText>,
    ) -> Result<WarmState, InvocationError> {
        if refused.is_none()
            && let Some(warm) = &*lock(&self.warm)
        {
            return Ok(warm.clone());
        }
        let secret = match secret_reference(&self.environment) {
            None => None,
            Some(reference) => {
                let transport = self
                    .platform
                    .local_transport()
                    .map_err(InvocationError::InvalidConfiguration)?;
                Some(read_secret(&*transport, deadline, &reference).await?)
            }
        };
        let settings = Settings::resolve(&self.environment, secret.as_ref(), &*self.files)?;
        let tls = &settings.tls;
        let trust = Trust::new(tls.ca_certificates.as_deref(), tls.insecure).map_err(|error| {
            InvocationError::InvalidConfiguration(format!("OS_CACERT: {error}"))
        })?;
        if tls.insecure {
            tracing::warn!(
                "OS_INSECURE is set: the cloud's certificate is not checked, and anybody on the \
                 way can read the credentials"
            );
        }
        let warm = WarmState {
            settings: Arc::new(settings),
            secret,
            trust: Arc::new(trust),
            session: Arc::default(),
        };
        *lock(&self.warm) = Some(warm.clone());
        Ok(warm)
    }
}
