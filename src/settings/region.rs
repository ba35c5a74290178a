//! The regions that an entry of a `clouds.yaml` lists.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::cloud_entry::Entry;
use super::layer::quoted;

/// A region's name, and what it changes in its entry.
#[derive(Clone)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) values: Entry,
}

impl Region {
    /// The wanted one, else the first. With none listed there is nothing to choose.
    pub(super) fn choose(regions: Vec<Self>, wanted: Option<&str>) -> Result<Option<Self>, String> {
        let names: Vec<String> = regions.iter().map(|region| quoted(&region.name)).collect();
        let mut regions = regions.into_iter().peekable();
        match wanted {
            Some(wanted) if regions.peek().is_some() => regions
                .find(|region| region.name == wanted)
                .map(Some)
                .ok_or_else(|| {
                    format!(
                        "OS_REGION_NAME: {} is not among the regions ({})",
                        quoted(wanted),
                        names.join(", ")
                    )
                }),
            _ => Ok(regions.next()),
        }
    }
}

/// Either just the name, or an object with `name` and perhaps `values`.
impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrObject)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    name: String,
    #[serde(default)]
    values: Option<Entry>,
}

struct NameOrObject;

impl<'de> Visitor<'de> for NameOrObject {
    type Value = Region;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a region's name, or an object with name and values")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Region, E> {
        Ok(Region {
            name: name.to_owned(),
            values: Entry::default(),
        })
    }

    fn visit_u64<E: Error>(self, name: u64) -> Result<Region, E> {
        self.visit_str(&name.to_string())
    }

    fn visit_i64<E: Error>(self, name: i64) -> Result<Region, E> {
        self.visit_str(&name.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Region, A::Error> {
        let object = Object::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Region {
            name: object.name,
            values: object.values.unwrap_or_default(),
        })
    }
}
