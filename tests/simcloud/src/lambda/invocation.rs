//! One invocation: until when it may take, and what came of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// When an invocation has to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// This long after it is handed out.
    After(Duration),
    /// The header `Lambda-Runtime-Deadline-Ms` as it is, milliseconds since 1970.
    Millis(u64),
}

impl Deadline {
    /// The header's value, and how long that is from now if it is still to come.
    pub(super) fn resolve(self) -> (u64, Option<Duration>) {
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = |since: Duration| u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::After(left) => (millis(since_1970.saturating_add(left)), Some(left)),
            Self::Millis(at) => {
                let left = at.checked_sub(millis(since_1970));
                (at, left.map(Duration::from_millis))
            }
        }
    }
}

/// An invocation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `errorType` as posted; `Runtime.ExitError` and `Sandbox.Timedout` where nothing was.
    pub error_type: String,
    /// `errorMessage` as posted.
    pub error_message: String,
}

impl Failure {
    pub(super) fn timed_out(error_message: String) -> Self {
        Self {
            error_type: "Sandbox.Timedout".into(),
            error_message,
        }
    }
}

/// What came of one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The Lambda request id, a UUID.
    pub request_id: String,
    /// The answer.
    pub result: Result<Value, Failure>,
    /// From handing out the event to the answer.
    pub elapsed: Duration,
    /// Whether a deadline that was still to come has passed without an answer.
    pub deadline_missed: bool,
    /// Every line printed since the last invocation, on both streams, in the order of their
    /// arrival.
    pub log: Vec<String>,
    /// The lines of standard output among them.
    pub stdout: Vec<String>,
}

impl Invocation {
    /// The answer.
    ///
    /// # Panics
    /// If the invocation failed; the log is in the message.
    #[track_caller]
    pub fn answer(&self) -> &Value {
        match &self.result {
            Ok(answer) => answer,
            Err(failure) => panic!("{failure:?}\n{}", self.log.join("\n")),
        }
    }

    /// The failure.
    ///
    /// # Panics
    /// If the invocation succeeded; answer and log are in the message.
    #[track_caller]
    pub fn failure(&self) -> &Failure {
        match &self.result {
            Err(failure) => failure,
            Ok(answer) => panic!("no failure: {answer:#}\n{}", self.log.join("\n")),
        }
    }

    /// The lines of standard output that are JSON objects with `_aws`: the metrics.
    pub fn metrics(&self) -> Vec<Value> {
        let lines = self.stdout.iter();
        let objects = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        objects
            .filter(|object| object.get("_aws").is_some())
            .collect()
    }
}
