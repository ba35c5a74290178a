//! The built function in whole scenarios, against a real Keystone and Cinder and against the
//! embedded cloud: the same scenarios, so that the embedded one is held to what the real one
//! does.
//!
//! - [`scenarios`]: what is promised, a sentence each;
//! - [`stage`] and [`tenancy`]: where they are played, the same for both clouds;
//! - `real` and `embedded`: what the clouds differ in;
//! - [`function`] and [`sandbox`]: the function, built and running;
//! - [`recorder`] and [`shape`]: how each cloud answered, and how that compares;
//! - [`documents`]: the commands of the documents, typed with the real client;
//! - [`forms`]: Horizon's forms, loaded into a real Glance;
//! - [`history`]: what a pass costs a Cinder that holds the snapshots of years;
//! - [`runner`]: plays them and tells what came of it.
//!
//! `tests/conformance/cloud/up FOLDER` brings the real cloud up; `cargo run -p conformance -- FOLDER` plays
//! all scenarios in both and compares their answers. `cargo test -p conformance` needs no cloud and
//! plays them in the embedded one.

pub mod api;
pub mod documents;
mod embedded;
pub mod forms;
pub mod function;
pub mod history;
pub mod real;
pub mod recorder;
pub mod runner;
pub mod sandbox;
pub mod scenarios;
pub mod shape;
pub mod stage;
pub mod tenancy;
