//! Fifty clouds from one deployment, for a hundred ticks of the schedule: what the state machine
//! does is done here, with the product's own `targets` and its own handler under a paused clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::Response;
use seam::{Embedded, Way};
use serde_json::{Value, json};
use simcloud::{
    ApplicationCredential, Cloud, Config, Happening, Latency, Login, Route, VolumeSpec,
};
use snapsentry::deadline::Deadline;
use snapsentry::handler::{Handler, Invocation};
use snapsentry::platform::Platform;
use snapsentry::settings::LocalFiles;
use snapsentry::transport::{Request, Response as Answer, TransportError};
use tokio::time::{Instant, sleep_until};

const CLOUDS: usize = 50;
const TICKS: u32 = 100;
const TICK: Duration = Duration::from_secs(15 * 60);
const LARGEST: usize = 1024 * 1024;

/// The network of one sandbox: every cloud at its host, and the extension with the secret.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<Places>>);

#[derive(Default)]
struct Places {
    clouds: BTreeMap<String, Cloud>,
    secret: String,
}

impl Network {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a project's cloud in place, with one volume that wants a snapshot every hour, and its
    /// entry into the secret.
    fn add(&self, n: usize, now: DateTime<Utc>) {
        let name = format!("project-{n}");
        let usual = Config::default();
        let cloud = Cloud::new(Config {
            seed: n as u64,
            now,
            project_name: name.clone(),
            creation_time: Duration::from_millis(700),
            latency: Latency::Fixed(Duration::from_millis(20)),
            application_credential: ApplicationCredential {
                id: format!("{n:032x}"),
                secret: format!("not-a-secret-of-project-{n}"),
                ..usual.application_credential.clone()
            },
            ..usual
        });
        let mut volume = VolumeSpec::named("data")
            .meta("x-snapsentry-managed", "true")
            .meta("x-snapsentry-express-enabled", "true")
            .meta("x-snapsentry-express-interval-hours", "1");
        volume.created_at = Some(now - TimeDelta::days(2));
        cloud.add_volume(volume);
        let mut places = self.places();
        if places.secret.is_empty() {
            places.secret = "clouds:\n".to_owned();
        }
        let env = cloud.os_env(&format!("https://{name}.example"), Login::AppCred);
        let of = |wanted: &str| -> Value {
            let found = env.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone()).into()
        };
        let auth = json!({
            "auth_url": of("OS_AUTH_URL"),
            "application_credential_id": of("OS_APPLICATION_CREDENTIAL_ID"),
            "application_credential_secret": of("OS_APPLICATION_CREDENTIAL_SECRET"),
        });
        places.secret.push_str(&format!(
            "  {name}:\n    auth_type: v3applicationcredential\n    auth: {auth}\n"
        ));
        places.clouds.insert(format!("{name}.example"), cloud);
    }
}

impl Way for Network {
    async fn send(&self, deadline: Deadline, request: Request) -> Result<Answer, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        if host == "localhost" {
            let answer = json!({ "SecretString": self.places().secret });
            return Ok(Response::new(answer.to_string().into()));
        }
        let cloud = self.places().clouds.get(&host).cloned();
        match cloud {
            Some(cloud) => seam::answered(&cloud, deadline, request, LARGEST).await,
            None => Err(TransportError::Connect(format!("{host} is nowhere"))),
        }
    }

    fn print(&self, _: &str) {}
}

/// A deployment whose clock is the paused one.
struct Deployment {
    handler: Handler,
    started: Instant,
    began: DateTime<Utc>,
    invocations: u64,
}

impl Deployment {
    fn now(&self) -> DateTime<Utc> {
        self.began + TimeDelta::from_std(self.started.elapsed()).expect("a day or so")
    }

    async fn invoke(&mut self, event: &Value) -> Value {
        self.invocations += 1;
        let now = self.now();
        let invocation = Invocation {
            request_id: format!("{:08x}-0000-4000-8000-000000000000", self.invocations),
            deadline: now + TimeDelta::minutes(2),
            now,
            seed: self.invocations,
            invoked_function_arn: String::new(),
        };
        let answer = self.handler.handle(event, &invocation).await;
        let answer = answer.unwrap_or_else(|error| panic!("{event}: {}", error.error_message));
        serde_json::from_str(answer.get()).expect("an answer is JSON")
    }

