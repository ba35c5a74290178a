//! The client: a connection, who waits for what, and the tags by which it knows what is managed.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::de::DeserializeOwned;

use super::connection::{Connection, ConnectionParts, RequestKind};
use super::error::Error;
use super::poller::Poller;
use super::request::ApiRequest;
use super::response::parse;
use super::snapshot::Snapshot;
use super::snapshot_looks::SeenSnapshots;
use super::volumes::Volume;
use crate::deadline::Deadline;

/// The metadata keys by which volumes and snapshots are known as managed. The client passes
/// them on; what they mean is the policies' business.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tags {
    /// The key whose value `true` makes a volume or a snapshot managed.
    pub managed: &'static str,
    /// The key that names what kind of snapshot it is.
    pub kind: &'static str,
}

/// The client for one pass: one session, one retry rule, one pool of connections.
pub(crate) struct Client {
    pub(super) connection: Connection,
    pub(super) snapshots: Poller<Snapshot>,
    pub(super) volumes: Poller<Volume>,
    pub(super) seen: SeenSnapshots,
    tags: Tags,
}

impl Client {
    /// A client; nothing is sent yet.
    pub(crate) fn new(parts: ConnectionParts, tags: Tags) -> Self {
        Self {
            snapshots: Poller::new(parts.poll_interval),
            volumes: Poller::new(parts.poll_interval),
            seen: SeenSnapshots::default(),
            connection: Connection::new(parts),
            tags,
        }
    }

    /// What kind of cloud this is: goes into logs and metrics.
    pub(crate) fn provider_name(&self) -> &'static str {
        "openstack"
    }

    /// The connection: permits and counts.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How far the cloud's clock is ahead of the machine's (negative: behind), as the `Date` of
    /// the listings' answers told when they arrived; nothing where none had one, which proves
    /// nothing.
    pub(crate) fn clock_difference(&self) -> Option<TimeDelta> {
        self.connection.observed.clock_difference()
    }

    /// How many rows of this pass's listings did not say what they are, and were left out.
    pub(crate) fn rows_left_out(&self) -> usize {
        self.connection.observed.rows_left_out()
    }

    pub(super) fn is_managed(&self, metadata: &BTreeMap<String, String>) -> bool {
        metadata
            .get(self.tags.managed)
            .is_some_and(|value| value == "true")
    }

    pub(super) fn kind<'a>(&self, metadata: &'a BTreeMap<String, String>) -> Option<&'a str> {
        metadata.get(self.tags.kind).map(String::as_str)
    }

    /// Cinder takes a literal of a dictionary, in Python's manner.
    pub(super) fn managed_filter(&self) -> String {
        format!("{{'{}':'true'}}", self.tags.managed)
    }

    /// The same for one kind.
    pub(super) fn kind_filter(&self, kind: &str) -> String {
        let Tags { managed, kind: key } = self.tags;
        format!("{{'{managed}':'true','{key}':'{kind}'}}")
    }

    /// Whether the server's filter may have let this through. Some databases compare without
    /// regard to case or to blanks at the end; a row of another kind, or of none, tells
    /// that the filter does nothing.
    pub(super) fn may_pass_filter(
        &self,
        metadata: &BTreeMap<String, String>,
        kind: Option<&str>,
    ) -> bool {
        let is = |key: &str, wanted: &str| {
            let value = metadata.get(key).map(|value| value.trim_end());
            value.is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        };
        is(self.tags.managed, "true") && kind.is_none_or(|wanted| is(self.tags.kind, wanted))
    }

    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        deadline: Deadline,
        name: &str,
        path: &str,
    ) -> Result<T, Error> {
        let call = ApiRequest::get(RequestKind::Read, path);
        self.connection
            .execute_action(deadline, &self.connection.retry, name, || async {
                let response = self.connection.call(deadline, &call, None).await?;
                parse(&call.method, path, &response)
            })
            .await
    }
}
