//! An OpenStack cloud in one process: Keystone, Cinder and a little of Nova, answering like
//! the real ones, and misbehaving on demand.
//!
//! A test fills a [`Cloud`] with volumes and snapshots, says what is to go wrong, lets a
//! program loose on it (in process through [`Cloud::handle`], or over a port through
//! [`Cloud::serve`]), and reads in the [`journal`] what happened. Beside the cloud stand the
//! other things that a Lambda function sees: the Runtime API ([`lambda`]), the secrets
//! extension ([`extension`]) and a receiver of notifications ([`webhook`]).
//!
//! A request goes this way: [`Cloud::handle`] (arrival, misfortune, latency) → the service
//! (`keystone`, `cinder`, `nova`), which does the work under a lock → the answer, spoilt or
//! not. Time is tokio's clock plus an offset, so a paused clock is enough to simulate days;
//! all randomness comes from the configured seed.

mod answer;
mod attendance;
pub mod backend;
mod call;
mod cinder;
mod cloud;
pub mod config;
mod control;
mod environment;
pub mod extension;
pub mod faults;
mod health;
mod hooks;
mod id;
pub mod journal;
mod json;
mod keystone;
pub mod lambda;
mod nova;
pub mod quirks;
mod route;
mod rows;
mod server;
mod state;
mod table;
pub mod webhook;
mod wire;
mod world;

pub use backend::{Behaviour, Rule, Snapshots};
pub use cloud::{Cloud, Interrupted};
pub use config::{
    AccessRule, ApplicationCredential, Catalogue, Config, DateHeader, Endpoints, Latency,
    Microversions, Role,
};
pub use environment::Login;
pub use faults::{Fault, FaultId, Kind, Requests};
pub use health::{Health, MessageQueue};
pub use hooks::When;
pub use journal::{Change, Entry, Happening, Journal, Outcome};
pub use quirks::Quirks;
pub use route::{Route, Service};
pub use rows::{Snapshot, SnapshotSpec, Volume, VolumeSpec};
pub use server::Server;
