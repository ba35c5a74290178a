//! The catalogue: every service, region and interface at the address the client used.

use serde_json::{Value, json};

use crate::config::Catalogue;
use crate::state::State;

/// The catalogue, with all addresses below `base`.
pub(super) fn catalogue(state: &State, base: &str) -> Value {
    let project = &state.project_id;
    let told = &state.config.endpoints;
    let endpoints = |service: &str, tail: &str| {
        let base = match service {
            "volume" => told.block_storage.as_deref().unwrap_or(base),
            "compute" => told.compute.as_deref().unwrap_or(base),
            _ => base,
        };
        let moved = service == "volume" && told.block_storage_has_moved;
        let path = if moved { "moved/volume" } else { service };
        let mut endpoints = Vec::new();
        for (index, region) in state.config.regions.iter().enumerate() {
            for interface in ["public", "internal", "admin"] {
                let mut mount = String::new();
                if interface != "public" {
                    mount = format!("/{interface}");
                }
                if index > 0 {
                    mount = format!("{mount}/{region}");
                }
                endpoints.push(json!({
                    "id": format!("{service}-{interface}-{index}"), "interface": interface,
                    "region_id": region, "region": region,
                    "url": format!("{base}{mount}/{path}{tail}"),
                }));
            }
        }
        endpoints
    };
    let entry = |kind: &str, name: &str, endpoints: Vec<Value>| json!({ "id": format!("service-{kind}"), "type": kind, "name": name, "endpoints": endpoints });
    let mut entries = vec![entry("identity", "keystone", endpoints("identity", "/v3"))];
    if state.config.catalogue != Catalogue::Legacy {
        entries.push(entry("block-storage", "cinder", endpoints("volume", "/v3")));
    }
    if state.config.catalogue != Catalogue::Modern {
        let legacy = endpoints("volume", &format!("/v3/{project}"));
        entries.push(entry("volumev3", "cinderv3", legacy));
    }
    if state.config.compute {
        entries.push(entry("compute", "nova", endpoints("compute", "/v2.1")));
    }
    Value::Array(entries)
}
