//! Everything that matters at one moment, and the steps that lead to the next.

use crate::cloud::{Cloud, Rank, Set, Status};
use crate::pass::At;

/// The most passes that can be modelled.
pub const MOST_PASSES: usize = 3;

/// Everything that matters at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Sorted, since passes are all alike: states that differ in their names only are one.
    pub(crate) passes: [At; MOST_PASSES],
    pub(crate) cloud: Cloud,
    /// Requests whose work is still to be done.
    pub(crate) late: u8,
    /// How many things can still go wrong.
    pub(crate) misfortunes: u8,
    /// Whether all is over, and the one more pass is under way.
    pub(crate) is_last: bool,
    /// Whether a step has removed the last available snapshot.
    pub(crate) has_lost_the_last: bool,
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
    pub(crate) fn has_duplicates(&self) -> bool {
        self.cloud.count(Status::Available) > 1
    }

    pub(crate) fn is_over(&self) -> bool {
        self.passes.iter().all(|pass| *pass == At::Over)
    }

    /// Those that serve the window, or soon will.
    pub(crate) fn serving(&self) -> usize {
        self.cloud.count(Status::Available) + self.cloud.count(Status::Creating)
    }

    pub(crate) fn under_way(&self) -> usize {
        let is_under_way = |pass: &&At| !matches!(pass, At::Beginning | At::Over);
        self.passes.iter().filter(is_under_way).count()
    }

    pub(crate) fn create(&mut self, at: Rank) {
        self.cloud.insert(at);
        for pass in &mut self.passes {
            *pass = pass.after_insertion(at);
        }
    }

    pub(crate) fn delete(&mut self, rank: Rank) {
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
    pub(crate) fn next_deletions(&self, pass: usize) -> Set {
        match self.passes[pass] {
            At::Cleaning { left, .. } | At::Removing { left } => left,
            At::Discarding { of } => Set::default().with(of),
            _ => Set::default(),
        }
    }
}

impl Action {
    pub(crate) fn is_misfortune(self) -> bool {
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
