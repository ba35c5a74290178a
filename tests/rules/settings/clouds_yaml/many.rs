//! Many clouds in one file: the event's, all of them, and what is wrong with some.

use serde_json::json;
use snapsentry::settings::CloudList;

use super::{AUTH, address};
use crate::settings::world::{CREDENTIAL, PASSWORD, WORD, World};

/// An entry of this name and these other lines.
fn entry(name: &str, rest: &[&str]) -> String {
    let auth = AUTH.replace("cloud.example", &format!("{}.example", name.to_lowercase()));
    let rest: String = rest.iter().map(|line| format!("\n    {line}")).collect();
    format!("  {name}:\n    auth:{auth}{rest}\n")
}

fn clouds(entries: &[String]) -> String {
    format!("clouds:\n{}", entries.concat())
}

fn secret(entries: &[String]) -> World {
    World::empty().secret(&clouds(entries))
}

/// Names with shards, and faults by name.
type Listed = (Vec<(String, u32)>, Vec<(String, String)>);

/// What is listed.
fn listed(world: &World) -> Listed {
    let CloudList { clouds, faults } = world.list().unwrap_or_else(|error| panic!("{error}"));
    let clouds = clouds.into_iter();
    let faults = faults.into_iter();
    (
        clouds
            .map(|(name, shards)| (name.to_string(), shards))
            .collect(),
        faults.map(|fault| (fault.entry, fault.error)).collect(),
    )
}

/// The one fault, which is the entry's, and has each of these words.
#[track_caller]
fn fault(world: &World, entry: &str, words: &[&str]) {
    let (_, faults) = listed(world);
    let [(name, error)] = faults.as_slice() else {
        panic!("not one fault: {faults:?}");
    };
    assert_eq!(name, entry);
    for word in words {
        assert!(error.contains(word), "lacks {word:?}: {error}");
    }
    for secret in [PASSWORD, CREDENTIAL, WORD] {
        assert!(!error.contains(secret), "{error}");
    }
}

