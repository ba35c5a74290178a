//! A report tells how every volume stands, the worst first, and changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::VolumeSpec;

use crate::world::{Policy, World, daily, express, held, managed, rfc3339, tagged, weekly};

/// A volume that was there long before any window of today.
pub(crate) fn old(volume: VolumeSpec) -> VolumeSpec {
    VolumeSpec {
        created_at: Some(Utc::now() - TimeDelta::days(400)),
        ..volume
    }
}

fn named(name: &str, volume: VolumeSpec) -> VolumeSpec {
    VolumeSpec {
        name: Some(name.to_owned()),
        ..old(volume)
    }
}

/// One volume of each state, and their names from the worst to the best.
pub(crate) async fn one_of_each() -> (World, Vec<&'static str>) {
    let world = World::new().await;
    let policy = daily();
    let add = |name: &str, volume: VolumeSpec| world.cloud.add_volume(named(name, volume));
    let wiped = add("lost", VolumeSpec::default());
    world.taken(&wiped, &policy);
    add("invalid", tagged(&[&daily().with("timezone", "Mars/Base")]));
    add("late", tagged(&[&policy]));
    add("blocked", tagged(&[&policy]).status("error"));
    let creating = add("creating", tagged(&[&policy]));
    let snapshot = policy.snapshot_of(&creating).status("creating");
    world.cloud.add_snapshot(snapshot.created_at(Utc::now()));
    let protected = add("protected", tagged(&[&policy]));
    world.taken(&protected, &policy);
    add(
        "off",
        VolumeSpec::default().meta("x-snapsentry-managed", "false"),
    );
    add("unmanaged", VolumeSpec::default());
    let names = vec![
        "lost",
        "invalid",
        "late",
        "blocked",
        "creating",
        "protected",
        "off",
        "unmanaged",
    ];
    (world, names)
}

async fn report(world: &World, fields: Value) -> Value {
    let mut event = json!({"phase": "report"});
    let fields = fields.as_object().expect("fields").clone();
    event.as_object_mut().expect("an event").extend(fields);
    world.run(event).await.answer().clone()
}

fn column<'a>(answer: &'a Value, field: &str) -> Vec<&'a str> {
    let rows = answer["volumes"].as_array().expect("rows");
    rows.iter()
        .map(|row| row[field].as_str().expect("a text"))
        .collect()
}

fn seconds_since(answer: &Value, instant: DateTime<Utc>) -> i64 {
    let at: DateTime<Utc> = answer["at"]
        .as_str()
        .expect("an instant")
        .parse()
        .expect("RFC 3339");
    (at - instant).num_seconds()
}

/// The only policy of the only row.
fn only_policy(answer: &Value) -> &Value {
    assert_eq!(
        answer["volumes"].as_array().map(Vec::len),
        Some(1),
        "{answer:#}"
    );
    let policies = &answer["volumes"][0]["policies"];
    assert_eq!(policies.as_array().map(Vec::len), Some(1), "{answer:#}");
    &policies[0]
}

#[tokio::test]
async fn every_state_is_told_by_its_word_and_the_worst_come_first() {
    let (world, names) = one_of_each().await;
    let answer = report(&world, json!({})).await;
    assert_eq!(column(&answer, "name"), names);
    assert_eq!(column(&answer, "state"), names);
    for name in &names {
        assert_eq!(answer["totals"][name], 1, "{answer:#}");
    }
    assert_eq!(answer["totals"]["volumes"], 8);
    assert_eq!(answer["totals"]["snapshots"], 3);
    assert_eq!(answer["next_after"], Value::Null);
    assert_eq!(answer["warnings"], json!([]));
    assert_eq!(answer["project"]["id"], world.cloud.project_id());
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_protected_policy_says_what_protects_it_and_until_when() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.cloud.add_volume(named("db", tagged(&[&policy])));
    let older = world.cloud.add_snapshot(held(policy.expired(&volume, -1)));
    let newest = world.taken(&volume, &policy);
    let answer = report(&world, json!({})).await;
    let told = only_policy(&answer);
    assert_eq!(told["state"], "protected");
    assert_eq!(told["behind_seconds"], 0);
    assert_eq!(told["window_start"], rfc3339(policy.start));
    assert_eq!(told["next_due"], rfc3339(policy.end));
    assert_eq!(told["window_end"], told["next_due"]);
    assert_eq!(told["newest"]["snapshot_id"], newest.as_str());
    assert_eq!(told["newest"]["held"], false);
    assert_eq!(told["available"], 2);
    let oldest = world
        .cloud
        .snapshot(&older)
        .expect("the older one")
        .created_at;
    assert_eq!(told["oldest_created_at"], rfc3339(oldest));
    assert_eq!(answer["totals"]["held"], 1);
    assert_eq!(answer["totals"]["gigabytes"], 2);
}

