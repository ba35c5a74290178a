//! Reading what clouds send, not what they should send.
//!
//! One odd row must not keep a whole project from being looked at: a null stands for nothing,
//! and a metadata value that is no string for none.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value, or its default where the cloud sent null.
pub(super) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Metadata; entries whose value is no string are left out.
pub(super) fn metadata<'de, D>(from: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    from.deserialize_any(Strings)
}

struct Strings;

impl<'de> Visitor<'de> for Strings {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut strings = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Text>()? {
            if let Text::String(value) = value {
                strings.insert(key, value);
            }
        }
        Ok(strings)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    String(String),
    Other(IgnoredAny),
}
