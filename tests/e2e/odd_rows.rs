//! A field of a listing that is null, or of another type than expected, spoils its own row at most.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::{Fault, Kind, Route, SnapshotSpec, When};

use crate::duplicates::meanwhile;
use crate::world::{World, daily, side_by_side, tagged};

/// What may stand where a text was expected.
fn odd_values() -> [Value; 6] {
    [
        json!(null),
        json!(7),
        json!(true),
        json!(0.5),
        json!([["x"]]),
        json!({"x": null}),
    ]
}

/// Every listing of the route shows these rows.
fn shows(world: &World, route: Route, name: &str, rows: Vec<Value>) {
    let body = json!({ name: rows }).to_string();
    let kind = Kind::Status {
        code: 200,
        headers: Vec::new(),
        body: Some(Bytes::from(body)),
    };
    world.cloud.inject(Fault::on(route, kind).forever());
}

fn volume(id: &str) -> Value {
    json!({"id": id, "status": "available", "metadata": tagged(&[&daily()]).metadata})
}

#[tokio::test]
async fn a_volume_with_an_odd_field_leaves_the_others_as_they_are() {
    let fields = [
        "id",
        "status",
        "metadata",
        "attachments",
        "name",
        "size",
        "created_at",
    ];
    side_by_side(fields, async |field| {
        for odd in odd_values() {
            let world = World::new().await;
            let (whole, spoilt) = (world.volume(&[&daily()]), world.volume(&[&daily()]));
            let mut row = volume(&spoilt);
            row[field] = odd.clone();
            let rows = vec![odd.clone(), row, volume(&whole)];
            shows(&world, Route::ListVolumes, "volumes", rows);
            let run = world.snapshot().await;
            let why = format!("{field}: {odd}");
            let did = match field {
                "id" | "metadata" => "created 1",
                "status" => "created 1, blocked 1",
                _ => "created 2",
            };
            assert_eq!(run.did(), did, "{why}");
            assert_eq!(world.cloud.snapshots_of(&whole).len(), 1, "{why}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_without_a_readable_status_serves_its_window_and_is_never_deleted() {
    side_by_side(odd_values(), async |odd| {
        let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
        let served = world.volume(&[&daily()]);
        let other = world.volume(&[&daily()]);
        let row = |spec: simcloud::SnapshotSpec, volume: &str, status: Value| {
            let id = world.cloud.add_snapshot(spec.clone());
            json!({"id": id, "volume_id": volume, "status": status, "metadata": spec.metadata,
                   "created_at": "2026-01-01T00:00:00.000000", "updated_at": null})
        };
        let rows = vec![
            odd.clone(),
            row(daily().snapshot_of(&served), &served, odd.clone()),
            row(daily().expired(&served, 5), &served, odd.clone()),
            row(daily().expired(&other, 5), &other, json!("available")),
        ];
        let expired = rows[3]["id"].as_str().expect("an id").to_owned();
        shows(&world, Route::ListSnapshots, "snapshots", rows);
        let plan = world.plan("snapshot").await;
        assert_eq!(plan.len(), 1, "{odd}: {plan:#?}");
        assert_eq!(plan[0]["volume_id"], other.as_str(), "{odd}");
        assert_eq!(world.expire().await.did(), "deleted 1", "{odd}");
        assert!(!world.has(&expired), "{odd}");
        assert_eq!(world.removed(), 1, "{odd}");
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_with_an_odd_field_leaves_the_others_as_they_are() {
    let fields = [
        "id",
        "volume_id",
        "metadata",
        "created_at",
        "updated_at",
        "size",
    ];
    side_by_side(fields, async |field| {
        for odd in odd_values() {
            let world = World::new().await;
            let (one, two) = (world.volume(&[&daily()]), world.volume(&[&daily()]));
            let row = |volume: &str| {
                let spec = daily().snapshot_of(volume);
                json!({"id": world.cloud.add_snapshot(spec.clone()), "volume_id": volume,
                       "status": "available", "metadata": spec.metadata, "size": 1,
                       "created_at": "2026-01-01T00:00:00.000000", "updated_at": null})
            };
            let mut spoilt = row(&two);
            spoilt[field] = odd.clone();
            let rows = vec![spoilt, row(&one)];
            shows(&world, Route::ListSnapshots, "snapshots", rows);
            let plan = world.plan("snapshot").await;
            let due: Vec<&Value> = plan.iter().map(|action| &action["volume_id"]).collect();
            let is_lost = matches!(field, "volume_id" | "metadata");
            let wanted: Vec<Value> = is_lost.then(|| json!(two)).into_iter().collect();
            assert_eq!(due, wanted.iter().collect::<Vec<_>>(), "{field}: {odd}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_without_a_readable_id_makes_no_other_snapshot_superfluous() {
    side_by_side(odd_values(), async |odd| {
        let world = World::new().await;
        let volume = world.volume(&[&daily()]);
        let spec = daily().snapshot_of(&volume);
        let only = world.cloud.add_snapshot(spec.clone());
        // The same snapshot, perhaps, as a listing that shifts shows it twice.
        let rows = [("00:01", odd.clone()), ("00:02", json!(only))].map(|(at, id)| {
            json!({"id": id, "volume_id": volume, "status": "available",
                   "metadata": spec.metadata, "size": 1, "updated_at": null,
                   "created_at": format!("2026-01-01T{at}:00.000000")})
        });
        shows(&world, Route::ListSnapshots, "snapshots", rows.to_vec());
        assert!(world.plan("snapshot").await.is_empty(), "{odd}");
        assert_eq!(world.snapshot().await.did(), "", "{odd}");
        assert!(world.has(&only), "{odd}");
    })
    .await;
}

#[tokio::test]
async fn where_a_volume_cannot_be_read_the_newest_copy_of_one_that_is_not_listed_stays() {
    side_by_side(odd_values(), async |odd| {
        let world = World::new().await;
        let lost = world.volume(&[&daily()]);
        let older = world.expired(&lost, &daily(), 60);
        let newest = world.expired(&lost, &daily(), 30);
        let mut row = volume(&lost);
        row["id"] = odd.clone();
        shows(&world, Route::ListVolumes, "volumes", vec![row]);
        let report = world.run(json!({"phase": "report"})).await;
        assert_eq!(report.figure("/totals/expired"), 1, "{odd}");
        assert_eq!(report.warnings_with("no readable id").len(), 1, "{odd}");
        let run = world.expire().await;
        assert_eq!(run.did(), "deleted 1, kept 1", "{odd}");
        assert!(!world.has(&older) && world.has(&newest), "{odd}");
        assert_eq!(run.warnings_with("no readable id").len(), 1, "{odd}");
    })
    .await;
}

#[tokio::test]
async fn a_creation_whose_answer_has_no_readable_status_is_not_taken_for_done() {
    side_by_side(odd_values(), async |odd| {
        let world = World::new().await;
        let volume = world.volume(&[&daily()]);
        let id = world.cloud.new_uuid();
        let answer = json!({"snapshot": {"id": id, "volume_id": volume, "status": odd}});
        world.cloud.inject(Fault::on(
            Route::CreateSnapshot,
            Kind::Status {
                code: 202,
                headers: Vec::new(),
                body: Some(Bytes::from(answer.to_string())),
            },
        ));
        let broken = SnapshotSpec {
            id: Some(id),
            ..daily().snapshot_of(&volume).status("error")
        };
        meanwhile(&world, |cloud| broken.created_at(cloud.now()));
        assert_eq!(world.snapshot().await.did(), "failed 1", "{odd}");
    })
    .await;
}

#[tokio::test]
async fn a_look_at_a_snapshot_without_a_readable_status_says_nothing_of_it() {
    side_by_side(odd_values(), async |odd| {
        let world = World::of(|config| config.creation_time = Duration::from_secs(1)).await;
        let volume = world.volume(&[&daily()]);
        world
            .cloud
            .backend(Rule::new(Snapshots::Any, Behaviour::CreateFails));
        let status = odd.clone();
        world
            .cloud
            .on(Route::CreateSnapshot, 1, When::After, move |cloud| {
                let ours = cloud.snapshots_of(&volume).remove(0);
                let row = json!({"id": ours.id, "volume_id": volume, "status": status,
                                 "metadata": ours.metadata, "size": 1, "updated_at": null,
                                 "created_at": "2026-01-01T00:00:00.000000"});
                let kind = Kind::Status {
                    code: 200,
                    headers: Vec::new(),
                    body: Some(Bytes::from(json!({"snapshots": [row]}).to_string())),
                };
                cloud.inject(Fault::on(Route::ListSnapshots, kind));
            });
        assert_eq!(world.snapshot().await.did(), "failed 1", "{odd}");
    })
    .await;
}
