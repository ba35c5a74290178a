//! The cloud's memory, and the clock by which it changes: what is due is done, in the order
//! in which it fell due, before the next request looks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::backend::{self, Deed, End, Rule};
use crate::call::Call;
use crate::cinder::Pages;
use crate::config::{ApplicationCredential, Config};
use crate::faults::Injected;
use crate::health::{Sickness, Work};
use crate::hooks::Hook;
use crate::id::Id;
use crate::journal::{Change, Happening, Journal};
use crate::keystone::Token;
use crate::nova::ServerRow;
use crate::rows::{SnapshotRow, VolumeRow};
use crate::table::{Keyed, Place, Table};

/// Something that happens when its time comes.
#[derive(Debug)]
pub(crate) enum Event {
    CreationEnds { id: Id, end: End },
    DeletionEnds { id: Id, end: End },
    VolumeCreationEnds { id: Id, end: End },
    LateWork(Box<Call>),
}

pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) project_id: String,
    pub(crate) user_id: String,
    pub(crate) ids: StdRng,
    pub(crate) weather: StdRng,
    pub(crate) volumes: Table<VolumeRow>,
    pub(crate) snapshots: Table<SnapshotRow>,
    by_volume: HashMap<Id, BTreeSet<Place>>,
    pub(crate) pages: Pages,
    /// Whether any snapshot has no time of creation, ever.
    pub(crate) undated: bool,
    pub(crate) snapshot_gigabytes: u64,
    pub(crate) servers: BTreeMap<String, ServerRow>,
    pub(crate) tokens: HashMap<String, Token>,
    /// Application credentials made by requests.
    pub(crate) made_credentials: Vec<ApplicationCredential>,
    pub(crate) faults: Vec<Injected>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) backend: Vec<Rule>,
    pub(crate) journal: Journal,
    pub(crate) sequence: u64,
    /// Orders arrivals and writes among each other.
    pub(crate) tick: u64,
    pub(crate) due: BTreeMap<(DateTime<Utc>, u64), (Option<u64>, Event)>,
    pub(crate) sickness: Sickness,
    scheduled: u64,
    started: Instant,
    offset: TimeDelta,
}

impl State {
    pub(crate) fn new(config: Config) -> Self {
        let mut ids = StdRng::seed_from_u64(config.seed);
        let drawn = [Id::random(&mut ids).simple(), Id::random(&mut ids).simple()];
        let [project_id, user_id] = drawn;
        Self {
            project_id: config.project_id.clone().unwrap_or(project_id),
            user_id: config.user_id.clone().unwrap_or(user_id),
            ids,
            weather: StdRng::seed_from_u64(config.seed ^ 0x7ea_7e12),
            config,
            volumes: Table::default(),
            snapshots: Table::default(),
            by_volume: HashMap::new(),
            pages: Pages::default(),
            undated: false,
            snapshot_gigabytes: 0,
            servers: BTreeMap::new(),
            tokens: HashMap::new(),
            made_credentials: Vec::new(),
            faults: Vec::new(),
            hooks: Vec::new(),
            backend: Vec::new(),
            journal: Journal::default(),
            sequence: 0,
            tick: 0,
            due: BTreeMap::new(),
            sickness: Sickness::default(),
            scheduled: 0,
            started: Instant::now(),
            offset: TimeDelta::zero(),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.started.elapsed()).unwrap_or_default();
        self.config.now + elapsed + self.offset
    }

    pub(crate) fn move_clock(&mut self, by: TimeDelta) {
        self.offset += by;
    }

    /// Time as the database keeps it.
    pub(crate) fn kept(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at.trunc_subsecs(if self.config.whole_seconds { 0 } else { 6 })
    }

    /// Grows with everything that may have changed a volume or a snapshot.
    pub(crate) fn version(&self) -> u64 {
        self.volumes.version() + self.snapshots.version()
    }

    pub(crate) fn new_id(&mut self) -> Id {
        Id::random(&mut self.ids)
    }

    pub(crate) fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    fn schedule(&mut self, at: DateTime<Utc>, request: Option<u64>, event: Event) {
        self.scheduled += 1;
        self.due.insert((at, self.scheduled), (request, event));
    }

