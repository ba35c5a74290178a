//! The function's executable, built by the cargo that built this one.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

/// Builds the function in the profile of this program and gives its path. Packages that this
/// program was built `with` share what they need with the function, as far as cargo is told of
/// them; otherwise it is built twice.
///
/// # Errors
/// If cargo cannot be started, the function does not build, or this program does not lie where
/// cargo puts what it builds.
pub async fn build(with: &[&str]) -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(cargo)
        .args(["build", "-p", "snapsentry", "--bin", "snapsentry"])
        .args(with.iter().flat_map(|package| ["-p", *package]))
        .args(["--profile", profile().as_str()])
        // Cargo then tells where the executable is, whatever its target directory.
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await?;
    if !output.status.success() {
        return Err(io::Error::other("the function could not be built"));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(executable)
        .ok_or_else(|| io::Error::other("cargo built the function and did not say where"))
}

fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == "snapsentry")
        .then(|| message["executable"].as_str().map(PathBuf::from))
        .flatten()
}

/// Cargo's name of the profile this program was built in: it is the folder it lies in.
fn profile() -> String {
    let program = std::env::current_exe().ok();
    let folder = program
        .as_deref()
        .and_then(Path::parent)
        .and_then(Path::file_name);
    match folder.and_then(|name| name.to_str()) {
        None | Some("debug") => "dev".into(),
        Some(other) => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_the_one_of_the_function() {
        let line = |name: &str| {
            format!(r#"{{"target":{{"name":"{name}"}},"executable":"/target/debug/{name}"}}"#)
        };
        assert_eq!(executable(&line("other")), None);
        let expected = PathBuf::from("/target/debug/snapsentry");
        assert_eq!(executable(&line("snapsentry")), Some(expected));
        let library = r#"{"target":{"name":"snapsentry"},"executable":null}"#;
        assert_eq!(executable(library), None);
    }
}
