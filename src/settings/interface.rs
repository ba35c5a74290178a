//! Which of a service's addresses is used.

use std::fmt;

use super::reader::Reader;

/// An interface of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    /// For everyone.
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For administrators.
    Admin,
}

const NAMES: [&str; 2] = ["OS_INTERFACE", "OS_ENDPOINT_TYPE"];
const ACCEPTED: &str = "public, internal or admin, also with the suffix URL";

impl Interface {
    /// The name in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }

    /// Both variables name the same thing, so the first source that has either one decides.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let Some(layer) = reader.find_any(&NAMES) else {
            return Self::default();
        };
        let mut found = Vec::new();
        for name in NAMES {
            let Some(text) = layer.trimmed(name) else {
                continue;
            };
            match Self::named(text) {
                Some(interface) => found.push(interface),
                None => reader.faults.push(format!(
                    "{} is not accepted; accepted is {ACCEPTED}",
                    layer.shown(name)
                )),
            }
        }
        if let [one, other] = found.as_slice()
            && one != other
        {
            reader.faults.push(format!(
                "{}, {} contradict each other; set only one of them",
                layer.shown(NAMES[0]),
                layer.shown(NAMES[1])
            ));
        }
        found.first().copied().unwrap_or_default()
    }

    fn named(text: &str) -> Option<Self> {
        let name = text.strip_suffix("URL").unwrap_or(text);
        [Self::Public, Self::Internal, Self::Admin]
            .into_iter()
            .find(|interface| interface.as_str() == name)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
