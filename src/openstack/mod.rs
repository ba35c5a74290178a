//! The cloud: Keystone, Cinder and the little of Nova that is used.
//!
//! This room knows how to talk to OpenStack and nothing of policies. Every call takes a
//! [`Deadline`](crate::deadline::Deadline), is tried again by one rule
//! ([`Connection::execute_action`]) and, where it fails, says which request failed, how, and
//! under which request id.
//!
//! From the bottom up: `answer` reads answers, `connection` sends requests, `login` keeps a
//! `session`, `call` sends with its token, `execute` tries again, `listing` goes from page to page.
//! Above them is a file for each resource, whose methods are [`Client`]'s; a new call goes there.

mod answer;
mod call;
mod catalogue;
mod client;
mod connection;
mod creation;
mod credential;
mod deletion;
mod error;
mod execute;
mod lenient;
mod listing;
mod login;
mod look_up;
mod retry;
mod servers;
mod session;
mod snapshot;
mod snapshots;
mod volumes;
mod watcher;
mod watching;

pub use catalogue::EndpointChoice;
pub use client::{Client, Tags};
pub use connection::{Connection, ConnectionParts, Permit};
pub use creation::{Creation, NewSnapshot, NotCreated};
pub use credential::{ApplicationCredential, Auth, AuthMethod, Domain, Project, User};
pub use deletion::{AfterRefusal, Deletion};
pub use error::{Error, ErrorKind, LoginError};
pub use look_up::Recognition;
pub use retry::RetryConfig;
pub use session::Session;
pub use snapshot::Snapshot;
pub use volumes::{Attachment, Subscribed, Volume};
