//! Snapshots as Cinder shows them.

use std::cmp::Ordering;

use super::Caller;
use super::listing::{Collection, Listing, Odd, Rows, Sortable};
use super::query::{metadata_filter, same_text};
use super::volumes::{id, write_metadata};
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::id::Id;
use crate::json::Object;
use crate::quirks::Filtering;
use crate::rows::SnapshotRow;
use crate::state::State;
use crate::table::Table;

const SNAPSHOTS: Collection = Collection {
    name: "snapshots",
    singular: "Snapshot",
    filters: &[
        "name",
        "status",
        "volume_id",
        "metadata",
        "availability_zone",
        "consumes_quota",
    ],
    unlisted: &[],
};

impl Sortable for SnapshotRow {
    fn compare(&self, other: &Self, key: &str) -> Option<Ordering> {
        Some(match key {
            "id" => self.id.cmp(&other.id),
            "created_at" => self.created_at.cmp(&other.created_at),
            "volume_id" => self.volume_id.cmp(&other.volume_id),
            "status" => self.status.cmp(&other.status),
            "updated_at" => self.updated_at.cmp(&other.updated_at),
            "name" => self.name.cmp(&other.name),
            _ => return None,
        })
    }

    fn undated(&self) -> bool {
        self.undated
    }

    fn sorts_by(key: &str, minor: u32) -> bool {
        matches!(
            key,
            "id" | "created_at" | "volume_id" | "status" | "updated_at"
        ) || (key == "name" && minor >= 30)
    }
}

type Keep = Box<dyn Fn(&SnapshotRow) -> bool>;

fn filter(key: &str, value: String, minor: u32, filtering: Filtering) -> Result<Keep, Answer> {
    Ok(match key {
        "metadata" if minor < 22 => Box::new(|_| true),
        "metadata" => match metadata_filter(&value, filtering)? {
            Some(fits) => Box::new(move |row| fits(&row.metadata)),
            None => Box::new(|_| false),
        },
        "name" => Box::new(move |row| {
            row.name
                .as_deref()
                .is_some_and(|name| same_text(name, &value))
        }),
        "status" => Box::new(move |row| same_text(&row.status, &value)),
        "volume_id" => {
            let wanted: Option<Id> = value.parse().ok();
            Box::new(move |row| Some(row.volume_id) == wanted)
        }
        "consumes_quota" => Box::new(|_| true),
        _ => Box::new(|_| false),
    })
}

pub(super) fn list(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let max = state.config.osapi_max_limit;
    let quirks = &state.config.quirks;
    let listing = Listing::read::<SnapshotRow>(call, caller, &SNAPSHOTS, max)?;
    let filters: Vec<Keep> = listing
        .filters
        .iter()
        .map(|(key, value)| filter(key, value.clone(), caller.minor, quirks.snapshot_filter))
        .collect::<Result<_, _>>()?;
    let keep = |row: &SnapshotRow| !listing.hopeless && filters.iter().all(|keep| keep(row));
    let links = state
        .config
        .link_base
        .clone()
        .unwrap_or_else(|| call.base());
    let detail = call.target.segment(1) == "detail";
    let nothing = Table::default();
    let table = if caller.home {
        &state.snapshots
    } else {
        &nothing
    };
    let volume = listing.filters.iter().find(|(key, _)| key == "volume_id");
    let some = volume
        .and_then(|(_, value)| value.parse::<Id>().ok())
        .filter(|_| caller.home)
        .map(|volume| state.snapshots_of(volume).collect());
    let rows = Rows {
        table,
        some,
        keep: &keep,
        odd: Odd {
            sorting: quirks.snapshot_sort,
            undated: state.undated.then_some(quirks.undated),
            large_pages: quirks.large_pages,
            filtered_markers: quirks.filtered_markers,
        },
    };
    listing.answer(call, &links, &SNAPSHOTS, rows, &|row, out| {
        let mut object = Object::begin(out);
        write(&mut object, row, shown_created_at(row));
        if detail {
            write_detail(&mut object, state, row, caller);
        }
        object.end();
    })
}

fn shown_created_at(row: &SnapshotRow) -> Option<chrono::DateTime<chrono::Utc>> {
    (!row.undated).then_some(row.created_at)
}

pub(super) fn write(
    object: &mut Object<'_>,
    row: &SnapshotRow,
    created_at: Option<chrono::DateTime<chrono::Utc>>,
) {
    id(object, "id", row.id);
    object.time("created_at", created_at);
    object.time("updated_at", row.updated_at);
    object.optional("name", row.name.as_deref());
    object.optional("description", row.description.as_deref());
    id(object, "volume_id", row.volume_id);
    object.string("status", &row.status);
    object.number("size", row.size);
    write_metadata(&row.metadata, object.key("metadata"));
}

fn write_detail(object: &mut Object<'_>, state: &State, row: &SnapshotRow, caller: Caller) {
    object.string(
        "os-extended-snapshot-attributes:project_id",
        &state.project_id,
    );
    let progress = if matches!(&*row.status, "creating" | "error") {
        "0%"
    } else {
        "100%"
    };
    object.string("os-extended-snapshot-attributes:progress", progress);
    write_later_fields(object, state, caller);
}

pub(super) fn write_later_fields(object: &mut Object<'_>, state: &State, caller: Caller) {
    if caller.minor >= 14 {
        object.raw("group_snapshot_id", "null");
    }
    if caller.minor >= 41 {
        object.string("user_id", &state.user_id);
    }
    if caller.minor >= 65 {
        object.flag("consumes_quota", true);
    }
}

/// The snapshot that the path names.
pub(super) fn find<'a>(
    state: &'a State,
    call: &Call,
    caller: Caller,
) -> Result<&'a SnapshotRow, Answer> {
    let text = call.target.segment(1);
    text.parse::<Id>()
        .ok()
        .filter(|_| caller.home)
        .and_then(|id| state.snapshots.get(id))
        .ok_or_else(|| answer::not_found("Snapshot", text))
}

pub(super) fn get(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = find(state, call, caller)?;
    let mut out = String::with_capacity(640);
    let mut outer = Object::begin(&mut out);
    let mut object = Object::begin(outer.key("snapshot"));
    write(&mut object, row, shown_created_at(row));
    write_detail(&mut object, state, row, caller);
    object.end();
    outer.end();
    Ok(answer::json(200, out))
}
