//! Pages of a project in which there is something of everything, written where a browser can show
//! them: see `tests/template/widget`.

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use simcloud::{SnapshotSpec, VolumeSpec};

use super::{page, widget};
use crate::report::old;
use crate::world::{
    Policy, World, daily, express, held, managed, monthly, rfc3339, tagged, weekly,
};

/// A snapshot of the policy's window that lies this many windows back.
fn taken(world: &World, volume: &str, policy: &Policy, back: i32) -> SnapshotSpec {
    let length = policy.end - policy.start;
    let start: DateTime<Utc> = policy.start - length * back;
    assert!(world.cloud.volume(volume).is_some());
    policy
        .snapshot_of(volume)
        .created_at(start + TimeDelta::seconds(40))
        .meta("x-snapsentry-snapshot-window-start", rfc3339(start))
        .meta(
            "x-snapsentry-snapshot-expiry-date",
            rfc3339(start + TimeDelta::days(30)),
        )
}

/// A volume with these policies, and snapshots of these windows of each.
fn covered(world: &World, name: &str, size: u64, policies: &[(&Policy, &[i32])]) -> String {
    let wanted: Vec<&Policy> = policies.iter().map(|(policy, _)| *policy).collect();
    let server = world.cloud.new_uuid();
    let volume = world.cloud.add_volume(VolumeSpec {
        name: Some(name.to_owned()),
        size: Some(size),
        ..old(tagged(&wanted).on(server))
    });
    for (policy, windows) in policies {
        for back in *windows {
            world
                .cloud
                .add_snapshot(taken(world, &volume, policy, *back));
        }
    }
    volume
}

async fn project() -> World {
    let world = World::new().await;
    let (daily, weekly) = (daily().with("retention-days", "30"), weekly());
    let express = express().with("retention-days", "7");
    let fortnight: Vec<i32> = (0..15).collect();
    let week: Vec<i32> = (0..28).collect();
    covered(&world, "web-1-root", 40, &[(&daily, &fortnight)]);
    covered(
        &world,
        "db-data",
        200,
        &[
            (&express, &week),
            (&daily, &fortnight),
            (&weekly, &[0, 1, 2]),
            (&monthly(), &[0]),
        ],
    );
    let missed: Vec<i32> = (2..15).filter(|back| ![5, 6].contains(back)).collect();
    let late = covered(
        &world,
        "orders-archive-of-a-long-name-that-somebody-chose",
        1200,
        &[(&daily, &missed)],
    );
    world
        .cloud
        .add_snapshot(held(taken(&world, &late, &daily, 9)));
    let blocked = covered(
        &world,
        "scratch-restore",
        10,
        &[(&daily, &fortnight[1..]), (&weekly, &[0])],
    );
    world.cloud.set_volume_status(&blocked, "error");
    let creating = covered(&world, "cache", 8, &[(&express, &week[1..])]);
    let begun = taken(&world, &creating, &express, 0).status("creating");
    world
        .cloud
        .add_snapshot(begun.created_at(Utc::now() - TimeDelta::seconds(50)));
    covered(
        &world,
        "mistyped",
        8,
        &[(
            &daily.clone().with("timezone", "Europe/Atlantis"),
            &fortnight[3..],
        )],
    );
    let failing = covered(
        &world,
        "on-a-sick-backend",
        80,
        &[(&daily, &fortnight[1..])],
    );
    for minutes in [20, 8] {
        let made = Utc::now() - TimeDelta::minutes(minutes);
        let leftover = taken(&world, &failing, &daily, 0).status("deleting");
        world.cloud.add_snapshot(leftover.created_at(made));
    }
    let wiped = world.cloud.add_volume(VolumeSpec {
        name: Some("wiped-by-another-tool".to_owned()),
        ..old(VolumeSpec::default())
    });
    world.cloud.add_snapshot(taken(&world, &wiped, &daily, 4));
    let named = |name: &str| VolumeSpec {
        name: Some(name.to_owned()),
        ..old(VolumeSpec::default())
    };
    world
        .cloud
        .add_volume(named("finished").meta("x-snapsentry-managed", "false"));
    world.cloud.add_volume(managed(named("nothing-on")));
    world.cloud.add_volume(named("not-ours"));
    world.cloud.add_volume(VolumeSpec {
        name: Some("<img src=x onerror=alert(1)><b>bold</b>".to_owned()),
        ..old(tagged(&[&daily]))
    });
    let gone = covered(&world, "gone", 5, &[(&daily, &[1, 2])]);
    world.cloud.remove_volume(&gone);
    world
}

/// Where the pages are written.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/widget"))
}

#[tokio::test]
async fn pages_for_the_browser() {
    let world = project().await;
    let mut function = world.function().await;
    fs::create_dir_all(folder()).expect("a folder for pages");
    for theme in ["light", "dark"] {
        let context = json!({"theme": theme, "timezone": {"offsetISO": "+00:00"}});
        let page = page(&function.run(widget(json!({"limit": 11}), context)).await);
        for name in ["db-data", "wiped-by-another-tool", "Next page"] {
            assert!(page.contains(name), "{name}");
        }
        fs::write(folder().join(format!("{theme}.html")), page).expect("a page");
    }
    let well = World::new().await;
    let policy = daily().with("retention-days", "30");
    for name in ["web-1-root", "web-2-root"] {
        covered(&well, name, 40, &[(&policy, &(0..15).collect::<Vec<_>>())]);
    }
    let page = page(&well.run(widget(json!({}), json!({"theme": "light"}))).await);
    assert!(page.contains("All is well"));
    fs::write(folder().join("well.html"), page).expect("a page");
}
