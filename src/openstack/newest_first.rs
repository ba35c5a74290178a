//! Listing snapshots newest first, and only as far back as they matter.
//!
//! A listing that is long enough is ended where its rows are too old to matter. That is right only
//! where the order holds, so the order is checked row by row, and believed only once it was seen
//! to fall: rows of one second prove nothing, and a single row neither.

use std::cell::Cell;

use chrono::{DateTime, Utc};

/// What the listings of one question have shown of the order, all taken together: they are sorted
/// by the same rule.
#[derive(Debug, Default)]
pub(super) struct Order {
    falls: Cell<bool>,
    rises: Cell<bool>,
}

/// How far down one listing has come.
#[derive(Debug)]
pub(super) struct Descent<'a> {
    order: &'a Order,
    last: Option<DateTime<Utc>>,
    /// No row may be newer than this: the one that the listing begins behind. That the next is
    /// older proves nothing, since it is not the next of the same listing.
    ceiling: Option<DateTime<Utc>>,
    /// A row without a time can stand anywhere: what follows it is not known to be older.
    has_undated: bool,
}

impl Order {
    /// A listing that has come nowhere.
    pub(super) fn descent(&self) -> Descent<'_> {
        Descent {
            order: self,
            last: None,
            ceiling: None,
            has_undated: false,
        }
    }

    /// Whether some row was newer than the one before it.
    pub(super) fn rises(&self) -> bool {
        self.rises.get()
    }
}

impl Descent<'_> {
    /// Takes the next row in.
    pub(super) fn row(&mut self, created_at: Option<DateTime<Utc>>) {
        let Some(at) = created_at else {
            self.has_undated = true;
            return;
        };
        if let Some(last) = self.last {
            self.order.falls.set(self.order.falls.get() || at < last);
            self.order.rises.set(self.order.rises.get() || at > last);
        }
        let rises = self.ceiling.is_some_and(|ceiling| at > ceiling);
        self.order.rises.set(self.order.rises.get() || rises);
        self.last = Some(at);
    }

    /// Begins behind the last row of another listing.
    pub(super) fn begin_behind(&mut self, other: &Self) {
        self.ceiling = other.last;
    }

    /// Whether every row so far said when it was made.
    pub(super) fn is_dated(&self) -> bool {
        self.last.is_some() && !self.has_undated
    }

    /// Begins again with the first row.
    pub(super) fn restart(&mut self) {
        self.last = None;
        self.ceiling = None;
        self.has_undated = false;
    }

    /// Whether all rows that are still to come are older than this. Asked between two pages, so
    /// that no row of a page goes unchecked.
    pub(super) fn has_passed(&self, back_to: DateTime<Utc>) -> bool {
        let is_believed = self.order.falls.get() && !self.order.rises.get() && !self.has_undated;
        is_believed && self.last.is_some_and(|last| last < back_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("an instant")
    }

    /// Whether a listing with these rows has passed the instant 50.
    fn passes(order: &Order, rows: &[Option<i64>]) -> bool {
        let mut descent = order.descent();
        rows.iter().for_each(|row| descent.row(row.map(at)));
        descent.has_passed(at(50))
    }

    #[test]
    fn a_listing_ends_only_where_its_rows_were_seen_to_fall_and_are_too_old() {
        let some = |rows: &[i64]| rows.iter().copied().map(Some).collect::<Vec<_>>();
        for (rows, passed) in [
            (vec![], false),
            (some(&[90, 80, 70]), false),
            (some(&[90, 80, 50]), false),
            (some(&[90, 80, 49]), true),
            (some(&[90, 49, 49, 10]), true),
            // One row, or several of one second, show no order.
            (some(&[10]), false),
            (some(&[10, 10, 10]), false),
            // The wrong way round, or in no order.
            (some(&[10, 20, 30]), false),
            (some(&[90, 40, 41, 30]), false),
            (some(&[90, 40, 91, 30]), false),
            // A row without a time proves nothing, wherever it is.
            (vec![None, Some(90), Some(40)], false),
            (vec![Some(90), None, Some(40)], false),
            (vec![Some(90), Some(40), None], false),
        ] {
            assert_eq!(passes(&Order::default(), &rows), passed, "{rows:?}");
        }
    }

    #[test]
    fn what_one_listing_shows_of_the_order_counts_for_all() {
        let order = Order::default();
        assert!(!passes(&order, &[Some(10)]));
        assert!(!passes(&order, &[Some(90), Some(80)]));
        assert!(passes(&order, &[Some(10)]), "another was seen to fall");
        assert!(!passes(&order, &[Some(70), Some(80)]));
        assert!(order.rises());
        assert!(!passes(&order, &[Some(90), Some(40)]), "another rose");
    }

    #[test]
    fn a_listing_that_begins_behind_anothers_rows_has_none_that_is_newer() {
        for (rows, passed, rises) in [
            ([80, 40], true, false),
            ([85, 85], false, false),
            ([86, 40], false, true),
            // That they are older than what was before them proves nothing.
            ([40, 40], false, false),
        ] {
            let order = Order::default();
            let mut other = order.descent();
            other.row(Some(at(85)));
            let mut descent = order.descent();
            descent.begin_behind(&other);
            rows.iter().for_each(|row| descent.row(Some(at(*row))));
            assert_eq!(descent.has_passed(at(50)), passed, "{rows:?}");
            assert_eq!(order.rises(), rises, "{rows:?}");
        }
    }

    #[test]
    fn a_listing_that_is_begun_again_does_not_rise_from_its_end_to_its_beginning() {
        let order = Order::default();
        let mut descent = order.descent();
        for row in [Some(90), Some(40), None] {
            descent.row(row.map(at));
        }
        descent.restart();
        for row in [90, 40] {
            descent.row(Some(at(row)));
        }
        assert!(descent.has_passed(at(50)));
    }
}
