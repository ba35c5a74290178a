//! What a judge has found so far.

use std::fmt;

/// Of one invariant a few violations tell as much as many.
const TOLD: usize = 3;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, by its name.
    pub rule: &'static str,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// The violations, and how often was asked.
#[derive(Debug, Default)]
pub struct Findings {
    /// What must not be; a few of each invariant.
    pub violations: Vec<Violation>,
    /// How many questions there were.
    pub checks: u64,
}

impl Findings {
    /// Asks whether an invariant holds; `what` says what was found where it does not.
    pub fn check(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        self.checks += 1;
        let told = |all: &[Violation]| all.iter().filter(|one| one.rule == rule).count();
        if !holds && told(&self.violations) < TOLD {
            self.violations.push(Violation { rule, what: what() });
        }
    }
}
