//! What is configured: environment variables, a `clouds.yaml`, a secret.
//!
//! [`Settings::resolve`] is a pure function of those three and of the cloud that the event names.
//! The secret's text is read before, by [`read_secret`], because it can be had during an invocation
//! only. Whatever is wrong is gathered and said in one [`InvalidConfiguration`], before any call to
//! the cloud.

mod auth;
mod clouds_yaml;
mod environment;
mod layers;
mod secret;
mod sources;
mod tls;
mod values;
mod webhook;

use std::fmt;
use std::time::Duration;

pub use environment::{Environment, Files, LocalFiles, VARIABLES, Variable};
pub use secret::{Secret, SecretReference, read_secret, secret_reference};
pub(crate) use sources::Sources;
pub use sources::{CloudFault, CloudList};
pub use tls::Tls;
pub use values::{Interface, served_phases};

use crate::cloud_name::CloudName;
use crate::openstack::{Auth, RetryConfig};
use crate::webhook::Webhook;
use layers::Layer;
use values::{Reader, accepted_phases};

/// Settings are missing, unreadable or contradict each other.
///
/// One error holds every fault that was found, since each deployment that mends only one
/// costs minutes. A fault names the variable, its value (never a secret's, and nothing that
/// came out of the secret) and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidConfiguration {
    faults: Vec<String>,
}

impl InvalidConfiguration {
    /// An error with a single fault. The text must not contain a secret.
    pub(crate) fn new(fault: impl Into<String>) -> Self {
        Self::of(vec![fault.into()])
    }

    fn of(faults: Vec<String>) -> Self {
        Self { faults }
    }

    /// Every fault by itself.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for InvalidConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("; "))
    }
}

impl std::error::Error for InvalidConfiguration {}

/// Everything that can be set, read and checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who logs in, and where.
    pub auth: Auth,
    /// The region of the catalogue; `None` takes its only one.
    pub region: Option<String>,
    /// The interface of the catalogue.
    pub interface: Interface,
    /// How the cloud's certificate is checked.
    pub tls: Tls,
    /// Where failures are reported to.
    pub webhook: Option<Webhook>,
    /// The most requests in flight.
    pub max_concurrency: usize,
    /// The most snapshots in `creating` at a time.
    pub max_creating: usize,
    /// How requests are tried again.
    pub retry: RetryConfig,
    /// The longest time between two looks at snapshots being created.
    pub poll_interval: Duration,
    /// Kept free before the invocation's own deadline.
    pub deadline_margin: Duration,
    /// The time a pass has where the runtime gives no deadline.
    pub default_timeout: Duration,
    /// The newest snapshots of a volume and policy that expiry leaves; 0 turns that off.
    pub keep_last: usize,
    /// The age from which a snapshot that is still changing is a zombie.
    pub stuck_after: Duration,
}

/// How an invocation's time is bounded: needed before the secret can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBounds {
    /// Kept free before the invocation's own deadline.
    pub deadline_margin: Duration,
    /// The time a pass has where the runtime gives no deadline.
    pub default_timeout: Duration,
}

const SHORTEST_POLL_INTERVAL: Duration = Duration::from_millis(250);
const MOST: u32 = 1_000_000;

impl Settings {
    /// Settings from the environment, the secret (where one is named) and files, for the cloud that
    /// the event names, else for the one that the configuration says.
    ///
    /// # Errors
    /// [`InvalidConfiguration`] with every fault there is.
    pub fn resolve(
        environment: &Environment,
        secret: Option<&Secret>,
        files: &dyn Files,
        cloud: Option<&CloudName>,
    ) -> Result<Self, InvalidConfiguration> {
        Self::read(&Sources::find(environment, secret, files, cloud), files)
    }

    /// Settings from their sources.
    ///
    /// # Errors
    /// [`InvalidConfiguration`] with every fault there is.
    pub(crate) fn read(sources: &Sources, files: &dyn Files) -> Result<Self, InvalidConfiguration> {
        let home = sources.home.as_deref();
        let mut faults = sources.faults.clone();
        let auth = match sources.login().map(Auth::read) {
            Some(Ok(auth)) => Some(auth),
            Some(Err(mut of_login)) => {
                faults.append(&mut of_login);
                None
            }
            None => None,
        };
        Self::of(sources.in_order(), auth, faults, files, home)
    }

