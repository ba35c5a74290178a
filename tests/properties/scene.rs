//! A project in which there is something of everything, and one pass over it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use seam::Embedded;
use serde_json::Value;
use simcloud::{Cloud, Config, Login, Role, SnapshotSpec, VolumeSpec};
use snapsentry::handler::{Handler, Invocation};
use snapsentry::settings::{Environment, LocalFiles};

use crate::exchange::{Exchange, Outside, Record, Spoil};

/// Where the cloud says that it is.
pub(crate) const ADDRESS: &str = "http://cloud.example";
/// The time that a pass has.
pub(crate) const TIME: TimeDelta = TimeDelta::seconds(60);

/// When the pass begins: a Sunday.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-22T09:10:00Z"
        .parse()
        .expect("a constant of this test")
}

/// The cloud of a case.
pub(crate) struct Scene {
    pub(crate) cloud: Cloud,
}

/// What came of one pass.
pub(crate) struct Ran {
    /// The answer, or error type and message.
    pub(crate) end: Result<Value, (String, String)>,
    pub(crate) exchanges: Vec<Exchange>,
    /// What was printed and logged.
    pub(crate) told: String,
    /// How long it took by the paused clock.
    pub(crate) took: Duration,
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} after {:?}", self.end, self.took)?;
        for one in &self.exchanges {
            let body = String::from_utf8_lossy(&one.body);
            let body: String = body.chars().take(3_000).collect();
            writeln!(f, "{} {}: {} {body}", one.method, one.url, one.status)?;
        }
        Ok(())
    }
}

impl Scene {
    /// A project without anything in it. Must be made inside of [`play`].
    pub(crate) fn empty(config: Config) -> Self {
        let cloud = Cloud::new(Config {
            now: now(),
            role: Role::Admin,
            creation_time: Duration::from_secs(2),
            ..config
        });
        Self { cloud }
    }

    /// A project with something of everything.
    pub(crate) fn full() -> Self {
        let scene = Self::empty(Config::default());
        let daily = ["daily-enabled=true"];
        let served = scene.volume(&daily, Some("4b1c2d3e-0000-4000-8000-00000000000a"));
        scene.expired(&served, "daily", 9);
        scene.expired(&served, "daily", 5);
        scene.taken(&served, "daily", "available");
        let last = scene.volume(&["weekly-enabled=true"], None);
        scene.expired(&last, "weekly", 30);
        let wiped = scene.cloud.add_volume(VolumeSpec::default());
        scene.expired(&wiped, "monthly", 40);
        let unreadable = scene.volume(&["daily-enabled=true", "daily-timezone=Nowhere"], None);
        scene.expired(&unreadable, "daily", 8);
        let off = scene.volume(&["daily-enabled=false"], None);
        scene.expired(&off, "daily", 8);
        scene.expired(&scene.cloud.new_uuid(), "express", 8);
        let kept = scene.volume(&daily, Some("4b1c2d3e-0000-4000-8000-00000000000b"));
        for (key, value) in [
            ("hold", "true"),
            ("hold", "odd"),
            ("hold", "false"),
            ("snapshot-policy-type", "hourly"),
            ("snapshot-expiry-date", ""),
            ("snapshot-expiry-date", "2026-11-01"),
            ("managed", "yes"),
        ] {
            let spec = spec(&kept, "daily", 7);
            scene
                .cloud
                .add_snapshot(spec.meta(format!("x-snapsentry-{key}"), value));
        }
        for state in [
            "error",
            "error_deleting",
            "deleting",
            "backing-up",
            "creating",
        ] {
            scene
                .cloud
                .add_snapshot(spec(&kept, "daily", 6).status(state));
        }
        scene.taken(&kept, "daily", "error");
        let stuck = scene.volume(&daily, None);
        let spec = scene
            .of_today(&stuck, "daily")
            .created_at(now() - TimeDelta::hours(7));
        scene.cloud.add_snapshot(spec.status("creating"));
        let twins = scene.volume(&daily, None);
        scene.taken(&twins, "daily", "available");
        scene.taken(&twins, "daily", "available");
        let held = scene
            .of_today(&twins, "daily")
            .meta("x-snapsentry-hold", "true");
        scene.cloud.add_snapshot(held);
        scene.volume(&["express-enabled=true", "monthly-enabled=1"], None);
        for n in 0..3 {
            let by_hand = SnapshotSpec::of(&served).named(format!("by-hand-{n}"));
            let state = ["available", "error", "creating"][n];
            scene.cloud.add_snapshot(by_hand.status(state));
        }
        scene
    }

