//! Passes, snapshots and misfortune as one state machine, and what has to hold in every state.

use stateright::{Model, Property};

use crate::cloud::{Cloud, Rank, Set, Status};
use crate::pass::At;
use crate::rules::{LostAnswer, Rules, Twins};

/// The most passes that can be modelled.
pub const MOST_PASSES: usize = 3;

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

/// Everything that matters at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Sorted, since passes are all alike: states that differ in their names only are one.
    passes: [At; MOST_PASSES],
    cloud: Cloud,
    /// Requests whose work is still to be done.
    late: u8,
    /// How many things can still go wrong.
    misfortunes: u8,
    /// Whether all is over, and the one more pass is under way.
    is_last: bool,
    /// Whether a step has removed the last available snapshot.
    has_lost_the_last: bool,
}

/// One step. Passes go by their places in [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A pass makes its next step, and all goes well.
    Step(usize),
    /// A pass sees in time that the window is served by now.
    Adopt(usize),
    /// A snapshot comes to be, at this rank, and the pass is told of it.
    Create(usize, Rank),
    /// A snapshot comes to be and the answer is lost.
    CreateUntold(usize, Rank),
    /// A snapshot comes to be, and the pass that asked for it is killed.
    CreateAndDie(usize, Rank),
    /// The answer is lost, and nothing was done.
    LoseRequest(usize),
    /// The answer says that it failed, and the work is done later.
    WorkLater(usize),
    /// A pass is killed, and its request is carried out later.
    DieAndWorkLater(usize),
    /// A pass deletes this one.
    Delete(usize, Rank),
    /// The deletion is refused, or comes to nothing.
    DeleteInVain(usize, Rank),
    /// A pass is killed, or fails.
    Die(usize),
    /// Late work is done: a snapshot comes to be.
    LateWork(Rank),
    /// The storage is done.
    Complete(Rank),
    /// The storage fails.
    Break(Rank),
    /// All has come to rest: one more pass, undisturbed.
    BeginTheLast,
}

impl State {
    /// Whether there are several available snapshots.
    fn has_twins(&self) -> bool {
        self.cloud.count(Status::Available) > 1
    }

    fn is_over(&self) -> bool {
        self.passes.iter().all(|pass| *pass == At::Over)
    }

    /// Those that serve the window, or soon will.
    fn serving(&self) -> usize {
        self.cloud.count(Status::Available) + self.cloud.count(Status::Creating)
    }

    fn under_way(&self) -> usize {
        let is_under_way = |pass: &&At| !matches!(pass, At::Beginning | At::Over);
        self.passes.iter().filter(is_under_way).count()
    }

    fn create(&mut self, at: Rank) {
        self.cloud.insert(at);
        for pass in &mut self.passes {
            *pass = pass.after_insertion(at);
        }
    }

    fn delete(&mut self, rank: Rank) {
        match self.cloud.status(rank) {
            Some(Status::Available) => {
                self.has_lost_the_last |= self.cloud.count(Status::Available) == 1;
            }
            Some(Status::Error) => {}
            // A normal deletion of anything else is refused.
            Some(Status::Creating) | None => return,
        }
        self.cloud.remove(rank);
        for pass in &mut self.passes {
            *pass = pass.after_removal(rank);
        }
    }

    /// What a pass would delete next: of several any, since their requests leave together.
    fn next_deletions(&self, pass: usize) -> Set {
        match self.passes[pass] {
            At::Cleaning { left, .. } | At::Removing { left } => left,
            At::Discarding { of } => Set::default().with(of),
            _ => Set::default(),
        }
    }
}

impl Window {
    /// What a pass does next where its step is a look, or nothing but waiting.
    fn look(&self, state: &State, at: At) -> Option<At> {
        let rules = &self.rules;
        let cloud = &state.cloud;
        Some(match at {
            At::Beginning if rules.is_served(cloud) => At::removing(rules.superfluous(cloud, None)),
            At::Beginning => {
                let lost = cloud.in_state(Status::Error);
                if lost.is_empty() {
                    At::Sending { known: lost }
                } else {
                    At::Cleaning {
                        left: lost,
                        known: lost,
                    }
                }
            }
            At::LookingUp { known, again } => match rules.found(cloud, known) {
                Some(of) if cloud.status(of) == Some(Status::Error) => At::Discarding { of },
                Some(of) => At::Waiting { of, is_own: false },
                None if again => At::Sending { known },
                None => At::LookingUp { known, again: true },
            },
            At::Waiting { of, is_own } => match cloud.status(of)? {
                Status::Creating => return None,
                Status::Available if is_own => At::Settling {
                    own: (rules.twins == Twins::AllButOwn).then_some(of),
                },
                Status::Available => At::Over,
                Status::Error => At::Discarding { of },
            },
            At::Settling { own } => At::removing(rules.superfluous(cloud, own)),
            _ => return None,
        })
    }

