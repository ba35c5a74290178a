//! Clocks that are far apart are told by every phase that lists.

use chrono::TimeDelta;
use simcloud::DateHeader;

use crate::world::{World, daily, side_by_side};

#[tokio::test]
async fn a_pass_warns_of_clocks_that_are_more_than_five_minutes_apart() {
    let rows = [
        (Some(4), false),
        (Some(-4), false),
        (Some(6), true),
        (Some(-6), true),
        // What has no date proves nothing.
        (None, false),
    ];
    side_by_side(rows, async |(minutes, warns)| {
        let date = minutes.map_or(DateHeader::Missing, |minutes| {
            DateHeader::Shifted(TimeDelta::minutes(minutes))
        });
        let world = World::of(|config| config.date = date).await;
        world.volume(&[&daily()]);
        for run in [world.snapshot().await, world.expire().await] {
            let warnings = run.warnings_with("clock");
            assert_eq!(warnings.len(), usize::from(warns), "{minutes:?}");
        }
    })
    .await;
}
