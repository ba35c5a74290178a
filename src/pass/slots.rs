//! How many snapshots may be in `creating` at a time, of each volume type.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::creation::UnderWay;
use crate::plan::{DueWindow, Shard};

/// The slots of each volume type. A tenant sees no backends, and a type is the nearest to one.
pub(super) struct Slots {
    limit: usize,
    taken: BTreeMap<Option<String>, usize>,
    /// What was under way before this pass and nobody has had to wait for yet.
    others: BTreeMap<Option<String>, Vec<UnderWay>>,
}

impl Slots {
    /// This pass's part of `max_creating` slots a type, less what is `under_way` already.
    pub(super) fn new(max_creating: usize, shard: Option<Shard>, under_way: Vec<UnderWay>) -> Self {
        let shares = shard.map_or(1, |shard| shard.count.max(1) as usize);
        let mut slots = Self {
            limit: (max_creating / shares).max(1),
            taken: BTreeMap::new(),
            others: BTreeMap::new(),
        };
        for other in under_way {
            slots.take(&other.volume_type);
            slots
                .others
                .entry(other.volume_type.clone())
                .or_default()
                .push(other);
        }
        slots
    }

    /// Which of these windows, by their places, can leave at one moment: all of them, unless
    /// they are more than `at_once`, or more of one type than it has slots.
    pub(super) fn chunk(&self, windows: &[DueWindow], at_once: usize) -> Vec<usize> {
        let mut of_type: BTreeMap<&Option<String>, usize> = BTreeMap::new();
        let mut chunk = Vec::new();
        for (place, due) in windows.iter().enumerate() {
            let count = of_type.entry(&due.volume_type).or_default();
            if *count < self.limit && chunk.len() < at_once {
                *count += 1;
                chunk.push(place);
            }
        }
        chunk
    }

    /// The types of which there are too few slots for these of the windows.
    pub(super) fn lacking(
        &self,
        windows: &[DueWindow],
        chunk: &[usize],
    ) -> BTreeSet<Option<String>> {
        let mut of_type: BTreeMap<&Option<String>, usize> = BTreeMap::new();
        for place in chunk {
            *of_type.entry(&windows[*place].volume_type).or_default() += 1;
        }
        of_type
            .into_iter()
            .filter(|(of, count)| self.taken.get(of).unwrap_or(&0) + count > self.limit)
            .map(|(of, _)| of.clone())
            .collect()
    }

    /// What takes slots of these types and is not watched yet, if anything: from now on it is.
    pub(super) fn unwatched(&mut self, of: &BTreeSet<Option<String>>) -> Option<Vec<UnderWay>> {
        let others: Vec<UnderWay> = of
            .iter()
            .filter_map(|one| self.others.remove(one))
            .flatten()
            .collect();
        (!others.is_empty()).then_some(others)
    }

    /// One more of this type is in `creating`.
    pub(super) fn take(&mut self, of: &Option<String>) {
        *self.taken.entry(of.clone()).or_default() += 1;
    }

    /// One of this type no longer is.
    pub(super) fn free(&mut self, of: &Option<String>) {
        if let Some(taken) = self.taken.get_mut(of) {
            *taken = taken.saturating_sub(1);
        }
    }
}
