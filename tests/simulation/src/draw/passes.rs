//! Drawing what is invoked: one pass, or several side by side.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Seed, milliseconds, one_of, seconds, tenancy};
use crate::calendar;
use crate::case::{Case, Kill, PassDraw};

pub(super) fn side_by_side(seed: Seed, case: &Case) -> Vec<PassDraw> {
    let rng = &mut seed.rng();
    let count = match rng.random_range(0..20) {
        0..=12 => 1,
        13..=17 => 2,
        _ => 3,
    };
    // All shares of one sharded schedule.
    if count > 1 && rng.random_bool(0.25) {
        let phase = one_of(rng, &["snapshot", "expire"]);
        return (0..count)
            .map(|index| {
                let event = json!({"phase": phase, "shard": {"index": index, "count": count}});
                pass(&mut seed.nth(index).rng(), event, true)
            })
            .collect();
    }
    let same = (count > 1 && rng.random_bool(0.7)).then(|| json!({"phase": "snapshot"}));
    (0..count)
        .map(|n| {
            let asks = seed.nth(n).of("report").rng().random_bool(0.05);
            let event = match &same {
                _ if asks => json!({ "phase": "report" }),
                Some(event) => event.clone(),
                None => event(&mut seed.nth(n).of("event").rng(), case),
            };
            pass(&mut seed.nth(n).rng(), event, count > 1)
        })
        .collect()
}

fn event(rng: &mut StdRng, case: &Case) -> Value {
    let phase = if rng.random_bool(0.62) {
        "snapshot"
    } else {
        "expire"
    };
    let mut event = json!({ "phase": phase });
    if rng.random_bool(0.16) {
        event["dry_run"] = json!(true);
        if rng.random_bool(0.5) {
            event["as_of"] = json!(as_of(rng, case));
        }
    }
    if rng.random_bool(0.12) {
        let mut ids: Vec<String> = case
            .volumes
            .iter()
            .filter(|_| rng.random_bool(0.5))
            .map(|volume| volume.id.clone())
            .collect();
        if ids.is_empty() || rng.random_bool(0.2) {
            ids.push(tenancy::uuid(rng));
        }
        event["volume_ids"] = json!(ids);
    }
    if rng.random_bool(0.06) {
        let count = rng.random_range(1..=4);
        event["shard"] = json!({"index": rng.random_range(0..count), "count": count});
    }
    // As a rule with a transformed input sends it.
    if rng.random_bool(0.1) {
        event = json!({
            "version": "0", "id": tenancy::uuid(rng), "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-22T09:10:00Z",
            "region": "eu-central-1", "resources": [], "detail": event,
        });
    }
    event
}

/// Some instant, or exactly one at which something begins or ends.
fn as_of(rng: &mut StdRng, case: &Case) -> String {
    let key = one_of(
        rng,
        &[
            "x-snapsentry-snapshot-expiry-date",
            "x-snapsentry-snapshot-expiry-date",
            "x-snapsentry-snapshot-window-start",
        ],
    );
    let exact: Vec<&String> = case
        .snapshots
        .iter()
        .filter_map(|one| one.metadata.get(key))
        .filter(|text| text.ends_with('Z'))
        .collect();
    if !exact.is_empty() && rng.random_bool(0.7) {
        let exact = one_of(rng, &exact);
        return match exact.parse::<DateTime<Utc>>() {
            Ok(at) if rng.random_bool(0.4) => calendar::in_utc(at - TimeDelta::seconds(1)),
            _ => exact.clone(),
        };
    }
    let off = TimeDelta::seconds(rng.random_range(-900_000..900_000));
    calendar::in_utc(case.begins() + off)
}

fn pass(rng: &mut StdRng, event: Value, overlaps: bool) -> PassDraw {
    let time = match rng.random_range(0..40) {
        // Of a tool that sends a constant.
        0 => TimeDelta::days(-20_000),
        1 => TimeDelta::milliseconds(rng.random_range(-5_000..500)),
        2..=9 => TimeDelta::milliseconds(rng.random_range(500..15_000)),
        10..=14 => TimeDelta::milliseconds(rng.random_range(15_000..60_000)),
        _ => TimeDelta::seconds(rng.random_range(60..900)),
    };
    let kill = rng.random_bool(0.09).then(|| match rng.random_range(0..3) {
        0 => Kill::BeforeRequest(rng.random_range(1..14)),
        1 => Kill::AfterAnswer(rng.random_range(1..14)),
        _ => Kill::After(milliseconds(rng, 0, 12_000)),
    });
    PassDraw {
        event,
        delay: match rng.random_range(0..3) {
            _ if !overlaps => Duration::ZERO,
            0 => Duration::ZERO,
            1 => milliseconds(rng, 0, 2_000),
            _ => seconds(rng, 0, 8),
        },
        skew: if rng.random_bool(0.6) {
            TimeDelta::zero()
        } else {
            TimeDelta::milliseconds(rng.random_range(-4_000..4_000))
        },
        time,
        cold: rng.random_bool(0.3),
        kill,
        seed: rng.random(),
    }
}