    pub(crate) fn work_later(&mut self, at: DateTime<Utc>, call: Call) {
        self.schedule(at, Some(call.sequence), Event::LateWork(Box::new(call)));
    }

    /// Does everything that is due by now.
    pub(crate) fn settle(&mut self) {
        let now = self.now();
        while let Some(entry) = self.due.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                return;
            }
            let (request, event) = entry.remove();
            match event {
                Event::CreationEnds { id, end } => self.creation_ends(at, request, id, end),
                Event::DeletionEnds { id, end } => self.deletion_ends(at, request, id, end),
                Event::VolumeCreationEnds { id, end } => {
                    self.volume_creation_ends(at, request, id, end);
                }
                Event::LateWork(mut call) => {
                    call.now = at;
                    crate::call::work(self, &call);
                }
            }
        }
    }

    pub(crate) fn add_snapshot(&mut self, row: SnapshotRow) {
        self.remove_snapshot(row.id);
        self.snapshot_gigabytes += row.size;
        self.by_volume
            .entry(row.volume_id)
            .or_default()
            .insert(row.place());
        self.snapshots.insert(row);
    }

    pub(crate) fn remove_snapshot(&mut self, id: Id) -> Option<SnapshotRow> {
        let row = self.snapshots.remove(id)?;
        self.snapshot_gigabytes -= row.size;
        if let Some(places) = self.by_volume.get_mut(&row.volume_id) {
            places.remove(&(Reverse(row.created_at), Reverse(row.id)));
            if places.is_empty() {
                self.by_volume.remove(&row.volume_id);
            }
        }
        Some(row)
    }

    /// The snapshots of one volume, newest first.
    pub(crate) fn snapshots_of(&self, volume: Id) -> impl DoubleEndedIterator<Item = &SnapshotRow> {
        self.by_volume
            .get(&volume)
            .into_iter()
            .flatten()
            .filter_map(|place| self.snapshots.at(place))
    }

    /// Lets the storage begin to make a snapshot that is already in the table.
    pub(crate) fn begin_creation(&mut self, at: DateTime<Utc>, request: u64, id: Id) {
        self.note(at, Some(request), id, Happening::Creating);
        self.send(at, Some(request), Work::CreateSnapshot(id));
    }

    /// Marks a snapshot `deleting` and lets the storage begin.
    pub(crate) fn begin_deletion(&mut self, at: DateTime<Utc>, request: u64, id: Id) {
        self.set_status(at, id, "deleting");
        self.note(at, Some(request), id, Happening::Deleting);
        // A deletion by force ends whatever the storage was still doing with it.
        self.due.retain(|_, (_, event)| {
            !matches!(event, Event::CreationEnds { id: same, .. }
                           | Event::DeletionEnds { id: same, .. } if *same == id)
        });
        self.sickness.forget(id);
        self.send(at, Some(request), Work::DeleteSnapshot(id));
    }

    /// Lets the storage begin what has reached it; it takes `more` than usual.
    pub(crate) fn do_work(
        &mut self,
        at: DateTime<Utc>,
        request: Option<u64>,
        work: Work,
        more: Duration,
    ) {
        let (usual, deed, snapshot) = match work {
            Work::CreateSnapshot(id) => (self.config.creation_time, Deed::Create, Some(id)),
            Work::DeleteSnapshot(id) => (self.config.deletion_time, Deed::Delete, Some(id)),
            Work::CreateVolume(id) => {
                let from = self.volumes.get(id).and_then(|row| row.snapshot_id);
                (self.config.volume_creation_time, Deed::MakeVolume, from)
            }
            Work::DeleteVolume(id) => {
                self.note_volume(at, request, id, Happening::VolumeDeleted);
                self.volumes.remove(id);
                return;
            }
        };
        let (delay, end) =
            snapshot.map_or((Duration::ZERO, End::Done), |id| self.ask_backend(deed, id));
        let event = |end| match work {
            Work::CreateSnapshot(id) => Event::CreationEnds { id, end },
            Work::DeleteSnapshot(id) => Event::DeletionEnds { id, end },
            Work::CreateVolume(id) | Work::DeleteVolume(id) => {
                Event::VolumeCreationEnds { id, end }
            }
        };
        self.end_later(at, usual + delay + more, request, end, event);
    }

    fn ask_backend(&mut self, deed: Deed, id: Id) -> (Duration, End) {
        let Some(row) = self.snapshots.get(id) else {
            return (Duration::ZERO, End::Done);
        };
        let (volume, text) = (row.volume_id.to_string(), row.id.to_string());
        let name = row.name.as_deref().unwrap_or("");
        backend::decide(&mut self.backend, deed, &volume, &text, name)
    }

    fn end_later(
        &mut self,
        at: DateTime<Utc>,
        takes: Duration,
        request: Option<u64>,
        end: End,
        event: impl FnOnce(End) -> Event,
    ) {
        // What takes longer than time can be written never ends.
        let when = TimeDelta::from_std(takes)
            .ok()
            .and_then(|takes| at.checked_add_signed(takes));
        if let Some(when) = when.filter(|_| end != End::Never) {
            self.schedule(when, request, event(end));
        }
    }

    fn creation_ends(&mut self, at: DateTime<Utc>, request: Option<u64>, id: Id, end: End) {
        // A test may have changed the state by hand meanwhile.
        if self
            .snapshots
            .get(id)
            .is_none_or(|row| row.status != "creating")
        {
            return;
        }
        let (status, happening) = match end {
            End::Done => ("available", Happening::Available),
            _ => ("error", Happening::CreationFailed),
        };
        self.set_status(at, id, status);
        self.note(at, request, id, happening);
    }

    fn deletion_ends(&mut self, at: DateTime<Utc>, request: Option<u64>, id: Id, end: End) {
        if self
            .snapshots
            .get(id)
            .is_none_or(|row| row.status != "deleting")
        {
            return;
        }
        let pinned = self.config.clones_pin_snapshots
            && self.volumes.iter().any(|row| row.snapshot_id == Some(id));
        match if pinned { End::Busy } else { end } {
            End::Fails => {
                self.set_status(at, id, "error_deleting");
                self.note(at, request, id, Happening::DeletionFailed);
            }
            End::Busy => {
                self.set_status(at, id, "available");
                self.note(at, request, id, Happening::Busy);
            }
            End::Done | End::Never => {
                self.note(at, request, id, Happening::Deleted);
                self.remove_snapshot(id);
            }
        }
    }

    fn volume_creation_ends(&mut self, at: DateTime<Utc>, request: Option<u64>, id: Id, end: End) {
        // A test may have changed the state by hand meanwhile.
        if self
            .volumes
            .get(id)
            .is_some_and(|row| row.status == "creating")
        {
            let (status, happening) = match end {
                End::Done => ("available", Happening::VolumeAvailable),
                _ => ("error", Happening::VolumeCreationFailed),
            };
            self.set_volume_status(at, id, status);
            self.note_volume(at, request, id, happening);
        }
        self.volume_is_made(at, id);
    }

    pub(crate) fn set_volume_status(&mut self, at: DateTime<Utc>, id: Id, status: &str) {
        let updated_at = self.kept(at);
        if let Some(row) = self.volumes.get_mut(id) {
            status.clone_into(&mut row.status);
            row.updated_at = Some(updated_at);
        }
    }

    pub(crate) fn note_volume(
        &mut self,
        at: DateTime<Utc>,
        request: Option<u64>,
        id: Id,
        happening: Happening,
    ) {
        if let Some(row) = self.volumes.get(id) {
            self.journal.changes.push(Change {
                at,
                request,
                volume_id: id.to_string(),
                snapshot_id: row.snapshot_id.map(|id| id.to_string()),
                name: row.name.clone(),
                happening,
            });
        }
    }

    pub(crate) fn set_status(&mut self, at: DateTime<Utc>, id: Id, status: &str) {
        let updated_at = self.kept(at);
        if let Some(row) = self.snapshots.get_mut(id) {
            row.status = status.to_owned();
            row.updated_at = Some(updated_at);
        }
    }

    pub(crate) fn note(
        &mut self,
        at: DateTime<Utc>,
        request: Option<u64>,
        snapshot: Id,
        happening: Happening,
    ) {
        if let Some(row) = self.snapshots.get(snapshot) {
            let change = Change {
                at,
                request,
                volume_id: row.volume_id.to_string(),
                snapshot_id: Some(row.id.to_string()),
                name: row.name.clone(),
                happening,
            };
            self.journal.changes.push(change);
        }
    }
}
