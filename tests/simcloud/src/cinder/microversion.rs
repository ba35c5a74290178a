//! Microversions: which one a request asks for, and which there are.

use serde_json::json;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::Microversions;
use crate::state::State;

/// The n of the microversion 3.n that the request asks for.
pub(super) fn asked(spoken: Microversions, call: &Call) -> Result<u32, Answer> {
    let Some(header) = call.header("openstack-api-version") else {
        return Ok(0);
    };
    let max = match spoken {
        Microversions::UpTo(max) => max,
        Microversions::HeaderRefused(status) => {
            return Err(answer::fault(
                status,
                "This cloud refuses OpenStack-API-Version.",
            ));
        }
    };
    let asked = header
        .split(',')
        .find_map(|part| part.trim().strip_prefix("volume "));
    let Some(asked) = asked.map(str::trim) else {
        let text = "The server could not comply with the request since it is either malformed \
                    or otherwise incorrect.";
        return Err(answer::fault(400, text));
    };
    if asked == "latest" {
        return Ok(max);
    }
    let numbers = asked
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match numbers {
        None => Err(answer::fault(
            400,
            &format!(
                "API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
            ),
        )),
        Some((3, minor)) if minor <= max => Ok(minor),
        Some((major, minor)) => {
            let text = format!(
                "Version {asked} is not supported by the API. Minimum is 3.0 and maximum is 3.{max}."
            );
            let mut refusal = answer::fault(406, &text);
            if major == 3 {
                label(&mut refusal, minor);
            }
            Err(refusal)
        }
    }
}

/// Says in an answer which 3.n was asked for, also where there is no such one.
pub(super) fn label(answer: &mut Answer, minor: u32) {
    let version = format!("volume 3.{minor}");
    answer::set(answer, "openstack-api-version", &version);
    answer::set(answer, "vary", "OpenStack-API-Version");
}

/// The list of versions, of which there is one.
pub(super) fn list(state: &State, call: &Call, status: u16) -> Answer {
    let max = match state.config.microversions {
        Microversions::UpTo(max) => format!("3.{max}"),
        Microversions::HeaderRefused(_) => String::new(),
    };
    let href = format!("{}{}/v3/", call.base(), call.target.mount);
    let version = json!({
        "id": "v3.0", "status": "CURRENT", "version": max, "min_version": "3.0",
        "updated": "2023-08-31T00:00:00Z",
        "links": [
            { "rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/" },
            { "rel": "self", "href": href },
        ],
        "media-types": [
            { "base": "application/json", "type": "application/vnd.openstack.volume+json;version=3" },
        ],
    });
    answer::json(status, json!({ "versions": [version] }).to_string())
}
