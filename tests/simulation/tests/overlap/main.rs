//! Overlap, decided on paper too: every way in which two and three passes can take one window,
//! with lost answers, work done late, storage that fails and passes that are killed.
//!
//! The model has one step for each request that matters, and lets them happen in every order.
//! What it shows is that no lock is needed: all passes agree on the order of the snapshots, so
//! the first available one is never removed, and whoever looks last removes the rest.

mod model;

use stateright::{Checker, Model};

use model::Window;

fn check(passes: usize) -> usize {
    let checker = Window { passes }.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done());
    checker.unique_state_count()
}

#[test]
fn two_passes_over_one_window_leave_one_snapshot_after_one_more_pass() {
    let states = check(2);
    assert!(states > 1_000, "{states} states are too few for a model");
}

#[test]
fn three_passes_over_one_window_leave_one_snapshot_after_one_more_pass() {
    let states = check(3);
    assert!(states > 50_000, "{states} states are too few for a model");
}
