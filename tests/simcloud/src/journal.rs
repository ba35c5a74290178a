//! What happened: every request and every change of a snapshot, in order. A test reads it to
//! compare what a program says it did with what it did.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::route::Route;

/// How a request ended, seen from the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended yet, or its client was killed with its runtime.
    Waiting,
    /// Answered in full with this status.
    Answered(u16),
    /// The connection was reset instead of an answer.
    Reset,
    /// An answer with this status was cut short.
    Truncated(u16),
    /// Never answered.
    Hung,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts requests from 1 in the order of their arrival.
    pub sequence: u64,
    /// The cloud's clock at the arrival.
    pub at: DateTime<Utc>,
    /// tokio's clock at the arrival.
    pub arrived: Instant,
    /// tokio's clock when the answer left.
    pub answered: Option<Instant>,
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// The call it is.
    pub route: Route,
    /// Header `X-OpenStack-Request-ID` as sent.
    pub request_id: Option<String>,
    /// Header `OpenStack-API-Version` as sent.
    pub api_version: Option<String>,
    /// Body as sent; empty for a login, which is never kept.
    pub body: Bytes,
    /// Whether the call's work was done (or refused) by the service, not by a fault.
    pub worked: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Header `X-Openstack-Request-Id` of the answer.
    pub answered_request_id: Option<String>,
    /// The client went away before the answer left.
    pub client_gone: bool,
}

impl Entry {
    /// The status, where one was sent.
    pub fn status(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Answered(status) | Outcome::Truncated(status) => Some(status),
            _ => None,
        }
    }

    /// The body as JSON; null if there is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What happened to a snapshot or a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// A snapshot appeared in `creating`.
    Creating,
    /// Its creation succeeded.
    Available,
    /// Its creation failed.
    CreationFailed,
    /// Its deletion was accepted.
    Deleting,
    /// It is gone.
    Deleted,
    /// Its deletion failed: `error_deleting`.
    DeletionFailed,
    /// It was busy and is `available` again.
    Busy,
    /// A volume appeared in `creating`; where it is made from a snapshot, that is named.
    VolumeCreating,
    /// Its creation succeeded.
    VolumeAvailable,
    /// Its creation failed.
    VolumeCreationFailed,
    /// It is gone, by a request.
    VolumeDeleted,
    /// A volume's metadata was written.
    VolumeMetadata,
    /// A snapshot's metadata was written.
    SnapshotMetadata,
}

/// One change of a snapshot's or a volume's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The cloud's clock.
    pub at: DateTime<Utc>,
    /// The request that asked for it ([`Entry::sequence`]).
    pub request: Option<u64>,
    /// The volume.
    pub volume_id: String,
    /// The snapshot, if it is about one.
    pub snapshot_id: Option<String>,
    /// The snapshot's name, if it has one.
    pub name: Option<String>,
    /// What happened.
    pub happening: Happening,
}

/// Everything that happened so far.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Requests by arrival.
    pub entries: Vec<Entry>,
    /// Changes in the order in which they happened.
    pub changes: Vec<Change>,
    /// Requests by route.
    pub counts: BTreeMap<Route, u64>,
    /// Requests that are being handled now.
    pub in_flight: usize,
    /// Most requests handled at one moment.
    pub max_in_flight: usize,
}

impl Journal {
    /// Number of requests of this call.
    pub fn count(&self, route: Route) -> u64 {
        self.counts.get(&route).copied().unwrap_or(0)
    }

    /// Number of all requests.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The requests of this call.
    pub fn of(&self, route: Route) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.route == route)
    }

    /// The changes of this kind.
    pub fn changed(&self, happening: Happening) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.happening == happening)
    }

    pub(crate) fn entry(&mut self, sequence: u64) -> Option<&mut Entry> {
        // The journal may have been cleared meanwhile: the first entry tells by how much.
        let first = self.entries.first()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.entries.get_mut(index)
    }

    /// Forgets requests, changes and counts; those in flight stay counted as in flight.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            in_flight: self.in_flight,
            max_in_flight: self.in_flight,
            ..Self::default()
        };
    }
}