#[tokio::test]
async fn a_late_policy_says_since_when_and_that_it_is_due() {
    let world = World::new().await;
    let policy = daily();
    let never = world.cloud.add_volume(named("never", tagged(&[&policy])));
    let young = world.cloud.add_volume(VolumeSpec {
        created_at: Some(Utc::now() - TimeDelta::minutes(7)),
        ..named("young", tagged(&[&policy]))
    });
    let missed = world.cloud.add_volume(named("missed", tagged(&[&policy])));
    let before = policy.start - TimeDelta::days(3);
    let snapshot = policy.snapshot_of(&missed).created_at(before);
    let snapshot = snapshot.meta("x-snapsentry-snapshot-window-start", rfc3339(before));
    world.cloud.add_snapshot(snapshot);
    let answer = report(&world, json!({})).await;
    // Longest behind first.
    assert_eq!(column(&answer, "name"), ["missed", "never", "young"]);
    let behind = |row: usize| answer["volumes"][row]["policies"][0]["behind_seconds"].as_i64();
    let days_ago = policy.start - TimeDelta::days(2);
    assert_eq!(behind(0), Some(seconds_since(&answer, days_ago)));
    assert_eq!(behind(1), Some(seconds_since(&answer, policy.start)));
    assert!(
        (400..600).contains(&behind(2).expect("a number")),
        "{answer:#}"
    );
    let told = &answer["volumes"][1]["policies"][0];
    assert_eq!(answer["volumes"][1]["volume_id"], never.as_str());
    assert_eq!(told["next_due"], rfc3339(policy.start));
    assert_eq!(told["newest"], Value::Null);
    assert_eq!(answer["volumes"][2]["volume_id"], young.as_str());
}

#[tokio::test]
async fn a_policy_that_waits_after_failed_tries_says_until_when() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.cloud.add_volume(named("db", tagged(&[&policy])));
    let made = Utc::now() - TimeDelta::minutes(4);
    let made = made - TimeDelta::nanoseconds(made.timestamp_subsec_nanos().into());
    let leftover = policy
        .snapshot_of(&volume)
        .status("deleting")
        .created_at(made);
    world.cloud.add_snapshot(leftover);
    let answer = report(&world, json!({})).await;
    let told = only_policy(&answer);
    assert_eq!(told["state"], "late");
    assert_eq!(told["leftovers"], 1);
    assert_eq!(told["next_due"], rfc3339(made + TimeDelta::minutes(10)));
    assert_eq!(answer["totals"]["leftovers"], 1);
    // A pass agrees.
    let pass = world.run(json!({"phase": "snapshot"})).await;
    assert_eq!(pass.did(), "deferred 1");
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_names_key_and_value() {
    let world = World::new().await;
    let policies = [&weekly(), &daily().with("timezone", "Mars/Base")];
    let volume = world.cloud.add_volume(named("db", tagged(&policies)));
    world.taken(&volume, policies[0]);
    let answer = report(&world, json!({})).await;
    let row = &answer["volumes"][0];
    assert_eq!(row["state"], "invalid");
    let told: Vec<_> = row["policies"]
        .as_array()
        .expect("policies")
        .iter()
        .collect();
    assert_eq!(told[0]["policy"], "daily");
    let error = told[0]["error"].as_str().expect("an error");
    assert!(
        error.contains("x-snapsentry-daily-timezone") && error.contains("Mars/Base"),
        "{error}"
    );
    assert_eq!(told[1]["state"], "protected");
    assert!(told[1].get("error").is_none());
}

#[tokio::test]
async fn pages_follow_one_another_and_totals_are_of_everything() {
    let (world, names) = one_of_each().await;
    let mut met = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut fields = json!({"limit": 3});
        if after.is_string() {
            fields["after"] = after.clone();
        }
        let answer = report(&world, fields).await;
        assert_eq!(answer["totals"]["volumes"], 8);
        met.extend(column(&answer, "name").into_iter().map(str::to_owned));
        after = answer["next_after"].clone();
        if after.is_null() {
            break;
        }
        let rows = column(&answer, "volume_id");
        assert_eq!((rows.len(), rows.last().copied()), (3, after.as_str()));
    }
    assert_eq!(met, names);
}

#[tokio::test]
async fn a_page_after_a_volume_that_is_gone_is_refused_with_a_way_out() {
    let (world, _) = one_of_each().await;
    let gone = world.cloud.new_uuid();
    let run = world.run(json!({"phase": "report", "after": gone})).await;
    run.fails_with("InvalidEvent", &["after", &gone, "begin again"]);
}

