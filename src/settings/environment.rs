//! What the environment says, and every variable that can be said there. Environment and files are
//! arguments everywhere else, so that settings are a pure function of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs, io};

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

/// A variable that is read, wherever it may stand.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// Whether it says who logs in, and where: these come from one source as a whole.
    pub(super) is_login: bool,
    /// Whether no error may show its value.
    pub(super) is_hidden: bool,
}

const fn login(name: &'static str) -> Variable {
    Variable {
        name,
        is_login: true,
        is_hidden: false,
    }
}

const fn other(name: &'static str) -> Variable {
    Variable {
        is_login: false,
        ..login(name)
    }
}

impl Variable {
    const fn hidden(self) -> Self {
        Self {
            is_hidden: true,
            ..self
        }
    }

    /// The variable of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        VARIABLES.iter().find(|variable| variable.name == name)
    }
}

/// Every variable that is read.
pub const VARIABLES: &[Variable] = &[
    login("OS_AUTH_URL"),
    login("OS_AUTH_TYPE"),
    other("OS_IDENTITY_API_VERSION"),
    login("OS_APPLICATION_CREDENTIAL_ID"),
    login("OS_APPLICATION_CREDENTIAL_NAME"),
    login("OS_APPLICATION_CREDENTIAL_SECRET").hidden(),
    login("OS_USERNAME"),
    login("OS_USER_ID"),
    login("OS_PASSWORD").hidden(),
    login("OS_USER_DOMAIN_ID"),
    login("OS_USER_DOMAIN_NAME"),
    login("OS_PROJECT_ID"),
    login("OS_PROJECT_NAME"),
    login("OS_PROJECT_DOMAIN_ID"),
    login("OS_PROJECT_DOMAIN_NAME"),
    other("OS_REGION_NAME"),
    other("OS_INTERFACE"),
    other("OS_ENDPOINT_TYPE"),
    other("OS_CACERT"),
    other("OS_INSECURE"),
    other("OS_CLOUD"),
    other("OS_CLIENT_CONFIG_FILE"),
    other("SNAPSENTRY_CREDENTIALS_SECRET"),
    other("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"),
    other("SNAPSENTRY_WEBHOOK_URL").hidden(),
    other("SNAPSENTRY_WEBHOOK_USERNAME").hidden(),
    other("SNAPSENTRY_WEBHOOK_PASSWORD").hidden(),
    other("SNAPSENTRY_PROJECT"),
    other("SNAPSENTRY_FLEET"),
    other("SNAPSENTRY_PHASES"),
    other("SNAPSENTRY_MAX_CONCURRENCY"),
    other("SNAPSENTRY_MAX_CREATING"),
    other("SNAPSENTRY_MAX_RETRIES"),
    other("SNAPSENTRY_BASE_DELAY"),
    other("SNAPSENTRY_MAX_DELAY"),
    other("SNAPSENTRY_OPERATION_TIMEOUT"),
    other("SNAPSENTRY_POLL_INTERVAL"),
    other("SNAPSENTRY_DEADLINE_MARGIN"),
    other("SNAPSENTRY_DEFAULT_TIMEOUT"),
    other("SNAPSENTRY_KEEP_LAST"),
    other("SNAPSENTRY_STUCK_AFTER"),
    other("RUST_LOG"),
    other("AWS_LAMBDA_LOG_LEVEL"),
    other("AWS_LAMBDA_LOG_FORMAT"),
];
