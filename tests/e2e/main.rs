//! The built function against the embedded cloud, over sockets: what a pass promises, seen from
//! outside.
//!
//! Each test has a cloud and a function process of its own ([`world`]). Whatever it is about,
//! each of its runs is held to what is promised of every run: see `world::promises`.

mod ancestors;
mod answer;
mod blocked;
mod catalogue;
mod clocks;
mod credentials_sources;
mod deadline;
mod deletions;
mod dry_run;
mod duplicates;
mod error_types;
mod events;
mod expire_pass;
mod hung_cloud;
mod keep_at_most;
mod keep_last;
mod leftovers;
mod listing;
mod log_lines;
mod login;
mod lost_answers;
mod lost_volumes;
mod metrics;
mod odd_rows;
mod oldest_ages;
mod overlapping_passes;
mod recent_snapshots;
mod recognition;
mod refused_events;
mod report;
mod restore;
mod retries;
mod retry_after;
mod rhythms;
mod rounds;
mod secrets;
mod served_windows;
mod shards;
mod slots;
mod snapshot_pass;
mod subscribe;
mod subscribe_races;
mod tls;
mod tls_front;
mod unauthorized;
mod volume_settings;
mod wall_clock;
mod warm;
mod webhook;
mod widget;
mod world;
mod zombies;
