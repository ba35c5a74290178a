//! Which events a tick is asked to list.

use super::InvalidEvent;
use super::payload::Fields;

pub(super) const FIELDS: &[&str] = &["for", "spread_seconds"];

/// The longest time over which the events of one tick are spread, in seconds: who hands them on
/// waits for the last of them, and may take five minutes in all.
const LONGEST_SPREAD: u32 = 240;
const SPREAD: u32 = 120;

const ACCEPTED_FOR: &str = "\"snapshot\" or \"expire\"";

/// The events that one tick wants: one for each cloud and shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetsRequest {
    /// What each of them asks for.
    pub wanted: SpreadPhase,
    /// Over how many seconds they are spread; 0 to 240.
    pub spread_seconds: u32,
}

/// A phase that is spread over many clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpreadPhase {
    /// Take what is due.
    Snapshot,
    /// Delete what has expired.
    Expire,
}

impl TargetsRequest {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, InvalidEvent> {
        let wanted = fields.read("for", ACCEPTED_FOR, |value| match value.as_str()? {
            "snapshot" => Some(SpreadPhase::Snapshot),
            "expire" => Some(SpreadPhase::Expire),
            _ => None,
        })?;
        let Some(wanted) = wanted else {
            return Err(InvalidEvent::new(format!(
                "for: missing; accepted is {ACCEPTED_FOR}, what the events are to ask for"
            )));
        };
        let spread = fields.whole(
            "spread_seconds",
            "a whole number of seconds from 0 to 240",
            |seconds| seconds <= LONGEST_SPREAD,
        )?;
        Ok(Self {
            wanted,
            spread_seconds: spread.unwrap_or(SPREAD),
        })
    }
}
