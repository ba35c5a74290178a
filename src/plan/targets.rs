//! When each cloud of a tick gets its pass.
//!
//! One deployment serves many clouds, which are often projects of one OpenStack: asked all in one
//! second they would be a storm of their own. So each cloud, and each of its shards, has a delay of
//! its own, which follows from its name alone: the same at every tick, whatever else is served.

use chrono::{DateTime, TimeDelta, Utc};

use super::Shard;
use super::scope::stable_hash;
use crate::cloud_name::CloudName;

/// One pass that a tick wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The cloud.
    pub cloud: &'a CloudName,
    /// The share of the cloud; `None` where it is not split.
    pub shard: Option<Shard>,
    /// How long after the tick's arrival, in seconds.
    pub delay_seconds: u32,
    /// The instant itself.
    pub at: DateTime<Utc>,
}

/// The passes for these clouds, each with the number of its shards, spread over so many seconds
/// from the tick's arrival; in the order of their instants, then by cloud and shard.
pub fn plan<'a>(
    clouds: impl IntoIterator<Item = (&'a CloudName, u32)>,
    arrival: DateTime<Utc>,
    spread_seconds: u32,
) -> Vec<Target<'a>> {
    let mut targets: Vec<Target<'a>> = clouds
        .into_iter()
        .flat_map(|(cloud, count)| {
            (0..count).map(move |index| {
                let delay_seconds = delay(cloud, index, spread_seconds);
                Target {
                    cloud,
                    shard: (count > 1).then_some(Shard { index, count }),
                    delay_seconds,
                    at: arrival + TimeDelta::seconds(delay_seconds.into()),
                }
            })
        })
        .collect();
    targets.sort_by_key(|target| {
        let index = target.shard.map(|shard| shard.index);
        (target.delay_seconds, target.cloud, index)
    });
    targets
}

/// From 0 to the spread, both included, each second as likely as any other.
fn delay(cloud: &CloudName, index: u32, spread_seconds: u32) -> u32 {
    let hash = stable_hash(&format!("{cloud}/{index}"));
    // The hash as a fraction of its range, times the number of seconds there are.
    let seconds = (u128::from(hash) * (u128::from(spread_seconds) + 1)) >> u64::BITS;
    u32::try_from(seconds).unwrap_or(spread_seconds)
}