#[tokio::test]
async fn only_attention_leaves_out_what_is_well() {
    let (world, names) = one_of_each().await;
    let answer = report(&world, json!({"only": "attention"})).await;
    assert_eq!(column(&answer, "name"), names[..5]);
    assert_eq!(answer["totals"]["volumes"], 8);
    // A page can begin after a volume that is well by now.
    let all = report(&world, json!({})).await;
    let protected = column(&all, "volume_id")[5].to_owned();
    let answer = report(&world, json!({"only": "attention", "after": protected})).await;
    assert_eq!(column(&answer, "name"), Vec::<&str>::new());
}

#[tokio::test]
async fn volumes_can_be_named_and_unknown_ones_are_warned_about() {
    let (world, _) = one_of_each().await;
    let all = report(&world, json!({})).await;
    let late = column(&all, "volume_id")[2].to_owned();
    let unknown = world.cloud.new_uuid();
    let answer = report(&world, json!({"volume_ids": [late, unknown]})).await;
    assert_eq!(column(&answer, "name"), ["late"]);
    assert_eq!(answer["totals"]["volumes"], 1);
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["warnings"][0]["volume_id"], unknown.as_str());
}

#[tokio::test]
async fn shares_of_a_report_cover_everything_once() {
    let (world, names) = one_of_each().await;
    let mut met = Vec::new();
    let mut snapshots = 0;
    for index in 0..3 {
        let answer = report(&world, json!({"shard": {"index": index, "count": 3}})).await;
        met.extend(column(&answer, "name").into_iter().map(str::to_owned));
        snapshots += answer["totals"]["snapshots"].as_u64().expect("a number");
    }
    met.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(
        (met, snapshots),
        (names.into_iter().map(str::to_owned).collect(), 3)
    );
}

#[tokio::test]
async fn snapshots_of_volumes_that_are_gone_and_those_that_would_go_are_counted() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let policy = express();
    let gone = world.volume(&[&policy]);
    world.taken(&gone, &policy);
    world.expired(&gone, &policy, 5);
    world.cloud.remove_volume(&gone);
    let stays = world
        .cloud
        .add_volume(named("stays", managed(VolumeSpec::default())));
    world.expired(&stays, &policy, 2);
    world.cloud.add_snapshot(held(policy.expired(&stays, 2)));
    let answer = report(&world, json!({})).await;
    assert_eq!(answer["totals"]["snapshots"], 4);
    assert_eq!(answer["totals"]["orphans"], 2);
    assert_eq!(answer["totals"]["expired"], 2);
    assert_eq!(answer["totals"]["held"], 1);
    let expired = world.expire().await;
    assert_eq!(expired.did(), "deleted 2", "an expire pass agrees");
}

#[tokio::test]
async fn a_report_and_a_snapshot_pass_agree_on_what_is_due() {
    let world = World::new().await;
    let policies: [Policy; 3] = [express(), daily(), weekly()];
    for taken in 0..8_usize {
        let volume = old(tagged(&policies.iter().collect::<Vec<_>>()));
        let volume = world.cloud.add_volume(volume);
        for (bit, policy) in policies.iter().enumerate() {
            if taken & 1 << bit != 0 {
                world.taken(&volume, policy);
            }
        }
    }
    let answer = report(&world, json!({})).await;
    let mut late: Vec<(String, String)> = Vec::new();
    for row in answer["volumes"].as_array().expect("rows") {
        for policy in row["policies"].as_array().expect("policies") {
            if policy["state"] == "late" {
                let text = |value: &Value| value.as_str().expect("a text").to_owned();
                late.push((text(&row["volume_id"]), text(&policy["policy"])));
            }
        }
    }
    let mut due: Vec<(String, String)> = Vec::new();
    for action in world.plan("snapshot").await {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        due.push((text(&action["volume_id"]), text(&action["policy"])));
    }
    late.sort_unstable();
    due.sort_unstable();
    assert_eq!(late, due);
    assert_eq!(late.len(), 12);
}

#[tokio::test]
async fn an_answer_is_never_larger_than_lambda_lets_it_be() {
    const MOST: usize = 6 * 1024 * 1024;
    let world = World::new().await;
    let name = "\u{1}<".repeat(1_000);
    for _ in 0..1_000 {
        world.cloud.add_volume(named(&name, VolumeSpec::default()));
    }
    let mut function = world.function().await;
    let mut event = json!({"phase": "report", "limit": 1000});
    let mut rows = 0;
    let mut pages = 0;
    loop {
        let run = function.run(event.clone()).await;
        let answer = run.answer();
        assert!(answer.to_string().len() < MOST);
        rows += column(answer, "volume_id").len();
        pages += 1;
        if answer["next_after"].is_null() {
            break;
        }
        event["after"] = answer["next_after"].clone();
    }
    assert_eq!(rows, 1_000);
    assert!(pages > 1, "these rows are too large for one page");
    let page = function
        .run(json!({"limit": 1000, "widgetContext": {}}))
        .await;
    let page = page.answer().to_string();
    assert!(
        page.len() < MOST && page.contains("Next page"),
        "{}",
        page.len()
    );
}
