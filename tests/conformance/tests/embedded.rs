//! Every scenario in the embedded cloud: needs nothing but Rust.

use std::path::PathBuf;
use std::sync::OnceLock;

use conformance::function;
use conformance::runner;
use conformance::scenarios::{self, Scenario};
use conformance::stage::{Stage, Target};

fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| function::build().expect("the function builds"))
        .clone()
}

fn scenario(name: &str) -> Scenario {
    scenarios::all()
        .into_iter()
        .chain(scenarios::disasters())
        .find(|scenario| scenario.name == name)
        .expect("the macro and the list name the same ones")
}

macro_rules! tests {
    ($($file:ident { $($sentence:ident,)* })*) => {
        $(mod $file {
            $(#[tokio::test]
            async fn $sentence() {
                let name = concat!(stringify!($file), "::", stringify!($sentence));
                super::keeps(name).await;
            })*
        })*
    };
}

conformance::for_each_scenario!(tests);
conformance::for_each_disaster!(tests);

async fn keeps(name: &str) {
    let stage = Stage::new(Target::Embedded, binary());
    assert!(runner::play(&stage, &scenario(name)).await, "{name}");
}
