//! What can be set, and where it stands: the environment, the secret or an entry of a `clouds.yaml`.
//!
//! Each source is a layer of variables under their environment names, whatever it calls them
//! itself. A layer knows how to speak of its variables, so that a fault points to where the
//! value has to be changed, and whether their values may be shown. Environment and files are
//! arguments everywhere else, so that settings are a pure function of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs, io};

use super::{cloud_keys, clouds_yaml};
use crate::text::cut;

/// Environment variables. One that is set but empty is not in here: it counts as unset.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; any that is not Unicode is left out.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The variable's value; `None` where it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(variables: T) -> Self {
        let variables = variables.into_iter().map(|(n, v)| (n.into(), v.into()));
        Self(variables.filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// Names alone: many of the values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads files by path, for `clouds.yaml` and certificates.
pub trait Files {
    /// The file's whole content.
    ///
    /// # Errors
    /// Those of the file system; `NotFound` means that there is no such file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The file system of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

impl Files for LocalFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }
}

/// Every variable that is read, wherever it may stand.
pub const VARIABLES: &[&str] = &[
    "OS_AUTH_URL",
    "OS_AUTH_TYPE",
    "OS_IDENTITY_API_VERSION",
    "OS_APPLICATION_CREDENTIAL_ID",
    "OS_APPLICATION_CREDENTIAL_NAME",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_USERNAME",
    "OS_USER_ID",
    "OS_PASSWORD",
    "OS_USER_DOMAIN_ID",
    "OS_USER_DOMAIN_NAME",
    "OS_PROJECT_ID",
    "OS_PROJECT_NAME",
    "OS_PROJECT_DOMAIN_ID",
    "OS_PROJECT_DOMAIN_NAME",
    "OS_REGION_NAME",
    "OS_INTERFACE",
    "OS_ENDPOINT_TYPE",
    "OS_CACERT",
    "OS_INSECURE",
    "OS_CLOUD",
    "OS_CLIENT_CONFIG_FILE",
    "SNAPSENTRY_CREDENTIALS_SECRET",
    "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT",
    "SNAPSENTRY_WEBHOOK_URL",
    "SNAPSENTRY_WEBHOOK_USERNAME",
    "SNAPSENTRY_WEBHOOK_PASSWORD",
    "SNAPSENTRY_PROJECT",
    "SNAPSENTRY_FLEET",
    "SNAPSENTRY_PHASES",
    "SNAPSENTRY_MAX_CONCURRENCY",
    "SNAPSENTRY_MAX_CREATING",
    "SNAPSENTRY_MAX_RETRIES",
    "SNAPSENTRY_BASE_DELAY",
    "SNAPSENTRY_MAX_DELAY",
    "SNAPSENTRY_OPERATION_TIMEOUT",
    "SNAPSENTRY_POLL_INTERVAL",
    "SNAPSENTRY_DEADLINE_MARGIN",
    "SNAPSENTRY_DEFAULT_TIMEOUT",
    "SNAPSENTRY_KEEP_LAST",
    "SNAPSENTRY_STUCK_AFTER",
    "RUST_LOG",
    "AWS_LAMBDA_LOG_LEVEL",
    "AWS_LAMBDA_LOG_FORMAT",
];

/// What says who logs in, and where: these come from one source as a whole.
pub(super) const LOGIN: &[&str] = &[
    "OS_AUTH_URL",
    "OS_AUTH_TYPE",
    "OS_APPLICATION_CREDENTIAL_ID",
    "OS_APPLICATION_CREDENTIAL_NAME",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_USERNAME",
    "OS_USER_ID",
    "OS_PASSWORD",
    "OS_USER_DOMAIN_ID",
    "OS_USER_DOMAIN_NAME",
    "OS_PROJECT_ID",
    "OS_PROJECT_NAME",
    "OS_PROJECT_DOMAIN_ID",
    "OS_PROJECT_DOMAIN_NAME",
];

