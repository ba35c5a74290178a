//! Events: what is accepted, what it becomes, and what is said of the rest.

mod any_phase;
mod clouds;
mod envelope;
mod pass;
mod report;
mod requests;
mod subscribe;
