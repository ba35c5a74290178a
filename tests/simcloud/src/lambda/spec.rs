//! How a function is started: what of Lambda's configuration it gets to see.

use std::path::PathBuf;
use std::time::Duration;

/// How a function is started. Only `binary` has no default.
#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// The function's executable.
    pub binary: PathBuf,
    /// Its arguments; Lambda gives none.
    pub args: Vec<String>,
    /// Its whole environment beside `PATH` and Lambda's own variables, which these win over.
    pub env: Vec<(String, String)>,
    /// Its working directory; `None` for this process's.
    pub directory: Option<PathBuf>,
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` in megabytes. Not enforced.
    pub memory_mb: u32,
    /// `AWS_LAMBDA_LOG_FORMAT`: `JSON` or `Text`; `None` leaves it out.
    pub log_format: Option<String>,
    /// How long the function is waited for beyond its deadline, before it is killed; also for
    /// its start and for its next poll.
    pub patience: Duration,
}

impl FunctionSpec {
    /// A function with nothing in its environment.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            args: Vec::new(),
            env: Vec::new(),
            directory: None,
            name: "snapsentry".into(),
            memory_mb: 128,
            log_format: None,
            patience: Duration::from_secs(30),
        }
    }

    /// With these variables too.
    #[must_use]
    pub fn env<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.env
            .extend(variables.map(|(name, value)| (name.into(), value.into())));
        self
    }
}
