//! One pass: where it is, and what of the window it remembers.

use crate::cloud::{Rank, Set};

/// Where a pass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// It has not looked yet.
    Beginning,
    /// It deletes what is in the way.
    Cleaning {
        /// What is still to be deleted.
        left: Set,
        /// What was there when it began.
        known: Set,
    },
    /// Its request leaves next.
    Sending {
        /// What was there when it began.
        known: Set,
    },
    /// An answer was lost, and it looks for the snapshot next.
    LookingUp {
        /// What was there when it began.
        known: Set,
        /// Whether this is the look right before another try.
        again: bool,
    },
    /// It waits for a snapshot.
    Waiting {
        /// For which.
        of: Rank,
        /// Whether it has made it, or only found it.
        is_own: bool,
    },
    /// Its own broke, and is deleted next.
    Discarding {
        /// Which.
        of: Rank,
    },
    /// Its own is available, and it looks for duplicates next.
    Settling {
        /// Its own; the program's rule does not ask, and then it is not remembered.
        own: Option<Rank>,
    },
    /// It deletes what one look has shown to be superfluous.
    Removing {
        /// What is still to be deleted.
        left: Set,
    },
    /// It has ended, well or badly.
    Over,
}

impl At {
    /// Removing these, where there are any.
    pub(crate) fn removing(left: Set) -> Self {
        if left.is_empty() {
            Self::Over
        } else {
            Self::Removing { left }
        }
    }

    /// The same place, after a snapshot has come to stand at this rank.
    pub(crate) fn after_insertion(self, at: Rank) -> Self {
        let moved = |rank: Rank| if rank >= at { rank + 1 } else { rank };
        self.mapped(|set| set.after_insertion(at), |rank| Some(moved(rank)))
    }

    /// The same place, after the snapshot at this rank has gone. Who waits for it sees that and
    /// ends, and who is to delete it is told that it is gone already.
    pub(crate) fn after_removal(self, at: Rank) -> Self {
        self.mapped(
            |set| set.after_removal(at),
            |rank| (rank != at).then_some(if rank > at { rank - 1 } else { rank }),
        )
    }

    fn mapped(self, set: impl Fn(Set) -> Set, rank: impl Fn(Rank) -> Option<Rank>) -> Self {
        match self {
            Self::Beginning | Self::Over => self,
            Self::Cleaning { left, known } => {
                let (left, known) = (set(left), set(known));
                if left.is_empty() {
                    Self::Sending { known }
                } else {
                    Self::Cleaning { left, known }
                }
            }
            Self::Sending { known } => Self::Sending { known: set(known) },
            Self::LookingUp { known, again } => Self::LookingUp {
                known: set(known),
                again,
            },
            Self::Waiting { of, is_own } => {
                rank(of).map_or(Self::Over, |of| Self::Waiting { of, is_own })
            }
            Self::Discarding { of } => rank(of).map_or(Self::Over, |of| Self::Discarding { of }),
            Self::Settling { own } => Self::Settling {
                own: own.and_then(rank),
            },
            Self::Removing { left } => Self::removing(set(left)),
        }
    }
}