/// What no error may show the value of.
pub(super) const HIDDEN: &[&str] = &[
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_PASSWORD",
    "SNAPSENTRY_WEBHOOK_URL",
    "SNAPSENTRY_WEBHOOK_USERNAME",
    "SNAPSENTRY_WEBHOOK_PASSWORD",
];

/// The source of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The process's environment variables.
    Environment,
    /// The JSON object of variables in the secret.
    Secret,
    /// An entry of a `clouds.yaml`: in a file of this path, or in the secret.
    Cloud { file: Option<String>, entry: String },
}

/// One source's variables, none of them empty.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Layer {
    origin: Origin,
    values: BTreeMap<String, String>,
    /// What an entry of a `clouds.yaml` calls the variable.
    own_names: BTreeMap<String, String>,
}

impl Layer {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            values: BTreeMap::new(),
            own_names: BTreeMap::new(),
        }
    }

    pub(super) fn of_environment(environment: &Environment) -> Self {
        let mut layer = Self::new(Origin::Environment);
        for variable in VARIABLES {
            if let Some(value) = environment.get(variable) {
                layer.set(variable, value);
            }
        }
        layer
    }

    pub(super) fn set(&mut self, variable: &str, value: &str) {
        if !value.is_empty() {
            self.values.insert(variable.to_owned(), value.to_owned());
        }
    }

    pub(super) fn set_named(&mut self, variable: &str, own_name: &str, value: &str) {
        self.set(variable, value);
        self.own_names
            .insert(variable.to_owned(), own_name.to_owned());
    }

    pub(super) fn get(&self, variable: &str) -> Option<&str> {
        self.values.get(variable).map(String::as_str)
    }

    /// The value without the blanks around it, which no name, number or address has.
    pub(super) fn trimmed(&self, variable: &str) -> Option<&str> {
        self.get(variable)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// The login variables that are set here.
    pub(super) fn login_variables(&self) -> Vec<&str> {
        let set = LOGIN.iter().filter(|variable| self.get(variable).is_some());
        set.copied().collect()
    }

    /// Where this layer is, as the end of a sentence.
    pub(super) fn place(&self) -> String {
        match &self.origin {
            Origin::Environment => "in the environment".to_owned(),
            Origin::Secret => "in the secret".to_owned(),
            Origin::Cloud { file, entry } => clouds_yaml::place(file.as_deref(), entry),
        }
    }

    /// What somebody who has to set the variable here looks for.
    pub(super) fn name(&self, variable: &str) -> String {
        match (&self.origin, cloud_keys::key_of(variable)) {
            (Origin::Cloud { .. }, Some(key)) => format!("{key} ({variable})"),
            _ => variable.to_owned(),
        }
    }

    /// The variable and, where it is not in the environment, where it stands.
    pub(super) fn label(&self, variable: &str) -> String {
        match (&self.origin, self.own_names.get(variable)) {
            (Origin::Environment, _) => variable.to_owned(),
            (_, None) => format!("{variable} ({})", self.place()),
            (_, Some(own_name)) => format!("{variable} ({own_name} {})", self.place()),
        }
    }

    /// The label and, where it may be shown, the value: the subject of a fault's sentence.
    pub(super) fn shown(&self, variable: &str) -> String {
        let label = self.label(variable);
        match self.get(variable) {
            Some(value) if self.may_show(variable, value) => format!("{label}: {}", quoted(value)),
            _ => format!("{label}: its value (not shown)"),
        }
    }

    fn may_show(&self, variable: &str, value: &str) -> bool {
        let public = !matches!(
            self.origin,
            Origin::Secret | Origin::Cloud { file: None, .. }
        );
        // An address may carry a password before an `@`.
        public && !HIDDEN.contains(&variable) && !(variable == "OS_AUTH_URL" && value.contains('@'))
    }
}

/// A value in quotes, on one line and not too long.
pub(super) fn quoted(value: &str) -> String {
    let (beginning, rest) = cut(value, 100);
    format!("{beginning:?}{rest}")
}
