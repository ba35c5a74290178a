//! SnapSentry keeps policy-driven snapshots of OpenStack Cinder volumes, as one AWS Lambda
//! function.
//!
//! People tag a volume with a policy; EventBridge fires the function every few minutes; each
//! invocation makes one bounded pass and leaves nothing behind but snapshots. There is no
//! database, no lock and no daemon: the state is the cloud's own.
//!
//! One invocation goes through the house like this:
//!
//! ```text
//! event ─► handler ─► look at the cloud ─► plan ─► apply ─► tell
//! ```
//!
//! - [`event`]: what is asked;
//! - [`settings`]: what is configured;
//! - [`handler`]: one invocation from event to answer;
//! - [`pass`]: looking, and carrying out what was planned;
//! - [`plan`]: what to do and why, a pure function of what was seen and of one instant;
//! - [`policy`]: when a snapshot is wanted, by time zones and metadata;
//! - [`openstack`]: the cloud, which knows nothing of policies;
//! - [`report`]: what is told;
//! - [`webhook`]: who is told of failures, and [`widget`]: what a dashboard shows;
//! - [`deadline`], [`clock`], [`transport`]: time and the network, as arguments.
//!
//! Dependencies point one way, and none back: main → handler → pass → plan → policy; pass → openstack;
//! pass → report → webhook → openstack; handler → settings → openstack.
//!
//! `pub` is what `main` and the tests use; all else stays in the house.

mod clock;
mod cloud_name;
pub mod deadline;
mod error;
pub mod event;
pub mod handler;
mod lock;
pub mod logging;
pub mod openstack;
mod pass;
pub mod plan;
pub mod platform;
pub mod policy;
mod report;
pub mod settings;
mod text;
pub mod transport;
mod webhook;
mod widget;

pub use cloud_name::{CloudName, InvalidCloudName};
