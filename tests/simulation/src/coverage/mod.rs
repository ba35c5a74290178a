//! How often each thing happened that a simulation is there to make happen. What never did is a
//! gap in the drawing.

mod required;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use required::{REAL_TIME, REQUIRED, WEEKS};

/// Counts by name.
#[derive(Clone, Debug, Default)]
pub struct Coverage(BTreeMap<Cow<'static, str>, u64>);

impl Coverage {
    /// It happened.
    pub fn hit(&mut self, name: impl Into<Cow<'static, str>>) {
        self.add(name, 1);
    }

    /// It happened so often.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, times: u64) {
        if times > 0 {
            *self.0.entry(name.into()).or_default() += times;
        }
    }

    /// It happened, if so.
    pub fn hit_if(&mut self, happened: bool, name: &'static str) {
        if happened {
            self.hit(name);
        }
    }

    /// How often it happened.
    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Takes another's counts in.
    pub fn merge(&mut self, other: &Self) {
        for (name, times) in &other.0 {
            self.add(name.clone(), *times);
        }
    }

    /// What has to happen in any large number of seeds and has not.
    pub fn gaps(&self) -> Vec<&'static str> {
        REQUIRED
            .iter()
            .flat_map(|(_, names)| names.iter())
            .copied()
            .filter(|name| self.count(name) == 0)
            .collect()
    }

    /// What has to happen in any large number of seeds of weeks and has not.
    pub fn gaps_of_weeks(&self) -> Vec<&'static str> {
        let all = WEEKS.iter().copied();
        all.filter(|name| self.count(name) == 0).collect()
    }

    /// Which of these names has never happened.
    pub fn gaps_among(&self, names: &[&'static str]) -> Vec<&'static str> {
        let all = names.iter().copied();
        all.filter(|name| self.count(name) == 0).collect()
    }

    /// A table of how often each of these names has happened.
    pub fn table_of(&self, title: &str, names: &[&'static str]) -> String {
        let rows = names
            .iter()
            .map(|name| format!("  {:>10}  {name}\n", self.count(name)));
        std::iter::once(format!("{title}\n")).chain(rows).collect()
    }

    /// The table of what some weeks covered.
    pub fn of_weeks(&self) -> impl fmt::Display {
        OfWeeks(self)
    }

    /// What a few seeds by the real clock should have had among them and did not.
    pub fn gaps_of_real_time(&self) -> Vec<&'static str> {
        REAL_TIME
            .iter()
            .copied()
            .filter(|name| self.count(name) == 0)
            .collect()
    }
}

/// What some weeks covered.
struct OfWeeks<'a>(&'a Coverage);

impl fmt::Display for OfWeeks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "over weeks")?;
        for name in WEEKS {
            writeln!(f, "  {:>10}  {name}", self.0.count(name))?;
        }
        let known: BTreeSet<&str> = WEEKS.iter().copied().collect();
        let others = self
            .0
            .0
            .iter()
            .filter(|(name, _)| !known.contains(&***name));
        for (name, count) in others.filter(|(name, _)| name.starts_with("an alarm rang on")) {
            writeln!(f, "  {count:>10}  {name}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, names) in REQUIRED {
            writeln!(f, "{group}")?;
            for name in *names {
                writeln!(f, "  {:>10}  {name}", self.count(name))?;
            }
        }
        let known: Vec<&str> = REQUIRED
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        writeln!(f, "further")?;
        for (name, count) in &self.0 {
            if !known.contains(&&**name) {
                writeln!(f, "  {count:>10}  {name}")?;
            }
        }
        Ok(())
    }
}
