//! Looking for a smaller case that fails as well.

use std::sync::Arc;

use crate::campaign::run_case;
use crate::case::Case;
use crate::run::Detail;

/// Leaves out part after part for as long as the same invariant stays violated.
pub fn shrink(case: &Case, rule: &str) -> Case {
    let mut smallest = case.clone();
    loop {
        let before = smallest.without.len();
        for item in smallest.items() {
            let mut smaller = smallest.clone();
            smaller.without.insert(item);
            let outcome = run_case(&Arc::new(smaller.clone()), Detail::None);
            if outcome.violations.iter().any(|one| one.rule == rule) {
                smallest = smaller;
            }
        }
        if smallest.without.len() == before {
            return smallest;
        }
    }
}
