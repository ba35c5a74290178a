//! The command line of the simulation; see the crate's documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use simulation::campaign::{Campaign, Report, run_case};
use simulation::case::Item;
use simulation::draw;
use simulation::run::Detail;
use simulation::shrink::shrink;

const USAGE: &str = "usage: simulation [--seeds N] [--from N] [--jobs N] [--keep-going]
       simulation --seed N [--without v1,s2,…] [--trace] [--shrink]";

#[derive(Default)]
struct Arguments {
    seeds: Option<u64>,
    from: u64,
    jobs: Option<usize>,
    keep_going: bool,
    seed: Option<u64>,
    without: BTreeSet<Item>,
    trace: bool,
    shrink: bool,
}

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let holds = match arguments.seed {
        Some(seed) => replay(seed, &arguments),
        None => campaign(&arguments),
    };
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
        let number = |text: String| {
            text.parse::<u64>()
                .map_err(|_| format!("{text:?} is no number"))
        };
        match name.as_str() {
            "--seeds" => arguments.seeds = Some(number(value()?)?),
            "--from" => arguments.from = number(value()?)?,
            "--jobs" => arguments.jobs = Some(number(value()?)? as usize),
            "--seed" => arguments.seed = Some(number(value()?)?),
            "--without" => {
                arguments.without = value()?
                    .split(',')
                    .filter(|part| !part.is_empty())
                    .map(str::parse)
                    .collect::<Result<_, _>>()?;
            }
            "--trace" => arguments.trace = true,
            "--shrink" => arguments.shrink = true,
            "--keep-going" => arguments.keep_going = true,
            _ => return Err(format!("{name:?} is not known")),
        }
    }
    Ok(arguments)
}

fn replay(seed: u64, arguments: &Arguments) -> bool {
    let mut case = draw::case(seed);
    case.without = arguments.without.clone();
    let detail = if arguments.trace {
        Detail::Trace
    } else {
        Detail::Logs
    };
    let outcome = run_case(&Arc::new(case.clone()), detail);
    print!("{}", outcome.trace);
    println!("fingerprint {:016x}", outcome.fingerprint);
    for violation in &outcome.violations {
        println!("VIOLATION {violation}");
    }
    if let Some(violation) = outcome.violations.first().filter(|_| arguments.shrink) {
        let smallest = shrink(&case, violation.rule);
        println!("smaller: {}", command(seed, &smallest.without));
    }
    outcome.violations.is_empty()
}

fn command(seed: u64, without: &BTreeSet<Item>) -> String {
    let mut command = format!("cargo run --release -p simulation -- --seed {seed} --trace");
    if !without.is_empty() {
        let items: Vec<String> = without.iter().map(Item::to_string).collect();
        command.push_str(&format!(" --without {}", items.join(",")));
    }
    command
}

fn campaign(arguments: &Arguments) -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let campaign = Campaign {
        from: arguments.from,
        seeds: arguments.seeds.unwrap_or(10_000),
        jobs: arguments.jobs.unwrap_or(cores),
        most_failures: if arguments.keep_going { usize::MAX } else { 5 },
    };
    // A panic is told once, as a violation with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let report = campaign.run();
    tell(&report, campaign.seeds)
}

fn tell(report: &Report, wanted: u64) -> bool {
    let figures = &report.figures;
    print!("{}", report.coverage);
    println!(
        "{} seeds, {} passes, {} requests, {} faults, {} checks in {:.1} s",
        report.seeds,
        figures.passes,
        figures.requests,
        figures.faults,
        figures.checks,
        report.took.as_secs_f64()
    );
    let mut rules: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for failed in &report.failed {
        for violation in &failed.violations {
            let entry = rules.entry(violation.rule).or_insert((failed.seed, 0));
            entry.1 += 1;
        }
    }
    for (rule, (seed, times)) in &rules {
        println!("VIOLATED {times} times, first by seed {seed}: {rule}");
    }
    for failed in report.failed.iter().take(5) {
        println!("\nseed {}: {}", failed.seed, failed.violations[0]);
        println!("  replay: {}", command(failed.seed, &BTreeSet::new()));
        let smallest = shrink(&draw::case(failed.seed), failed.violations[0].rule);
        println!("  smaller: {}", command(failed.seed, &smallest.without));
    }
    let gaps = report.coverage.gaps();
    // A few seeds cannot cover everything.
    let is_large = wanted >= 10_000;
    if is_large && !gaps.is_empty() {
        println!("NEVER HAPPENED: {}", gaps.join("; "));
    }
    report.failed.is_empty() && (!is_large || gaps.is_empty())
}