    /// A managed volume with these settings.
    pub(crate) fn volume(&self, settings: &[&str], server: Option<&str>) -> String {
        let mut spec = VolumeSpec::default().meta("x-snapsentry-managed", "true");
        for setting in settings {
            let (key, value) = setting.split_once('=').expect("a constant of this test");
            spec = spec.meta(format!("x-snapsentry-{key}"), value);
        }
        if let Some(server) = server {
            self.cloud.add_server(server, "a-server");
            spec = spec.on(server);
        }
        self.cloud.add_volume(spec)
    }

    /// A snapshot of some days ago, which has expired.
    pub(crate) fn expired(&self, volume: &str, policy: &str, days: i64) -> String {
        self.cloud.add_snapshot(spec(volume, policy, days))
    }

    /// The same in a state.
    pub(crate) fn expired_in(&self, volume: &str, policy: &str, days: i64, state: &str) -> String {
        let spec = spec(volume, policy, days).status(state);
        self.cloud.add_snapshot(spec)
    }

    /// A snapshot of today's window in a state.
    pub(crate) fn taken(&self, volume: &str, policy: &str, state: &str) -> String {
        self.cloud
            .add_snapshot(self.of_today(volume, policy).status(state))
    }

    fn of_today(&self, volume: &str, policy: &str) -> SnapshotSpec {
        spec(volume, policy, 0)
            .meta("x-snapsentry-snapshot-expiry-date", "2026-11-24T00:00:00Z")
            .meta("x-snapsentry-snapshot-window-start", "2026-11-22T00:00:00Z")
    }

    /// One pass, whose answers are spoilt like this.
    pub(crate) async fn run(&self, event: &Value, spoil: Spoil) -> Ran {
        let record = Record::default();
        let outside = Outside {
            cloud: self.cloud.clone(),
            record: record.clone(),
            spoil: Arc::new(spoil),
        };
        let environment: Environment = self
            .cloud
            .os_env(ADDRESS, Login::Password)
            .into_iter()
            .collect();
        let handler = Handler::new(
            environment,
            Box::new(LocalFiles),
            Box::new(Embedded(outside)),
        );
        let invocation = Invocation {
            request_id: "0b2cd0a1-0000-4000-8000-000000000001".into(),
            deadline: now() + TIME,
            now: now(),
            seed: 1,
            invoked_function_arn: "arn:aws:lambda:eu-central-1:123456789012:function:f".into(),
        };
        let log = Log::default();
        let kept = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || kept.clone())
            .finish();
        let begun = tokio::time::Instant::now();
        let ended = {
            let _guard = tracing::subscriber::set_default(subscriber);
            handler.handle(event, &invocation).await
        };
        let end = match ended {
            Ok(answer) => Ok(serde_json::from_str(answer.get()).expect("an answer is JSON")),
            Err(failure) => Err((failure.error_type, failure.error_message)),
        };
        let mut told = log.text();
        told.extend(record.lines());
        told.push_str(&format!("{end:?}"));
        Ran {
            end,
            exchanges: record.exchanges(),
            told,
            took: begun.elapsed(),
        }
    }

    /// The snapshots that there are, by id.
    pub(crate) fn snapshots(&self) -> BTreeMap<String, simcloud::Snapshot> {
        let all = self.cloud.snapshots().into_iter();
        all.map(|one| (one.id.clone(), one)).collect()
    }
}

/// A snapshot of some days ago that has expired.
fn spec(volume: &str, policy: &str, days: i64) -> SnapshotSpec {
    SnapshotSpec::of(volume)
        .created_at(now() - TimeDelta::days(days) - TimeDelta::minutes(10))
        .meta("x-snapsentry-managed", "true")
        .meta("x-snapsentry-snapshot-policy-type", policy)
        .meta("x-snapsentry-snapshot-expiry-date", "2026-11-22T09:00:00Z")
}

/// Plays a case under a paused clock.
pub(crate) fn play<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets needs nothing of the system")
        .block_on(case)
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
