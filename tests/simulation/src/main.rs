//! The command line of the simulation; see the crate's documentation.

mod arguments;
mod mutations;
mod tell;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use arguments::{Arguments, USAGE};
use simulation::campaign::{Campaign, Length, run_case};
use simulation::draw;
use simulation::run::{Detail, run_binary};
use simulation::shrink::shrink;
use simulation::{clouds, restores, weeks};

/// A seed is mostly many small allocations on one thread, at which this one is quicker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Passes over sockets wait most of their time: so many seeds run side by side on each core.
const REAL_ONES_A_CORE: usize = 30;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let holds = if arguments.mutations {
        let (of, seeds) = arguments.length();
        // What overlapping passes owe each other is rare.
        let enough = match of {
            Length::Passes => 3_000,
            _ => 500,
        };
        mutations::run(&arguments.only, seeds.unwrap_or(enough), of).map_err(|e| e.to_string())
    } else {
        match arguments.seed {
            Some(seed) => replay(seed, &arguments),
            None => campaign(&arguments),
        }
    };
    match holds {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

/// Builds the program, in the profile of this one.
fn build() -> Result<PathBuf, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let built =
        runtime.and_then(|runtime| runtime.block_on(simcloud::lambda::build(&["simulation"])));
    built.map_err(|error| {
        format!(
            "the program itself is needed for --real-binary and --real, and could not be built: \
             {error}; run this through cargo in the workspace: cargo run --profile campaign \
             -p simulation -- …"
        )
    })
}

fn replay(seed: u64, arguments: &Arguments) -> Result<bool, String> {
    let detail = if arguments.trace {
        Detail::Trace
    } else {
        Detail::Logs
    };
    let other = match arguments.length().0 {
        Length::Weeks => Some(weeks::run(&weeks::weeks(seed), detail)),
        Length::Restores => Some(restores::run(&restores::restores(seed), detail)),
        Length::Clouds => Some(clouds::run(&clouds::clouds(seed), detail)),
        Length::Passes => None,
    };
    if let Some(outcome) = other {
        print!("{}", outcome.trace);
        println!("fingerprint {:016x}", outcome.fingerprint);
        for violation in &outcome.violations {
            println!("VIOLATION {violation}");
        }
        return Ok(outcome.violations.is_empty());
    }
    let (case, outcome) = if arguments.real {
        let binary = build()?;
        let case = Arc::new(draw::case_by_the_real_clock(seed));
        (case.clone(), run_binary(&case, detail, &binary))
    } else {
        let mut case = draw::case(seed);
        case.without = arguments.without.clone();
        let case = Arc::new(case);
        (case.clone(), run_case(&case, detail))
    };
    print!("{}", outcome.trace);
    println!("fingerprint {:016x}", outcome.fingerprint);
    for violation in &outcome.violations {
        println!("VIOLATION {violation}");
    }
    let may_shrink = arguments.shrink && !arguments.real;
    if let Some(violation) = outcome.violations.first().filter(|_| may_shrink) {
        let smallest = shrink(&case, violation.rule);
        println!("smaller: {}", tell::command(seed, &smallest.without));
    }
    Ok(outcome.violations.is_empty())
}

fn campaign(arguments: &Arguments) -> Result<bool, String> {
    let binary = match arguments.real_binary {
        0 => None,
        _ => Some(build()?),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or(cores);
    let campaign = Campaign {
        from: arguments.from,
        seeds: arguments.length().1.unwrap_or(10_000),
        length: arguments.length().0,
        jobs,
        most_failures: match (arguments.first, arguments.keep_going) {
            (true, _) => 1,
            (false, true) => usize::MAX,
            (false, false) => 5,
        },
        binary: None,
    };
    // A panic is told once, as a violation with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let wanted = campaign.seeds;
    let report = campaign.clone().run();
    match arguments.length().0 {
        Length::Passes => {}
        Length::Weeks => return Ok(tell::weeks(&report, wanted)),
        Length::Restores => {
            return Ok(tell::others(
                &report,
                wanted,
                "restores",
                restores::REQUIRED,
            ));
        }
        Length::Clouds => return Ok(tell::others(&report, wanted, "clouds", clouds::REQUIRED)),
    }
    let mut holds = tell::campaign(&report, wanted, !arguments.first);
    if binary.is_some() {
        let report = Campaign {
            seeds: arguments.real_binary,
            jobs: jobs * REAL_ONES_A_CORE,
            binary,
            ..campaign
        }
        .run();
        holds &= tell::real_binary(&report);
    }
    Ok(holds)
}