#[track_caller]
fn no_list(world: &World, words: &[&str]) {
    let error = world.list().expect_err("no list").to_string();
    for word in words {
        assert!(error.contains(word), "lacks {word:?}: {error}");
    }
    for secret in [PASSWORD, CREDENTIAL, WORD] {
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn the_events_cloud_is_used_in_place_of_os_cloud() {
    let text = clouds(&[entry("blue", &[]), entry("green", &[])]);
    let in_secret = World::empty().secret(&text);
    let in_file = World::empty()
        .set("OS_CLIENT_CONFIG_FILE", "/clouds.yaml")
        .file("/clouds.yaml", text.clone());
    let in_a_usual_place = World::empty().file("clouds.yaml", text);
    for world in [in_secret, in_file, in_a_usual_place] {
        for world in [world.clone(), world.set("OS_CLOUD", "blue")] {
            let address = address(&world.cloud("green"));
            assert_eq!(address, "https://green.example:5000/v3");
        }
    }
}

#[test]
fn a_cloud_that_is_not_there_is_refused_with_those_that_are() {
    let world = secret(&[entry("blue", &[]), entry("green", &[])]);
    world.cloud("red").fails(&[
        "cloud: \"red\"",
        "the secret's clouds.yaml",
        "\"blue\", \"green\"",
    ]);
}

#[test]
fn a_cloud_without_a_clouds_yaml_or_beside_a_plain_login_is_refused() {
    World::empty().cloud("blue").fails(&[
        "cloud: \"blue\"",
        "no clouds.yaml",
        "OS_CLIENT_CONFIG_FILE",
    ]);
    World::credential().cloud("blue").fails(&[
        "several sources",
        "OS_AUTH_URL",
        "cloud (in the event)",
        "clouds.yaml",
    ]);
    let variables = json!({
        "OS_AUTH_URL": "https://cloud.example", "OS_APPLICATION_CREDENTIAL_ID": "id",
        "OS_APPLICATION_CREDENTIAL_SECRET": CREDENTIAL,
    });
    let in_secret = World::empty().secret(&variables.to_string());
    in_secret.settings();
    in_secret
        .cloud("blue")
        .fails(&["OS_AUTH_URL", "in the secret", "cloud (in the event)"]);
    let beside = World::credential().secret(&clouds(&[entry("blue", &[])]));
    beside
        .cloud("blue")
        .fails(&["OS_AUTH_URL", "with a clouds.yaml in it"]);
}

#[test]
fn every_entry_is_listed_in_one_shard_unless_it_says_otherwise() {
    let world = secret(&[
        entry("green", &["x-snapsentry: {shards: 4}"]),
        entry("blue", &["x-snapsentry:"]),
        entry("red", &["x-snapsentry: {shards: ~, paused: null}"]),
        entry("pink", &["x-snapsentry: {paused: true, shards: 2}"]),
        entry("grey", &["x-snapsentry: {paused: no, shards: 256}"]),
        entry("last", &["x-snapsentry: {shards: 1}"]),
    ]);
    let (clouds, faults) = listed(&world);
    let expected = [
        ("green", 4),
        ("blue", 1),
        ("red", 1),
        ("grey", 256),
        ("last", 1),
    ];
    let expected = expected.map(|(name, shards)| (name.to_owned(), shards));
    assert_eq!((clouds, faults), (expected.to_vec(), Vec::new()));
}

#[test]
fn anything_else_under_our_own_key_is_the_entrys_fault_in_targets_and_in_no_pass() {
    let rows: [(&str, &[&str]); 14] = [
        (
            "x-snapsentry: {shards: 0}",
            &["x-snapsentry.shards", "1 to 256"],
        ),
        (
            "x-snapsentry: {shards: 257}",
            &["x-snapsentry.shards", "1 to 256"],
        ),
        (
            "x-snapsentry: {shards: -1}",
            &["x-snapsentry.shards", "1 to 256"],
        ),
        (
            "x-snapsentry: {shards: two}",
            &["x-snapsentry.shards", "1 to 256"],
        ),
        (
            "x-snapsentry: {shards: '2'}",
            &["x-snapsentry.shards", "without quotes"],
        ),
        (
            "x-snapsentry: {shards: 1.5}",
            &["x-snapsentry.shards", "1 to 256"],
        ),
        (
            "x-snapsentry: {shards: [2]}",
            &["x-snapsentry.shards", "a list"],
        ),
        (
            "x-snapsentry: {paused: 'true'}",
            &["x-snapsentry.paused", "true or false"],
        ),
        (
            "x-snapsentry: {paused: 1}",
            &["x-snapsentry.paused", "true or false"],
        ),
        (
            "x-snapsentry: {paused: true, shards: two}",
            &["x-snapsentry.shards"],
        ),
        (
            "x-snapsentry: {pause: true}",
            &["x-snapsentry.pause", "shards and paused"],
        ),
        ("x-snapsentry: 4", &["x-snapsentry", "a mapping"]),
        ("x-snapsentry: [4]", &["x-snapsentry", "a mapping"]),
        (
            "x-snapsentry: {shards: 2, shards: 3}",
            &["x-snapsentry.shards", "more than once"],
        ),
    ];
    for (line, words) in rows {
        let world = secret(&[entry("red", &[line]), entry("blue", &[])]);
        fault(&world, "red", words);
        fault(
            &world,
            "red",
            &["the entry \"red\" of the secret's clouds.yaml", "line"],
        );
        let (clouds, _) = listed(&world);
        assert_eq!(clouds, [("blue".to_owned(), 1)], "{line}");
        assert_eq!(
            address(&world.cloud("red")),
            "https://red.example:5000/v3",
            "{line}"
        );
    }
    let told = format!("x-snapsentry: {{shards: {WORD}, {WORD}: 1}}");
    let world = secret(&[entry("red", &[&told])]);
    let (_, faults) = listed(&world);
    assert!(faults[0].1.contains("not shown"), "{faults:?}");
    assert!(!faults[0].1.contains(&format!("\"{WORD}\"")), "{faults:?}");
}

#[test]
fn a_fault_of_one_entry_leaves_the_others_as_they_are() {
    let rows = [
        ("  red: word\n", "is a single value; accepted is a mapping"),
        ("  red: [a, b]\n", "is a list; accepted is a mapping"),
        ("  red: {auth: word}\n", "auth"),
        ("  red: {auth: {auth_url: [a]}}\n", "auth.auth_url"),
        (
            "  red: {auth: {auth_url: 'ftp://x', password: not-a-secret-password}}\n",
            "OS_AUTH_URL",
        ),
        (
            "  red: {auth: {password: not-a-secret-password}}\n",
            "auth.auth_url (OS_AUTH_URL)",
        ),
        (
            "  red: {auth: {auth_url: 'https://x', token: not-a-secret-word}}\n",
            "auth.token",
        ),
        ("  red: {profile: vexxhost}\n", "profile"),
        ("  red: {regions: 7}\n", "regions"),
        (
            "  red: {auth: {auth_url: a, auth_url: b}}\n",
            "auth.auth_url",
        ),
        ("  red: {verify: [no]}\n", "verify"),
        ("  red:\n", "missing"),
    ];
    for (red, word) in rows {
        let world = secret(&[entry("blue", &[]), red.to_owned(), entry("green", &[])]);
        fault(
            &world,
            "red",
            &[word, "\"red\"", "the secret's clouds.yaml"],
        );
        let (clouds, _) = listed(&world);
        assert_eq!(clouds.len(), 2, "{red}");
        for name in ["blue", "green"] {
            assert_eq!(
                address(&world.clone().cloud(name)),
                format!("https://{name}.example:5000/v3"),
                "{red}"
            );
        }
        world.cloud("red").fails(&[word, "\"red\""]);
    }
}

#[test]
fn a_name_that_no_event_could_carry_is_its_entrys_fault() {
    let long = "x".repeat(65);
    for name in ["'a b'", "grün", "a/b", "''", "~", "'a:b'", long.as_str()] {
        let odd = entry("odd", &[]).replace("odd:", &format!("{name}:"));
        let world = secret(&[odd, entry("blue", &[])]);
        let (clouds, faults) = listed(&world);
        assert_eq!(clouds, [("blue".to_owned(), 1)], "{name}");
        assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        assert!(faults[0].1.contains("no event could carry"), "{faults:?}");
        assert!(faults[0].1.contains("1 to 64"), "{faults:?}");
        world.cloud("blue").settings();
    }
}

#[test]
fn of_two_names_that_differ_in_case_alone_the_first_stays() {
    let world = secret(&[entry("Blue", &[]), entry("blue", &[]), entry("BLUE", &[])]);
    let (clouds, faults) = listed(&world);
    assert_eq!(clouds, [("Blue".to_owned(), 1)]);
    let names: Vec<&str> = faults.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["BLUE", "blue"]);
    for (_, error) in &faults {
        assert!(
            error.contains("\"Blue\"") && error.contains("case"),
            "{error}"
        );
    }
    world.clone().cloud("Blue").settings();
    world.cloud("blue").fails(&["\"blue\"", "\"Blue\"", "case"]);
}

#[test]
fn an_entry_that_is_there_twice_is_neither() {
    let world = secret(&[entry("red", &[]), entry("blue", &[]), entry("red", &[])]);
    fault(&world, "red", &["more than once", "\"red\"", "line"]);
    assert_eq!(listed(&world).0, [("blue".to_owned(), 1)]);
    world.cloud("red").fails(&["more than once"]);
}

#[test]
fn without_a_readable_document_with_entries_there_is_no_list() {
    no_list(&World::empty(), &["targets", "no clouds.yaml"]);
    no_list(
        &World::credential(),
        &["several sources", "OS_AUTH_URL", "the phase targets"],
    );
    no_list(&World::empty().secret("clouds: {}"), &["no entries"]);
    no_list(&World::empty().secret("clouds:"), &["no entries"]);
    no_list(
        &World::empty().secret("clouds: [a]"),
        &["clouds: a list", "line 1"],
    );
    let broken = format!("clouds:\n  red:\n    auth: {{password: '{PASSWORD}\n");
    no_list(&World::empty().secret(&broken), &["clouds.yaml at line"]);
    let text = format!("password: {PASSWORD}");
    no_list(
        &World::empty().secret(&text),
        &["JSON object", "clouds.yaml"],
    );
    let twice = format!("{}clouds: {{}}\n", clouds(&[entry("red", &[])]));
    no_list(
        &World::empty().secret(&twice),
        &["\"clouds\" is there twice", "line"],
    );
    let shared = secret(&[entry("red", &[])]).set("SNAPSENTRY_MAX_CREATING", "many");
    no_list(&shared, &["SNAPSENTRY_MAX_CREATING", "many"]);
}

#[test]
fn a_file_and_the_secure_yaml_beside_it_are_listed_like_a_secret() {
    let open = clouds(&[
        entry("blue", &[]),
        "  red: {x-snapsentry: {shards: 2}}\n".to_owned(),
    ]);
    let secure = clouds(&[entry("red", &[])]);
    let world = World::empty()
        .file("clouds.yaml", open)
        .file("secure.yaml", secure);
    let expected = [("blue".to_owned(), 1), ("red".to_owned(), 2)];
    assert_eq!(listed(&world), (expected.to_vec(), Vec::new()));
}

#[test]
fn a_secret_as_large_as_they_get_is_read() {
    let entries: Vec<String> = (0..150)
        .map(|n| {
            let remark = format!("    # {}\n", "x".repeat(235));
            entry(&format!("cloud-{n:03}"), &[]) + &remark
        })
        .collect();
    let text = clouds(&entries);
    assert!(
        (60 * 1024..=64 * 1024).contains(&text.len()),
        "{}",
        text.len()
    );
    let (clouds, faults) = listed(&World::empty().secret(&text));
    assert_eq!((clouds.len(), faults), (150, Vec::new()));
    let cut = &text[..text.len() / 2 - 7];
    let world = World::empty().secret(&format!("{cut}\n  - '{PASSWORD}\n"));
    no_list(&world, &["clouds.yaml", "line"]);
}

#[test]
fn what_all_entries_have_in_common_may_be_said_once_however_many_they_are() {
    let of = |count: usize| {
        let entries = (0..count).map(|n| {
            format!("  cloud-{n}:\n    auth: {{<<: *common, application_credential_id: id-{n}}}\n")
        });
        let entries: String = entries.collect();
        World::empty().secret(&format!(
            "common: &common\n  auth_url: https://cloud.example:5000\n  \
             application_credential_secret: {CREDENTIAL}\nclouds:\n{entries}"
        ))
    };
    for count in [1, 99, 100, 101, 400] {
        let world = of(count);
        let (clouds, faults) = listed(&world);
        assert_eq!((clouds.len(), faults), (count, Vec::new()));
        let last = world.cloud(&format!("cloud-{}", count - 1));
        assert_eq!(address(&last), "https://cloud.example:5000/v3");
    }
}
