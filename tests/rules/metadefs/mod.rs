//! Metadata definitions for Horizon: they offer what a pass reads, all of it and nothing else,
//! and Glance takes them.

mod schema;

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use snapsentry::policy::PolicyKind::{Daily, Express};
use snapsentry::policy::{Metadata, PolicyKind, PolicyState, Setting, metadefs, read};

const VOLUMES: &str = include_str!("../../metadefs/volumes.json");
const SNAPSHOTS: &str = include_str!("../../metadefs/snapshots.json");

/// The definitions of one policy's keys.
fn properties(kind: PolicyKind) -> Map<String, Value> {
    let objects = metadefs::volumes()["objects"].clone();
    let name = format!("SnapSentry {kind}");
    let objects = objects.as_array().expect("objects").iter();
    let mut found = objects.filter(|object| object["name"] == name.as_str());
    let object = found.next().expect("one for each policy");
    object["properties"]
        .as_object()
        .expect("properties")
        .clone()
}

/// What a pass reads where the policy is on and this key is there.
fn state(kind: PolicyKind, key: &str, value: &str) -> PolicyState {
    let metadata: Metadata = [(format!("x-snapsentry-{kind}-enabled"), "true".to_owned())]
        .into_iter()
        .chain([(key.to_owned(), value.to_owned())])
        .collect();
    read(kind, &metadata)
}

fn is_readable(kind: PolicyKind, key: &str, value: &str) -> bool {
    !matches!(state(kind, key, value), PolicyState::Invalid(_))
}

/// As Horizon writes it.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn the_files_are_what_the_table_of_settings_says() {
    for (file, definitions) in [
        (VOLUMES, metadefs::volumes()),
        (SNAPSHOTS, metadefs::snapshots()),
    ] {
        assert_eq!(file, format!("{definitions:#}\n"), "print them anew");
    }
}

#[test]
fn glance_takes_them() {
    for definitions in [metadefs::volumes(), metadefs::snapshots()] {
        assert_eq!(schema::mistakes(&definitions), Vec::<String>::new());
    }
}

#[test]
fn the_check_by_glances_schema_finds_mistakes() {
    for (pointer, wrong) in [
        ("/visibility", json!("secret")),
        ("/protected", json!("false")),
        ("/namespace", json!("n".repeat(81))),
        ("/surplus", json!(true)),
        (
            "/objects/0/properties/x-snapsentry-express-enabled/type",
            json!("text"),
        ),
        (
            "/objects/0/properties/x-snapsentry-express-enabled/enum",
            json!("true"),
        ),
        (
            "/properties/x-snapsentry-managed",
            json!({"type": "string"}),
        ),
        (
            "/resource_type_associations",
            json!({"name": "OS::Cinder::Volume"}),
        ),
    ] {
        let mut definitions = metadefs::volumes();
        match definitions.pointer_mut(pointer) {
            Some(place) => *place = wrong,
            None => definitions[&pointer[1..]] = wrong,
        }
        assert_ne!(
            schema::mistakes(&definitions),
            Vec::<String>::new(),
            "{pointer}"
        );
    }
}

#[test]
fn they_offer_every_key_grouped_by_policy_and_nothing_else() {
    let volumes = metadefs::volumes();
    let managed: Vec<&String> = volumes["properties"]
        .as_object()
        .expect("keys")
        .keys()
        .collect();
    assert_eq!(managed, ["x-snapsentry-managed"]);
    for kind in PolicyKind::ALL {
        let mut expected: Vec<&str> = Setting::keys_of(kind).map(|(_, key)| key).collect();
        expected.sort_unstable();
        assert_eq!(properties(kind).keys().collect::<Vec<_>>(), expected);
    }
    let groups = volumes["objects"].as_array().map_or(0, Vec::len);
    assert_eq!(groups, PolicyKind::ALL.len());
    let snapshots = metadefs::snapshots();
    let hold: Vec<&String> = snapshots["properties"]
        .as_object()
        .expect("keys")
        .keys()
        .collect();
    assert_eq!(hold, ["x-snapsentry-hold"]);
}

