//! An environment, files and a secret to resolve settings from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use snapsentry::CloudName;
use snapsentry::settings::{CloudList, Environment, Files, InvalidConfiguration, Secret, Settings};

/// What no message, debug text or error may contain.
pub(crate) const SECRETS: [&str; 4] = [
    "not-a-secret-password",
    "not-a-secret-credential",
    "not-a-secret-hook",
    "not-a-secret-word",
];
pub(crate) const PASSWORD: &str = SECRETS[0];
pub(crate) const CREDENTIAL: &str = SECRETS[1];
pub(crate) const HOOK: &str = SECRETS[2];
pub(crate) const WORD: &str = SECRETS[3];

#[derive(Clone, Default)]
pub(crate) struct World {
    variables: BTreeMap<String, String>,
    files: Folder,
    secret: Option<String>,
    cloud: Option<CloudName>,
}

#[derive(Clone, Default)]
struct Folder {
    files: BTreeMap<PathBuf, Vec<u8>>,
    forbidden: Vec<PathBuf>,
}

impl Files for Folder {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.forbidden.iter().any(|forbidden| forbidden == path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let content = self.files.get(path).cloned();
        content.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl World {
    /// Nothing at all.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// A login by application credential in the environment.
    pub(crate) fn credential() -> Self {
        Self::empty()
            .set("OS_AUTH_URL", "https://cloud.example:5000/v3")
            .set("OS_APPLICATION_CREDENTIAL_ID", "credential-id")
            .set("OS_APPLICATION_CREDENTIAL_SECRET", CREDENTIAL)
    }

    /// A login by password in the environment.
    pub(crate) fn password() -> Self {
        Self::empty()
            .set("OS_AUTH_URL", "https://cloud.example:5000/v3")
            .set("OS_USERNAME", "demo")
            .set("OS_USER_DOMAIN_NAME", "Default")
            .set("OS_PASSWORD", PASSWORD)
            .set("OS_PROJECT_NAME", "demo-project")
            .set("OS_PROJECT_DOMAIN_NAME", "Default")
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        assert!(self.variables.remove(name).is_some(), "{name} was not set");
        self
    }

    pub(crate) fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.files.insert(path.into(), content.into());
        self
    }

    pub(crate) fn forbidden(mut self, path: &str) -> Self {
        self.files.forbidden.push(path.into());
        self
    }

    pub(crate) fn secret(self, text: &str) -> Self {
        Self {
            secret: Some(text.to_owned()),
            ..self.set("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/cloud")
        }
    }

    /// The event names this cloud.
    pub(crate) fn cloud(self, name: &str) -> Self {
        let cloud = Some(name.parse().expect("a name"));
        Self { cloud, ..self }
    }

    /// The clouds there are, as `targets` lists them.
    pub(crate) fn list(&self) -> Result<CloudList, InvalidConfiguration> {
        let secret = self.secret.clone().map(Secret::read);
        CloudList::read(&self.environment(), secret.as_ref(), &self.files)
    }

    pub(crate) fn environment(&self) -> Environment {
        self.variables.clone().into_iter().collect()
    }

    fn resolve(&self) -> Result<Settings, InvalidConfiguration> {
        let secret = self.secret.clone().map(Secret::read);
        Settings::resolve(
            &self.environment(),
            secret.as_ref(),
            &self.files,
            self.cloud.as_ref(),
        )
    }

    /// The settings, which must be fine, and whose debug text must keep the secrets.
    pub(crate) fn settings(&self) -> Settings {
        match self.resolve() {
            Ok(settings) => {
                let debug = format!("{settings:?} {:?}", self.environment());
                keeps_secrets(&debug);
                settings
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Fine or not: neither may panic nor tell a secret.
    pub(crate) fn survives(&self) {
        match self.resolve() {
            Ok(settings) => keeps_secrets(&format!("{settings:?}")),
            Err(error) => keeps_secrets(&format!("{error} {error:?}")),
        }
    }

    /// The error's text, which must have each of these words, and no secret.
    pub(crate) fn fails(&self, words: &[&str]) -> String {
        let error = match self.resolve() {
            Ok(settings) => panic!("lacks a fault with {words:?}: {settings:?}"),
            Err(error) => error,
        };
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "lacks {word:?}: {text}");
        }
        assert!(!text.contains('\n'), "{text}");
        assert!(
            error.faults().iter().all(|fault| !fault.is_empty()),
            "{text}"
        );
        keeps_secrets(&format!("{text} {error:?}"));
        text
    }
}

pub(crate) fn keeps_secrets(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in: {text}");
    }
}
