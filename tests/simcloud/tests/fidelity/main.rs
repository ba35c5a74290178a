//! The embedded cloud answers like the Keystone and Cinder that were observed: statuses,
//! fields, texts and headers, case by case.

mod client;
mod creation;
mod deletion;
mod filters;
mod keystone;
mod metadata;
mod microversions;
mod misfortune;
mod paging;
mod sockets;
mod time;
mod witness;
