//! Overlap, decided on paper too: every way in which several passes can take one window, with
//! lost answers, work done late, storage that fails and passes that are killed.
//!
//! The simulation draws some ways out of very many; here a model checker goes through all of
//! them. The model has one step for each request that matters to one window of one volume, and
//! lets the steps of all passes happen in every order:
//!
//! | step of the model | what it stands for |
//! | --- | --- |
//! | [`pass::At::Beginning`] | the listing and the plan: `plan::creation` judges the window, `plan::duplicates` finds what is superfluous |
//! | [`pass::At::Cleaning`] | `pass::taking` deletes what is in the way, which is then known |
//! | [`pass::At::Sending`] | `openstack::creation` sends the request, unless `pass::creating` finds the window served by now |
//! | [`pass::At::LookingUp`] | the look-ups of `openstack::creation`: right after a lost answer, and again before another try |
//! | [`pass::At::Waiting`] | `openstack::watcher` |
//! | [`pass::At::Discarding`] | `openstack::creation` deletes what it made and what broke |
//! | [`pass::At::Settling`] | `pass::snapshot` looks once more when its own is available, and asks `plan::duplicates` |
//! | [`pass::At::Removing`] | the duplicates' deletions, which leave together and arrive in any order |
//!
//! What is left out has no say in it: other volumes and policies; zombies, which are hours old;
//! held duplicates, which stay; deadlines and refusals, after which a pass does nothing more and so
//! is, to the window, a killed one.
//!
//! - [`cloud`]: the window's snapshots;
//! - [`pass`]: where a pass is, and what it remembers;
//! - [`rules`]: the rules by which passes go, and broken ones;
//! - [`state`]: all of it at one moment;
//! - [`steps`]: what can happen next;
//! - [`model`]: what has to hold, for the checker.

pub mod cloud;
pub mod model;
pub mod pass;
pub mod rules;
pub mod state;
mod steps;
