//! Reads a pass's share of the project.

use serde_json::Value;

use super::InvalidEvent;
use super::fields::{refused, shown, shown_name};
use crate::plan::Shard;

/// The most shares that one project is split into.
const MOST_SHARES: u32 = 256;

const ACCEPTED: &str = "an object like {\"index\": 0, \"count\": 4} with index < count ≤ 256";

impl Shard {
    pub(super) fn read(value: &Value) -> Result<Self, InvalidEvent> {
        let object = value
            .as_object()
            .ok_or_else(|| refused("shard", value, ACCEPTED))?;
        if let Some(field) = object
            .keys()
            .find(|key| !["index", "count"].contains(&key.as_str()))
        {
            return Err(InvalidEvent::new(format!(
                "shard.{}: no such field; accepted is {ACCEPTED}",
                shown_name(field)
            )));
        }
        let number = |field: &str| {
            let value = object.get(field).ok_or_else(|| {
                InvalidEvent::new(format!("shard.{field}: missing; accepted is {ACCEPTED}"))
            })?;
            value
                .as_u64()
                .ok_or_else(|| refused(&format!("shard.{field}"), value, ACCEPTED))
        };
        let (index, count) = (number("index")?, number("count")?);
        let checked = |number: u64| u32::try_from(number).ok().filter(|&n| n <= MOST_SHARES);
        match (checked(index), checked(count)) {
            (_, None | Some(0)) => Err(InvalidEvent::new(format!(
                "shard.count: {count} is not accepted; accepted is 1 to {MOST_SHARES}"
            ))),
            (Some(index), Some(count)) if index < count => Ok(Self { index, count }),
            _ => Err(InvalidEvent::new(format!(
                "shard.index: {index} is not below the count in {}; accepted is 0 to {}",
                shown(value),
                count - 1
            ))),
        }
    }
}
