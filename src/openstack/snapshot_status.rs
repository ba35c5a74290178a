//! The states of a snapshot, in Cinder's words.

use serde::{Deserialize, Deserializer};

use super::de;

/// A snapshot's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotStatus {
    /// Being made.
    Creating,
    /// Whole.
    Available,
    /// Broken.
    Error,
    /// Being deleted.
    Deleting,
    /// Its deletion failed.
    ErrorDeleting,
    /// Any other word, such as `backing-up`; empty where there is none that can be read.
    Other(String),
}

impl SnapshotStatus {
    /// Cinder's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Error => "error",
            Self::Deleting => "deleting",
            Self::ErrorDeleting => "error_deleting",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for SnapshotStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "creating" => Self::Creating,
            "available" => Self::Available,
            "error" => Self::Error,
            "deleting" => Self::Deleting,
            "error_deleting" => Self::ErrorDeleting,
            _ => Self::Other(word),
        }
    }
}

impl Default for SnapshotStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl<'de> Deserialize<'de> for SnapshotStatus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        de::text_or_empty(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_cinder_is_kept_and_what_is_no_word_is_none() {
        for word in [
            "creating",
            "available",
            "error",
            "deleting",
            "error_deleting",
            "backing-up",
            "Available",
            "",
        ] {
            let status = SnapshotStatus::from(word.to_owned());
            assert_eq!(status.as_str(), word);
            let is_other = matches!(status, SnapshotStatus::Other(_));
            let known = [
                "creating",
                "available",
                "error",
                "deleting",
                "error_deleting",
            ];
            assert_eq!(is_other, !known.contains(&word), "{word}");
        }
        for odd in ["null", "7", "[]", "{}"] {
            let status: SnapshotStatus = serde_json::from_str(odd).expect("any value");
            assert_eq!(status, SnapshotStatus::default(), "{odd}");
        }
    }
}
