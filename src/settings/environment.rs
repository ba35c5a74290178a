//! The process's surroundings as values: its environment variables and the files it can read.
//!
//! Both are arguments everywhere else, so that settings are a pure function of them.

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
