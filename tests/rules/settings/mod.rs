//! Settings: what is read from where, what it becomes, and what is said when it is wrong.

mod certificates;
mod clouds_yaml;
mod environment;
mod extension;
mod login;
mod secret;
mod world;
