//! Sharding at scale: eight passes side by side over one project.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures::future::try_join_all;
use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, FunctionSpec};
use simcloud::{Cloud, Latency, Login, Route};

use super::fleet::{self, History, ONE};
use super::weather::Weather;

pub(super) const NAME: &str = "shards-8-of-20000";

const SHARDS: usize = 8;
const VOLUMES: usize = 20_000;
const ON_ONE_VM: usize = 4;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shards {
    wall: Duration,
    /// Peak memory of each pass in bytes.
    peak_memory: Vec<u64>,
    /// Snapshots that each pass made.
    created: Vec<u64>,
    missing: usize,
    twice: usize,
    broken_vms: usize,
}

/// Runs the passes, all at once, and reads in the cloud's journal who took what.
///
/// # Errors
/// If a pass failed.
pub(super) async fn run(binary: &Path, latency: Latency) -> io::Result<Shards> {
    let cloud = fleet::cloud(latency, |_| {});
    let volumes = fleet::add_volumes(&cloud, VOLUMES, ONE, ON_ONE_VM);
    let history = History {
        newest: 1,
        count: 1,
        expires_at: Utc::now() + TimeDelta::days(365),
    };
    for id in &volumes {
        fleet::add_history(&cloud, id, "daily", history);
    }
    cloud.clear_journal();
    let server = cloud.serve().await?;
    let mut functions = Vec::new();
    for _ in 0..SHARDS {
        let spec = FunctionSpec::new(binary)
            .env(cloud.os_env(&server.url(), Login::AppCred))
            .env([("AWS_LAMBDA_LOG_FORMAT", "JSON")])
            .env([("SNAPSENTRY_MAX_CREATING", "1000")]);
        functions.push(Function::start(spec).await?);
    }
    let begun = Instant::now();
    let passes = functions
        .iter_mut()
        .enumerate()
        .map(async |(index, function)| {
            let event =
                json!({ "phase": "snapshot", "shard": { "index": index, "count": SHARDS } });
            let pass = function
                .invoke(event, Deadline::After(Duration::from_secs(900)))
                .await;
            let answer = pass
                .result
                .map_err(|failure| io::Error::other(format!("shard {index}: {failure:?}")))?;
            let created = answer.pointer("/snapshots/created").and_then(Value::as_u64);
            io::Result::Ok((
                created.unwrap_or_default(),
                function.peak_memory().unwrap_or_default(),
            ))
        });
    let passes = try_join_all(passes).await?;
    let wall = begun.elapsed();
    let (created, peak_memory) = passes.into_iter().unzip();
    Ok(judge(&cloud, wall, created, peak_memory))
}

fn judge(cloud: &Cloud, wall: Duration, created: Vec<u64>, peak_memory: Vec<u64>) -> Shards {
    let vms: BTreeMap<String, String> = cloud
        .volumes()
        .into_iter()
        .filter_map(|volume| Some((volume.id, volume.servers.first()?.clone())))
        .collect();
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let mut passes_of_vms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    cloud.with_journal(|journal| {
        for request in journal.of(Route::CreateSnapshot) {
            let body = request.json();
            let Some(volume) = body.pointer("/snapshot/volume_id").and_then(Value::as_str) else {
                continue;
            };
            *taken.entry(volume.to_owned()).or_default() += 1;
            if let (Some(vm), Some(run_id)) = (vms.get(volume), &request.request_id) {
                passes_of_vms
                    .entry(vm.clone())
                    .or_default()
                    .insert(run_id.clone());
            }
        }
    });
    Shards {
        wall,
        peak_memory,
        created,
        missing: vms.keys().filter(|id| !taken.contains_key(*id)).count(),
        twice: taken.values().filter(|times| **times > 1).count(),
        broken_vms: passes_of_vms.values().filter(|runs| runs.len() > 1).count(),
    }
}

impl Shards {
    /// Whether every volume was taken by exactly one pass, and every VM by one.
    pub(super) fn is_reached(&self) -> bool {
        let created: u64 = self.created.iter().sum();
        created == VOLUMES as u64 && self.missing + self.twice + self.broken_vms == 0
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "case": NAME,
            "latency": Weather::Fixed.name(),
            "wall_seconds": self.wall.as_secs_f64(),
            "created_by_shard": self.created,
            "peak_memory_bytes_by_shard": self.peak_memory,
            "volumes_missing": self.missing,
            "volumes_taken_twice": self.twice,
            "vms_broken": self.broken_vms,
            "reached": self.is_reached(),
        })
    }

    pub(super) fn told(&self) -> String {
        let most = self.peak_memory.iter().max().copied().unwrap_or_default();
        format!(
            "Shards: {SHARDS} passes side by side took all of {VOLUMES} volumes in {:.1} s, {} to {} \
             each, at most {:.0} MiB; {} missing, {} taken twice, {} VMs broken: {}.",
            self.wall.as_secs_f64(),
            self.created.iter().min().copied().unwrap_or_default(),
            self.created.iter().max().copied().unwrap_or_default(),
            most as f64 / (1024.0 * 1024.0),
            self.missing,
            self.twice,
            self.broken_vms,
            if self.is_reached() {
                "reached"
            } else {
                "NOT reached"
            },
        )
    }
}
