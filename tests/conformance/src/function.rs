//! The function's executable.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Builds the function, if it is not built yet, in the profile of this very program, and gives
/// its path.
///
/// # Errors
/// What cargo or this program's own path has to say against it.
pub fn build() -> Result<PathBuf, String> {
    let here = env::current_exe().map_err(|error| error.to_string())?;
    // Tests are one folder deeper than programs.
    let folder = here
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .ok_or_else(|| format!("{} is in no folder", here.display()))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--quiet",
            "--package",
            "snapsentry",
            "--bin",
            "snapsentry",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // Cargo tells a program about its package, and some build scripts would take that for a
    // change and build everything anew.
    let told = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in
        told.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        command.env_remove(name);
    }
    if folder.ends_with("release") {
        command.arg("--release");
    }
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    let status = command
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    let binary = folder.join("snapsentry");
    if status.success() && binary.is_file() {
        Ok(binary)
    } else {
        Err(format!("the function could not be built ({status})"))
    }
}
