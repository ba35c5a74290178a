//! What a quiet pass costs a real Cinder that holds many snapshots: time, requests, and
//! cinder-api's processor time. Two executables are measured in turn, pair by pair, so that what
//! else the machine does falls on both.
//!
//! `cargo run --release -p conformance -- history FOLDER [--old EXECUTABLE] [--snapshots N]...`

mod rows;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, FunctionSpec};

use crate::real::{Real, RealProject};
use crate::tenancy::{Env, Login};

/// How it is called.
pub const USAGE: &str = "\
usage: conformance history FOLDER [--old EXECUTABLE] [--snapshots N]... [--volumes N] [--pairs N]
       fills the database of the cloud in FOLDER, and measures quiet snapshot passes over it:
       N snapshots a volume (18 and 90 where none is given), N volumes (1001), N pairs (3)";

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// An executable to compare with.
    pub old: Option<PathBuf>,
    /// Snapshots a volume, a history each, growing.
    pub snapshots: Vec<u32>,
    /// Volumes, each with four policies.
    pub volumes: u32,
    /// Runs of each executable.
    pub pairs: usize,
}

impl Options {
    /// Reads the arguments behind the folder; a mistake is told in a sentence.
    ///
    /// # Errors
    /// The mistake.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            old: None,
            snapshots: Vec::new(),
            volumes: 1_001,
            pairs: 3,
        };
        while let Some(argument) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))?;
            let number = || {
                let number: Result<u32, _> = value.parse();
                number.map_err(|_| format!("{argument}: {value} is no number"))
            };
            match argument.as_str() {
                "--old" => options.old = Some(value.into()),
                "--snapshots" => options.snapshots.push(number()?),
                "--volumes" => options.volumes = number()?,
                "--pairs" => options.pairs = number()? as usize,
                other => return Err(format!("history does not know {other}")),
            }
        }
        if options.snapshots.is_empty() {
            options.snapshots = vec![18, 90];
        }
        Ok(options)
    }
}

/// One pass.
#[derive(Clone, Copy, Debug)]
struct Run {
    wall: Duration,
    requests: u64,
    api: Duration,
}

/// Fills and measures, and prints a line for each executable and history.
///
/// # Errors
/// What went wrong: the database, the executables, or an answer that is not that of a quiet pass.
pub async fn run(real: &Real, binary: &Path, options: &Options) -> Result<(), String> {
    let project = RealProject::make(real).await;
    let mut executables = vec![("new", binary)];
    executables.extend(options.old.as_deref().map(|old| ("old", old)));
    println!(
        "{} volumes with four policies, pages of {} rows; medians of {}\n",
        options.volumes,
        real.page_size(),
        options.pairs
    );
    println!("snapshots  executable  requests    wall  cinder-api");
    for snapshots in &options.snapshots {
        rows::fill(real, &project, options.volumes, *snapshots)
            .await
            .map_err(|error| format!("filling the database: {error}"))?;
        let mut runs = vec![Vec::new(); executables.len()];
        // The first pages after so many new rows are slow for whoever comes first.
        pass(real, &project, binary).await?;
        for _ in 0..options.pairs {
            for (at, (_, executable)) in executables.iter().enumerate() {
                runs[at].push(pass(real, &project, executable).await?);
            }
        }
        for ((name, _), mut runs) in executables.iter().zip(runs) {
            runs.sort_by_key(|run| run.wall);
            let median = runs[runs.len() / 2];
            let mut api: Vec<Duration> = runs.iter().map(|run| run.api).collect();
            api.sort();
            println!(
                "{:>9}  {name:<10}  {:>8}  {:>5.2} s  {:>8.2} s",
                u64::from(*snapshots) * u64::from(options.volumes),
                median.requests,
                median.wall.as_secs_f64(),
                api[api.len() / 2].as_secs_f64(),
            );
        }
    }
    Ok(())
}

/// One quiet pass of a fresh process.
async fn pass(real: &Real, project: &RealProject, executable: &Path) -> Result<Run, String> {
    let mut env: Env = project.env(Login::Credential);
    env.push(("OS_AUTH_URL".into(), project.keystone()));
    env.push(("SNAPSENTRY_DEFAULT_TIMEOUT".into(), "10m".into()));
    let spec = FunctionSpec::new(executable).env(env);
    let mut function = Function::start(spec)
        .await
        .map_err(|error| format!("{}: {error}", executable.display()))?;
    let before = processor_time(real)?;
    let deadline = Deadline::After(Duration::from_secs(600));
    let invocation = function
        .invoke(json!({ "phase": "snapshot" }), deadline)
        .await;
    let api = processor_time(real)?.saturating_sub(before);
    let told: &Value = match &invocation.result {
        Ok(told) => told,
        Err(failure) => return Err(format!("{}: {}", failure.error_type, failure.error_message)),
    };
    if told["outcome"] != "complete" || told["volumes"]["due"] != 0 {
        return Err(format!("the pass was not quiet: {told:#}"));
    }
    Ok(Run {
        wall: invocation.elapsed,
        requests: told["requests"]["sent"].as_u64().unwrap_or_default(),
        api,
    })
}

/// What all processes of cinder-api have computed so far.
fn processor_time(real: &Real) -> Result<Duration, String> {
    let leader = real.process("cinder-api")?;
    let mut ticks = 0;
    for entry in fs::read_dir("/proc").map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        // A process may end while one looks; then it is none of ours.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace()
            .collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        if number(2) == Some(leader) {
            ticks += number(11).unwrap_or(0) + number(12).unwrap_or(0);
        }
    }
    // The kernel counts in hundredths of a second for everybody outside.
    Ok(Duration::from_millis(10 * ticks))
}
