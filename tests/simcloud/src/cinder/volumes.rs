//! Volumes as Cinder shows them.

use std::cmp::Ordering;

use super::Caller;
use super::listing::{Collection, Listing, Odd, Rows, Sortable};
use super::query::{metadata_filter, same_text};
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::Role;
use crate::id::Id;
use crate::json::Object;
use crate::quirks::Filtering;
use crate::rows::{Metadata, VolumeRow};
use crate::state::State;
use crate::table::Table;

const VOLUMES: Collection = Collection {
    name: "volumes",
    singular: "Volume",
    filters: &[
        "name",
        "status",
        "metadata",
        "bootable",
        "migration_status",
        "availability_zone",
        "group_id",
        "size",
        "created_at",
        "updated_at",
        "encryption_key_id",
        "consumes_quota",
    ],
    unlisted: &UNLISTED,
};

impl Sortable for VolumeRow {
    fn compare(&self, other: &Self, key: &str) -> Option<Ordering> {
        Some(match key {
            "id" => self.id.cmp(&other.id),
            "created_at" => self.created_at.cmp(&other.created_at),
            "name" => self.name.cmp(&other.name),
            "status" => self.status.cmp(&other.status),
            "size" => self.size.cmp(&other.size),
            "updated_at" => self.updated_at.cmp(&other.updated_at),
            _ => return None,
        })
    }

    fn sorts_by(key: &str, _minor: u32) -> bool {
        matches!(
            key,
            "id" | "created_at" | "name" | "status" | "size" | "updated_at"
        )
    }
}

type Keep = Box<dyn Fn(&VolumeRow) -> bool>;

/// Filters that no list for members names; below 3.31 that keeps nobody from using them.
const UNLISTED: [&str; 2] = ["snapshot_id", "volume_type"];

fn filter(key: &str, value: String, filtering: Filtering) -> Result<Keep, Answer> {
    let text = |kept: Option<&str>, value: &str| kept.is_some_and(|kept| same_text(kept, value));
    Ok(match key {
        "metadata" => match metadata_filter(&value, filtering)? {
            Some(fits) => Box::new(move |row| fits(&row.metadata)),
            None => Box::new(|_| false),
        },
        "name" => Box::new(move |row| text(row.name.as_deref(), &value)),
        "status" => Box::new(move |row| same_text(&row.status, &value)),
        "size" => Box::new(move |row| row.size.to_string() == value),
        "bootable" => Box::new(move |row| same_text(&row.bootable.to_string(), &value)),
        "snapshot_id" => {
            let wanted: Option<Id> = value.parse().ok();
            Box::new(move |row| row.snapshot_id.is_some() && row.snapshot_id == wanted)
        }
        "volume_type" => Box::new(move |row| text(row.volume_type.as_deref(), &value)),
        "availability_zone" => Box::new(move |_| same_text("nova", &value)),
        // Taken without complaint; what they find was never seen.
        "created_at" | "updated_at" | "consumes_quota" => Box::new(|_| true),
        _ => Box::new(|_| false),
    })
}

pub(super) fn list(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let max = state.config.osapi_max_limit;
    let quirks = &state.config.quirks;
    let listing = Listing::read::<VolumeRow>(call, caller, &VOLUMES, max)?;
    let filters: Vec<Keep> = listing
        .filters
        .iter()
        .map(|(key, value)| filter(key, value.clone(), quirks.volume_filter))
        .collect::<Result<_, _>>()?;
    let keep = |row: &VolumeRow| !listing.hopeless && filters.iter().all(|keep| keep(row));
    let links = state
        .config
        .link_base
        .clone()
        .unwrap_or_else(|| call.base());
    let view = View::new(state, call, caller);
    let detail = call.target.segment(1) == "detail";
    let nothing = Table::default();
    let table = if caller.home {
        &state.volumes
    } else {
        &nothing
    };
    let rows = Rows {
        table,
        some: None,
        keep: &keep,
        odd: Odd {
            large_pages: quirks.large_pages,
            filtered_markers: quirks.filtered_markers,
            ..Odd::default()
        },
    };
    listing.answer(call, &links, &VOLUMES, rows, &|row, out| {
        if detail {
            view.detail(row, out)
        } else {
            view.summary(row, out)
        }
    })
}

pub(super) fn get(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = find(state, call, caller)?;
    let out = written(state, call, caller, row, Shown::Listed);
    Ok(answer::json(200, out))
}

/// The volume that the path names.
pub(super) fn find<'a>(
    state: &'a State,
    call: &Call,
    caller: Caller,
) -> Result<&'a VolumeRow, Answer> {
    let text = call.target.segment(1);
    text.parse::<Id>()
        .ok()
        .filter(|_| caller.home)
        .and_then(|id| state.volumes.get(id))
        .ok_or_else(|| answer::not_found("Volume", text))
}

pub(super) fn write_metadata(metadata: &Metadata, out: &mut String) {
    let mut object = Object::begin(out);
    for (key, value) in metadata.iter() {
        object.string(key, value);
    }
    object.end();
}