    /// One tick: asks for the targets, waits for the instant of each, and hands its event on. Gives
    /// how often each cloud was served, and what was made.
    async fn tick(&mut self) -> (BTreeMap<String, u64>, u64) {
        let event = json!({"phase": "targets", "for": "snapshot"});
        let targets = self.invoke(&event).await;
        assert_eq!(targets["faults"], json!([]));
        let (mut served, mut created) = (BTreeMap::new(), 0);
        for target in targets["targets"].as_array().expect("a list") {
            let at: DateTime<Utc> = target["at"]
                .as_str()
                .expect("an instant")
                .parse()
                .expect("RFC 3339");
            if let Ok(wait) = (at - self.now()).to_std() {
                tokio::time::sleep(wait).await;
            }
            let answer = self.invoke(&target["event"]).await;
            assert_eq!(answer["outcome"], "complete", "{answer}");
            assert_eq!(answer["cloud"], target["event"]["cloud"]);
            assert_eq!(answer["project"]["name"], target["event"]["cloud"]);
            created += answer["snapshots"]["created"].as_u64().expect("a number");
            *served.entry(answer["cloud"].to_string()).or_default() += 1;
        }
        (served, created)
    }
}

fn deployment(network: &Network, began: DateTime<Utc>) -> Deployment {
    let environment = [
        ("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/clouds"),
        ("SNAPSENTRY_FLEET", "platform"),
    ];
    let platform: Box<dyn Platform> = Box::new(Embedded(network.clone()));
    Deployment {
        handler: Handler::new(
            environment.into_iter().collect(),
            Box::new(LocalFiles),
            platform,
        ),
        started: Instant::now(),
        began,
        invocations: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_clouds_are_all_served_at_each_of_a_hundred_ticks_and_none_twice() {
    let began: DateTime<Utc> = "2026-11-24T17:00:00Z".parse().expect("an instant");
    let network = Network::default();
    for n in 0..CLOUDS {
        network.add(n, began);
    }
    let mut deployment = deployment(&network, began);
    let mut created = 0;
    for tick in 0..TICKS {
        sleep_until(deployment.started + TICK * tick).await;
        let (served, made) = deployment.tick().await;
        assert_eq!(served.len(), CLOUDS, "in tick {tick}");
        assert!(
            served.values().all(|times| *times == 1),
            "in tick {tick}: {served:?}"
        );
        created += made;
    }
    // From 17:00 on day to 17:45 the next there are 25 windows.
    assert_eq!(created, 25 * CLOUDS as u64);
    let places = network.places();
    for (host, cloud) in &places.clouds {
        let mut windows: BTreeMap<String, u64> = BTreeMap::new();
        for snapshot in cloud.snapshots() {
            let start = snapshot.metadata["x-snapsentry-snapshot-window-start"].clone();
            *windows.entry(start).or_default() += 1;
        }
        assert_eq!(windows.len(), 25, "{host}");
        assert!(
            windows.values().all(|count| *count == 1),
            "{host}: {windows:?}"
        );
        cloud.with_journal(|journal| {
            assert_eq!(journal.changed(Happening::Creating).count(), 25, "{host}");
            // A token lives for an hour, and is renewed before it ends.
            assert!(
                journal.count(Route::Login) <= 34,
                "{host}: {}",
                journal.count(Route::Login)
            );
            let refused = journal.entries.iter().find(|one| one.status() == Some(401));
            assert!(refused.is_none(), "{host}: {refused:?}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_fifty_first_project_is_served_at_the_tick_after_its_entry_is_in_the_secret() {
    let began: DateTime<Utc> = "2026-11-24T17:00:00Z".parse().expect("an instant");
    let network = Network::default();
    for n in 0..CLOUDS {
        network.add(n, began);
    }
    let mut deployment = deployment(&network, began);
    let (served, created) = deployment.tick().await;
    assert_eq!((served.len(), created), (CLOUDS, CLOUDS as u64));
    network.add(CLOUDS, deployment.now());
    sleep_until(deployment.started + TICK).await;
    let (served, created) = deployment.tick().await;
    assert_eq!((served.len(), created), (CLOUDS + 1, 1));
    // Nobody else has had to log in again for it.
    for cloud in network.places().clouds.values() {
        assert_eq!(cloud.with_journal(|journal| journal.count(Route::Login)), 1);
    }
}
