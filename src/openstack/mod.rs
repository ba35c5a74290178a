//! The cloud: Keystone, Cinder and the little of Nova that is used.
//!
//! This room knows how to talk to OpenStack and nothing of policies. Every call takes a
//! [`Deadline`](crate::deadline::Deadline), is tried again by one rule
//! ([`Connection::execute_action`]) and, where it fails, says which request failed, how, and
//! under which request id.
//!
//! From the bottom up: `response` reads answers, `connection` sends requests, `auth` keeps a
//! `session`, `request` sends with its token, `retry` tries again, `listing` goes from page to page.
//! Above them is a file for each resource, whose methods are [`Client`]'s; a new call goes there.

mod auth;
mod catalogue;
mod client;
mod clocks;
mod connection;
mod creation;
mod credential;
mod de;
mod deletion;
mod error;
mod listing;
mod matcher;
mod objects;
mod order;
mod page;
mod page_size;
mod poller;
mod recent;
mod request;
mod response;
mod retry;
mod servers;
mod session;
mod snapshot;
mod snapshot_creation;
mod snapshot_looks;
mod snapshot_status;
mod snapshots;
mod volume_creation;
mod volumes;

pub use catalogue::EndpointChoice;
pub use client::{Client, Tags};
pub use connection::{Connection, ConnectionParts, Permit};
pub use creation::Creation;
pub use credential::{ApplicationCredential, Auth, AuthMethod, Domain, Project, User};
pub use deletion::{AfterRefusal, Deletion};
pub use error::{Error, ErrorKind, LoginError};
pub use matcher::SnapshotMatcher;
pub use poller::Settled;
pub use retry::RetryConfig;
pub use session::Session;
pub use snapshot::Snapshot;
pub use snapshot_creation::{NewSnapshot, NotCreated};
pub use snapshot_status::SnapshotStatus;
pub use volume_creation::{NewVolume, VolumeNotCreated, VolumeTag};
pub use volumes::{Attachment, Subscribed, Volume};
