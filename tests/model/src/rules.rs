//! The rules by which passes go: the program's own, and broken ones that show what the checker
//! would say.

use crate::cloud::{Cloud, Rank, Set, Status};

/// Which of several snapshots of a window go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Of the available ones all but the first: the program's rule, in `plan::duplicates`.
    #[default]
    AvailableButTheFirst,
    /// Broken: a pass keeps its own and removes the others.
    AllButOwn,
    /// Broken: one that is still being created may be the one that stays.
    CreatingMayStay,
    /// Broken: nobody removes any.
    Nobody,
}

/// What makes a window look served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Serving {
    /// One that is available or on its way: the program's rule, in `plan::snapshot`.
    #[default]
    CreatingToo,
    /// Broken: only an available one.
    AvailableOnly,
}

/// What is done when an answer was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostAnswer {
    /// The snapshot is looked for: the program's rule, in `openstack::creation`.
    #[default]
    LookedUp,
    /// Broken: the request is sent again.
    SentAgain,
}

/// The rules by which passes go; the default ones are the program's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Which of several snapshots of a window go.
    pub duplicates: Duplicates,
    /// What makes a window look served.
    pub serving: Serving,
    /// What is done when an answer was lost.
    pub lost_answer: LostAnswer,
}

impl Rules {
    /// Whether the window looks served.
    pub fn is_served(&self, cloud: &Cloud) -> bool {
        cloud.count(Status::Available) > 0
            || self.serving == Serving::CreatingToo && cloud.count(Status::Creating) > 0
    }

    /// Those that a look shows to be superfluous. `own` is the one that the pass has made.
    pub fn superfluous(&self, cloud: &Cloud, own: Option<Rank>) -> Set {
        let available = cloud.in_state(Status::Available);
        match (self.duplicates, own) {
            (Duplicates::Nobody, _) => Set::default(),
            (Duplicates::AllButOwn, Some(own)) => available.without(own),
            (Duplicates::AvailableButTheFirst | Duplicates::AllButOwn, _) => {
                available.without_the_first()
            }
            (Duplicates::CreatingMayStay, _) => {
                let stays = cloud.those(|one| one != Status::Error);
                let others = stays.without_the_first();
                others
                    .ranks()
                    .filter(|one| available.contains(*one))
                    .fold(Set::default(), Set::with)
            }
        }
    }

    /// What a look-up takes for the one whose answer was lost: of those that were not there
    /// when the pass began, one that serves before one that broke, and the newest of those.
    pub fn found(&self, cloud: &Cloud, known: Set) -> Option<Rank> {
        [Status::Available, Status::Creating, Status::Error]
            .into_iter()
            .find_map(|status| {
                let ours = cloud.in_state(status);
                ours.ranks().filter(|rank| !known.contains(*rank)).last()
            })
    }
}
