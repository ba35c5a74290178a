//! Whole listings of rows whose metadata and times are anything at all: whatever they say, only
//! what the rules of expiry allow is deleted.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::cases;
use crate::damage::odd_text;
use crate::exchange::Call;
use crate::judge;
use crate::scene::{Scene, play};

const KINDS: [&str; 4] = ["express", "daily", "weekly", "monthly"];

fn id(n: usize) -> String {
    format!("4b1c2d3e-0000-4000-8000-{n:012}")
}

/// A value of a metadata key: mostly what people write, sometimes anything.
fn written(usual: Vec<&'static str>) -> BoxedStrategy<Value> {
    prop_oneof![
        12 => prop::sample::select(usual).prop_map(Value::from),
        2 => odd_text().prop_map(Value::from),
        1 => "[-+]?[0-9]{1,30}".prop_map(Value::from),
        1 => prop::sample::select(vec![
            json!(null), json!(true), json!(false), json!(0), json!(1e300), json!([]), json!({}),
            json!(["true"]), json!({"true": "true"}),
        ]),
    ]
    .boxed()
}

fn instant() -> BoxedStrategy<Value> {
    written(vec![
        "2026-11-22T09:00:00Z",
        "2026-11-22T09:10:00Z",
        "2026-11-22T09:10:01Z",
        "2026-11-22T00:00:00Z",
        "2026-11-21T23:59:59Z",
        "2026-11-22T10:00:00+01:00",
        "2026-11-22T10:30:00+01:00",
        "2026-11-22T09:00:00.123456789-00:00",
        "2026-11-22t09:00:00z",
        "2026-11-22 09:00:00Z",
        "2026-11-22T09:00:00",
        "2026-11-22",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-262143-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "",
    ])
}

/// A time of a row, as Cinder writes it and as it does not.
fn timestamp() -> BoxedStrategy<Value> {
    written(vec![
        "2026-11-22T09:00:00.000000",
        "2026-11-22T09:00:00",
        "2026-11-21T09:00:00.654321",
        "2026-10-01T00:00:00.000000",
        "2026-11-22T02:00:00Z",
        "2026-11-22T03:00:00+00:00",
        "2030-01-01T00:00:00",
        "1970-01-01T00:00:00",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59",
        "-262143-01-01T00:00:00",
        "+262142-12-31T23:59:59",
        "2016-12-31T23:59:60",
    ])
}

fn boolean() -> BoxedStrategy<Value> {
    written(vec![
        "true", "true", "True", "1", "false", "F", "", "yes", "TRUE ",
    ])
}

fn managed() -> BoxedStrategy<Value> {
    prop_oneof![6 => Just(json!("true")), 1 => boolean()].boxed()
}

fn kind() -> BoxedStrategy<Value> {
    written(
        [
            KINDS.to_vec(),
            KINDS.to_vec(),
            vec!["Daily", "daily ", "hourly"],
        ]
        .concat(),
    )
}

/// Metadata of these keys, each there or not.
fn metadata(keys: Vec<(String, BoxedStrategy<Value>, f64)>) -> BoxedStrategy<Value> {
    let entries: Vec<_> = keys
        .into_iter()
        .map(|(key, value, often)| {
            prop::option::weighted(often, value).prop_map(move |value| Some((key.clone(), value?)))
        })
        .collect();
    let stranger = prop::option::weighted(0.2, (odd_text(), written(vec!["x"])));
    (entries, stranger)
        .prop_map(|(entries, stranger)| {
            let all = entries.into_iter().flatten();
            let all = all.map(|(key, value)| (format!("x-snapsentry-{key}"), value));
            Value::Object(all.chain(stranger).collect::<Map<String, Value>>())
        })
        .boxed()
}