/// When a volume is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Listed,
    /// In the answer to its creation, of this moment.
    Made(chrono::DateTime<chrono::Utc>),
}

pub(super) fn written(
    state: &State,
    call: &Call,
    caller: Caller,
    row: &VolumeRow,
    shown: Shown,
) -> String {
    let mut out = String::with_capacity(1024);
    let mut object = Object::begin(&mut out);
    View::new(state, call, caller).write(row, shown, object.key("volume"));
    object.end();
    out
}

struct View<'a> {
    state: &'a State,
    caller: Caller,
    /// Address of the API without the project, and with the version.
    base: String,
    bookmark: String,
}

impl<'a> View<'a> {
    fn new(state: &'a State, call: &Call, caller: Caller) -> Self {
        let root = format!("{}{}", call.base(), call.target.mount);
        let project = &state.project_id;
        let base = format!("{root}/v3/{project}/volumes/");
        Self {
            state,
            caller,
            base,
            bookmark: format!("{root}/{project}/volumes/"),
        }
    }

    fn links(&self, row: &VolumeRow, out: &mut String) {
        out.push('[');
        for (at, (rel, base)) in [("self", &self.base), ("bookmark", &self.bookmark)]
            .iter()
            .enumerate()
        {
            if at > 0 {
                out.push_str(", ");
            }
            let mut link = Object::begin(out);
            link.string("rel", rel);
            let href = link.key("href");
            href.push('"');
            href.push_str(base);
            row.id.write(href);
            href.push('"');
            link.end();
        }
        out.push(']');
    }

    fn summary(&self, row: &VolumeRow, out: &mut String) {
        let mut object = Object::begin(out);
        id(&mut object, "id", row.id);
        object.optional("name", row.name.as_deref());
        self.links(row, object.key("links"));
        object.end();
    }

    fn detail(&self, row: &VolumeRow, out: &mut String) {
        self.write(row, Shown::Listed, out);
    }

    /// The volume as it is answered when it is made, with the time that is not yet cut.
    fn write(&self, row: &VolumeRow, shown: Shown, out: &mut String) {
        let mut object = Object::begin(out);
        id(&mut object, "id", row.id);
        object.string("status", &row.status);
        object.number("size", row.size);
        object.string("availability_zone", "nova");
        let created_at = match shown {
            Shown::Listed => row.created_at,
            Shown::Made(at) => at,
        };
        object.time("created_at", Some(created_at));
        object.time("updated_at", row.updated_at);
        object.optional("name", row.name.as_deref());
        object.optional("description", row.description.as_deref());
        object.optional("volume_type", row.volume_type.as_deref());
        match row.snapshot_id {
            Some(snapshot) => id(&mut object, "snapshot_id", snapshot),
            None => object.raw("snapshot_id", "null"),
        }
        object.raw("source_volid", "null");
        write_metadata(&row.metadata, object.key("metadata"));
        self.links(row, object.key("links"));
        object.string("user_id", &self.state.user_id);
        object.string("bootable", if row.bootable { "true" } else { "false" });
        object.flag("encrypted", false);
        object.raw("replication_status", "null");
        object.raw("consistencygroup_id", "null");
        object.flag("multiattach", row.attachments.len() > 1);
        self.attachments(row, object.key("attachments"));
        let listed = shown == Shown::Listed;
        if listed {
            object.string("os-vol-tenant-attr:tenant_id", &self.state.project_id);
        }
        let (minor, admin) = (self.caller.minor, self.caller.role == Role::Admin);
        if admin && listed {
            object.raw("migration_status", "null");
            object.raw("os-vol-mig-status-attr:migstat", "null");
            object.raw("os-vol-mig-status-attr:name_id", "null");
            object.string("os-vol-host-attr:host", "simcloud@storage#storage");
        }
        if minor >= 13 {
            object.raw("group_id", "null");
        }
        if minor >= 21 && admin && listed {
            object.raw("provider_id", "null");
        }
        if minor >= 48 {
            object.raw("service_uuid", "null");
            object.flag("shared_targets", false);
        }
        if minor >= 63 {
            object.string("volume_type_id", "5e55e55e-0000-4000-8000-000000000001");
        }
        if minor >= 65 {
            object.flag("consumes_quota", true);
        }
        object.end();
    }

    fn attachments(&self, row: &VolumeRow, out: &mut String) {
        out.push('[');
        for (at, attachment) in row.attachments.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            let mut object = Object::begin(out);
            id(&mut object, "id", row.id);
            id(&mut object, "attachment_id", attachment.id);
            id(&mut object, "volume_id", row.id);
            object.string("server_id", &attachment.server);
            let host = (self.caller.role == Role::Admin).then_some("compute-1");
            object.optional("host_name", host);
            object.string("device", &attachment.device);
            object.time("attached_at", Some(attachment.at));
            object.end();
        }
        out.push(']');
    }
}

/// Writes an id as the value of a key.
pub(super) fn id(object: &mut Object<'_>, key: &str, id: Id) {
    let out = object.key(key);
    out.push('"');
    id.write(out);
    out.push('"');
}
