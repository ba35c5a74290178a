//! Bad input: whatever comes from outside may be anything at all. No input makes the program
//! panic, loop, tell a secret, send its token elsewhere, or delete what must stay.
//!
//! `PROPTEST_CASES` makes a campaign of it; without, each property gets as many cases as fit
//! into a second.

mod bodies;
mod clouds_yaml;
mod created_elsewhere;
mod damage;
mod event;
mod exchange;
mod found;
mod judge;
mod largest_body;
mod late_hold;
mod links;
mod listings;
mod only_file;
mod retry_after;
mod scene;
mod widget;

use proptest::prelude::ProptestConfig;

/// This many cases, unless a campaign asks for another number. What is found is written down as
/// a test, not in a file of seeds.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: asked.and_then(|n| n.parse().ok()).unwrap_or(usual),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}
