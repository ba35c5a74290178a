//! The benchmark: the release binary, run through the Runtime API on clouds of many sizes.
//!
//! Every run has a process and a cloud of its own; what the answer says is checked, so that
//! nothing is measured but the pass that was meant. Figures are medians.

mod bare;
mod cases;
mod ceiling;
mod clouds;
mod fleet;
mod limit;
mod machine;
mod measure;
mod options;
mod scenario;
mod shards;
mod table;
mod weather;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use cases::Case;
use ceiling::Ceiling;
use machine::{Machine, Size};
use options::Options;
use table::Row;

/// Measures and prints; fails where a figure was not reached.
pub(crate) async fn run(arguments: impl Iterator<Item = String>) -> io::Result<ExitCode> {
    let options = match Options::read(arguments) {
        Ok(options) => options,
        Err(mistake) => {
            eprintln!("{mistake}\n\n{}", options::USAGE);
            return Ok(ExitCode::from(2));
        }
    };
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => crate::demo::build(&[]).await?,
    };
    let machine = Machine::look();
    let size = Size::of(&binary).await?;
    let ceiling = ceiling::measure().await?;
    println!("{}\n", machine.told());
    println!("{}\n", size.told());
    println!("{}\n", ceiling.told());
    println!("{}", table::head());
    let mut rows = Vec::new();
    for case in cases::all() {
        if !options.wants(&case.scenario.name()) {
            continue;
        }
        let row = measure_case(&binary, case, &options, &ceiling).await?;
        println!("{}", row.line());
        rows.push(row);
    }
    let shards = if options.wants(shards::NAME) {
        let shards = shards::run(&binary, weather::Weather::Fixed.latency(ceiling.late())).await?;
        println!("\n{}", shards.told());
        Some(shards)
    } else {
        None
    };
    let mut clouds = Vec::new();
    if options.wants(clouds::KEPT) {
        clouds.push(clouds::kept(&binary).await?);
    }
    if options.wants(clouds::TARGETS) {
        clouds.push(clouds::targets(&binary).await?);
    }
    for figure in &clouds {
        println!("\n{}", figure.told());
    }
    if let Some(path) = &options.json {
        let mut cases: Vec<_> = rows.iter().map(Row::json).collect();
        cases.extend(shards.iter().map(shards::Shards::json));
        cases.extend(clouds.iter().map(clouds::Figure::json));
        let all = json!({
            "machine": machine,
            "executable": size,
            "cloud_alone": ceiling,
            "cases": cases,
        });
        tokio::fs::write(path, format!("{all:#}\n")).await?;
    }
    let reached = size.zipped < Size::GOAL
        && rows.iter().all(Row::is_reached)
        && shards.is_none_or(|shards| shards.is_reached())
        && clouds.iter().all(clouds::Figure::is_reached);
    Ok(if reached {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn measure_case(
    binary: &Path,
    case: Case,
    options: &Options,
    ceiling: &Ceiling,
) -> io::Result<Row> {
    let runs = if options.quick { 1 } else { case.runs };
    let latency = case.weather.latency(ceiling.late());
    let mut measured = Vec::with_capacity(runs);
    for _ in 0..runs {
        measured.push(measure::run(binary, case.scenario, latency).await?);
    }
    Ok(Row {
        median: measure::median(&measured),
        runs,
        limit: case.scenario.limit().time(case.weather, ceiling.page()),
        load_average: machine::load_average(),
        case,
    })
}
