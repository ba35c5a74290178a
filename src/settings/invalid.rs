//! The error about settings: everything that is wrong, said at once.

use std::fmt;

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
    pub fn new(fault: impl Into<String>) -> Self {
        Self {
            faults: vec![fault.into()],
        }
    }

    pub(super) fn of(faults: Vec<String>) -> Self {
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
