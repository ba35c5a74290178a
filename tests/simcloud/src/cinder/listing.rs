//! What the two listings have in common: paging, sorting, links, and which filters are let
//! through.

use std::cmp::Ordering;

use url::form_urlencoded;

use super::Caller;
use super::query::{sort, whole_number};
use crate::answer::{self, Answer};
use crate::call::{Call, Held};
use crate::config::Role;
use crate::id::Id;
use crate::json::{self, Object};
use crate::quirks::{Fate, LargePages, Sorting, Undated};
use crate::table::{Keyed, Table};

/// What differs between volumes and snapshots.
pub(super) struct Collection {
    /// `volumes` or `snapshots`.
    pub(super) name: &'static str,
    /// As an error names one of them.
    pub(super) singular: &'static str,
    /// Filters that members may use.
    pub(super) filters: &'static [&'static str],
    /// Filters that work below 3.31, where nobody looks at the list of those allowed.
    pub(super) unlisted: &'static [&'static str],
}

/// A row that can be sorted by a key other than its place.
pub(super) trait Sortable: Keyed {
    /// Compares by this key; `None` if there is no such key in this microversion.
    fn compare(&self, other: &Self, key: &str) -> Option<Ordering>;
    /// Whether there is such a key in this microversion.
    fn sorts_by(key: &str, minor: u32) -> bool;
    /// Whether the database has no time of creation for it.
    fn undated(&self) -> bool {
        false
    }
}

/// What is odd about a listing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Odd {
    pub(super) sorting: Sorting,
    /// Where rows without a time of creation go, if there are any.
    pub(super) undated: Option<Undated>,
    pub(super) large_pages: Option<LargePages>,
    /// Whether a marker has to pass the filters.
    pub(super) filtered_markers: bool,
}

/// The rows that a listing looks at.
pub(super) struct Rows<'a, 'k, T> {
    pub(super) table: &'a Table<T>,
    /// Narrows the table to these rows, newest first.
    pub(super) some: Option<Vec<&'a T>>,
    /// Whether the filters let a row through.
    pub(super) keep: &'k dyn Fn(&T) -> bool,
    pub(super) odd: Odd,
}

impl<T: Keyed> Rows<'_, '_, T> {
    fn count(&self) -> usize {
        match &self.some {
            Some(rows) => rows.iter().filter(|row| (self.keep)(row)).count(),
            None => self.table.iter().filter(|row| (self.keep)(row)).count(),
        }
    }
}

/// A listing's query, understood.
#[derive(Debug)]
pub(super) struct Listing {
    limit: usize,
    offset: usize,
    marker: Option<String>,
    /// Key and whether it ascends; never empty.
    sort: Vec<(String, bool)>,
    with_count: bool,
    pub(super) filters: Vec<(String, String)>,
    /// A filter is of a kind that finds nothing.
    pub(super) hopeless: bool,
}

const PAGING: [&str; 8] = [
    "limit",
    "marker",
    "offset",
    "sort",
    "sort_key",
    "sort_dir",
    "all_tenants",
    "with_count",
];

impl Listing {
    pub(super) fn read<T: Sortable>(
        call: &Call,
        caller: Caller,
        collection: &Collection,
        osapi_max_limit: usize,
    ) -> Result<Self, Answer> {
        let query = call.query();
        let value = |wanted: &str| {
            query
                .iter()
                .find(|(key, _)| key == wanted)
                .map(|(_, value)| value.as_str())
        };
        let limit = whole_number("limit", value("limit"))?;
        let offset = whole_number("offset", value("offset"))?;
        let mut listing = Self {
            limit: limit.unwrap_or(osapi_max_limit).min(osapi_max_limit),
            offset: offset.unwrap_or(0),
            marker: value("marker").map(str::to_owned),
            sort: sort(value("sort"), value("sort_key"), value("sort_dir"))?,
            with_count: caller.minor >= 45
                && value("with_count").is_some_and(|v| matches!(v, "true" | "True" | "1")),
            filters: Vec::new(),
            hopeless: false,
        };
        if listing
            .sort
            .iter()
            .any(|(key, _)| !T::sorts_by(key, caller.minor))
        {
            return Err(answer::fault(
                400,
                "Invalid input received: Invalid sort key",
            ));
        }
        let mut unknown = Vec::new();
        for (key, value) in &query {
            if PAGING.contains(&key.as_str()) {
                continue;
            }
            let allowed = collection.filters.contains(&key.as_str())
                || (caller.minor < 31 && collection.unlisted.contains(&key.as_str()));
            if allowed {
                listing.filters.push((key.clone(), value.clone()));
            } else {
                unknown.push(key.as_str());
            }
        }
        if !unknown.is_empty() {
            if caller.role == Role::Admin {
                listing.hopeless = true;
            } else if caller.minor >= 31 {
                let names = unknown.join(", ");
                let text = format!("Invalid filters {names} are found in query options.");
                return Err(answer::fault(400, &text));
            }
        }
        Ok(listing)
    }

