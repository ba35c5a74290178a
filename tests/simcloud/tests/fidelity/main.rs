//! The embedded cloud answers like the Keystone and Cinder that were observed: statuses,
//! fields, texts and headers, case by case.

mod client;
mod creation;
mod deletion;
mod filters;
mod health;
mod keystone;
mod metadata;
mod microversions;
mod misfortune;
mod odd_clouds;
mod paging;
mod servers;
mod sockets;
mod time;
mod volumes;
mod witness;
