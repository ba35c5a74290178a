//! Which source the settings of a cloud come from, and what every cloud of a `clouds.yaml` makes of
//! them. The login always comes from one source as a whole: a user from here and a password from
//! there is how the wrong project gets snapshots.

use std::sync::Arc;

use super::clouds_yaml::CloudsYaml;
use super::environment::{Environment, Files};
use super::layers::Layer;
use super::secret::{Contents, Secret};
use super::{InvalidConfiguration, Settings};
use crate::cloud_name::CloudName;

/// Which cloud is meant.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// The one that the configuration says.
    Configured,
    /// The entry that the event names.
    Named(&'a CloudName),
    /// Every entry there is.
    All,
}

/// What the settings of one cloud are read from, and what was found wrong in finding it. Where two
/// of these are equal, nothing was said that would change a setting.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(super) environment: Layer,
    /// The secret's variables, where it has such.
    pub(super) secret: Option<Layer>,
    /// The entry of a `clouds.yaml`, where one was chosen.
    pub(super) cloud: Option<Layer>,
    login: Option<LoginSource>,
    /// Where `~` is.
    pub(super) home: Option<String>,
    pub(super) faults: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LoginSource {
    Environment,
    Secret,
    Cloud,
}

const NO_LOGIN: &str = "no login: set OS_AUTH_URL with OS_APPLICATION_CREDENTIAL_ID and \
    OS_APPLICATION_CREDENTIAL_SECRET, or OS_AUTH_URL with OS_USERNAME, OS_USER_DOMAIN_NAME, \
    OS_PASSWORD and OS_PROJECT_ID; or OS_CLOUD for an entry of a clouds.yaml; or \
    SNAPSENTRY_CREDENTIALS_SECRET for a secret that has them";

impl Sources {
    /// Finds the sources for the cloud that the event names, else of the one that the configuration
    /// says. What is wrong is told by whoever reads settings from them.
    pub(crate) fn find(
        environment: &Environment,
        secret: Option<&Secret>,
        files: &dyn Files,
        cloud: Option<&CloudName>,
    ) -> Self {
        let wanted = cloud.map_or(Wanted::Configured, Wanted::Named);
        let (mut sources, clouds) = Self::open(environment, secret, files, wanted);
        let Some(clouds) = clouds else {
            return sources;
        };
        let region = sources.text("OS_REGION_NAME").map(str::to_owned);
        let name = match cloud {
            Some(cloud) => Some(("cloud", cloud.as_str())),
            None => sources.text("OS_CLOUD").map(|name| ("OS_CLOUD", name)),
        };
        match clouds.entry(name) {
            Ok(entry) => {
                let (layer, mut faults) = entry.layer(clouds.file(), region.as_deref());
                sources.cloud = layer;
                sources.faults.append(&mut faults);
            }
            Err(fault) => sources.faults.push(fault),
        }
        sources
    }

    /// Finds the one source of the login, and opens the `clouds.yaml` if it is that.
    pub(super) fn open(
        environment: &Environment,
        secret: Option<&Secret>,
        files: &dyn Files,
        wanted: Wanted<'_>,
    ) -> (Self, Option<Arc<CloudsYaml>>) {
        let mut sources = Self {
            environment: Layer::of_environment(environment),
            secret: None,
            cloud: None,
            login: None,
            home: environment.get("HOME").map(str::to_owned),
            faults: Vec::new(),
        };
        let mut in_secret = None;
        match secret.map(Secret::contents) {
            None => {}
            Some(Ok(Contents::Variables { layer, faults })) => {
                sources.faults.extend_from_slice(faults);
                sources.secret = Some(layer.clone());
            }
            Some(Ok(Contents::Clouds(clouds))) => in_secret = Some(clouds),
            Some(Err(faults)) => {
                sources.faults.extend_from_slice(faults);
                return (sources, None);
            }
        }
        let candidates = sources.candidates(in_secret.is_some(), wanted);
        match candidates.as_slice() {
            [] => sources.faults.push(no_login(environment)),
            [(login, _)] => sources.login = Some(*login),
            several => {
                let several: Vec<&str> = several.iter().map(|(_, what)| what.as_str()).collect();
                sources.faults.push(format!(
                    "the login comes from several sources, and has to come from one as a whole: \
                     {}; remove all but one of these",
                    several.join("; ")
                ));
            }
        }
        if sources.login != Some(LoginSource::Cloud) {
            return (sources, None);
        }
        let clouds = match in_secret {
            Some(clouds) => Ok(clouds.clone()),
            None => {
                let named = sources.text("OS_CLIENT_CONFIG_FILE");
                CloudsYaml::find(named, sources.home.as_deref(), files, wanted).map(Arc::new)
            }
        };
        match clouds {
            Ok(clouds) => (sources, Some(clouds)),
            Err(fault) => {
                sources.faults.push(fault);
                (sources, None)
            }
        }
    }

    /// The layer with the login; `None` where that is at fault already.
    pub(super) fn login(&self) -> Option<&Layer> {
        match self.login? {
            LoginSource::Environment => Some(&self.environment),
            LoginSource::Secret => self.secret.as_ref(),
            LoginSource::Cloud => self.cloud.as_ref(),
        }
    }

