//! One run of the function in a fresh process, and what it took.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use simcloud::lambda::{Deadline, Function, FunctionSpec};
use simcloud::{Latency, Login, Route};

use super::scenario::Scenario;

/// Lambda's longest.
const TIMEOUT: Duration = Duration::from_secs(900);

/// What one run took.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// From handing out the event to the answer.
    pub(super) wall: Duration,
    /// By call.
    pub(super) requests: BTreeMap<String, u64>,
    /// Of the function's process, in bytes.
    pub(super) peak_memory: u64,
    /// Of the function's process.
    pub(super) cpu: Duration,
    /// From the start of the process to the arrival of its first request.
    pub(super) first_request: Option<Duration>,
    /// From the start of the process to the answer.
    pub(super) from_start: Duration,
    /// From the arrival of the first creation request to that of the last, where all were to
    /// leave at one moment.
    pub(super) skew: Option<Duration>,
}

impl Run {
    pub(super) fn sent(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// Runs a scenario once.
///
/// # Errors
/// If the function could not be run, or did not do what the scenario is about.
pub(super) async fn run(binary: &Path, scenario: Scenario, latency: Latency) -> io::Result<Run> {
    let cloud = scenario.cloud(latency);
    let server = cloud.serve().await?;
    let spec = FunctionSpec::new(binary)
        .env(cloud.os_env(&server.url(), Login::AppCred))
        .env([("AWS_LAMBDA_LOG_FORMAT", "JSON")])
        .env(scenario.settings());
    let mut function = Function::start(spec).await?;
    let invocation = function
        .invoke(scenario.event(), Deadline::After(TIMEOUT))
        .await;
    let (peak_memory, cpu) = (function.peak_memory(), function.cpu_time());
    let started = function.started();
    let answer = invocation
        .result
        .map_err(|failure| io::Error::other(format!("{}: {failure:?}", scenario.name())))?;
    if let Scenario::Report { page: true, .. } = scenario
        && !answer.as_str().is_some_and(|page| page.contains("<svg"))
    {
        return Err(io::Error::other(format!(
            "{}: no page, but {answer}",
            scenario.name()
        )));
    }
    for (place, expected) in scenario.expected() {
        let found = answer.pointer(place).and_then(serde_json::Value::as_u64);
        if found != Some(expected) {
            return Err(io::Error::other(format!(
                "{}: {place} is {found:?} and not {expected}: {answer}",
                scenario.name()
            )));
        }
    }
    Ok(cloud.with_journal(|journal| {
        let arrivals = || journal.of(Route::CreateSnapshot).map(|entry| entry.arrived);
        let skew = arrivals()
            .min()
            .zip(arrivals().max())
            .map(|(first, last)| last - first)
            .filter(|_| matches!(scenario, Scenario::Skew { .. }));
        let answered = journal.entries.iter().filter_map(|entry| entry.answered);
        Run {
            wall: invocation.elapsed,
            requests: journal
                .counts
                .iter()
                .map(|(route, count)| (format!("{route:?}"), *count))
                .collect(),
            peak_memory: peak_memory.unwrap_or_default(),
            cpu: cpu.unwrap_or_default(),
            first_request: journal.entries.first().map(|entry| entry.arrived - started),
            from_start: answered
                .max()
                .map_or(invocation.elapsed, |last| last - started),
            skew,
        }
    }))
}

/// The run in the middle, figure by figure.
pub(super) fn median(runs: &[Run]) -> Run {
    fn middle<T: Ord + Clone>(runs: &[Run], figure: impl Fn(&Run) -> T) -> T {
        let mut figures: Vec<T> = runs.iter().map(figure).collect();
        figures.sort();
        figures[figures.len() / 2].clone()
    }
    let by_count = middle(runs, |run| (run.sent(), run.requests.clone()));
    Run {
        wall: middle(runs, |run| run.wall),
        requests: by_count.1,
        peak_memory: middle(runs, |run| run.peak_memory),
        cpu: middle(runs, |run| run.cpu),
        first_request: middle(runs, |run| run.first_request),
        from_start: middle(runs, |run| run.from_start),
        skew: middle(runs, |run| run.skew),
    }
}
