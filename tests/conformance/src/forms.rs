//! The metadata definitions, loaded into a real Glance as an administrator does: Glance judges
//! them by its own schema, and gives back what Horizon makes its forms of.

use std::fs;
use std::path::Path;

use http::Method;
use serde_json::Value;

use crate::api::Api;
use crate::real::Real;
use crate::runner::Tally;

/// Where they lie, below the repository.
const FILES: [&str; 2] = [
    "tests/metadefs/volumes.json",
    "tests/metadefs/snapshots.json",
];
/// What Glance keeps as it was given.
const KEPT: [&str; 6] = [
    "display_name",
    "description",
    "visibility",
    "protected",
    "properties",
    "objects",
];

/// Loads both, reads them back, and removes them again.
///
/// # Errors
/// What could not be read.
pub async fn load(repository: &Path, real: &Real, tally: &mut Tally) -> Result<(), String> {
    let glance = Api::new(format!("{}/v2", real.glance()), real.admin_token().await);
    for file in FILES {
        let text = fs::read_to_string(repository.join(file))
            .map_err(|error| format!("{file}: {error}"))?;
        let form: Value =
            serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        let line = format!("glance    {file} is loaded and read back as it was");
        match fault(&glance, &form).await {
            None => tally.count(true, &line),
            Some(fault) => tally.count(false, &format!("{line}: {fault}")),
        }
    }
    Ok(())
}

/// What is wrong with a form in Glance's eyes.
async fn fault(glance: &Api, form: &Value) -> Option<String> {
    let namespace = form["namespace"].as_str()?;
    let path = format!("/metadefs/namespaces/{namespace}");
    // Of an earlier run that was ended.
    glance.send(Method::DELETE, &path, None).await;
    let body = Some(form.clone());
    let (status, answer) = glance
        .send(Method::POST, "/metadefs/namespaces", body)
        .await;
    if status != 201 {
        return Some(format!("{status} {answer}"));
    }
    let (status, kept) = glance.send(Method::GET, &path, None).await;
    let removed = glance.send(Method::DELETE, &path, None).await.0;
    if (status, removed) != (200, 204) {
        return Some(format!("read with {status}, removed with {removed}"));
    }
    let mut fields = KEPT.into_iter();
    if let Some(field) = fields.find(|field| !is_kept(&form[field], &kept[field])) {
        return Some(format!("{field} came back as {:#}", kept[field]));
    }
    let name = |form: &Value| form["resource_type_associations"][0]["name"].clone();
    (name(form) != name(&kept)).then(|| format!("it is for {}", name(&kept)))
}

/// Whether everything that was given is there; Glance adds fields of its own.
fn is_kept(given: &Value, kept: &Value) -> bool {
    match (given, kept) {
        (Value::Null, _) => true,
        (Value::Object(given), Value::Object(kept)) => given
            .iter()
            .all(|(name, value)| kept.get(name).is_some_and(|kept| is_kept(value, kept))),
        (Value::Array(given), Value::Array(kept)) => {
            // Objects come back in an order of Glance's own.
            let found = |one: &Value| kept.iter().any(|other| is_kept(one, other));
            given.len() == kept.len() && given.iter().all(found)
        }
        // A default that is a number comes back as text.
        (Value::Number(given), Value::String(kept)) => given.to_string() == *kept,
        (given, kept) => given == kept,
    }
}
