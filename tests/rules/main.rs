//! Every rule that is decided without a cloud, as tables: what is asked, what is configured, what a
//! volume's metadata mean, when windows begin and end, and what is done about them.

mod events;
mod metadefs;
mod plans;
mod settings;
mod volume_metadata;
mod windows;
