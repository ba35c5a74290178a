//! Passes, snapshots and storage as a state machine.

use stateright::{Model, Property};

/// Requests for one window that a pass sends at most.
const MOST_TRIES: u8 = 2;

/// Several passes over one window, and one more when all is over.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) passes: usize,
}

/// How a snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Creating,
    Available,
    Error,
    Gone,
}

/// Snapshots by the number in which they were made.
type Number = u8;

/// Where a pass is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// It has not looked yet.
    Beginning,
    /// Its request leaves next.
    Sending { tries: u8, known: u8 },
    /// An answer was lost: it looks next. Before another try it looks once more.
    LookingUp { tries: u8, known: u8, again: bool },
    /// It waits for a snapshot.
    Waiting { of: Number },
    /// Its own broke, and is deleted next.
    Cleaning { of: Number },
    /// It looks for twins next.
    Settling,
    /// These go, as one look has shown it.
    Removing { left: Vec<Number> },
    /// It has ended, well or badly.
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    passes: Vec<At>,
    status: Vec<Status>,
    /// The snapshots in the order on which all passes agree: by the second of their making, and
    /// by id where that is the same.
    order: Vec<Number>,
    /// Requests whose work is done later than the answer said.
    late: u8,
    /// Whether the pass after all misfortune is under way.
    is_calm: bool,
    /// Whether a step has removed the last available snapshot.
    has_lost_the_last: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A pass makes its next step, and all goes well.
    Step(usize),
    /// The work is done and the answer lost.
    AnswerLost(usize),
    /// Neither.
    RequestLost(usize),
    /// The answer says that it failed, and the work is done later.
    WorkLater(usize),
    /// A look-up fails.
    LookUpFails(usize),
    /// A pass is killed.
    Crash(usize),
    /// A snapshot comes to be; with the same second as the one before it, and a smaller id,
    /// where `ties`.
    LateWork { ties: bool },
    /// As [`Action::Step`], where the new snapshot ties with the last.
    StepAndTie(usize),
    /// As [`Action::AnswerLost`], where the new snapshot ties with the last.
    LoseAndTie(usize),
    /// The storage is done.
    Completed(Number),
    /// The storage fails.
    Broken(Number),
    /// All has come to rest: one more pass, undisturbed.
    BeginTheLast,
}

impl State {
    fn count(&self, status: Status) -> usize {
        self.status.iter().filter(|one| **one == status).count()
    }

    fn make(&mut self, ties: bool) -> Number {
        let number = self.status.len() as Number;
        self.status.push(Status::Creating);
        let place = self.order.len() - usize::from(ties && !self.order.is_empty());
        self.order.insert(place, number);
        number
    }

    /// What a look shows to be serving the window.
    fn serving(&self) -> Option<Number> {
        let serves = |n: &&Number| {
            matches!(
                self.status[usize::from(**n)],
                Status::Available | Status::Creating
            )
        };
        self.order.iter().find(serves).copied()
    }

    /// All available ones but the first.
    fn twins(&self) -> Vec<Number> {
        let available = |n: &&Number| self.status[usize::from(**n)] == Status::Available;
        self.order
            .iter()
            .filter(available)
            .skip(1)
            .copied()
            .collect()
    }

    fn remove(&mut self, number: Number) {
        let status = &mut self.status[usize::from(number)];
        let was_available = *status == Status::Available;
        // A normal deletion: anything but available and error is refused.
        if matches!(*status, Status::Available | Status::Error) {
            *status = Status::Gone;
        }
        self.has_lost_the_last |= was_available && self.count(Status::Available) == 0;
    }

    /// One look-up: what was made since the pass began. Numbers only grow, so what was there
    /// in the first listing has a smaller one.
    fn look_up(&self, known: u8) -> Option<Number> {
        let ours = |status: Status| {
            (known..self.status.len() as u8).find(|n| self.status[usize::from(*n)] == status)
        };
        ours(Status::Available)
            .or_else(|| ours(Status::Creating))
            .or_else(|| ours(Status::Error))
    }

