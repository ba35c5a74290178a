//! The name of a cloud: an entry of a `clouds.yaml`, as events may carry it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use crate::text::is_plain_name;

/// 1 to 64 of `A-Z a-z 0-9 . _ -`: what needs no quoting in a dimension, a dashboard or a shell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CloudName(String);

/// The text is no name that an event could carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("accepted is {}", CloudName::ACCEPTED)]
pub struct InvalidCloudName;

impl CloudName {
    /// What a name may be, in words.
    pub(crate) const ACCEPTED: &str =
        "the name of an entry of the clouds.yaml, 1 to 64 of A-Z a-z 0-9 . _ -";

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in an event's field; `None` where it is none.
    pub(crate) fn of_json(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}

impl FromStr for CloudName {
    type Err = InvalidCloudName;

    fn from_str(text: &str) -> Result<Self, InvalidCloudName> {
        if is_plain_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCloudName)
        }
    }
}

impl fmt::Display for CloudName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
