//! Where the login may come from: plain variables (see `login`), a `clouds.yaml`, or a secret that
//! the Parameters and Secrets extension hands out.

mod clouds_yaml;
mod secret;

use std::collections::BTreeMap;

use simcloud::Login;

use crate::world::{Run, World, daily};

/// The login variables as a secret's string.
pub(super) fn variables(world: &World, login: Login) -> BTreeMap<String, String> {
    world.login_variables(login).into_iter().collect()
}

/// An entry of a `clouds.yaml`; its lines are indented by four.
pub(super) fn entry(world: &World, login: Login, others: &str) -> String {
    let variables = variables(world, login);
    let mut text = String::from("    auth:\n");
    for (name, value) in &variables {
        let name = name.trim_start_matches("OS_").to_lowercase();
        if name == "auth_type" {
            text = format!("    auth_type: {value}\n{text}");
        } else {
            text.push_str(&format!("      {name}: {value}\n"));
        }
    }
    text + others
}

pub(super) fn clouds(entries: &[(&str, String)]) -> String {
    let entries = entries
        .iter()
        .map(|(name, entry)| format!("  {name}:\n{entry}"));
    format!("clouds:\n{}", entries.collect::<String>())
}

pub(super) async fn works(world: &World) -> Run {
    world.volume(&[&daily()]);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    run
}
