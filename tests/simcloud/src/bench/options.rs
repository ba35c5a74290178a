//! What is to be measured, and where it goes.

use std::path::PathBuf;

/// How the benchmark is called.
pub(super) const USAGE: &str = "\
usage: cargo run --release -p simcloud -- bench [--case NAME]... [--json PATH] [--quick]
                                                [--binary PATH]
           Runs the release binary on clouds of many sizes and prints a table.
           --case    only this case, or those whose names begin with it and a dash
           --json    also writes the table as JSON
           --quick   each case once
           --binary  measures this executable and builds none";

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Names of cases; all where there are none.
    pub(super) cases: Vec<String>,
    pub(super) json: Option<PathBuf>,
    pub(super) quick: bool,
    pub(super) binary: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments; a mistake is told in a sentence.
    pub(super) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} needs a value"))
            };
            match argument.as_str() {
                "--case" => options.cases.push(value()?),
                "--json" => options.json = Some(value()?.into()),
                "--binary" => options.binary = Some(value()?.into()),
                "--quick" => options.quick = true,
                other => return Err(format!("bench does not know {other}")),
            }
        }
        Ok(options)
    }

    /// Whether a case of this name was asked for.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.cases.is_empty()
            || self.cases.iter().any(|case| {
                name.strip_prefix(case.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_case_is_named_in_full_or_by_its_family() {
        let options = read("--case quiet-1000 --case skew --quick").expect("readable");
        assert!(options.quick);
        for (name, wanted) in [
            ("quiet-1000", true),
            ("quiet-1000-1", true),
            ("quiet-10000-1", false),
            ("skew-8", true),
            ("due-300", false),
        ] {
            assert_eq!(options.wants(name), wanted, "{name}");
        }
        assert!(Options::default().wants("due-300"));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, word) in [("--case", "--case"), ("--fast", "--fast"), ("x", "x")] {
            let mistake = read(line).expect_err(line);
            assert!(mistake.contains(word), "{mistake}");
        }
    }
}