    fn native(&self, odd: Odd) -> Option<bool> {
        if odd.sorting != Sorting::AsAsked || odd.undated.is_some() {
            return None;
        }
        let (key, ascending) = &self.sort[0];
        let plain = key == "created_at"
            && self.sort[1..]
                .iter()
                .all(|(k, asc)| k == "id" && asc == ascending);
        plain.then_some(*ascending)
    }

    fn compare<T: Sortable>(&self, odd: Odd, one: &T, other: &T) -> Ordering {
        if let Some(order) = odd.sorting.by_id(one.id(), other.id()) {
            return order;
        }
        let order = self.right_order(odd, one, other);
        if odd.sorting == Sorting::Reversed {
            order.reverse()
        } else {
            order
        }
    }

    fn right_order<T: Sortable>(&self, odd: Odd, one: &T, other: &T) -> Ordering {
        let ties = ["created_at", "id"].map(|key| (key, self.sort[0].1));
        let keys = self
            .sort
            .iter()
            .map(|(key, ascending)| (key.as_str(), *ascending));
        for (key, ascending) in keys.chain(ties) {
            let order = match odd.undated {
                Some(Undated::Smallest) if key == "created_at" => {
                    other.undated().cmp(&one.undated())
                }
                Some(Undated::Largest) if key == "created_at" => {
                    one.undated().cmp(&other.undated())
                }
                _ => Ordering::Equal,
            };
            let order = order.then(one.compare(other, key).unwrap_or(Ordering::Equal));
            let order = if ascending { order } else { order.reverse() };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Picks the page's rows.
    fn pick<'a, T: Sortable>(
        &self,
        rows: Rows<'a, '_, T>,
        singular: &str,
    ) -> Result<Vec<&'a T>, Answer> {
        let Rows {
            table,
            some,
            keep,
            odd,
        } = rows;
        let marker = match &self.marker {
            None => None,
            Some(text) => {
                let row = text.parse::<Id>().ok().and_then(|id| table.get(id));
                let row = row.filter(|row| !odd.filtered_markers || keep(row));
                Some(row.ok_or_else(|| answer::not_found(singular, text))?)
            }
        };
        let place = marker.map(Keyed::place);
        let rows: Box<dyn Iterator<Item = &'a T>> = match (self.native(odd), some, place) {
            (Some(false), None, None) => Box::new(table.iter()),
            (Some(false), None, Some(place)) => Box::new(table.after(place)),
            (Some(true), None, None) => Box::new(table.iter().rev()),
            (Some(true), None, Some(place)) => Box::new(table.before(place)),
            (_, some, _) => {
                let mut rows = some.unwrap_or_else(|| table.iter().collect());
                rows.retain(|row| keep(row));
                if let Some(marker) = marker {
                    rows.retain(|row| self.compare(odd, *row, marker) == Ordering::Greater);
                }
                rows.sort_by(|one, other| self.compare(odd, *one, *other));
                Box::new(rows.into_iter())
            }
        };
        Ok(rows
            .filter(|row| keep(row))
            .skip(self.offset)
            .take(self.limit)
            .collect())
    }

    /// Writes the page.
    pub(super) fn answer<'a, T: Sortable>(
        &self,
        call: &Call,
        links: &str,
        collection: &Collection,
        rows: Rows<'a, '_, T>,
        write: &dyn Fn(&T, &mut String),
    ) -> Result<Answer, Answer> {
        let count = self.with_count.then(|| rows.count());
        let large = rows.odd.large_pages;
        let rows = self.pick(rows, collection.singular)?;
        let fate = large.filter(|large| rows.len() > large.above);
        if let Some(Fate::Status(status, delay)) = fate.map(|large| large.fate) {
            let mut answer = answer::fault(status, "The server did not respond in time.");
            answer.extensions_mut().insert(Held::For(delay));
            return Err(answer);
        }
        let mut out = String::with_capacity(64 + rows.len() * 640);
        let mut page = Object::begin(&mut out);
        let list = page.key(collection.name);
        list.push('[');
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                list.push_str(", ");
            }
            write(row, list);
        }
        list.push(']');
        // A full page has a link even if there is nothing behind it.
        if let Some(last) = rows.last().filter(|_| rows.len() == self.limit) {
            let list = page.key(&format!("{}_links", collection.name));
            list.push_str("[{\"rel\": \"next\", \"href\": ");
            json::string(list, &next_link(call, links, &last.id().to_string()));
            list.push_str("}]");
        }
        if let Some(count) = count {
            page.number("count", count as u64);
        }
        page.end();
        let mut answer = answer::json(200, out);
        match fate.map(|large| large.fate) {
            Some(Fate::Late(delay)) => drop(answer.extensions_mut().insert(Held::For(delay))),
            Some(Fate::Never) => drop(answer.extensions_mut().insert(Held::ForEver)),
            _ => {}
        }
        Ok(answer)
    }
}

fn next_link(call: &Call, base: &str, marker: &str) -> String {
    let mut query = call.query();
    query.sort();
    match query.iter_mut().find(|(key, _)| key == "marker") {
        Some((_, value)) => marker.clone_into(value),
        None => query.push(("marker".into(), marker.into())),
    }
    let text = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    format!("{base}{}{}?{text}", call.target.mount, call.target.path)
}
