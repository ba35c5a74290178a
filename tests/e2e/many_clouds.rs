//! Many clouds from one deployment: each has a login, a token and figures of its own, and what is
//! wrong with one is nothing to the others.

use simcloud::extension::{Extension, Reply};
use simcloud::lambda::Deadline;
use simcloud::{Fault, Kind, Login, Route};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::credentials_sources::{clouds, entry};
use crate::world::{MINUTE, Run, Sandbox, World, daily};

/// Clouds by their names, and the secret that has an entry for each.
struct Fleet {
    worlds: Vec<(&'static str, World)>,
    extension: Extension,
    home: World,
}

impl Fleet {
    /// A fleet of clouds with these names, each with one volume that is due.
    async fn of(names: &[&'static str]) -> Self {
        let mut worlds = Vec::new();
        for name in names {
            let world = World::of(|config| config.project_name = format!("project-{name}")).await;
            world.volume(&[&daily()]);
            worlds.push((*name, world));
        }
        let extension = Extension::start([secret(&worlds, &[])])
            .await
            .expect("a port");
        // The function's own world: its cloud is in no entry, and is to hear nothing.
        let home = World::new()
            .await
            .without_login()
            .set("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/clouds")
            .set_all(extension.env())
            .secret("not-a-secret-session-token");
        let secrets: Vec<String> = worlds
            .iter()
            .flat_map(|(_, world)| world.secrets())
            .collect();
        let home = secrets.into_iter().fold(home, World::secret);
        Self {
            worlds,
            extension,
            home,
        }
    }

    /// Puts other entries beside those of the clouds.
    fn put(&self, others: &[(&str, String)]) {
        self.extension.set([secret(&self.worlds, others)]);
    }

    fn world(&self, name: &str) -> &World {
        let (_, world) = self
            .worlds
            .iter()
            .find(|(one, _)| *one == name)
            .expect("a cloud");
        world
    }

    fn logins(&self) -> Vec<u64> {
        let worlds = self.worlds.iter();
        worlds.map(|(_, world)| world.count(Route::Login)).collect()
    }
}

fn secret(worlds: &[(&str, World)], others: &[(&str, String)]) -> Reply {
    let mut entries: Vec<(&str, String)> = worlds
        .iter()
        .map(|(name, world)| (*name, entry(world, Login::AppCred, "")))
        .collect();
    entries.extend_from_slice(others);
    Reply::Secret(clouds(&entries))
}

/// One event. What is promised of the requests of every run is promised of the cloud that it names,
/// which the function's own world does not know of.
async fn run(function: &mut Sandbox<'_>, event: Value) -> Run {
    let invocation = function
        .function
        .invoke(event, Deadline::After(MINUTE))
        .await;
    Run { invocation }
}

async fn snapshot(function: &mut Sandbox<'_>, cloud: &str) -> Run {
    run(function, json!({"phase": "snapshot", "cloud": cloud})).await
}

#[tokio::test]
async fn each_cloud_is_served_by_its_name_and_logs_in_once() {
    let fleet = Fleet::of(&["blue", "green", "red"]).await;
    let mut function = fleet.home.function().await;
    for (round, did) in ["created 1", ""].into_iter().enumerate() {
        for (name, world) in &fleet.worlds {
            let run = snapshot(&mut function, name).await;
            assert_eq!(run.did(), did, "{name} in round {round}");
            assert_eq!(run.answer()["cloud"], *name);
            assert_eq!(run.answer()["project"]["name"], format!("project-{name}"));
            let line = run.metrics();
            assert_eq!(
                (&line["Project"], &line["Cloud"]),
                (&json!(name), &json!(name))
            );
            assert_eq!(line["ProjectId"], run.answer()["project"]["id"]);
            assert_eq!(world.begun(), 1);
        }
    }
    assert_eq!(fleet.logins(), [1, 1, 1]);
    assert_eq!(fleet.home.cloud.journal().total(), 0);
    for (name, world) in &fleet.worlds {
        let journal = world.cloud.journal();
        let refused = journal.entries.iter().find(|one| one.status() == Some(401));
        assert!(
            refused.is_none(),
            "{name} has got another's token: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_sick_cloud_or_a_wrong_credential_is_nothing_to_the_others() {
    let fleet = Fleet::of(&["blue", "green", "red"]).await;
    let mut function = fleet.home.function().await;
    fleet
        .world("green")
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::status(500)).forever());
    fleet
        .world("red")
        .cloud
        .inject(Fault::on(Route::Login, Kind::status(401)).forever());
    for _ in 0..2 {
        snapshot(&mut function, "green")
            .await
            .fails("DiscoveryFailed");
        snapshot(&mut function, "red")
            .await
            .fails("AuthenticationFailed");
        let line = snapshot(&mut function, "blue").await.metrics();
        assert_eq!(line["InvocationsFailed"], 0);
    }
    assert_eq!(fleet.world("blue").begun(), 1);
}

#[tokio::test]
async fn a_changed_entry_means_a_new_session_for_that_cloud_alone() {
    let fleet = Fleet::of(&["blue", "green"]).await;
    let mut function = fleet.home.function().await;
    for name in ["blue", "green"] {
        assert_eq!(snapshot(&mut function, name).await.did(), "created 1");
    }
    fleet.world("green").cloud.configure(|config| {
        config.application_credential.secret = "not-a-secret-that-is-new".into();
    });
    fleet.put(&[]);
    for name in ["blue", "green", "blue", "green"] {
        assert_eq!(snapshot(&mut function, name).await.did(), "");
    }
    assert_eq!(fleet.logins(), [1, 2]);
    // What says nothing of a cloud's login or settings is nothing to its session.
    let paused = "    auth: {}\n    x-snapsentry: {paused: true}\n".to_owned();
    fleet.put(&[("another", paused)]);
    for name in ["blue", "green"] {
        assert_eq!(snapshot(&mut function, name).await.did(), "");
    }
    assert_eq!(fleet.logins(), [1, 2]);
}

#[tokio::test]
async fn the_fifty_first_project_is_one_more_entry_served_at_the_next_tick() {
    let names: Vec<&'static str> = (0..50)
        .map(|n| &*Box::leak(format!("project-{n}").into_boxed_str()))
        .collect();
    let fleet = Fleet::of(&names).await;
    let mut function = fleet.home.function().await;
    let event = json!({"phase": "targets", "for": "snapshot"});
    let of_tick = |run: &Run| -> Vec<Value> {
        let targets = run.list("targets").into_iter();
        targets.map(|mut target| target["event"].take()).collect()
    };
    let events = of_tick(&run(&mut function, event.clone()).await);
    assert_eq!(events.len(), 50);
    for event in events {
        assert_eq!(run(&mut function, event).await.did(), "created 1");
    }
    snapshot(&mut function, "pink").await.fails_with(
        "InvalidConfiguration",
        &["\"pink\"", "\"project-0\"", "\"project-49\""],
    );

    let pink = World::new().await;
    pink.volume(&[&daily()]);
    fleet.put(&[("pink", entry(&pink, Login::AppCred, ""))]);
    let events = of_tick(&run(&mut function, event).await);
    assert_eq!(events.len(), 51);
    for event in events {
        let did = match event["cloud"] == "pink" {
            true => "created 1",
            false => "",
        };
        assert_eq!(run(&mut function, event).await.did(), did);
    }
    assert_eq!(pink.begun(), 1);
    for (name, world) in &fleet.worlds {
        assert_eq!(world.begun(), 1, "{name}");
    }
    assert_eq!(
        fleet.logins(),
        [1; 50],
        "an entry more is nothing to the others"
    );
}

#[tokio::test]
async fn targets_answers_the_events_of_a_tick_and_asks_no_cloud() {
    let fleet = Fleet::of(&["blue", "green"]).await;
    let shards = "    auth: {auth_url: 'https://x.example', application_credential_id: i, \
                  application_credential_secret: not-a-secret-word}\n    x-snapsentry: {shards: 2}\n";
    let paused = shards.replace("shards: 2", "paused: true");
    let faulty = "    auth: {application_credential_id: not-a-secret-word}\n";
    fleet.put(&[
        ("split", shards.to_owned()),
        ("resting", paused),
        ("red", faulty.to_owned()),
    ]);
    let mut function = fleet.home.function().await;
    let before = Utc::now();
    let event = json!({"phase": "targets", "for": "expire", "spread_seconds": 240});
    let run = run(&mut function, event).await;
    let answer = run.answer();
    let keys: Vec<&String> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["faults", "phase", "run_id", "targets"]);
    assert_eq!(answer["phase"], "targets");
    let run_id = format!("req-{}", run.invocation.request_id);
    assert_eq!(answer["run_id"], run_id.as_str());

