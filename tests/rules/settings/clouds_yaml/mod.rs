//! An entry of a `clouds.yaml`, read as the OpenStack client reads it.

mod entries;
mod files;
mod many;
mod refusals;

use crate::settings::world::World;

const AUTH: &str = "
      auth_url: https://cloud.example:5000
      application_credential_id: credential-id
      application_credential_secret: not-a-secret-credential";

/// The entry `demo` with this login and these other lines.
fn entry(auth: &str, rest: &[&str]) -> String {
    let rest: String = rest.iter().map(|line| format!("\n    {line}")).collect();
    format!("clouds:\n  demo:\n    auth:{auth}{rest}\n")
}

fn world(yaml: &str) -> World {
    World::empty()
        .set("OS_CLOUD", "demo")
        .file("clouds.yaml", yaml)
}

fn with(rest: &[&str]) -> World {
    world(&entry(AUTH, rest))
}

fn address(world: &World) -> String {
    world.settings().auth.auth_url.to_string()
}
