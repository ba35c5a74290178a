//! Reading what clouds send, not what they should send.
//!
//! One odd field must not keep a whole project from being looked at: it spoils its own row at
//! most. A field that is null, or of another type than expected, is read as absent, and a row
//! that is no object as one without any field. A metadata value that is no string is not left
//! out, but stands for one that means nothing: a hold that cannot be read holds, and a policy
//! that cannot be read is not off.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::listing::Row;
use super::objects::{Object, Objects};

/// A value, or its default where the cloud sent null.
pub(super) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A text; nothing where the cloud sent something else.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match from.deserialize_any(AnyValue)? {
        Scalar::Text(text) => Some(text),
        _ => None,
    })
}

/// A text, empty where the cloud sent something else.
pub(super) fn text_or_empty<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(text(from)?.unwrap_or_default())
}

/// A whole number that is not negative; nothing where the cloud sent something else.
pub(super) fn whole_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(match from.deserialize_any(AnyValue)? {
        Scalar::Whole(number) => Some(number),
        _ => None,
    })
}

/// An instant. Cinder's timestamps carry no zone and are UTC. One of a year that no calendar on a
/// wall has is none: nothing could be counted from it.
pub(super) fn timestamp<'de, D>(from: D) -> Result<Option<DateTime<Utc>>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(text(from)?.and_then(|text| {
        text.parse::<NaiveDateTime>()
            .map(|naive| naive.and_utc())
            .or_else(|_| DateTime::parse_from_rfc3339(&text).map(|instant| instant.to_utc()))
            .ok()
            .filter(|at| (1..=9999).contains(&at.year()))
    }))
}

/// One thing that was asked for, and not one of a list: without its ids it is none.
pub(super) fn usable<'de, D: Deserializer<'de>, R: Row>(from: D) -> Result<R, D::Error> {
    let row = R::deserialize(from)?;
    if row.is_usable() && !row.id().is_empty() {
        Ok(row)
    } else {
        Err(serde::de::Error::custom("no id"))
    }
}

/// A list of objects; empty where the cloud sent something else. What is no object in it is
/// the default.
pub(super) fn objects<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    from.deserialize_any(Objects::new())
}

/// Metadata. Anything but an object is read as empty, and a value in it that is no string as
/// [`NO_STRING`].
pub(super) fn metadata<'de, D>(from: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let strings: Object<Strings> = Object::deserialize(from)?;
    Ok(strings.0.unwrap_or_default().0)
}

/// What stands for a metadata value that is no string: no key has it for a meaning.
const NO_STRING: &str = "(no string)";

/// A value as far as it is told apart. Written out, because an untagged enum would first copy
/// every value into a tree of its own.
pub(super) enum Scalar {
    Null,
    Text(String),
    Whole(u64),
    Other,
}

pub(super) struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Scalar, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Scalar, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// The entries of a metadata object.
#[derive(Default)]
struct Strings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Entries).map(Self)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut strings = BTreeMap::new();
        while let Some((key, MetadataValue(value))) = map.next_entry::<String, MetadataValue>()? {
            strings.insert(key, value);
        }
        Ok(strings)
    }
}

/// A string, or what stands for a value of any other type.
struct MetadataValue(String);

impl<'de> Deserialize<'de> for MetadataValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match from.deserialize_any(AnyValue)? {
            Scalar::Text(text) => text,
            Scalar::Null => String::new(),
            Scalar::Whole(_) | Scalar::Other => NO_STRING.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
    fn what_is_no_object_is_no_metadata() {
        for odd in [
            "null",
            "1",
            "-1",
            "0.5",
            "true",
            "\"x\"",
            "[{\"a\": \"b\"}]",
        ] {
            assert_eq!(read(odd), BTreeMap::new(), "{odd}");
        }
    }

    #[derive(Debug, Default, Deserialize, PartialEq, Eq)]
    struct Row {
        #[serde(default, deserialize_with = "text_or_empty")]
        text: String,
        #[serde(default, deserialize_with = "whole_number")]
        number: Option<u64>,
        #[serde(default, deserialize_with = "objects")]
        rows: Vec<Row>,
    }

    fn odd_values() -> Vec<Value> {
        vec![
            json!(null),
            json!(-1),
            json!(0.5),
            json!(true),
            json!([]),
            json!({}),
            json!({"text": ["deep", {"er": 1}]}),
        ]
    }

    #[test]
    fn a_field_of_another_type_is_read_as_absent_and_leaves_the_others() {
        for odd in odd_values() {
            let spoilt = json!({"text": odd, "number": 7});
            let row: Row = serde_json::from_value(spoilt.clone()).unwrap();
            assert_eq!((row.text.as_str(), row.number), ("", Some(7)), "{spoilt}");
            let spoilt = json!({"text": "x", "number": odd});
            let row: Row = serde_json::from_value(spoilt.clone()).unwrap();
            assert_eq!((row.text.as_str(), row.number), ("x", None), "{spoilt}");
        }
    }

    #[test]
    fn a_list_keeps_its_length_whatever_is_in_it() {
        let list = json!({"rows": [{"text": "a"}, null, 1, "x", [2], true, 0.5, -1, {"text": 3}]});
        let row: Row = serde_json::from_str(&list.to_string()).unwrap();
        assert_eq!(row.rows.len(), 9);
        assert_eq!(row.rows[0].text, "a");
        assert!(row.rows[1..].iter().all(|one| *one == Row::default()));
        for odd in odd_values() {
            let row: Row = serde_json::from_value(json!({"rows": odd, "text": "x"})).unwrap();
            assert_eq!((row.rows.len(), row.text.as_str()), (0, "x"), "{odd}");
        }
    }
}