    /// All layers, the one that wins first.
    pub(super) fn in_order(&self) -> Vec<&Layer> {
        let further = self.secret.iter().chain(&self.cloud);
        [&self.environment].into_iter().chain(further).collect()
    }

    /// Every source that claims to have the login, with the names that say so.
    fn candidates(&self, is_in_secret: bool, wanted: Wanted<'_>) -> Vec<(LoginSource, String)> {
        let mut found = Vec::new();
        let mut add = |login, names: Vec<&str>, place: &str| {
            if !names.is_empty() {
                found.push((login, format!("{} {place}", names.join(", "))));
            }
        };
        let in_environment = self.environment.login_variables();
        add(
            LoginSource::Environment,
            in_environment,
            "in the environment",
        );
        if let Some(secret) = &self.secret {
            add(
                LoginSource::Secret,
                secret.login_variables(),
                "in the secret",
            );
        }
        // With a clouds.yaml in the secret, OS_CLOUD chooses in that; a file would be a second.
        let selectors: &[&str] = match is_in_secret {
            true => &["OS_CLIENT_CONFIG_FILE"],
            false => &["OS_CLOUD", "OS_CLIENT_CONFIG_FILE"],
        };
        let selectors = selectors.iter().filter(|name| self.text(name).is_some());
        let mut selectors: Vec<&str> = selectors.copied().collect();
        if !is_in_secret {
            selectors.extend(match wanted {
                Wanted::Configured => None,
                Wanted::Named(_) => Some("cloud (in the event)"),
                Wanted::All => Some("the phase targets"),
            });
        }
        add(LoginSource::Cloud, selectors, "for a clouds.yaml");
        if is_in_secret {
            let names = vec!["SNAPSENTRY_CREDENTIALS_SECRET"];
            add(LoginSource::Cloud, names, "with a clouds.yaml in it");
        }
        found
    }

    /// A setting that is in no entry, or wins over all of them.
    pub(super) fn text(&self, variable: &str) -> Option<&str> {
        let in_secret = || self.secret.as_ref()?.trimmed(variable);
        self.environment.trimmed(variable).or_else(in_secret)
    }
}

fn no_login(environment: &Environment) -> String {
    match environment.get("SNAPSENTRY_CREDENTIALS_SECRET") {
        None => NO_LOGIN.to_owned(),
        Some(_) => format!(
            "{NO_LOGIN} (SNAPSENTRY_CREDENTIALS_SECRET is set, but its secret has no login \
             variables)"
        ),
    }
}

/// The clouds of one deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudList {
    /// Those to be served, each with the number of its shards.
    pub clouds: Vec<(CloudName, u32)>,
    /// The entries that cannot be, by name.
    pub faults: Vec<CloudFault>,
}

/// An entry that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloudFault {
    /// The entry's name, as it is written.
    pub entry: String,
    /// What is wrong, as far as it can be said without a secret.
    pub error: String,
}

impl CloudList {
    /// Reads the entries of the one `clouds.yaml` there is.
    ///
    /// # Errors
    /// [`InvalidConfiguration`] where there is none that can be read, where it has no entry, and
    /// where what holds for all clouds is at fault.
    pub fn read(
        environment: &Environment,
        secret: Option<&Secret>,
        files: &dyn Files,
    ) -> Result<Self, InvalidConfiguration> {
        let (mut sources, clouds) = Sources::open(environment, secret, files, Wanted::All);
        sources
            .faults
            .append(&mut Settings::faults_of_all(&sources, files));
        let Some(clouds) = clouds.filter(|_| sources.faults.is_empty()) else {
            return Err(InvalidConfiguration::of(sources.faults));
        };
        if clouds.entries().is_empty() {
            return Err(InvalidConfiguration::new(format!(
                "{}: has no entries, so there is no cloud to serve; add one under \"clouds\"",
                clouds.name()
            )));
        }
        let region = sources.text("OS_REGION_NAME").map(str::to_owned);
        let mut list = Self::default();
        for entry in clouds.entries() {
            let (layer, mut faults) = entry.layer(clouds.file(), region.as_deref());
            sources.cloud = layer;
            if sources.cloud.is_some()
                && let Err(mut invalid) = Settings::read(&sources, files)
            {
                faults.append(&mut invalid.faults);
            }
            let starts = entry.starts(clouds.file());
            let name = entry.name.parse::<CloudName>();
            match (faults.is_empty(), starts, name) {
                (true, Ok(starts), Ok(name)) => {
                    if !starts.paused {
                        list.clouds.push((name, starts.shards));
                    }
                }
                (_, starts, _) => {
                    for fault in starts.err().unwrap_or_default() {
                        if !faults.contains(&fault) {
                            faults.push(fault);
                        }
                    }
                    list.faults.push(CloudFault {
                        entry: entry.name.clone(),
                        error: faults.join("; "),
                    });
                }
            }
        }
        list.faults.sort();
        Ok(list)
    }
}