#[test]
fn booleans_are_words_since_the_form_would_save_null_for_others() {
    let all = PolicyKind::ALL.into_iter().flat_map(properties);
    let others = [metadefs::volumes(), metadefs::snapshots()];
    let others = others
        .iter()
        .flat_map(|one| one["properties"].as_object().cloned());
    let all = all.chain(others.flatten());
    let mut booleans = 0;
    for (key, property) in all {
        assert_ne!(property["type"], "boolean", "{key}");
        if ["-enabled", "-managed", "-hold"]
            .iter()
            .any(|end| key.ends_with(end))
        {
            booleans += 1;
            assert_eq!(property["type"], "string", "{key}");
            assert_eq!(property["enum"], json!(["true", "false"]), "{key}");
        }
    }
    assert_eq!(booleans, 7);
}

#[test]
fn what_is_preset_is_what_a_missing_key_means() {
    for kind in PolicyKind::ALL {
        let properties = properties(kind);
        for (setting, key) in Setting::keys_of(kind) {
            let preset = properties[key].get("default").map(text);
            assert_eq!(preset.as_deref(), setting.default_value(kind), "{key}");
        }
    }
}

#[test]
fn every_choice_and_every_limit_of_the_form_is_read_by_a_pass_and_means_another_thing() {
    let mut choices = 0;
    for kind in PolicyKind::ALL {
        for (key, property) in properties(kind) {
            let words: Vec<String> = match property.get("enum") {
                Some(words) => words.as_array().expect("a list").iter().map(text).collect(),
                None => ["minimum", "maximum"]
                    .iter()
                    .filter_map(|limit| property.get(limit).map(text))
                    .collect(),
            };
            let mut states = Vec::new();
            for word in &words {
                assert!(is_readable(kind, &key, word), "{key}={word}");
                let state = state(kind, &key, word);
                // Only the retention type means the same in both words.
                let is_new = !states.contains(&state) || key.ends_with("-type");
                assert!(is_new, "{key}={word} means what another choice does");
                states.push(state);
                choices += 1;
            }
        }
    }
    assert!(choices > 60, "{choices}");
}

#[test]
fn a_number_beyond_the_limits_of_the_form_is_none_that_would_mean_itself() {
    for kind in PolicyKind::ALL {
        for (key, property) in properties(kind) {
            let limit = |name| property.get(name).and_then(Value::as_i64);
            let (Some(from), Some(to)) = (limit("minimum"), limit("maximum")) else {
                continue;
            };
            for (outside, nearest) in [(from - 1, from), (to + 1, to)] {
                let outside = state(kind, &key, &outside.to_string());
                // It cannot be read, or means the nearest number, or the default.
                let means_another = matches!(outside, PolicyState::Invalid(_))
                    || outside == state(kind, &key, &nearest.to_string())
                    || outside == state(kind, "unrelated", "key");
                assert!(means_another, "{key}");
            }
        }
    }
}

#[test]
fn every_text_that_fits_a_pattern_of_the_form_is_read_by_a_pass() {
    let mut runner = TestRunner::deterministic();
    let mut patterns = 0;
    for kind in PolicyKind::ALL {
        for (key, property) in properties(kind) {
            let Some(pattern) = property.get("pattern").and_then(Value::as_str) else {
                continue;
            };
            patterns += 1;
            let bare = pattern
                .strip_prefix('^')
                .and_then(|rest| rest.strip_suffix('$'));
            let strategy = string_regex(bare.expect("it fits the whole text"));
            let strategy = strategy.expect("a regular expression");
            for _ in 0..500 {
                let text = strategy.new_tree(&mut runner).expect("a text").current();
                // No pattern can say that all have to be different.
                let same = key == "x-snapsentry-daily-times" && has_equal_times(&text);
                assert_eq!(is_readable(kind, &key, &text), !same, "{key}={text:?}");
            }
        }
    }
    assert_eq!(patterns, 5);
}

fn has_equal_times(text: &str) -> bool {
    let mut minutes: Vec<Vec<u32>> = text
        .split(',')
        .map(|time| {
            let parts = time.trim().split(':').take(2);
            parts.map(|part| part.parse().expect("a number")).collect()
        })
        .collect();
    let count = minutes.len();
    minutes.sort();
    minutes.dedup();
    minutes.len() < count
}

#[test]
fn interval_hours_are_a_choice_of_those_that_divide_a_day() {
    let express = properties(Express);
    let hours = &express["x-snapsentry-express-interval-hours"];
    assert_eq!(hours["enum"], json!(["1", "2", "3", "4", "6", "8", "12"]));
    let daily = properties(Daily);
    let days = &daily["x-snapsentry-daily-retention-days"];
    assert_eq!(
        (&days["minimum"], &days["maximum"]),
        (&json!(1), &json!(36_500))
    );
}
