//! The cloud: Keystone, Cinder and the little of Nova that is used.
//!
//! This room knows how to talk to OpenStack and nothing of policies. Every call takes a
//! [`Deadline`](crate::deadline::Deadline), is tried again by one rule
//! ([`execute_action`](connection::Connection::execute_action)) and, where it fails, says which
//! request failed, how, and under which request id.
//!
//! From the bottom up: `response` reads answers, `connection` sends requests and `observed` remembers
//! what they tell of the cloud, `auth` keeps the session, `request` sends with its token, `retry` tries
//! again, `paging` goes from page to page of a `listing`, and `reading` only as far back as somebody asks.
//! Above them is a file for each resource, whose methods are [`Client`]'s; a new call goes there.

mod auth;
mod catalogue;
mod client;
mod connection;
mod creation;
mod credential;
mod de;
mod error;
mod listing;
mod newest_first;
mod objects;
mod observed;
mod paging;
mod poller;
mod reading;
mod recent_snapshots;
mod request;
mod response;
mod retry;
mod servers;
mod snapshot;
mod snapshot_creation;
mod snapshot_listing;
mod snapshot_looks;
mod volume_creation;
mod volumes;

pub(crate) use auth::Session;
pub(crate) use catalogue::EndpointChoice;
pub(crate) use client::{Client, Tags};
pub(crate) use connection::{ConnectionParts, Permit};
pub(crate) use creation::Creation;
pub(crate) use credential::Auth;
pub use credential::{ApplicationCredential, AuthMethod, Domain, Project, User};
pub(crate) use error::{Error, ErrorKind, LoginError};
pub(crate) use recent_snapshots::Horizons;
pub(crate) use retry::RetryConfig;
pub(crate) use snapshot::{AfterRefusal, Deletion, Snapshot, SnapshotStatus};
pub(crate) use snapshot_creation::{NewSnapshot, NotCreated, SnapshotMatcher};
pub(crate) use volume_creation::{NewVolume, VolumeNotCreated, VolumeTag};
pub(crate) use volumes::Volume;
