//! The regions that an entry of a `clouds.yaml` lists.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::layer::quoted;

/// A region's name, and what it changes in its entry.
#[derive(Clone)]
pub(super) struct Region<V> {
    pub(super) name: String,
    pub(super) values: V,
}

impl<V> Region<V> {
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
impl<'de, V: Default + Deserialize<'de>> Deserialize<'de> for Region<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrObject(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object<V> {
    name: String,
    values: Option<V>,
}

struct NameOrObject<V>(PhantomData<V>);

impl<'de, V: Default + Deserialize<'de>> Visitor<'de> for NameOrObject<V> {
    type Value = Region<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a region's name, or an object with name and values")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Region {
            name: name.to_owned(),
            values: V::default(),
        })
    }

    fn visit_u64<E: Error>(self, name: u64) -> Result<Self::Value, E> {
        self.visit_str(&name.to_string())
    }

    fn visit_i64<E: Error>(self, name: i64) -> Result<Self::Value, E> {
        self.visit_str(&name.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let object = Object::<V>::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Region {
            name: object.name,
            values: object.values.unwrap_or_default(),
        })
    }
}
