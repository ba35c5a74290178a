//! What is asked for on the command line.

use std::collections::BTreeSet;

use simulation::campaign::Length;
use simulation::case::Item;

/// What can be asked for.
pub(crate) const USAGE: &str =
    "usage: simulation [--seeds N] [--from N] [--jobs N] [--keep-going | --first]
                  [--real-binary N]
       simulation --seed N [--without v1,s2,…] [--trace] [--shrink]
       simulation --seed N --real [--trace]
       simulation --long N [--from N] [--jobs N] [--keep-going | --first]
       simulation --long 1 --seed N [--trace]
       simulation --restores N | --clouds N [--from N] [--jobs N] [--keep-going | --first]
       simulation --restores 1 | --clouds 1 --seed N [--trace]
       simulation --mutations [--only TEXT] [--seeds N | --long N | --restores N | --clouds N]";

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// How many seeds.
    pub(crate) seeds: Option<u64>,
    /// The first of them.
    pub(crate) from: u64,
    /// On how many threads.
    pub(crate) jobs: Option<usize>,
    /// Whether failing seeds stop nothing.
    pub(crate) keep_going: bool,
    /// Whether the first failing seed stops everything, and no smaller case is looked for.
    pub(crate) first: bool,
    /// How many seeds are run with the built program as well.
    pub(crate) real_binary: u64,
    /// How many seeds of weeks are run; none: those of passes are.
    pub(crate) long: Option<u64>,
    /// How many seeds of restores.
    pub(crate) restores: Option<u64>,
    /// How many seeds of many clouds.
    pub(crate) clouds: Option<u64>,
    /// One seed.
    pub(crate) seed: Option<u64>,
    /// Whether the one seed is run with the built program.
    pub(crate) real: bool,
    /// What is left out of it.
    pub(crate) without: BTreeSet<Item>,
    /// Whether its story is told.
    pub(crate) trace: bool,
    /// Whether a smaller case is looked for.
    pub(crate) shrink: bool,
    /// Whether mistakes are put into the program, one after the other.
    pub(crate) mutations: bool,
    /// Only those whose names contain this.
    pub(crate) only: String,
}

impl Arguments {
    /// Reads what was given.
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(name) = given.next() {
            let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--seeds" => arguments.seeds = Some(number(&value()?)?),
                "--from" => arguments.from = number(&value()?)?,
                "--jobs" => arguments.jobs = Some(number(&value()?)? as usize),
                "--real-binary" => arguments.real_binary = number(&value()?)?,
                "--long" => arguments.long = Some(number(&value()?)?),
                "--restores" => arguments.restores = Some(number(&value()?)?),
                "--clouds" => arguments.clouds = Some(number(&value()?)?),
                "--seed" => arguments.seed = Some(number(&value()?)?),
                "--without" => {
                    arguments.without = value()?
                        .split(',')
                        .filter(|part| !part.is_empty())
                        .map(str::parse)
                        .collect::<Result<_, _>>()?;
                }
                "--only" => arguments.only = value()?,
                "--real" => arguments.real = true,
                "--trace" => arguments.trace = true,
                "--shrink" => arguments.shrink = true,
                "--keep-going" => arguments.keep_going = true,
                "--first" => arguments.first = true,
                "--mutations" => arguments.mutations = true,
                _ => return Err(format!("{name:?} is not known")),
            }
        }
        Ok(arguments)
    }

    /// What the seeds are of, and how many are wanted.
    pub(crate) fn length(&self) -> (Length, Option<u64>) {
        match (self.long, self.restores, self.clouds) {
            (Some(seeds), _, _) => (Length::Weeks, Some(seeds)),
            (_, Some(seeds), _) => (Length::Restores, Some(seeds)),
            (_, _, Some(seeds)) => (Length::Clouds, Some(seeds)),
            _ => (Length::Passes, self.seeds),
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