    let targets = run.list("targets");
    let mut events: Vec<String> = targets.iter().map(|one| one["event"].to_string()).collect();
    events.sort();
    let mut expected = vec![
        json!({"phase": "expire", "cloud": "blue"}).to_string(),
        json!({"phase": "expire", "cloud": "green"}).to_string(),
        json!({"phase": "expire", "cloud": "split", "shard": {"index": 0, "count": 2}}).to_string(),
        json!({"phase": "expire", "cloud": "split", "shard": {"index": 1, "count": 2}}).to_string(),
    ];
    expected.sort();
    assert_eq!(events, expected);
    let mut last = 0;
    for target in &targets {
        let keys: Vec<&String> = target.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["at", "delay_seconds", "event"]);
        let delay = target["delay_seconds"].as_u64().expect("a number");
        assert!(
            (last..=240).contains(&delay),
            "in their order: {targets:#?}"
        );
        last = delay;
        let at = target["at"].as_str().expect("an instant");
        assert!(at.ends_with('Z'), "{at}");
        let at: DateTime<Utc> = at.parse().expect("RFC 3339");
        let arrival = at - TimeDelta::seconds(delay.try_into().expect("a few minutes"));
        let second = TimeDelta::seconds(1);
        assert!(
            (before - second..=Utc::now()).contains(&arrival),
            "{arrival}"
        );
    }
    let faults = run.list("faults");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(faults[0]["cloud"], "red");
    let error = faults[0]["error"].as_str().expect("a text");
    for word in [
        "auth.auth_url",
        "auth.application_credential_secret",
        "\"red\"",
    ] {
        assert!(error.contains(word), "lacks {word:?}: {error}");
    }
    assert!(!run.invocation.log.join("").contains("not-a-secret-word"));
    assert!(!answer.to_string().contains("not-a-secret-word"));
    let line = run.metrics();
    assert_eq!((&line["Targets"], &line["Faults"]), (&json!(4), &json!(1)));
    assert_eq!(
        (&line["RequestsSent"], &line["Project"]),
        (&json!(0), &json!("unknown"))
    );
    assert_eq!(fleet.logins(), [0, 0]);
}

