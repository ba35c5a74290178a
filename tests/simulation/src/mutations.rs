//! Is the simulation worth anything? Mistakes are put into a copy of the program, one at a time,
//! and the seeds have to find each of them.
//!
//! The mistakes are those of [`simulation::mistakes`].

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use simulation::campaign::Length;
use simulation::mistakes::{Mistake, OF_CLOUDS, OF_PASSES, OF_RESTORES, OF_WEEKS};

/// What a copy needs to be built and run.
const COPIED: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "src",
    "tests",
    "template.yaml",
];

/// The workspace, and the copy that mistakes are put into.
struct Workshop {
    root: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

/// What came of a mistake.
enum Found {
    /// This seed found it by this invariant.
    By(String, String),
    /// None did.
    Nothing,
    /// It could not be tried.
    Untried(String),
}

/// Puts in each mistake whose name contains `only`, or one of several texts between commas, lets
/// so many seeds look for it, and prints the table; gives whether each was found.
pub(crate) fn run(only: &str, seeds: u64, of: Length) -> io::Result<bool> {
    // Cargo tells it to what it runs; what was built knows it anyway.
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).join("../..").canonicalize()?;
    let place = root.join("target/mutations");
    let workshop = Workshop {
        tree: place.join("tree"),
        target: place.join("target"),
        root,
    };
    let is_wanted = |name: &str| only.split(',').any(|part| name.contains(part));
    let all = match of {
        Length::Passes => OF_PASSES,
        Length::Weeks => OF_WEEKS,
        Length::Restores => OF_RESTORES,
        Length::Clouds => OF_CLOUDS,
    };
    let mistakes: Vec<&Mistake> = all
        .iter()
        .filter(|mistake| is_wanted(mistake.name))
        .collect();
    workshop.restore()?;
    match workshop.search(seeds, of)? {
        Found::Nothing => {}
        Found::By(seed, rule) => {
            println!("the program as it is violates an invariant: seed {seed}, {rule}");
            return Ok(false);
        }
        Found::Untried(why) => {
            println!("the program as it is cannot be tried: {why}");
            return Ok(false);
        }
    }
    println!("| mistake | found by seed | violated |\n| --- | --- | --- |");
    let mut all_found = !mistakes.is_empty();
    for mistake in mistakes {
        let found = match workshop.apply(mistake)? {
            Some(refusal) => Found::Untried(refusal),
            None => workshop.search(seeds, of)?,
        };
        workshop.restore()?;
        let name = mistake.name;
        match found {
            Found::By(seed, rule) => println!("| {name} | {seed} | {rule} |"),
            Found::Nothing => {
                all_found = false;
                println!("| {name} | NOT FOUND | |");
            }
            Found::Untried(why) => {
                all_found = false;
                println!("| {name} | NOT TRIED | {why} |");
            }
        }
    }
    Ok(all_found)
}

impl Workshop {
    /// Makes the copy equal to the workspace. What is equal is not touched, so that cargo
    /// builds only what has changed.
    fn restore(&self) -> io::Result<()> {
        for part in COPIED {
            copy(&self.root.join(part), &self.tree.join(part))?;
        }
        Ok(())
    }

    /// Puts a mistake in; gives why it does not fit.
    fn apply(&self, mistake: &Mistake) -> io::Result<Option<String>> {
        for change in mistake.changes {
            let path = self.tree.join(change.file);
            match change.applied_to(&fs::read_to_string(&path)?) {
                Ok(text) => fs::write(path, text)?,
                Err(times) => {
                    let (file, find) = (change.file, change.find);
                    let find = find.split_whitespace().collect::<Vec<_>>().join(" ");
                    return Ok(Some(format!("{times} times in {file}: {find}")));
                }
            }
        }
        Ok(None)
    }

    /// Builds the copy and lets seeds look for what is wrong with it.
    fn search(&self, seeds: u64, of: Length) -> io::Result<Found> {
        // Weeks are long: a quicker program makes up for what it takes to build.
        let (profile, folder) = match of {
            Length::Weeks => ("campaign", "campaign"),
            _ => ("dev", "debug"),
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "-p", "simulation", "--profile"])
            .arg(profile)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .output()?;
        if !built.status.success() {
            let text = String::from_utf8_lossy(&built.stderr).into_owned();
            let error = text.lines().find(|line| line.starts_with("error"));
            return Ok(Found::Untried(error.unwrap_or("no build").to_owned()));
        }
        let ran = Command::new(self.target.join(folder).join("simulation"))
            .args(["--first", of.option()])
            .arg(seeds.to_string())
            .stdin(Stdio::null())
            .output()?;
        if ran.status.success() {
            return Ok(Found::Nothing);
        }
        let text = [ran.stdout, ran.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().find(|line| line.starts_with("VIOLATED"));
        let told = line.and_then(|line| {
            let (_, told) = line.split_once("seed ")?;
            told.split_once(": ")
        });
        Ok(match told {
            Some((seed, rule)) => Found::By(seed.to_owned(), rule.to_owned()),
            None => Found::Untried("the run ended without a verdict".to_owned()),
        })
    }
}

/// Makes a file or a folder equal to another; what else is in the folder goes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        let text = fs::read(from)?;
        if fs::read(to).is_ok_and(|there| there == text) {
            return Ok(());
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        return fs::write(to, text);
    }
    fs::create_dir_all(to)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        // What was built there, outside of the workspace.
        if entry.file_name() == "target" {
            continue;
        }
        names.insert(entry.file_name());
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if names.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
