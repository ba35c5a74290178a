//! Finding Cinder and Nova in Keystone's catalogue.

use serde::Deserialize;
use url::Url;

use super::de::or_default;
use super::error::LoginError;
use super::response::without_secrets;

/// The names under which clouds list Cinder's third version, the commonest first.
const BLOCK_STORAGE: [&str; 3] = ["volumev3", "block-storage", "block-store"];

/// Which of a service's endpoints is wanted.
#[derive(Clone, Debug)]
pub(crate) struct EndpointChoice {
    /// The region; may be absent where the catalogue has only one.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: &'static str,
    /// Whether a service that is listed over `http` is refused, since the token would travel in
    /// clear text.
    pub https_only: bool,
}

impl EndpointChoice {
    fn checked(&self, service: &'static str, url: Url) -> Result<Url, LoginError> {
        if self.https_only && url.scheme() != "https" {
            return Err(LoginError::ClearText {
                service,
                address: without_secrets(url.as_str()),
            });
        }
        Ok(url)
    }
}

/// A service in the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct CatalogueEntry {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    service_type: String,
    #[serde(default, deserialize_with = "or_default")]
    endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, Deserialize)]
struct Endpoint {
    #[serde(default, deserialize_with = "or_default")]
    interface: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    url: String,
}

impl Endpoint {
    fn region(&self) -> Option<&str> {
        self.region_id.as_deref().or(self.region.as_deref())
    }

    fn fits(&self, choice: &EndpointChoice) -> bool {
        self.interface == choice.interface
            && choice.region.as_deref().is_none_or(|wanted| {
                self.region_id.as_deref() == Some(wanted) || self.region.as_deref() == Some(wanted)
            })
    }
}

fn endpoints<'a>(
    catalogue: &'a [CatalogueEntry],
    service_type: &'a str,
) -> impl Iterator<Item = &'a Endpoint> {
    catalogue
        .iter()
        .filter(move |entry| entry.service_type == service_type)
        .flat_map(|entry| &entry.endpoints)
}

/// Every endpoint of Cinder that fits, the one to be used first.
fn of_block_storage<'a>(
    catalogue: &'a [CatalogueEntry],
    choice: &'a EndpointChoice,
) -> impl Iterator<Item = &'a Endpoint> {
    BLOCK_STORAGE
        .iter()
        .flat_map(|service_type| endpoints(catalogue, service_type))
        .filter(|endpoint| endpoint.fits(choice))
}

/// Cinder's address, with the version and the project id in it: the catalogue may leave out
/// either, and older clouds need both.
pub(super) fn block_storage(
    catalogue: &[CatalogueEntry],
    choice: &EndpointChoice,
    project_id: &str,
) -> Result<Url, LoginError> {
    let fitting: Vec<&Endpoint> = of_block_storage(catalogue, choice).collect();
    let mut regions: Vec<String> = fitting
        .iter()
        .filter_map(|endpoint| endpoint.region().map(str::to_owned))
        .collect();
    regions.sort();
    regions.dedup();
    if choice.region.is_none() && regions.len() > 1 {
        return Err(LoginError::AmbiguousRegion(regions));
    }
    let Some(endpoint) = fitting.first() else {
        return Err(LoginError::NoEndpoint(nothing_fits(catalogue, choice)));
    };
    let mut url = Url::parse(&endpoint.url).map_err(|error| {
        LoginError::NoEndpoint(format!(
            "the catalogue's address for block storage cannot be read ({error}); have the \
             catalogue corrected"
        ))
    })?;
    let mut path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with(&format!("/{project_id}")) {
        if !path.ends_with("/v3") {
            path.push_str("/v3");
        }
        path.push('/');
        path.push_str(project_id);
    }
    url.set_path(&path);
    choice.checked("block storage", url)
}

/// Nova's address, where the catalogue has one: that of the volumes' region where there are several.
pub(super) fn compute(
    catalogue: &[CatalogueEntry],
    choice: &EndpointChoice,
) -> Result<Option<Url>, LoginError> {
    let volumes = of_block_storage(catalogue, choice).next();
    let region = volumes.and_then(Endpoint::region);
    let fitting = endpoints(catalogue, "compute")
        .filter(|endpoint| endpoint.fits(choice))
        .min_by_key(|endpoint| endpoint.region() != region);
    let Some(mut url) = fitting.and_then(|one| Url::parse(&one.url).ok()) else {
        return Ok(None);
    };
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    choice.checked("compute", url).map(Some)
}

