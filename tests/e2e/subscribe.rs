//! Tagging a volume: what is written, what is left alone, and what is refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simcloud::{Route, VolumeSpec};

use crate::world::{Run, World, side_by_side};

pub(crate) fn event(volume: &str, policy: &str, settings: Value) -> Value {
    let mut event = json!({"phase": "subscribe", "volume_id": volume, "policy": policy});
    for (name, value) in settings.as_object().expect("settings") {
        event[name] = value.clone();
    }
    event
}

/// A volume with this metadata besides a stranger's key, and what subscribing it came to.
async fn subscribed(
    before: &[(&str, &str)],
    policy: &str,
    settings: Value,
) -> (World, String, Run) {
    let world = World::new().await;
    let mut volume = VolumeSpec::default().meta("owner", "somebody");
    for (key, value) in before {
        volume = volume.meta(*key, *value);
    }
    let volume = world.cloud.add_volume(volume);
    let run = world.run(event(&volume, policy, settings)).await;
    (world, volume, run)
}

pub(crate) fn metadata(world: &World, volume: &str) -> BTreeMap<String, String> {
    let mut metadata = world.cloud.volume(volume).expect("the volume").metadata;
    assert_eq!(metadata.remove("owner").as_deref(), Some("somebody"));
    metadata
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |text: &&str| (*text).to_owned();
    pairs
        .iter()
        .map(|(key, value)| (owned(key), owned(value)))
        .collect()
}

pub(crate) const DAILY: [(&str, &str); 6] = [
    ("x-snapsentry-managed", "true"),
    ("x-snapsentry-daily-enabled", "true"),
    ("x-snapsentry-daily-retention-days", "2"),
    ("x-snapsentry-daily-retention-type", "time"),
    ("x-snapsentry-daily-start-time", "00:00"),
    ("x-snapsentry-daily-timezone", "UTC"),
];

#[tokio::test]
async fn a_first_subscription_spells_out_every_default() {
    let common = |policy: &str, days: &str| {
        [
            ("managed", "true".to_owned()),
            (&*format!("{policy}-enabled"), "true".to_owned()),
            (&*format!("{policy}-retention-days"), days.to_owned()),
            (&*format!("{policy}-retention-type"), "time".to_owned()),
            (&*format!("{policy}-timezone"), "UTC".to_owned()),
        ]
        .map(|(key, value)| (format!("x-snapsentry-{key}"), value))
        .into_iter()
        .collect::<BTreeMap<_, _>>()
    };
    side_by_side(
        [
            ("express", "1", &[("interval-hours", "6")][..]),
            ("daily", "2", &[("start-time", "00:00")][..]),
            (
                "weekly",
                "7",
                &[("start-time", "00:00"), ("start-day-of-week", "sunday")][..],
            ),
            (
                "monthly",
                "30",
                &[("start-time", "00:00"), ("start-day-of-month", "1")][..],
            ),
            (
                "yearly",
                "365",
                &[
                    ("start-time", "00:00"),
                    ("start-month", "1"),
                    ("start-day-of-month", "1"),
                ][..],
            ),
        ],
        async |(policy, days, others)| {
            let (world, volume, run) = subscribed(&[], policy, json!({})).await;
            let mut expected = common(policy, days);
            for (key, value) in others {
                expected.insert(format!("x-snapsentry-{policy}-{key}"), (*value).to_owned());
            }
            assert_eq!(metadata(&world, &volume), expected, "{policy}");
            assert_eq!(run.answer()["metadata"], json!(expected), "{policy}");
        },
    )
    .await;
}

#[tokio::test]
async fn the_answer_has_exactly_these_parts() {
    let (world, volume, run) = subscribed(&[], "daily", json!({})).await;
    let answer = run.answer();
    let written = world.requests(Route::MergeVolumeMetadata);
    let expected = json!({
        "phase": "subscribe", "run_id": answer["run_id"], "outcome": "complete",
        "dry_run": false, "volume_id": volume, "metadata": pairs(&DAILY),
        "request_id": written[0].answered_request_id, "warnings": [],
    });
    assert_eq!(*answer, expected);
    assert_eq!(run.metrics()["Phase"], "subscribe");
}

