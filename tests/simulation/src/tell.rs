//! What came of a campaign, in words.

use std::collections::{BTreeMap, BTreeSet};

use simulation::campaign::{Report, replay, replay_of, replay_weeks};
use simulation::case::Item;
use simulation::draw;
use simulation::shrink::shrink;

/// A few seeds cannot cover everything; so many can.
const MANY: u64 = 10_000;
/// And so many seeds of weeks.
const MANY_WEEKS: u64 = 1_000;
/// And so many of restores or of clouds.
const MANY_OTHERS: u64 = 1_000;
/// So many failing seeds are told of one by one.
const TOLD: usize = 5;

/// The command that replays a seed without some of its parts.
pub(crate) fn command(seed: u64, without: &BTreeSet<Item>) -> String {
    let mut command = replay(seed);
    if !without.is_empty() {
        let items: Vec<String> = without.iter().map(Item::to_string).collect();
        command.push_str(&format!(" --without {}", items.join(",")));
    }
    command
}

/// Tells of a campaign under the paused clock, and whether all was well.
pub(crate) fn campaign(report: &Report, wanted: u64, shrinks: bool) -> bool {
    print!("{}", report.coverage);
    figures(report, "");
    for failed in report.failed.iter().take(TOLD) {
        println!("\nseed {}: {}", failed.seed, failed.violations[0]);
        println!("  {}", replay(failed.seed));
        if !shrinks {
            continue;
        }
        let smallest = shrink(&draw::case(failed.seed), failed.violations[0].rule);
        println!("  smaller: {}", command(failed.seed, &smallest.without));
    }
    let gaps = report.coverage.gaps();
    let is_large = wanted >= MANY;
    if is_large && !gaps.is_empty() {
        println!("NEVER HAPPENED: {}", gaps.join("; "));
    }
    report.failed.is_empty() && (!is_large || gaps.is_empty())
}

/// Tells of seeds of weeks, and whether all was well.
pub(crate) fn weeks(report: &Report, wanted: u64) -> bool {
    print!("{}", report.coverage.of_weeks());
    figures(report, " of weeks");
    for failed in report.failed.iter().take(TOLD) {
        println!("\nseed {}: {}", failed.seed, failed.violations[0]);
        println!("  {}", replay_weeks(failed.seed));
    }
    let gaps = report.coverage.gaps_of_weeks();
    let is_large = wanted >= MANY_WEEKS;
    if is_large && !gaps.is_empty() {
        println!("NEVER HAPPENED: {}", gaps.join("; "));
    }
    report.failed.is_empty() && (!is_large || gaps.is_empty())
}

/// Tells of seeds of something else, by the name that they have on the command line, and whether
/// all was well.
pub(crate) fn others(report: &Report, wanted: u64, of: &str, required: &[&'static str]) -> bool {
    print!(
        "{}",
        report.coverage.table_of(&format!("over {of}"), required)
    );
    figures(report, &format!(" of {of}"));
    for failed in report.failed.iter().take(TOLD) {
        println!("\nseed {}: {}", failed.seed, failed.violations[0]);
        println!("  {}", replay_of(of, failed.seed));
    }
    let gaps = report.coverage.gaps_among(required);
    let is_large = wanted >= MANY_OTHERS;
    if is_large && !gaps.is_empty() {
        println!("NEVER HAPPENED: {}", gaps.join("; "));
    }
    report.failed.is_empty() && (!is_large || gaps.is_empty())
}

/// Tells of seeds that were run with the built program, and whether all was well.
pub(crate) fn real_binary(report: &Report) -> bool {
    figures(report, " with the built program");
    for name in report.coverage.gaps_of_real_time() {
        println!("  not among them: {name}");
    }
    for failed in report.failed.iter().take(TOLD) {
        println!("\nseed {}: {}", failed.seed, failed.violations[0]);
        println!("  {} --real", replay(failed.seed));
    }
    report.failed.is_empty()
}

fn figures(report: &Report, with: &str) {
    let figures = &report.figures;
    println!(
        "{} seeds{with}, {} passes, {} requests, {} faults, {} checks in {:.1} s",
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
}
