//! Prints the metadata definitions that make Horizon's forms offer SnapSentry's keys:
//! `cargo run --example metadefs -- volumes`, or `snapshots`.

use snapsentry::policy::metadefs;

fn main() {
    let definitions = match std::env::args().nth(1).as_deref() {
        Some("volumes") => metadefs::volumes(),
        Some("snapshots") => metadefs::snapshots(),
        _ => {
            eprintln!("usage: cargo run --example metadefs -- volumes|snapshots");
            std::process::exit(2);
        }
    };
    println!("{definitions:#}");
}
