//! The snapshots of one window, as far as they tell passes apart.
//!
//! They stand in the order on which all passes agree: by `created_at`, then by id. Both are up to
//! the cloud, whose hosts have clocks of their own, so a new one may come to stand anywhere. One
//! that is gone leaves no trace: so states that differ in nothing that matters are one.

/// The most snapshots of a window that are there at a time; more is a mistake of the model.
pub const CAPACITY: usize = 8;

/// A snapshot's place in the order on which all passes agree.
pub type Rank = u8;

/// How a snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The storage is at work.
    Creating,
    /// It can be restored from.
    Available,
    /// The storage has failed.
    Error,
}

/// Some snapshots, by their ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set(u8);

impl Set {
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    pub fn contains(self, rank: Rank) -> bool {
        self.0 & (1 << rank) != 0
    }

    /// Those and this one.
    #[must_use]
    pub fn with(self, rank: Rank) -> Self {
        Self(self.0 | 1 << rank)
    }

    /// Those without this one.
    #[must_use]
    pub fn without(self, rank: Rank) -> Self {
        Self(self.0 & !(1 << rank))
    }

    /// Those without the first of them.
    #[must_use]
    pub fn without_the_first(self) -> Self {
        self.ranks()
            .next()
            .map_or(self, |first| self.without(first))
    }

    /// Their ranks, ascending.
    pub fn ranks(self) -> impl Iterator<Item = Rank> {
        (0..CAPACITY as Rank).filter(move |rank| self.contains(*rank))
    }

    /// The same ones, after another has come to stand at this rank.
    pub(crate) fn after_insertion(self, at: Rank) -> Self {
        let below = (1 << at) - 1;
        Self(self.0 & below | (self.0 & !below) << 1)
    }

    /// The same ones, after the one at this rank has gone.
    pub(crate) fn after_removal(self, at: Rank) -> Self {
        let below = (1 << at) - 1;
        Self(self.0 & below | (self.0 >> 1) & !below)
    }
}

/// The window's snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cloud([Option<Status>; CAPACITY]);

impl Cloud {
    /// A window with these snapshots, the first of them first.
    pub fn of(statuses: &[Status]) -> Self {
        let mut cloud = Self::default();
        for (rank, status) in (0..).zip(statuses) {
            cloud.set(rank, *status);
        }
        cloud
    }

    /// How many there are.
    pub fn len(&self) -> Rank {
        self.0.iter().flatten().count() as Rank
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How one stands; nothing where it is gone.
    pub fn status(&self, rank: Rank) -> Option<Status> {
        self.0[usize::from(rank)]
    }

    /// Those for which this holds.
    pub fn those(&self, holds: impl Fn(Status) -> bool) -> Set {
        (0..self.len())
            .filter(|rank| self.status(*rank).is_some_and(&holds))
            .fold(Set::default(), Set::with)
    }

    /// Those that stand like this.
    pub fn in_state(&self, status: Status) -> Set {
        self.those(|one| one == status)
    }

    /// How many stand like this.
    pub fn count(&self, status: Status) -> usize {
        self.0
            .iter()
            .flatten()
            .filter(|one| **one == status)
            .count()
    }

    pub(crate) fn set(&mut self, rank: Rank, status: Status) {
        self.0[usize::from(rank)] = Some(status);
    }

    pub(crate) fn insert(&mut self, at: Rank) {
        assert_eq!(self.0[CAPACITY - 1], None, "more snapshots than CAPACITY");
        self.0[usize::from(at)..].rotate_right(1);
        self.set(at, Status::Creating);
    }

    pub(crate) fn remove(&mut self, rank: Rank) {
        self.0[usize::from(rank)] = None;
        self.0[usize::from(rank)..].rotate_left(1);
    }
}
