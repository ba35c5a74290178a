//! Events of snapshot and expire passes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use snapsentry::event::{PassRequest, Request};
use snapsentry::plan::Shard;

use crate::events::requests::{VOLUME, accepted, all_refused, pass};

#[test]
fn a_phase_alone_is_a_request_over_everything() {
    let everything = PassRequest::default();
    assert_eq!(
        accepted(&json!({"phase": "snapshot"})),
        Request::Snapshot(everything.clone())
    );
    assert_eq!(
        accepted(&json!({"phase": "expire"})),
        Request::Expire(everything)
    );
}

#[test]
fn as_of_is_an_rfc_3339_instant_of_a_dry_run() {
    let rows = [
        ("2026-11-22T09:10:00Z", "2026-11-22T09:10:00Z"),
        ("2026-11-22T10:10:00+01:00", "2026-11-22T09:10:00Z"),
        ("2026-11-22T09:10:00.250Z", "2026-11-22T09:10:00.250Z"),
    ];
    for (written, instant) in rows {
        let event = json!({"phase": "snapshot", "dry_run": true, "as_of": written});
        assert_eq!(
            pass(&event).as_of,
            Some(instant.parse().unwrap()),
            "{written}"
        );
    }
    let wrong = [
        json!("2026-11-22"),
        json!("2026-11-22T09:10:00"),
        json!("yesterday"),
        json!(""),
        json!(1_795_000_000),
        json!("1969-12-31T23:59:59Z"),
        json!("9999-12-31T23:59:59Z"),
    ];
    for value in wrong {
        let event = json!({"phase": "snapshot", "dry_run": true, "as_of": value});
        all_refused(vec![(event, &["as_of", "RFC 3339", &value.to_string()])]);
    }
    let instant = "2026-11-22T09:10:00Z";
    all_refused(vec![
        (
            json!({"phase": "snapshot", "as_of": instant}),
            &["as_of", "dry_run"],
        ),
        (
            json!({"phase": "expire", "dry_run": false, "as_of": instant}),
            &["as_of", "dry_run"],
        ),
    ]);
}

#[test]
fn volume_ids_are_1_to_500_uuids_in_any_case() {
    let other = "B1F4C9DE-0A3F-4E57-8D21-6F7A8B9C0D1E";
    let event = json!({"phase": "snapshot", "volume_ids": [VOLUME, other, VOLUME]});
    let expected = BTreeSet::from([VOLUME.to_owned(), other.to_lowercase()]);
    assert_eq!(pass(&event).volume_ids, Some(expected));

    let ids = |count: usize| -> Vec<String> {
        (0..count)
            .map(|n| format!("00000000-0000-4000-8000-{n:012}"))
            .collect()
    };
    let most = json!({"phase": "expire", "volume_ids": ids(500)});
    assert_eq!(pass(&most).volume_ids.map(|ids| ids.len()), Some(500));

    let event = |value: Value| json!({"phase": "expire", "volume_ids": value});
    let limits = &["volume_ids", "1 to 500"];
    all_refused(vec![
        (event(json!(ids(501))), &["volume_ids", "501", "1 to 500"]),
        (event(json!([])), limits),
        (event(json!(VOLUME)), limits),
        (event(json!({"0": VOLUME})), limits),
        (event(json!([VOLUME, 7])), &["volume_ids[1]", "7", "UUID"]),
        (event(json!([null])), &["volume_ids[0]", "null", "UUID"]),
        (
            event(json!(["my-volume"])),
            &["volume_ids[0]", "my-volume", "UUID"],
        ),
        (event(json!([""])), &["volume_ids[0]", "UUID"]),
        (
            event(json!([VOLUME.replace('-', "")])),
            &["volume_ids[0]", "UUID"],
        ),
        (
            event(json!([VOLUME.replace('7', "g")])),
            &["volume_ids[0]", "UUID"],
        ),
        (
            event(json!([format!("{{{VOLUME}}}")])),
            &["volume_ids[0]", "UUID"],
        ),
        (
            event(json!([format!(" {VOLUME}")])),
            &["volume_ids[0]", "UUID"],
        ),
    ]);
}

#[test]
fn a_shard_is_an_index_below_a_count_of_at_most_256() {
    let event = |shard: Value| json!({"phase": "snapshot", "shard": shard});
    for (index, count) in [(0, 1), (3, 4), (255, 256)] {
        let shard = pass(&event(json!({"index": index, "count": count}))).shard;
        assert_eq!(shard, Some(Shard { index, count }));
    }
    all_refused(vec![
        (
            event(json!({"index": 4, "count": 4})),
            &["shard.index", "4", "0 to 3"],
        ),
        (
            event(json!({"index": 0, "count": 0})),
            &["shard.count", "0", "1 to 256"],
        ),
        (
            event(json!({"index": 0, "count": 257})),
            &["shard.count", "257", "256"],
        ),
        (
            event(json!({"index": 0, "count": 18_446_744_073_709_551_615_u64})),
            &["shard.count", "256"],
        ),
        (
            event(json!({"index": 4_294_967_296_u64, "count": 4})),
            &["shard.index", "0 to 3"],
        ),
        (
            event(json!({"index": -1, "count": 4})),
            &["shard.index", "-1"],
        ),
        (
            event(json!({"index": 0.5, "count": 4})),
            &["shard.index", "0.5"],
        ),
        (
            event(json!({"index": "0", "count": 4})),
            &["shard.index", "\"0\""],
        ),
        (
            event(json!({"index": null, "count": 4})),
            &["shard.index", "null"],
        ),
        (event(json!({"count": 4})), &["shard.index", "missing"]),
        (event(json!({"index": 0})), &["shard.count", "missing"]),
        (event(json!({})), &["shard.index", "missing"]),
        (event(json!([0, 4])), &["shard", "index < count"]),
        (event(json!("0/4")), &["shard", "index < count"]),
    ]);
}

proptest! {
    #[test]
    fn the_shards_of_all_indexes_are_disjoint_and_cover_everything(
        key in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        count in 1_u32..=256,
    ) {
        let shares = (0..count).filter(|&index| Shard { index, count }.contains(&key));
        prop_assert_eq!(shares.count(), 1);
    }
}