fn snapshot(n: usize) -> impl Strategy<Value = Value> {
    let tags = metadata(vec![
        ("managed".into(), managed(), 0.95),
        ("hold".into(), boolean(), 0.15),
        ("snapshot-policy-type".into(), kind(), 0.95),
        ("snapshot-expiry-date".into(), instant(), 0.95),
        ("snapshot-window-start".into(), instant(), 0.7),
    ]);
    let status = prop::sample::select(vec![
        "available",
        "available",
        "available",
        "available",
        "error",
        "creating",
        "deleting",
        "error_deleting",
        "backing-up",
        "restoring",
        "updating",
        "unmanaging",
        "odd",
    ]);
    (0_usize..6, status, timestamp(), timestamp(), tags).prop_map(
        move |(volume, status, created_at, updated_at, metadata)| {
            let mut row = json!({
                "id": id(100 + n), "volume_id": id(volume), "status": status, "metadata": metadata,
            });
            // Of another type than a string they are no row that can be read at all.
            for (key, value) in [("created_at", created_at), ("updated_at", updated_at)] {
                if value.is_string() || value.is_null() {
                    row[key] = value;
                }
            }
            row
        },
    )
}

fn volume(n: usize) -> impl Strategy<Value = Value> {
    let of_kind = |kind: &'static str| {
        [
            ("enabled", boolean(), 0.6),
            (
                "retention-days",
                written(vec!["1", "7", "36500", "36501", "0", "-1"]),
                0.3,
            ),
            ("retention-type", written(vec!["time", "count"]), 0.1),
            (
                "timezone",
                written(vec![
                    "UTC",
                    "Europe/Berlin",
                    "Asia/Kathmandu",
                    "Pacific/Apia",
                    "Nowhere",
                ]),
                0.3,
            ),
            (
                "start-time",
                written(vec!["02:30", "23:59:59", "24:00", "0:00"]),
                0.3,
            ),
            ("start-day-of-week", written(vec!["sunday", "6", "7"]), 0.2),
            ("start-day-of-month", written(vec!["31", "0", "99"]), 0.2),
            ("interval-hours", written(vec!["6", "8", "12", "7"]), 0.2),
        ]
        .map(|(key, value, often)| (format!("{kind}-{key}"), value, often))
    };
    let mut keys: Vec<_> = KINDS.into_iter().flat_map(of_kind).collect();
    keys.push(("managed".into(), managed(), 0.9));
    let tags = prop_oneof![
        8 => metadata(keys),
        1 => Just(json!({})),
        1 => Just(json!({"other": "key"})),
        1 => Just(json!(null)),
    ];
    let servers = prop::collection::vec(prop::option::of(0_usize..3), 0..3);
    (
        tags,
        servers,
        prop::sample::select(vec!["available", "in-use", "error"]),
    )
        .prop_map(move |(metadata, servers, status)| {
            let attachments: Vec<Value> = servers
                .iter()
                .map(|n| json!({"server_id": n.map(id)}))
                .collect();
            json!({"id": id(n), "status": status, "metadata": metadata, "attachments": attachments})
        })
}

fn rows<S: Strategy<Value = Value> + 'static>(
    most: usize,
    row: impl Fn(usize) -> S,
) -> impl Strategy<Value = Vec<Value>> {
    let each: Vec<_> = (0..most)
        .map(|n| prop::option::weighted(0.8, row(n)))
        .collect();
    each.prop_map(|rows| rows.into_iter().flatten().collect())
}

fn runs(phase: &str, volumes: &[Value], snapshots: &[Value]) {
    play(async {
        let scene = Scene::full();
        let before = scene.snapshots();
        let (volumes, snapshots) = (json!({"volumes": volumes}), json!({"snapshots": snapshots}));
        let spoil = move |call: Call, answer: &mut snapsentry::transport::Response| {
            let body = match call {
                Call::Volumes => &volumes,
                Call::Snapshots => &snapshots,
                _ => return,
            };
            *answer.body_mut() = body.to_string().into();
        };
        let ran = scene.run(&json!({ "phase": phase }), Box::new(spoil)).await;
        judge::is_sound(&scene, &before, &ran);
        judge::stays_at_home(&ran);
        // One odd value is no reason not to look at the rest.
        assert!(ran.end.is_ok(), "{ran:?}");
        if phase == "expire" {
            judge::expiry_is_justified(&ran, 1);
        } else {
            judge::cleaning_is_justified(&ran);
        }
    });
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn no_metadata_have_a_snapshot_deleted_that_must_stay(
        phase in prop::sample::select(vec!["expire", "expire", "snapshot"]),
        volumes in rows(6, volume),
        snapshots in rows(14, snapshot),
    ) {
        runs(phase, &volumes, &snapshots);
    }
}
