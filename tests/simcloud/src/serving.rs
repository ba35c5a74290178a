//! The cloud alone, until somebody has had enough of it.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use simcloud::{Cloud, Entry, Login, Outcome};
use tokio::time::{MissedTickBehavior, interval};

use crate::demo::tenancy;

/// Serves the demonstration's cloud and prints every request.
pub(crate) async fn run(port: u16, env_file: Option<&Path>) -> io::Result<ExitCode> {
    let cloud = tenancy::cloud();
    let server = cloud
        .serve_on(port)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("port {port}: {error}")))?;
    let variables: String = cloud
        .os_env(&server.url(), Login::AppCred)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    println!("{variables}");
    if let Some(path) = env_file {
        tokio::fs::write(path, &variables).await?;
        println!("# also written to {}", path.display());
    }
    println!("# the cloud runs at {} until Ctrl-C", server.url());
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        () = print_requests(&cloud) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints each request once it is over; never ends.
async fn print_requests(cloud: &Cloud) {
    let mut tick = interval(Duration::from_millis(100));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut printed = BTreeSet::new();
    loop {
        tick.tick().await;
        let (lines, all) = cloud.with_journal(|journal| {
            let over = journal
                .entries
                .iter()
                .filter(|entry| entry.outcome != Outcome::Waiting);
            let fresh: Vec<&Entry> = over
                .filter(|entry| printed.insert(entry.sequence))
                .collect();
            let lines: Vec<String> = fresh.into_iter().map(line).collect();
            (lines, printed.len() == journal.entries.len())
        });
        for line in &lines {
            println!("{line}");
        }
        // The journal of a cloud that runs for days must not grow for days.
        if all && !lines.is_empty() {
            cloud.clear_journal();
            printed.clear();
        }
    }
}

fn line(entry: &Entry) -> String {
    let outcome = match entry.outcome {
        Outcome::Answered(status) => status.to_string(),
        other => format!("{other:?}"),
    };
    let taken = entry
        .answered
        .map_or(Duration::ZERO, |answered| answered - entry.arrived);
    format!(
        "{}  {outcome:>9}  {:>5} ms  {:<6} {}  {}",
        entry.at.format("%H:%M:%S%.3f"),
        taken.as_millis(),
        entry.method,
        entry.path,
        entry.request_id.as_deref().unwrap_or("-"),
    )
}
