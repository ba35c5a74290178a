//! A placeholder until it is written.
fn main() {}
