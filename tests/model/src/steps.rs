//! Which steps there are in a state, and what each does to it.

use crate::cloud::{Rank, Set, Status};
use crate::model::Window;
use crate::pass::At;
use crate::rules::{Duplicates, LostAnswer};
use crate::state::{Action, State};

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
                    own: (rules.duplicates == Duplicates::AllButOwn).then_some(of),
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
    pub(crate) fn actions_of(&self, state: &State, pass: usize, actions: &mut Vec<Action>) {
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

    pub(crate) fn carry_out(&self, state: &mut State, action: Action) -> Option<()> {
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
