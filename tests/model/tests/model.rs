//! What the model checker shows of the program's rules, and that it would find a broken one.

use model::model::{NEVER_A_SECOND, NEVER_THE_LAST, ONE_IN_THE_END, Window};
use model::rules::{Duplicates, LostAnswer, Rules, Serving};
use stateright::{Checker, Model};

const TWO: Window = Window {
    passes: 2,
    misfortunes: 5,
    passes_overlap: true,
    work_is_late: true,
    rules: Rules {
        duplicates: Duplicates::AvailableButTheFirst,
        serving: Serving::CreatingToo,
        lost_answer: LostAnswer::LookedUp,
    },
};

const THREE: Window = Window {
    passes: 3,
    misfortunes: 4,
    ..TWO
};

/// Passes that do not overlap, and a cloud that does late work never; all else may go wrong.
const ONE_AFTER_ANOTHER: Window = Window {
    passes: 3,
    misfortunes: 6,
    passes_overlap: false,
    work_is_late: false,
    ..TWO
};

const TWO_UNDISTURBED: Window = Window {
    misfortunes: 0,
    ..TWO
};

const ONE_MISFORTUNE: Window = Window {
    misfortunes: 1,
    ..ONE_AFTER_ANOTHER
};

/// Goes through all states and holds every property against each.
fn everything_holds(window: Window, at_least: usize) {
    let checker = window.checker().threads(2).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{window:?}: {states} states, the longest way has {depth} steps");
    checker.assert_properties();
    assert!(checker.is_done(), "not all states were visited");
    assert!(states > at_least, "{states} states are too few");
}

/// With these rules, the checker finds a way to what must not be.
fn is_found(rules: Rules, window: Window, violated: &'static str) {
    let window = Window { rules, ..window };
    let checker = window.checker().threads(2).spawn_bfs().join();
    let path = checker.assert_any_discovery(violated);
    println!("{violated}: {:?}", path.into_actions());
}

#[test]
fn two_passes_leave_one_snapshot_after_one_more_and_never_remove_the_last() {
    everything_holds(TWO, 100_000);
}

#[test]
fn three_passes_leave_one_snapshot_after_one_more_and_never_remove_the_last() {
    everything_holds(THREE, 500_000);
}

#[test]
fn passes_that_do_not_overlap_never_make_a_second_one_even_where_answers_are_lost() {
    everything_holds(ONE_AFTER_ANOTHER, 300);
}

#[test]
fn a_pass_that_keeps_its_own_and_removes_the_others_is_found_out() {
    let rules = Rules {
        duplicates: Duplicates::AllButOwn,
        ..Rules::default()
    };
    is_found(rules, TWO_UNDISTURBED, NEVER_THE_LAST);
}

#[test]
fn a_pass_that_relies_on_one_still_being_created_is_found_out() {
    let rules = Rules {
        duplicates: Duplicates::CreatingMayStay,
        ..Rules::default()
    };
    is_found(rules, TWO_UNDISTURBED, NEVER_THE_LAST);
}

#[test]
fn passes_that_leave_duplicates_alone_are_found_out() {
    let rules = Rules {
        duplicates: Duplicates::Nobody,
        ..Rules::default()
    };
    is_found(rules, TWO_UNDISTURBED, ONE_IN_THE_END);
}

#[test]
fn a_blind_second_try_is_found_out() {
    let rules = Rules {
        lost_answer: LostAnswer::SentAgain,
        ..Rules::default()
    };
    is_found(rules, ONE_MISFORTUNE, NEVER_A_SECOND);
}

#[test]
fn a_pass_that_overlooks_what_is_being_created_is_found_out() {
    let rules = Rules {
        serving: Serving::AvailableOnly,
        ..Rules::default()
    };
    is_found(rules, ONE_MISFORTUNE, NEVER_A_SECOND);
}
