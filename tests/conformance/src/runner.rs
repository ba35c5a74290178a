//! Plays scenarios and tells what came of each, a line at a time.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::{FutureExt, StreamExt, stream};

use crate::scenarios::Scenario;
use crate::stage::Stage;

/// How many were kept and how many were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Promises kept.
    pub passed: usize,
    /// Promises broken.
    pub failed: usize,
}

impl Tally {
    /// Counts one, and prints its line.
    pub fn count(&mut self, passed: bool, line: &str) {
        if passed {
            self.passed += 1;
            println!("ok      {line}");
        } else {
            self.failed += 1;
            println!("FAILED  {line}");
        }
    }
}

/// Plays one scenario in a tenancy of its own; whether its promise was kept. What went wrong
/// is on standard error.
pub async fn play(stage: &Stage, scenario: &Scenario) -> bool {
    AssertUnwindSafe(async {
        let mut tenancy = stage.tenancy().await;
        let kept = AssertUnwindSafe((scenario.play)(&mut tenancy))
            .catch_unwind()
            .await;
        tenancy.heal().await;
        stage.take_down(&tenancy);
        kept.is_ok()
    })
    .catch_unwind()
    .await
    .unwrap_or(false)
}

/// Plays these scenarios, `at_once` of them at a time.
pub async fn play_all(
    stage: &Stage,
    cloud: &str,
    scenarios: Vec<Scenario>,
    at_once: usize,
    tally: &mut Tally,
) {
    let mut played = stream::iter(scenarios)
        .map(|scenario| async move {
            let begun = Instant::now();
            let kept = play(stage, &scenario).await;
            (scenario.name, kept, begun.elapsed())
        })
        .buffer_unordered(at_once);
    while let Some((name, kept, took)) = played.next().await {
        tally.count(
            kept,
            &format!("{cloud:8}  {name} ({:.1} s)", took.as_secs_f64()),
        );
    }
}
