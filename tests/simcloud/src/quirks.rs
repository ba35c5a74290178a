//! Listings that are not what the documentation says: clouds are patched, sit behind proxies,
//! and have other databases.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// What is odd about the listings. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// How a list of snapshots is sorted.
    pub snapshot_sort: Sorting,
    /// What a `metadata` filter does to a list of snapshots.
    pub snapshot_filter: Filtering,
    /// What a `metadata` filter does to a list of volumes.
    pub volume_filter: Filtering,
    /// Where rows without a time of creation are put.
    pub undated: Undated,
    /// What happens to pages that are too large, of either list.
    pub large_pages: Option<LargePages>,
    /// Whether a marker is looked for among the rows that the filters let through, and is not
    /// found elsewhere. Cinder itself takes any that exists.
    pub filtered_markers: bool,
}

/// How a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sorting {
    /// As asked, and newest first where nothing is asked.
    #[default]
    AsAsked,
    /// The wrong way round.
    Reversed,
    /// By id, whatever is asked.
    ById,
    /// In some order that stays the same, drawn from this number.
    Shuffled(u64),
}

/// What a `metadata` filter does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filtering {
    /// Finds the rows that have all its pairs.
    #[default]
    AllPairs,
    /// Finds the rows that have any of its pairs.
    AnyPair,
    /// Finds the rows that have the first of its pairs.
    FirstPair,
    /// Finds all rows.
    Ignored,
    /// Finds nothing.
    Empty,
    /// Is refused with this status.
    Refused(u16),
}

/// Where rows without a time of creation come in a list that is sorted by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undated {
    /// As the smallest of all, which is MySQL's way: last, newest first.
    #[default]
    Smallest,
    /// As the largest of all, which is PostgreSQL's way: first, newest first.
    Largest,
    /// Where their hidden time of creation belongs.
    InPlace,
}

/// Pages above this size do not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargePages {
    /// Rows that are still all right.
    pub above: usize,
    /// What happens to larger ones.
    pub fate: Fate,
}

/// What happens to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Some proxy gives up after this long, with this status.
    Status(u16, Duration),
    /// It arrives this much later.
    Late(Duration),
    /// It never arrives.
    Never,
}

impl Sorting {
    /// The order of two rows by their ids, where the rows' own order does not count.
    pub(crate) fn by_id<T: Ord + Hash>(self, one: T, other: T) -> Option<Ordering> {
        match self {
            Self::AsAsked | Self::Reversed => None,
            Self::ById => Some(one.cmp(&other)),
            Self::Shuffled(seed) => {
                let drawn = |id: &T| {
                    let mut hasher = DefaultHasher::new();
                    (seed, id).hash(&mut hasher);
                    hasher.finish()
                };
                Some(drawn(&one).cmp(&drawn(&other)).then(one.cmp(&other)))
            }
        }
    }
}