fn nothing_fits(catalogue: &[CatalogueEntry], choice: &EndpointChoice) -> String {
    let mut there: Vec<String> = BLOCK_STORAGE
        .iter()
        .flat_map(|service_type| endpoints(catalogue, service_type))
        .map(|endpoint| {
            format!(
                "{} in {}",
                endpoint.interface,
                endpoint.region().unwrap_or("no region")
            )
        })
        .collect();
    there.sort();
    there.dedup();
    let wanted = match &choice.region {
        Some(region) => format!("{} endpoint in region {region}", choice.interface),
        None => format!("{} endpoint", choice.interface),
    };
    if there.is_empty() {
        format!(
            "the catalogue has no block storage service (volumev3 or block-storage), so no \
             {wanted}; check that the project has Cinder"
        )
    } else {
        format!(
            "the catalogue has no block storage {wanted}; it has {}; set OS_REGION_NAME and \
             OS_INTERFACE to one of them",
            there.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn catalogue(rows: &[(&str, &str, &str, &str)]) -> Vec<CatalogueEntry> {
        rows.iter()
            .map(|(service, interface, region, url)| {
                serde_json::from_value(json!({"type": service, "endpoints": [
                    {"interface": interface, "region_id": region, "region": region, "url": url}
                ]}))
                .unwrap()
            })
            .collect()
    }

    fn choice(region: Option<&str>) -> EndpointChoice {
        EndpointChoice {
            region: region.map(str::to_owned),
            interface: "public",
            https_only: false,
        }
    }

    #[test]
    fn the_version_and_the_project_are_put_into_the_address_where_they_are_missing() {
        for (listed, wanted) in [
            ("http://c/v3/p1", "http://c/v3/p1"),
            ("http://c/v3/p1/", "http://c/v3/p1"),
            ("http://c/v3", "http://c/v3/p1"),
            ("http://c/v3/", "http://c/v3/p1"),
            ("http://c/volume", "http://c/volume/v3/p1"),
            ("http://c:8776", "http://c:8776/v3/p1"),
        ] {
            let catalogue = catalogue(&[("block-storage", "public", "R", listed)]);
            let url = block_storage(&catalogue, &choice(None), "p1").unwrap();
            assert_eq!(url.as_str(), wanted, "{listed}");
        }
    }

    #[test]
    fn several_regions_without_a_choice_are_named_and_a_choice_settles_it() {
        let catalogue = catalogue(&[
            ("volumev3", "public", "north", "http://n/v3/p1"),
            ("block-storage", "public", "south", "http://s/v3"),
            ("compute", "public", "south", "http://s/compute/"),
        ]);
        let error = block_storage(&catalogue, &choice(None), "p1").unwrap_err();
        assert!(
            matches!(error, LoginError::AmbiguousRegion(regions) if regions == ["north", "south"])
        );
        let url = block_storage(&catalogue, &choice(Some("south")), "p1").unwrap();
        assert_eq!(url.as_str(), "http://s/v3/p1");
        let nova = compute(&catalogue, &choice(Some("south"))).unwrap();
        assert_eq!(nova.unwrap().as_str(), "http://s/compute");
    }

    #[test]
    fn servers_are_asked_for_in_the_region_of_the_volumes() {
        let listed = catalogue(&[
            ("compute", "public", "south", "http://s/compute"),
            ("compute", "public", "north", "http://n/compute"),
            ("volumev3", "public", "north", "http://n/v3/p1"),
        ]);
        let nova = compute(&listed, &choice(None)).unwrap();
        assert_eq!(nova.unwrap().as_str(), "http://n/compute");
    }

    #[test]
    fn a_service_that_is_listed_over_http_is_refused_where_the_token_must_not_travel_so() {
        let choice = EndpointChoice {
            https_only: true,
            ..choice(None)
        };
        for scheme in ["http", "https"] {
            let address = format!("{scheme}://name:word@c/v3");
            let catalogue = catalogue(&[
                ("volumev3", "public", "R", &address),
                ("compute", "public", "R", &address),
            ]);
            let cinder = block_storage(&catalogue, &choice, "p1");
            let nova = compute(&catalogue, &choice);
            assert_eq!(
                (cinder.is_ok(), nova.is_ok()),
                (scheme == "https", scheme == "https")
            );
            for error in [cinder.err(), nova.err()].into_iter().flatten() {
                let text = error.to_string();
                assert!(
                    text.contains("http://c/") && text.contains("OS_INSECURE"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn where_nothing_fits_the_error_tells_what_there_is() {
        let catalogue = catalogue(&[("volumev3", "internal", "north", "http://n/v3/p1")]);
        let error = block_storage(&catalogue, &choice(Some("east")), "p1").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("east") && text.contains("internal in north"),
            "{text}"
        );
    }
}
