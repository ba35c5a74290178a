//! Plays every scenario against a real Keystone and Cinder and against the embedded cloud, and
//! compares how the two answered: `live FOLDER [PART OF A NAME]`.

use std::env;
use std::panic;
use std::path::Path;
use std::process::ExitCode;

use conformance::documents;
use conformance::forms;
use conformance::function;
use conformance::history;
use conformance::real::Real;
use conformance::runner::{Tally, play_all};
use conformance::scenarios::{self, Scenario};
use conformance::stage::{Observed, Stage, Target};

/// Scenarios at a time in the real cloud: they mostly wait for it.
const AT_ONCE: usize = 3;

#[tokio::main]
async fn main() -> ExitCode {
    panic::set_hook(Box::new(|broken| eprintln!("{broken}")));
    let mut arguments = env::args().skip(1).peekable();
    let measures = arguments.next_if(|word| word == "history").is_some();
    let Some(folder) = arguments.next() else {
        eprintln!(
            "usage: live FOLDER [PART OF A NAME]\n\
             FOLDER is where tests/conformance/cloud/up has brought a cloud up\n\n{}",
            history::USAGE
        );
        return ExitCode::FAILURE;
    };
    if measures {
        return match measure(Path::new(&folder), arguments).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let part = arguments.next();
    match run(Path::new(&folder), part.as_deref()).await {
        Ok(tally) => {
            println!("{} passed, {} failed", tally.passed, tally.failed);
            if tally.failed == 0 && tally.passed > 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(folder: &Path, arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let options = history::Options::read(arguments)?;
    let real = Real::find(folder).await?;
    history::run(&real, &function::build()?, &options).await
}

async fn run(folder: &Path, part: Option<&str>) -> Result<Tally, String> {
    let real = Real::find(folder).await?;
    let binary = function::build()?;
    let wanted = |scenario: &Scenario| part.is_none_or(|part| scenario.name.contains(part));
    let chosen: Vec<Scenario> = scenarios::all().into_iter().filter(wanted).collect();
    let mut tally = Tally::default();

    let stage = Stage::new(Target::Real(Box::new(real.clone())), binary.clone());
    play_all(&stage, "real", chosen.clone(), AT_ONCE, &mut tally).await;
    let embedded = Stage::new(Target::Embedded, binary.clone());
    play_all(&embedded, "embedded", chosen, AT_ONCE, &mut tally).await;
    // Each takes something away from everybody.
    let disasters = scenarios::disasters().into_iter().filter(wanted).collect();
    play_all(&stage, "real", disasters, 1, &mut tally).await;
    let disasters = scenarios::disasters().into_iter().filter(wanted).collect();
    play_all(&embedded, "embedded", disasters, AT_ONCE, &mut tally).await;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if part.is_none_or(|part| "documents".contains(part)) {
        documents::type_all(&repository, real.client(), &binary, &stage, &mut tally).await?;
    }
    if part.is_none_or(|part| "forms".contains(part)) {
        forms::load(&repository, &real, &mut tally).await?;
    }
    compare(&stage.observed(), &embedded.observed(), &mut tally);
    Ok(tally)
}

/// Whether the embedded cloud answered every call like the real one.
fn compare(real: &Observed, embedded: &Observed, tally: &mut Tally) {
    for (key, shape) in real {
        let differences = match embedded.get(key) {
            Some(other) => shape.differences(other),
            None => vec!["the embedded cloud never answered so".into()],
        };
        tally.count(differences.is_empty(), &format!("answers   {key}"));
        for difference in differences {
            println!("          {difference}");
        }
    }
    for key in embedded.keys().filter(|key| !real.contains_key(*key)) {
        tally.count(false, &format!("answers   {key}"));
        println!("          the real cloud never answered so");
    }
}