#[tokio::test]
async fn the_sixty_four_clouds_that_were_used_last_are_kept() {
    let world = World::new().await;
    let one = entry(&world, Login::AppCred, "");
    let names: Vec<String> = (0..65).map(|n| format!("cloud-{n}")).collect();
    let entries: Vec<(&str, String)> = names
        .iter()
        .map(|name| (name.as_str(), one.clone()))
        .collect();
    let extension = Extension::start([Reply::Secret(clouds(&entries))])
        .await
        .expect("a port");
    let world = world
        .without_login()
        .set("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/clouds")
        .set_all(extension.env())
        .secret("not-a-secret-session-token");
    let mut function = world.function().await;
    let mut uses = async |names: &[String]| {
        let before = world.count(Route::Login);
        for name in names {
            let event = json!({"phase": "snapshot", "cloud": name});
            function.run(event).await.is_quiet();
        }
        world.count(Route::Login) - before
    };
    assert_eq!(uses(&names[..64]).await, 64);
    assert_eq!(uses(&names[..64]).await, 0, "all are kept");
    assert_eq!(
        uses(&names[..1]).await,
        0,
        "the first is the one used last now"
    );
    assert_eq!(uses(&names[64..]).await, 1);
    assert_eq!(uses(&names[..1]).await, 0);
    assert_eq!(uses(&names[2..]).await, 0);
    assert_eq!(
        uses(&names[1..2]).await,
        1,
        "the one used longest ago had to go"
    );
}

#[tokio::test]
async fn a_cloud_beside_a_plain_login_or_without_a_clouds_yaml_is_refused_before_any_call() {
    let world = World::new().await;
    let run = world.run(json!({"phase": "expire", "cloud": "blue"})).await;
    run.fails_with(
        "InvalidConfiguration",
        &["OS_AUTH_URL", "cloud", "clouds.yaml"],
    );
    assert_eq!(run.metrics()["Project"], "blue");
    let world = world.without_login();
    let run = world.run(json!({"phase": "expire", "cloud": "blue"})).await;
    run.fails_with("InvalidConfiguration", &["\"blue\"", "no clouds.yaml"]);
    let run = world
        .run(json!({"phase": "targets", "for": "expire"}))
        .await;
    run.fails_with("InvalidConfiguration", &["targets", "no clouds.yaml"]);
    assert_eq!(world.cloud.journal().total(), 0);
}

#[tokio::test]
async fn a_function_serves_no_other_phases_than_it_is_told_to() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_PHASES", "expire, subscribe");
    let mut function = world.function().await;
    for event in [
        json!({"phase": "snapshot"}),
        json!({"phase": "targets", "for": "expire"}),
        json!({"phase": "snapshot", "cloud": "blue"}),
    ] {
        let run = function.run(event).await;
        run.fails_with(
            "InvalidEvent",
            &["phase", "expire, subscribe", "SNAPSENTRY_PHASES"],
        );
        assert_eq!(run.metrics()["Phase"], "unknown");
    }
    assert_eq!(world.cloud.journal().total(), 0);
    function.run(json!({"phase": "expire"})).await.is_quiet();
    let world = world.set("SNAPSENTRY_PHASES", "expire,sweep");
    let run = world.run(json!({"phase": "expire"})).await;
    run.fails_with(
        "InvalidConfiguration",
        &["SNAPSENTRY_PHASES", "expire,sweep", "targets"],
    );
    assert_eq!(run.metrics()["Phase"], "expire");
}