#[tokio::test]
async fn every_setting_given_is_written_and_read_by_a_pass() {
    let rows = [
        (
            "express",
            json!({"retention_days": 3, "timezone": "Asia/Kolkata", "interval_hours": 12}),
        ),
        (
            "daily",
            json!({"retention_days": 36500, "timezone": "Europe/Berlin", "start_time": "9:30"}),
        ),
        (
            "weekly",
            json!({"day_of_week": "WED", "start_time": "23:59:59", "retention_days": 8}),
        ),
        (
            "monthly",
            json!({"day_of_month": 31, "start_time": "02:30", "retention_days": 90}),
        ),
        (
            "yearly",
            json!({"month": "MAR", "day_of_month": 31, "start_time": "2:30", "keep_last": 0}),
        ),
        (
            "yearly",
            json!({"month": 12, "retention_days": 3650, "keep_at_most": 1000, "keep_last": 100}),
        ),
        (
            "express",
            json!({"interval_hours": 1, "retention_days": 7, "keep_at_most": 48}),
        ),
        (
            "daily",
            json!({"times": ["14:00", "02:00"], "keep_at_most": 7, "keep_last": 2}),
        ),
    ];
    side_by_side(rows, async |(policy, settings)| {
        let (world, volume, run) = subscribed(&[], policy, settings.clone()).await;
        run.is_quiet();
        let pass = world.snapshot().await;
        assert_eq!(
            (pass.did().as_str(), pass.outcome()),
            ("created 1", "complete"),
            "{policy}"
        );
        let now = metadata(&world, &volume);
        for (name, value) in settings.as_object().expect("settings") {
            let key = match name.as_str() {
                "day_of_week" => "start-day-of-week".to_owned(),
                "day_of_month" => "start-day-of-month".to_owned(),
                "month" => "start-month".to_owned(),
                other => other.replace('_', "-"),
            };
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Array(texts) => {
                    let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
                    texts.join(",")
                }
                other => other.to_string(),
            };
            let key = format!("x-snapsentry-{policy}-{key}");
            assert!(now[&key].eq_ignore_ascii_case(&text), "{key}: {now:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_later_one_changes_only_enabled_and_what_is_given() {
    let before = [
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-daily-enabled", "false"),
        ("x-snapsentry-daily-timezone", "Europe/Berlin"),
        ("x-snapsentry-weekly-enabled", "true"),
    ];
    let (world, volume, run) = subscribed(&before, "daily", json!({"start_time": "06:00"})).await;
    let written = pairs(&[
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-daily-enabled", "true"),
        ("x-snapsentry-daily-start-time", "06:00"),
    ]);
    assert_eq!(run.answer()["metadata"], json!(written));
    let mut expected = pairs(&before);
    expected.extend(written);
    assert_eq!(metadata(&world, &volume), expected);
}

#[tokio::test]
async fn switching_off_keeps_the_settings() {
    let (world, volume, _) = subscribed(&DAILY, "daily", json!({"enabled": false})).await;
    let mut expected = pairs(&DAILY);
    expected.insert("x-snapsentry-daily-enabled".into(), "false".into());
    assert_eq!(metadata(&world, &volume), expected);
    world.snapshot().await.is_quiet();
}

#[tokio::test]
async fn goodbye_is_taken_back() {
    let before = [("x-snapsentry-managed", "false")];
    let (world, volume, _) = subscribed(&before, "daily", json!({})).await;
    assert_eq!(metadata(&world, &volume), pairs(&DAILY));
}

#[tokio::test]
async fn a_value_on_the_volume_that_no_pass_can_read_is_refused_by_its_key() {
    let before = [("x-snapsentry-daily-timezone", "Mars/Olympus")];
    let (world, _, run) = subscribed(&before, "daily", json!({"start_time": "06:00"})).await;
    run.fails_with(
        "InvalidEvent",
        &["x-snapsentry-daily-timezone", "Mars/Olympus"],
    );
    assert_eq!(world.writes(), 0);
    // The event may mend it.
    let (world, volume, run) = subscribed(&before, "daily", json!({"timezone": "UTC"})).await;
    run.is_quiet();
    assert_eq!(
        metadata(&world, &volume)["x-snapsentry-daily-timezone"],
        "UTC"
    );
    // Another policy's is not in the way.
    let (_, _, run) = subscribed(&before, "weekly", json!({})).await;
    run.is_quiet();
}

#[tokio::test]
async fn a_retention_shorter_than_the_window_is_a_warning() {
    side_by_side(
        [
            ("express", 1, 0),
            ("weekly", 1, 1),
            ("weekly", 7, 0),
            ("monthly", 7, 1),
            ("yearly", 364, 1),
            ("yearly", 365, 0),
        ],
        async |(policy, days, warnings)| {
            let settings = json!({"retention_days": days});
            let (world, _, run) = subscribed(&[], policy, settings).await;
            assert_eq!(run.list("warnings").len(), warnings, "{policy}, {days}");
            assert_eq!(run.outcome(), "complete");
            assert_eq!(world.count(Route::MergeVolumeMetadata), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_written_and_writes_nothing() {
    let (world, volume, run) = subscribed(&[], "daily", json!({"dry_run": true})).await;
    assert_eq!(run.answer()["metadata"], json!(pairs(&DAILY)));
    assert_eq!(run.answer()["dry_run"], true);
    assert_eq!(world.writes(), 0);
    assert_eq!(metadata(&world, &volume), BTreeMap::new());
}

#[tokio::test]
async fn a_day_under_its_older_key_is_not_overruled_by_a_default() {
    let before = [
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-monthly-day-of-month", "17"),
    ];
    let settings = json!({"start_time": "04:00"});
    let (world, volume, run) = subscribed(&before, "monthly", settings).await;
    run.is_quiet();
    let event = json!({
        "phase": "snapshot", "dry_run": true, "as_of": "2026-03-20T12:00:00Z",
    });
    let plan = world.run(event).await.plan();
    assert_eq!(plan[0]["window_start"], "2026-03-17T04:00:00Z");
    assert_eq!(plan[0]["volume_id"], volume.as_str());
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_can_be_switched_off() {
    let before = [
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-daily-enabled", "true"),
        ("x-snapsentry-daily-timezone", "Mars/Olympus"),
    ];
    let (world, volume, run) = subscribed(&before, "daily", json!({"enabled": false})).await;
    run.is_quiet();
    assert_eq!(
        metadata(&world, &volume)["x-snapsentry-daily-enabled"],
        "false"
    );
    world.snapshot().await.is_quiet();
}

#[tokio::test]
async fn keeping_fewer_than_the_last_ones_that_are_kept_in_any_case_is_a_warning() {
    let rows = [
        // The event's numbers, the deployment's own, and what is told.
        (
            json!({"keep_at_most": 2, "keep_last": 3}),
            None,
            Some("daily-keep-last"),
        ),
        (json!({"keep_at_most": 3, "keep_last": 3}), None, None),
        (json!({"keep_at_most": 1}), None, None),
        (
            json!({"keep_at_most": 1}),
            Some("2"),
            Some("SNAPSENTRY_KEEP_LAST"),
        ),
        (json!({"keep_at_most": 2}), Some("2"), None),
        (json!({"keep_at_most": 1, "keep_last": 0}), Some("2"), None),
        (json!({"keep_last": 3}), Some("2"), None),
    ];
    side_by_side(rows, async |(settings, keep_last, told)| {
        let mut world = World::new().await;
        if let Some(keep_last) = keep_last {
            world = world.set("SNAPSENTRY_KEEP_LAST", keep_last);
        }
        let volume = world.cloud.add_volume(VolumeSpec::default());
        let run = world.run(event(&volume, "daily", settings.clone())).await;
        assert_eq!(run.outcome(), "complete", "{settings}");
        match told {
            None => run.is_quiet(),
            Some(word) => {
                let warning = run.only_warning();
                let text = warning["warning"].as_str().expect("a text");
                assert!(text.contains(word), "{settings}: {text}");
                assert_eq!(warning["volume_id"], volume.as_str());
                assert_eq!(warning["policy"], "daily");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_keep_last_that_is_on_the_volume_already_counts_for_that_warning() {
    let before = [
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-daily-keep-last", "5"),
    ];
    let (_, _, run) = subscribed(&before, "daily", json!({"keep_at_most": 4})).await;
    let text = run.only_warning()["warning"].to_string();
    assert!(text.contains("x-snapsentry-daily-keep-last"), "{text}");
}

#[tokio::test]
async fn a_start_time_that_the_times_of_day_hide_is_a_warning() {
    let before = [
        ("x-snapsentry-managed", "true"),
        ("x-snapsentry-daily-times", "02:00,14:00"),
    ];
    let (world, volume, run) = subscribed(&before, "daily", json!({"start_time": "06:00"})).await;
    let text = run.only_warning()["warning"].to_string();
    assert!(
        text.contains("x-snapsentry-daily-times (02:00,14:00)"),
        "{text}"
    );
    assert_eq!(run.outcome(), "complete");
    let now = metadata(&world, &volume);
    assert_eq!(now["x-snapsentry-daily-start-time"], "06:00");
    // Who does not ask for a start time has nothing to be told.
    let (_, _, run) = subscribed(&before, "daily", json!({"retention_days": 3})).await;
    run.is_quiet();
    let empty = [("x-snapsentry-daily-times", "")];
    let (_, _, run) = subscribed(&empty, "daily", json!({"start_time": "06:00"})).await;
    run.is_quiet();
}

#[tokio::test]
async fn limits_by_number_are_never_written_unasked() {
    let (world, volume, _) = subscribed(&[], "daily", json!({"keep_at_most": 7})).await;
    let mut expected = pairs(&DAILY);
    expected.insert("x-snapsentry-daily-keep-at-most".into(), "7".into());
    assert_eq!(metadata(&world, &volume), expected);
    // A later subscription leaves it where it is.
    let run = world
        .run(event(&volume, "daily", json!({"retention_days": 3})))
        .await;
    run.is_quiet();
    expected.insert("x-snapsentry-daily-retention-days".into(), "3".into());
    assert_eq!(metadata(&world, &volume), expected);
}

#[tokio::test]
async fn the_word_null_on_a_volume_is_refused_and_the_text_says_who_wrote_it() {
    let before = [("x-snapsentry-daily-keep-at-most", "null")];
    let (world, _, run) = subscribed(&before, "daily", json!({"start_time": "06:00"})).await;
    let key = "x-snapsentry-daily-keep-at-most";
    run.fails_with("InvalidEvent", &[key, "null", "Horizon"]);
    assert_eq!(world.writes(), 0);
}