    fn step(&mut self, pass: usize, ties: bool) -> Option<()> {
        let next = match self.passes[pass].clone() {
            At::Beginning => match self.serving() {
                Some(_) => At::Removing { left: self.twins() },
                None => At::Sending {
                    tries: 0,
                    known: self.status.len() as u8,
                },
            },
            At::Sending { .. } => At::Waiting {
                of: self.make(ties),
            },
            At::LookingUp {
                tries,
                known,
                again,
            } => match self.look_up(known) {
                Some(of) if self.status[usize::from(of)] == Status::Error => At::Cleaning { of },
                Some(of) => At::Waiting { of },
                None if tries >= MOST_TRIES => At::Over,
                None if again => At::Sending { tries, known },
                None => At::LookingUp {
                    tries,
                    known,
                    again: true,
                },
            },
            At::Waiting { of } => match self.status[usize::from(of)] {
                Status::Creating => return None,
                Status::Available => At::Settling,
                Status::Error => At::Cleaning { of },
                Status::Gone => At::Over,
            },
            At::Cleaning { of } => {
                self.remove(of);
                At::Over
            }
            At::Settling => At::Removing { left: self.twins() },
            At::Removing { mut left } => match left.pop() {
                Some(number) => {
                    self.remove(number);
                    At::Removing { left }
                }
                None => At::Over,
            },
            At::Over => return None,
        };
        self.passes[pass] = next;
        Some(())
    }

    /// A request whose answer tells nothing.
    fn doubt(&mut self, pass: usize) -> Option<()> {
        let At::Sending { tries, known } = self.passes[pass] else {
            return None;
        };
        self.passes[pass] = At::LookingUp {
            tries: tries + 1,
            known,
            again: false,
        };
        Some(())
    }

    fn all_over(&self) -> bool {
        self.passes.iter().all(|pass| *pass == At::Over)
    }
}

impl Model for Window {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            passes: vec![At::Beginning; self.passes],
            status: Vec::new(),
            order: Vec::new(),
            late: 0,
            is_calm: false,
            has_lost_the_last: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (n, pass) in state.passes.iter().enumerate() {
            if *pass == At::Over {
                continue;
            }
            actions.push(Action::Step(n));
            if state.is_calm {
                continue;
            }
            actions.push(Action::Crash(n));
            match pass {
                At::Sending { .. } => actions.extend([
                    Action::StepAndTie(n),
                    Action::AnswerLost(n),
                    Action::LoseAndTie(n),
                    Action::RequestLost(n),
                    Action::WorkLater(n),
                ]),
                At::LookingUp { .. } => actions.push(Action::LookUpFails(n)),
                _ => {}
            }
        }
        if state.late > 0 {
            actions.extend([
                Action::LateWork { ties: false },
                Action::LateWork { ties: true },
            ]);
        }
        for (n, status) in state.status.iter().enumerate() {
            if *status == Status::Creating {
                actions.push(Action::Completed(n as Number));
                if !state.is_calm {
                    actions.push(Action::Broken(n as Number));
                }
            }
        }
        if !state.is_calm
            && state.all_over()
            && state.late == 0
            && state.count(Status::Creating) == 0
        {
            actions.push(Action::BeginTheLast);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Step(pass) => state.step(pass, false)?,
            Action::StepAndTie(pass) => state.step(pass, true)?,
            Action::AnswerLost(pass) | Action::LoseAndTie(pass) => {
                state.make(action == Action::LoseAndTie(pass));
                state.doubt(pass)?;
            }
            Action::RequestLost(pass) => state.doubt(pass)?,
            Action::WorkLater(pass) => {
                state.late += 1;
                state.doubt(pass)?;
            }
            Action::LookUpFails(pass) | Action::Crash(pass) => state.passes[pass] = At::Over,
            Action::LateWork { ties } => {
                state.late -= 1;
                state.make(ties);
            }
            Action::Completed(number) => {
                state.status[usize::from(number)] = Status::Available;
            }
            Action::Broken(number) => state.status[usize::from(number)] = Status::Error,
            Action::BeginTheLast => {
                state.is_calm = true;
                state.passes = vec![At::Beginning];
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("no step removes the last available one", |_, state| {
                !state.has_lost_the_last
            }),
            Property::<Self>::always("one more pass leaves exactly one", |_, state| {
                !(state.is_calm && state.all_over()) || state.count(Status::Available) == 1
            }),
            // What would be shown of nothing is worth nothing.
            Property::<Self>::sometimes("there are twins", |_, state| !state.twins().is_empty()),
            Property::<Self>::sometimes("the last pass has ended", |_, state| {
                state.is_calm && state.all_over()
            }),
            Property::<Self>::sometimes("the last pass removes twins", |_, state| {
                state.is_calm
                    && matches!(&state.passes[0], At::Removing { left } if !left.is_empty())
            }),
        ]
    }
}