    fn of(
        layers: Vec<&Layer>,
        auth: Option<Auth>,
        faults: Vec<String>,
        files: &dyn Files,
        home: Option<&str>,
    ) -> Result<Self, InvalidConfiguration> {
        let mut reader = Reader { layers, faults };
        identity_api_version(&mut reader);
        let bounds = TimeBounds::read(&mut reader);
        let region = reader.text("OS_REGION_NAME").map(str::to_owned);
        let interface = Interface::read(&mut reader);
        let tls = Tls::read(&mut reader, files, home);
        let webhook = Webhook::read(&mut reader);
        reader.value("SNAPSENTRY_PHASES", (), &accepted_phases(), |text| {
            served_phases(text).map(drop)
        });
        let max_concurrency = reader.count("SNAPSENTRY_MAX_CONCURRENCY", 16, 1, MOST);
        let max_creating = reader.count("SNAPSENTRY_MAX_CREATING", 64, 1, MOST);
        let retry = RetryConfig {
            max_retries: reader.count("SNAPSENTRY_MAX_RETRIES", 3, 0, 100),
            base_delay: reader.duration("SNAPSENTRY_BASE_DELAY", Duration::from_millis(500)),
            max_delay: reader.duration("SNAPSENTRY_MAX_DELAY", Duration::from_secs(10)),
            operation_timeout: reader.span("SNAPSENTRY_OPERATION_TIMEOUT", Duration::from_secs(30)),
        };
        let poll_interval = reader.value(
            "SNAPSENTRY_POLL_INTERVAL",
            Duration::from_secs(1),
            "a whole number and ms, s, m or h, at least 250ms",
            |text| values::duration(text).filter(|&interval| interval >= SHORTEST_POLL_INTERVAL),
        );
        let keep_last = reader.count("SNAPSENTRY_KEEP_LAST", 1, 0, MOST);
        let stuck_after = reader.duration("SNAPSENTRY_STUCK_AFTER", Duration::from_secs(6 * 3_600));
        match auth {
            Some(auth) if reader.faults.is_empty() => Ok(Self {
                auth,
                region,
                interface,
                tls,
                webhook,
                max_concurrency: max_concurrency as usize,
                max_creating: max_creating as usize,
                retry,
                poll_interval,
                deadline_margin: bounds.deadline_margin,
                default_timeout: bounds.default_timeout,
                keep_last: keep_last as usize,
                stuck_after,
            }),
            _ => Err(InvalidConfiguration::of(reader.faults)),
        }
    }
}

impl Settings {
    /// What is wrong with the settings that hold for every cloud.
    fn faults_of_all(sources: &Sources, files: &dyn Files) -> Vec<String> {
        let home = sources.home.as_deref();
        match Self::of(sources.in_order(), None, Vec::new(), files, home) {
            Ok(_) => Vec::new(),
            Err(invalid) => invalid.faults,
        }
    }

    /// The fault and, beside it, what is wrong with the environment's own settings: what can be told
    /// where the secret cannot be read. Whether the login is whole cannot be.
    pub(crate) fn with_faults_of(
        mut fault: InvalidConfiguration,
        environment: &Environment,
        files: &dyn Files,
    ) -> InvalidConfiguration {
        let layer = Layer::of_environment(environment);
        let home = environment.get("HOME");
        if let Err(mut others) = Self::of(vec![&layer], None, Vec::new(), files, home) {
            // The parts of a webhook may stand in the one and in the other.
            others
                .faults
                .retain(|other| !other.starts_with("SNAPSENTRY_WEBHOOK_"));
            fault.faults.append(&mut others.faults);
        }
        fault
    }

    /// How an invocation's time is bounded.
    pub(crate) fn time_bounds(&self) -> TimeBounds {
        TimeBounds {
            deadline_margin: self.deadline_margin,
            default_timeout: self.default_timeout,
        }
    }
}

impl TimeBounds {
    /// The bounds that the environment sets. One that cannot be read is its default here;
    /// [`Settings::resolve`] reports it.
    pub fn of(environment: &Environment) -> Self {
        let layer = Layer::of_environment(environment);
        Self::read(&mut Reader {
            layers: vec![&layer],
            faults: Vec::new(),
        })
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        let margin = Duration::from_secs(2);
        Self {
            deadline_margin: reader.duration("SNAPSENTRY_DEADLINE_MARGIN", margin),
            default_timeout: reader.span("SNAPSENTRY_DEFAULT_TIMEOUT", Duration::from_secs(60)),
        }
    }
}

/// Only v3 of Keystone's API is spoken; a variable that says otherwise is for another cloud.
fn identity_api_version(reader: &mut Reader<'_>) {
    let digits = |minor: &str| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
    reader.value(
        "OS_IDENTITY_API_VERSION",
        (),
        "3 or 3.x, or leave it unset",
        |version| {
            let minor = version.strip_prefix("3.");
            (version == "3" || minor.is_some_and(digits)).then_some(())
        },
    );
}
