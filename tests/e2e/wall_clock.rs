//! Windows keep to the wall clock of their zone.

use serde_json::json;
use simcloud::VolumeSpec;

use crate::world::{World, managed, side_by_side};

/// The policy, its settings, the time of the pass; and the start as the name has it, start, end
/// and expiry in UTC.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    [&'static str; 4],
);

#[tokio::test]
async fn windows_keep_to_the_wall_clock_of_their_zone() {
    // Berlin's clocks go forward on 29 March at 02:00 and back on 25 October at 03:00.
    let rows: [Row; 8] = [
        (
            "daily",
            &[("start-time", "02:30")],
            "2026-03-29T12:00:00Z",
            [
                "2026-03-29T03:00:00+02:00",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z",
                "2026-03-31T00:30:00Z",
            ],
        ),
        (
            "daily",
            &[("start-time", "02:30")],
            "2026-10-25T12:00:00Z",
            [
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
                "2026-10-27T01:30:00Z",
            ],
        ),
        (
            "daily",
            &[("start-time", "02:30")],
            "2026-10-25T01:15:00Z",
            [
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
                "2026-10-27T01:30:00Z",
            ],
        ),
        (
            "daily",
            &[("start-time", "00:00"), ("retention-days", "1")],
            "2026-03-29T12:00:00Z",
            [
                "2026-03-29T00:00:00+01:00",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
                "2026-03-29T22:00:00Z",
            ],
        ),
        (
            "express",
            &[("interval-hours", "8")],
            "2026-03-29T05:00:00Z",
            [
                "2026-03-29T00:00:00+01:00",
                "2026-03-28T23:00:00Z",
                "2026-03-29T06:00:00Z",
                "2026-03-29T22:00:00Z",
            ],
        ),
        (
            "weekly",
            &[("start-day-of-week", "sat"), ("start-time", "18:00")],
            "2026-10-25T12:00:00Z",
            [
                "2026-10-24T18:00:00+02:00",
                "2026-10-24T16:00:00Z",
                "2026-10-31T17:00:00Z",
                "2026-10-31T17:00:00Z",
            ],
        ),
        (
            "monthly",
            &[("start-day-of-month", "31"), ("start-time", "12:00")],
            "2026-03-01T12:00:00Z",
            [
                "2026-02-28T12:00:00+01:00",
                "2026-02-28T11:00:00Z",
                "2026-03-31T10:00:00Z",
                "2026-03-31T10:00:00Z",
            ],
        ),
        (
            "monthly",
            &[("start-day-of-month", "30")],
            "2028-03-01T12:00:00Z",
            [
                "2028-02-29T00:00:00+01:00",
                "2028-02-28T23:00:00Z",
                "2028-03-29T22:00:00Z",
                "2028-03-29T22:00:00Z",
            ],
        ),
    ];
    side_by_side(
        rows,
        async |(policy, settings, as_of, [named, start, end, expiry])| {
            let world = World::new().await;
            let key = |setting: &str| format!("x-snapsentry-{policy}-{setting}");
            let volume = managed(VolumeSpec::default())
                .meta(key("enabled"), "true")
                .meta(key("timezone"), "Europe/Berlin");
            let volume = settings.iter().fold(volume, |volume, (setting, value)| {
                volume.meta(key(setting), *value)
            });
            let volume = world.cloud.add_volume(volume);
            let event = json!({"phase": "snapshot", "dry_run": true, "as_of": as_of});
            let plan = world.run(event).await.plan();
            let expected = json!([{
                "action": "create", "volume_id": volume, "policy": policy,
                "name": format!("managed-{policy}-{volume}-{named}"),
                "window_start": start, "window_end": end, "expires_at": expiry,
            }]);
            assert_eq!(json!(plan), expected, "{policy} {settings:?} {as_of}");
        },
    )
    .await;
}
