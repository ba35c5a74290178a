//! Reading what clouds send, not what they should send.
//!
//! One odd row must not keep a whole project from being looked at: a null stands for nothing,
//! and a metadata value that is no string for one that means nothing. It is not left out: a
//! hold that cannot be read holds, and a policy that cannot be read is not off.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value, or its default where the cloud sent null.
pub(super) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// What stands for a metadata value that is no string: no key has it for a meaning.
const NO_STRING: &str = "(no string)";

/// Metadata. A null is read as empty, and any other value that is no string as [`NO_STRING`].
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
        while let Some((key, Text(value))) = map.next_entry::<String, Text>()? {
            strings.insert(key, value);
        }
        Ok(strings)
    }
}

/// A string, or what stands for a value of any other type. Written out, because an untagged
/// enum would first copy every value into a tree of its own.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(NO_STRING.to_owned())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(NO_STRING.to_owned())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(NO_STRING.to_owned())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(NO_STRING.to_owned())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(String::new())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(NO_STRING.to_owned())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(NO_STRING.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> BTreeMap<String, String> {
        metadata(&mut serde_json::Deserializer::from_str(json)).expect(json)
    }

    #[test]
    fn whatever_is_no_string_is_there_but_means_nothing() {
        let odd = r#"{"a": "x", "b": null, "c": 1, "d": -1, "e": 0.5, "f": true,
                      "g": ["y", {"h": []}], "i": {"j": {"k": "z"}}, "l": "\"ü"}"#;
        let kept = [("a", "x"), ("b", ""), ("l", "\"ü")];
        let odd_ones = ["c", "d", "e", "f", "g", "i"].map(|key| (key, NO_STRING));
        let all = kept.into_iter().chain(odd_ones);
        let all = all.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read(odd), all.collect());
    }

    #[test]
    fn null_is_no_metadata() {
        assert_eq!(read("null"), BTreeMap::new());
    }
}
