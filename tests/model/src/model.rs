//! Passes, snapshots and misfortune as one state machine, and what has to hold in every state.

use stateright::{Model, Property};

use crate::cloud::{Cloud, Status};
use crate::pass::At;
use crate::rules::Rules;
use crate::state::{Action, MOST_PASSES, State};

/// No step removes the last available snapshot of the window.
pub const NEVER_THE_LAST: &str = "no step removes the last available one";
/// After one more pass, undisturbed, there is exactly one.
pub const ONE_IN_THE_END: &str = "one more pass leaves exactly one";
/// There never are two at a time.
pub const NEVER_A_SECOND: &str = "there never is a second one";
/// Whatever happens, everything comes to its end.
pub const NOTHING_IS_STUCK: &str = "all passes come to their end";

/// Several passes over one window, and one more when all is over.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How many passes there are.
    pub passes: usize,
    /// How many things can go wrong.
    pub misfortunes: u8,
    /// Whether a pass may begin before another has ended.
    pub passes_overlap: bool,
    /// Whether the work of a request may be done after its answer said that it failed.
    pub work_is_late: bool,
    /// By which rules the passes go.
    pub rules: Rules,
}

impl Model for Window {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut passes = [At::Over; MOST_PASSES];
        passes[..self.passes].fill(At::Beginning);
        passes.sort_unstable();
        vec![State {
            passes,
            cloud: Cloud::default(),
            late: 0,
            misfortunes: self.misfortunes,
            is_last: false,
            has_lost_the_last: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for pass in 0..MOST_PASSES {
            // Of two passes that are alike one will do.
            if pass == 0 || state.passes[pass] != state.passes[pass - 1] {
                self.actions_of(state, pass, actions);
            }
        }
        if state.late > 0 {
            actions.extend((0..=state.cloud.len()).map(Action::LateWork));
        }
        for rank in state.cloud.in_state(Status::Creating).ranks() {
            actions.push(Action::Complete(rank));
            if state.misfortunes > 0 {
                actions.push(Action::Break(rank));
            }
        }
        let is_at_rest =
            state.is_over() && state.late == 0 && state.cloud.count(Status::Creating) == 0;
        if is_at_rest && !state.is_last {
            actions.push(Action::BeginTheLast);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        self.carry_out(&mut state, action)?;
        if action.is_misfortune() {
            state.misfortunes -= 1;
        }
        state.passes.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::<Self>::always(NEVER_THE_LAST, |_, state| !state.has_lost_the_last),
            Property::<Self>::always(ONE_IN_THE_END, |_, state| {
                !(state.is_last && state.is_over()) || state.cloud.count(Status::Available) == 1
            }),
            Property::<Self>::always(NOTHING_IS_STUCK, |model, state| {
                let mut actions = Vec::new();
                model.actions(state, &mut actions);
                !actions.is_empty() || state.is_last && state.is_over()
            }),
            // What would be shown of nothing is worth nothing.
            Property::<Self>::sometimes("the last pass has ended", |_, state| {
                state.is_last && state.is_over()
            }),
            Property::<Self>::sometimes("a pass dies and leaves its work", |model, state| {
                state.misfortunes < model.misfortunes
                    && state.under_way() == 0
                    && state.cloud.count(Status::Creating) > 0
            }),
            Property::<Self>::sometimes("a lost answer is looked up and found", |_, state| {
                let is_found = |at: &At| matches!(at, At::Waiting { is_own: false, .. });
                state.passes.iter().any(is_found)
            }),
            Property::<Self>::sometimes("a broken one is in the way", |_, state| {
                state
                    .passes
                    .iter()
                    .any(|at| matches!(at, At::Cleaning { .. }))
            }),
        ];
        if self.passes_overlap {
            properties.extend([
                Property::<Self>::sometimes("all passes overlap", |model, state| {
                    state.under_way() == model.passes
                }),
                Property::<Self>::sometimes("there are duplicates", |_, state| {
                    state.has_duplicates()
                }),
                Property::<Self>::sometimes(
                    "two passes remove duplicates side by side",
                    |_, state| {
                        let removes = |at: &&At| matches!(at, At::Removing { .. });
                        state.passes.iter().filter(removes).count() == 2
                    },
                ),
                Property::<Self>::sometimes("the last pass removes duplicates", |_, state| {
                    state.is_last
                        && state.next_deletions(0).ranks().count() > 0
                        && state.has_duplicates()
                }),
                Property::<Self>::sometimes("there are as many as passes, and one more", |m, s| {
                    s.serving() > m.passes
                }),
            ]);
        } else if !self.work_is_late {
            properties.push(Property::<Self>::always(NEVER_A_SECOND, |_, state| {
                state.serving() <= 1
            }));
        }
        properties
    }
}
