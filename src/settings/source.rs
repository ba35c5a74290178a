//! Which source the login comes from. It is always one as a whole: a user from here and a
//! password from there is how the wrong project gets snapshots.

use super::clouds_files;
use super::environment::{Environment, Files};
use super::layer::Layer;
use super::secret::Contents;

/// The layers that settings are read from.
pub(super) struct Sources {
    pub(super) environment: Layer,
    /// The secret's variables, where it has such.
    pub(super) secret: Option<Layer>,
    /// The entry of a `clouds.yaml`, where one was chosen.
    pub(super) cloud: Option<Layer>,
    login: Option<Login>,
}

#[derive(Clone, Copy)]
enum Login {
    Environment,
    Secret,
    Cloud,
}

const NO_LOGIN: &str = "no login: set OS_AUTH_URL with OS_APPLICATION_CREDENTIAL_ID and \
    OS_APPLICATION_CREDENTIAL_SECRET, or OS_AUTH_URL with OS_USERNAME, OS_USER_DOMAIN_NAME, \
    OS_PASSWORD and OS_PROJECT_ID; or OS_CLOUD for an entry of a clouds.yaml; or \
    SNAPSENTRY_CREDENTIALS_SECRET for a secret that has them";

impl Sources {
    /// Finds the one source of the login, and opens the `clouds.yaml` if it is that.
    pub(super) fn find(
        environment: &Environment,
        secret: Option<Result<Contents, Vec<String>>>,
        files: &dyn Files,
        faults: &mut Vec<String>,
    ) -> Self {
        let secret_unreadable = matches!(secret, Some(Err(_)));
        let (secret, secret_clouds) = match secret {
            None => (None, None),
            Some(Ok(Contents::Variables(layer))) => (Some(layer), None),
            Some(Ok(Contents::Clouds(clouds))) => (None, Some(clouds)),
            Some(Err(mut found)) => {
                faults.append(&mut found);
                (None, None)
            }
        };
        let mut sources = Self {
            environment: Layer::of_environment(environment),
            secret,
            cloud: None,
            login: None,
        };
        let candidates = sources.candidates(secret_clouds.is_some());
        match candidates.as_slice() {
            [] if secret_unreadable => {}
            [] => faults.push(sources.no_login(environment)),
            [(login, _)] => sources.login = Some(*login),
            several => {
                let several: Vec<&str> = several.iter().map(|(_, what)| what.as_str()).collect();
                faults.push(format!(
                    "the login comes from several sources, and has to come from one as a whole: \
                     {}; remove all but one of these",
                    several.join("; ")
                ));
            }
        }
        if let Some(Login::Cloud) = sources.login {
            let home = environment.get("HOME");
            let clouds = match secret_clouds {
                Some(clouds) => Ok(clouds),
                None => clouds_files::find(sources.text("OS_CLIENT_CONFIG_FILE"), home, files),
            };
            let name = sources.text("OS_CLOUD");
            let region = sources.text("OS_REGION_NAME");
            let layer = clouds
                .map_err(|fault| vec![fault])
                .and_then(|clouds| clouds.layer(name, region));
            match layer {
                Ok(layer) => sources.cloud = Some(layer),
                Err(mut found) => faults.append(&mut found),
            }
        }
        sources
    }

    /// The layer with the login; `None` where that is at fault already.
    pub(super) fn login(&self) -> Option<&Layer> {
        match self.login? {
            Login::Environment => Some(&self.environment),
            Login::Secret => self.secret.as_ref(),
            Login::Cloud => self.cloud.as_ref(),
        }
    }

    /// All layers, the one that wins first.
    pub(super) fn layers(&self) -> Vec<&Layer> {
        let secret = self.secret.iter();
        let all = [&self.environment]
            .into_iter()
            .chain(secret)
            .chain(&self.cloud);
        all.collect()
    }

    /// Every source that claims to have the login, with the names that say so.
    fn candidates(&self, secret_is_clouds_yaml: bool) -> Vec<(Login, String)> {
        let mut found = Vec::new();
        let mut add = |login, names: Vec<&str>, place: &str| {
            if !names.is_empty() {
                found.push((login, format!("{} {place}", names.join(", "))));
            }
        };
        add(
            Login::Environment,
            self.environment.login_variables(),
            "in the environment",
        );
        if let Some(secret) = &self.secret {
            add(Login::Secret, secret.login_variables(), "in the secret");
        }
        // With a clouds.yaml in the secret, OS_CLOUD chooses in that; a file would be a second.
        let selectors: &[&str] = match secret_is_clouds_yaml {
            true => &["OS_CLIENT_CONFIG_FILE"],
            false => &["OS_CLOUD", "OS_CLIENT_CONFIG_FILE"],
        };
        let selectors = selectors.iter().filter(|name| self.text(name).is_some());
        add(
            Login::Cloud,
            selectors.copied().collect(),
            "for a clouds.yaml",
        );
        if secret_is_clouds_yaml {
            add(
                Login::Cloud,
                vec!["SNAPSENTRY_CREDENTIALS_SECRET"],
                "with a clouds.yaml in it",
            );
        }
        found
    }

    fn no_login(&self, environment: &Environment) -> String {
        match environment.get("SNAPSENTRY_CREDENTIALS_SECRET") {
            None => NO_LOGIN.to_owned(),
            Some(_) => format!(
                "{NO_LOGIN} (SNAPSENTRY_CREDENTIALS_SECRET is set, but its secret has no login \
                 variables)"
            ),
        }
    }

    fn text(&self, variable: &str) -> Option<&str> {
        let in_secret = || self.secret.as_ref()?.trimmed(variable);
        self.environment.trimmed(variable).or_else(in_secret)
    }
}