    fn after_lost_answer(&self, known: Set) -> At {
        match self.rules.lost_answer {
            LostAnswer::LookedUp => At::LookingUp {
                known,
                again: false,
            },
            LostAnswer::SentAgain => At::Sending { known },
        }
    }

    /// The steps of one pass.
    fn actions_of(&self, state: &State, pass: usize, actions: &mut Vec<Action>) {
        let at = state.passes[pass];
        let ranks = 0..=state.cloud.len();
        let goes_wrong = state.misfortunes > 0;
        if at == At::Over || at == At::Beginning && !self.passes_overlap && state.under_way() > 0 {
            return;
        }
        if self.look(state, at).is_some() {
            actions.push(Action::Step(pass));
        }
        for rank in state.next_deletions(pass).ranks() {
            actions.push(Action::Delete(pass, rank));
            if goes_wrong {
                actions.push(Action::DeleteInVain(pass, rank));
            }
        }
        if let At::Sending { .. } = at {
            if self.rules.is_served(&state.cloud) {
                actions.push(Action::Adopt(pass));
            }
            actions.extend(ranks.clone().map(|rank| Action::Create(pass, rank)));
            if goes_wrong {
                actions.extend(ranks.clone().map(|rank| Action::CreateUntold(pass, rank)));
                actions.extend(ranks.map(|rank| Action::CreateAndDie(pass, rank)));
                actions.push(Action::LoseRequest(pass));
                if self.work_is_late {
                    actions.extend([Action::WorkLater(pass), Action::DieAndWorkLater(pass)]);
                }
            }
        }
        if goes_wrong {
            actions.push(Action::Die(pass));
        }
    }

    fn carry_out(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Step(pass) => state.passes[pass] = self.look(state, state.passes[pass])?,
            Action::Adopt(pass) | Action::Die(pass) => state.passes[pass] = At::Over,
            Action::Create(pass, rank) => {
                state.create(rank);
                state.passes[pass] = At::Waiting {
                    of: rank,
                    is_own: true,
                };
            }
            Action::CreateUntold(pass, rank) => {
                state.create(rank);
                // What it knows has moved with the rest.
                let At::Sending { known } = state.passes[pass] else {
                    return None;
                };
                state.passes[pass] = self.after_lost_answer(known);
            }
            Action::CreateAndDie(pass, rank) => {
                state.create(rank);
                state.passes[pass] = At::Over;
            }
            Action::LoseRequest(pass) | Action::WorkLater(pass) => {
                let At::Sending { known } = state.passes[pass] else {
                    return None;
                };
                state.late += u8::from(action == Action::WorkLater(pass));
                state.passes[pass] = self.after_lost_answer(known);
            }
            Action::DieAndWorkLater(pass) => {
                state.late += 1;
                state.passes[pass] = At::Over;
            }
            Action::Delete(pass, rank) => {
                state.passes[pass] = told_of_deletion(state.passes[pass], rank);
                state.delete(rank);
            }
            Action::DeleteInVain(pass, rank) => {
                state.passes[pass] = told_of_deletion(state.passes[pass], rank);
            }
            Action::LateWork(rank) => {
                state.late -= 1;
                state.create(rank);
            }
            Action::Complete(rank) => state.cloud.set(rank, Status::Available),
            Action::Break(rank) => state.cloud.set(rank, Status::Error),
            Action::BeginTheLast => {
                state.is_last = true;
                state.misfortunes = 0;
                state.passes[0] = At::Beginning;
            }
        }
        Some(())
    }
}

/// Where a pass is once its deletion of this one has been answered.
fn told_of_deletion(at: At, rank: Rank) -> At {
    match at {
        At::Cleaning { left, known } => {
            let left = left.without(rank);
            if left.is_empty() {
                At::Sending { known }
            } else {
                At::Cleaning { left, known }
            }
        }
        At::Removing { left } => At::removing(left.without(rank)),
        _ => At::Over,
    }
}

impl Action {
    fn is_misfortune(self) -> bool {
        matches!(
            self,
            Self::CreateUntold(..)
                | Self::CreateAndDie(..)
                | Self::LoseRequest(_)
                | Self::WorkLater(_)
                | Self::DieAndWorkLater(_)
                | Self::DeleteInVain(..)
                | Self::Die(_)
                | Self::Break(_)
        )
    }
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
                Property::<Self>::sometimes("there are twins", |_, state| state.has_twins()),
                Property::<Self>::sometimes("two passes remove twins side by side", |_, state| {
                    let removes = |at: &&At| matches!(at, At::Removing { .. });
                    state.passes.iter().filter(removes).count() == 2
                }),
                Property::<Self>::sometimes("the last pass removes twins", |_, state| {
                    state.is_last
                        && state.next_deletions(0).ranks().count() > 0
                        && state.has_twins()
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
