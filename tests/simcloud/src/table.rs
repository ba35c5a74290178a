//! Rows in the order in which Cinder lists them, newest first and ties by id from above; found
//! by id or by marker without a walk, so that a page costs the same in a table of a hundred
//! rows and of a hundred thousand.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use chrono::{DateTime, Utc};

use crate::id::Id;

/// A row's place.
pub(crate) type Place = (Reverse<DateTime<Utc>>, Reverse<Id>);

/// What the table needs to know of a row.
pub(crate) trait Keyed {
    fn id(&self) -> Id;
    fn created_at(&self) -> DateTime<Utc>;

    fn place(&self) -> Place {
        (Reverse(self.created_at()), Reverse(self.id()))
    }
}

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<Place, T>,
    places: HashMap<Id, Place>,
    version: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            places: HashMap::new(),
            version: 0,
        }
    }
}

impl<T: Keyed> Table<T> {
    /// Puts a row in; the one with its id goes.
    pub(crate) fn insert(&mut self, row: T) {
        self.remove(row.id());
        self.version += 1;
        self.places.insert(row.id(), row.place());
        self.rows.insert(row.place(), row);
    }

    pub(crate) fn remove(&mut self, id: Id) -> Option<T> {
        let place = self.places.remove(&id)?;
        self.version += 1;
        self.rows.remove(&place)
    }

    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        self.at(self.places.get(&id)?)
    }

    /// The row, whose id and time of creation must stay as they are.
    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.version += 1;
        self.rows.get_mut(self.places.get(&id)?)
    }

    pub(crate) fn at(&self, place: &Place) -> Option<&T> {
        self.rows.get(place)
    }

    /// Grows with everything that may have changed a row.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All rows, newest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// The rows that come after this one, newest first.
    pub(crate) fn after(&self, place: Place) -> impl Iterator<Item = &T> {
        self.rows
            .range((Bound::Excluded(place), Bound::Unbounded))
            .map(|(_, row)| row)
    }

    /// The rows that come before this one, oldest first.
    pub(crate) fn before(&self, place: Place) -> impl Iterator<Item = &T> {
        self.rows.range(..place).rev().map(|(_, row)| row)
    }
}
