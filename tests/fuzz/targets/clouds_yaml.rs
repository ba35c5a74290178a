//! Any text as a `clouds.yaml` and as a secret is read, or refused with a reason. That no secret in
//! it is told is a property of `tests/properties`, which knows what is a secret: a fuzzer moves
//! the password to where the address was.

#![no_main]

#[path = "../../properties/only_file.rs"]
mod only_file;

use libfuzzer_sys::fuzz_target;
use only_file::Only;
use snapsentry::settings::{Environment, Secret, Settings};

fuzz_target!(|text: &[u8]| {
    let cloud = ("OS_CLOUD", "demo");
    let file: Environment = [cloud].into_iter().collect();
    let secret: Environment = [cloud, ("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/cloud")]
        .into_iter()
        .collect();
    let in_secret = Secret::read(String::from_utf8_lossy(text).into_owned());
    for read in [
        Settings::resolve(&file, None, &Only(text), None),
        Settings::resolve(&secret, Some(&in_secret), &Only(b""), None),
    ] {
        match read {
            Ok(settings) => drop(format!("{settings:?}")),
            Err(error) => assert!(error.to_string().len() > 10, "{error}"),
        }
    }
});
