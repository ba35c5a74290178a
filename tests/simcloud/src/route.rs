//! Which call a request is: decided from method and path alone, before anybody asks whether
//! the call is allowed.

use http::Method;

/// A service of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Keystone.
    Identity,
    /// Cinder.
    BlockStorage,
    /// Nova.
    Compute,
}

/// A call of the cloud's APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Route {
    /// Keystone: `GET /` or `GET /v3`.
    KeystoneVersions,
    /// Keystone: `POST /v3/auth/tokens`.
    Login,
    /// Keystone: `POST /v3/users/ID/application_credentials`.
    CreateApplicationCredential,
    /// Keystone: `DELETE /v3/auth/tokens`.
    RevokeToken,
    /// Cinder: `GET /`, without a token.
    CinderVersions,
    /// Cinder: `GET /v3` or `GET /v3/`, with a token.
    CinderVersion,
    /// Cinder: `GET volumes/detail` and `GET volumes`.
    ListVolumes,
    /// Cinder: `POST volumes`.
    CreateVolume,
    /// Cinder: `DELETE volumes/ID`.
    DeleteVolume,
    /// Cinder: `GET volumes/ID`.
    GetVolume,
    /// Cinder: `PUT volumes/ID`.
    UpdateVolume,
    /// Cinder: `GET volumes/ID/metadata`.
    GetVolumeMetadata,
    /// Cinder: `POST volumes/ID/metadata`, which merges.
    MergeVolumeMetadata,
    /// Cinder: `PUT volumes/ID/metadata`, which replaces all.
    ReplaceVolumeMetadata,
    /// Cinder: `GET volumes/ID/metadata/KEY`.
    GetVolumeMetadataKey,
    /// Cinder: `PUT volumes/ID/metadata/KEY`.
    SetVolumeMetadataKey,
    /// Cinder: `DELETE volumes/ID/metadata/KEY`.
    DeleteVolumeMetadataKey,
    /// Cinder: `GET snapshots/detail` and `GET snapshots`.
    ListSnapshots,
    /// Cinder: `POST snapshots`.
    CreateSnapshot,
    /// Cinder: `GET snapshots/ID`.
    GetSnapshot,
    /// Cinder: `DELETE snapshots/ID`.
    DeleteSnapshot,
    /// Cinder: `POST snapshots/ID/action` with `os-force_delete`.
    ForceDelete,
    /// Cinder: any other `POST snapshots/ID/action`.
    SnapshotAction,
    /// Cinder: `GET snapshots/ID/metadata`.
    GetSnapshotMetadata,
    /// Cinder: `POST snapshots/ID/metadata`, which merges.
    MergeSnapshotMetadata,
    /// Cinder: `PUT snapshots/ID/metadata`, which replaces all.
    ReplaceSnapshotMetadata,
    /// Cinder: `GET snapshots/ID/metadata/KEY`.
    GetSnapshotMetadataKey,
    /// Cinder: `PUT snapshots/ID/metadata/KEY`.
    SetSnapshotMetadataKey,
    /// Cinder: `DELETE snapshots/ID/metadata/KEY`.
    DeleteSnapshotMetadataKey,
    /// Cinder: `PUT snapshots/ID`.
    UpdateSnapshot,
    /// Cinder: `GET limits`.
    Limits,
    /// Nova: `GET /`, without a token.
    NovaVersions,
    /// Nova: `GET /v2.1`.
    NovaVersion,
    /// Nova: `GET servers` and `GET servers/detail`.
    ListServers,
    /// Nova: `POST servers/ID/action`.
    ServerAction,
    /// Nova: `GET servers/ID/os-volume_attachments`.
    ListServerVolumes,
    /// Nova: `POST servers/ID/os-volume_attachments`.
    AttachVolume,
    /// Nova: `DELETE servers/ID/os-volume_attachments/VOLUME`.
    DetachVolume,
    /// Nova: `GET servers/ID`.
    GetServer,
    /// A path or method that no service knows.
    Unknown,
}

impl Route {
    /// Whether the call changes something.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::CreateSnapshot
                | Self::CreateVolume
                | Self::DeleteVolume
                | Self::UpdateSnapshot
                | Self::ServerAction
                | Self::AttachVolume
                | Self::DetachVolume
                | Self::SetSnapshotMetadataKey
                | Self::DeleteSnapshotMetadataKey
                | Self::DeleteSnapshot
                | Self::ForceDelete
                | Self::SnapshotAction
                | Self::UpdateVolume
                | Self::MergeVolumeMetadata
                | Self::ReplaceVolumeMetadata
                | Self::SetVolumeMetadataKey
                | Self::DeleteVolumeMetadataKey
                | Self::MergeSnapshotMetadata
                | Self::ReplaceSnapshotMetadata
        )
    }
}

/// Where a request goes: the address taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) service: Service,
    /// The first segment of the path is the region's name for all regions but the first.
    pub(crate) region: Option<String>,
    /// Path in front of the service's own, such as `/volume` or `/internal/volume`.
    pub(crate) mount: String,
    /// Path below the service, decoded, such as `/v3/PROJECT/volumes/detail`.
    pub(crate) path: String,
    /// Project id in the path of Cinder and Nova, if there is one.
    pub(crate) project: Option<String>,
    /// Last segments of the path, after version and project.
    pub(crate) rest: Vec<String>,
    pub(crate) route: Route,
}

const MOUNTS: [(&str, Service); 3] = [
    ("identity", Service::Identity),
    ("volume", Service::BlockStorage),
    ("compute", Service::Compute),
];

impl Target {
    /// Takes a request's address apart. `force_delete` is whether its body asks for one.
    pub(crate) fn of(method: &Method, path: &str, body: &[u8]) -> Self {
        let path = decode(path);
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let found = segments
            .iter()
            .take(4)
            .enumerate()
            .find_map(|(at, segment)| {
                let (_, service) = MOUNTS.iter().find(|(name, _)| name == segment)?;
                Some((at, *service))
            });
        // Without a mount it is Keystone: people write OS_AUTH_URL as http://HOST/v3.
        let (skipped, service) = found.map_or((0, Service::Identity), |(at, s)| (at + 1, s));
        let mount: String = segments[..skipped]
            .iter()
            .map(|s| format!("/{s}"))
            .collect();
        let region = segments[..skipped.saturating_sub(1)]
            .iter()
            .find(|s| !matches!(**s, "internal" | "admin" | "moved"))
            .map(|s| (*s).to_owned());
        let inner = format!("/{}", segments[skipped..].join("/"));
        let mut rest: Vec<String> = segments[skipped..]
            .iter()
            .map(|s| (*s).to_owned())
            .collect();
        let mut project = None;
        if service != Service::Identity && rest.len() > 1 {
            rest.remove(0);
            let known = ["volumes", "snapshots", "limits", "servers", ""];
            if rest.len() > 1 && !known.contains(&rest[0].as_str()) {
                project = Some(rest.remove(0));
            }
        }
        let route = route(service, method, &inner, &rest, body);
        Self {
            service,
            region,
            mount,
            path: inner,
            project,
            rest,
            route,
        }
    }

    /// A segment after version and project; empty if there is none.
    pub(crate) fn segment(&self, at: usize) -> &str {
        self.rest.get(at).map_or("", String::as_str)
    }
}

fn route(service: Service, method: &Method, path: &str, rest: &[String], body: &[u8]) -> Route {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (service, method.as_str(), rest.as_slice()) {
        (Service::Identity, "GET", ["" | "v3"] | ["v3", ""]) => Route::KeystoneVersions,
        (Service::Identity, "POST", ["v3", "auth", "tokens"]) => Route::Login,
        (Service::Identity, "DELETE", ["v3", "auth", "tokens"]) => Route::RevokeToken,
        (Service::Identity, "POST", ["v3", "users", _, "application_credentials"]) => {
            Route::CreateApplicationCredential
        }
        (Service::BlockStorage, method, rest) => match path {
            "/" if method == "GET" => Route::CinderVersions,
            "/v3" | "/v3/" if method == "GET" => Route::CinderVersion,
            _ if path.starts_with("/v3/") => cinder(method, rest, body),
            _ => Route::Unknown,
        },
        (Service::Compute, method, rest) => match path {
            "/" | "" if method == "GET" => Route::NovaVersions,
            "/v2.1" | "/v2.1/" if method == "GET" => Route::NovaVersion,
            _ if path.starts_with("/v2.1/") => nova(method, rest),
            _ => Route::Unknown,
        },
        _ => Route::Unknown,
    }
}

fn nova(method: &str, rest: &[&str]) -> Route {
    match (method, rest) {
        ("GET", ["servers"] | ["servers", "detail"]) => Route::ListServers,
        ("GET", ["servers", _]) => Route::GetServer,
        ("POST", ["servers", _, "action"]) => Route::ServerAction,
        ("GET", ["servers", _, "os-volume_attachments"]) => Route::ListServerVolumes,
        ("POST", ["servers", _, "os-volume_attachments"]) => Route::AttachVolume,
        ("DELETE", ["servers", _, "os-volume_attachments", _]) => Route::DetachVolume,
        _ => Route::Unknown,
    }
}

fn cinder(method: &str, rest: &[&str], body: &[u8]) -> Route {
    if rest.last() == Some(&"") {
        return Route::Unknown;
    }
    match (method, rest) {
        ("GET", ["volumes"] | ["volumes", "detail"]) => Route::ListVolumes,
        ("POST", ["volumes"]) => Route::CreateVolume,
        ("GET", ["volumes", _]) => Route::GetVolume,
        ("DELETE", ["volumes", _]) => Route::DeleteVolume,
        ("PUT", ["volumes", _]) => Route::UpdateVolume,
        ("GET", ["volumes", _, "metadata"]) => Route::GetVolumeMetadata,
        ("POST", ["volumes", _, "metadata"]) => Route::MergeVolumeMetadata,
        ("PUT", ["volumes", _, "metadata"]) => Route::ReplaceVolumeMetadata,
        ("GET", ["volumes", _, "metadata", _]) => Route::GetVolumeMetadataKey,
        ("PUT", ["volumes", _, "metadata", _]) => Route::SetVolumeMetadataKey,
        ("DELETE", ["volumes", _, "metadata", _]) => Route::DeleteVolumeMetadataKey,
        ("GET", ["snapshots"] | ["snapshots", "detail"]) => Route::ListSnapshots,
        ("POST", ["snapshots"]) => Route::CreateSnapshot,
        ("GET", ["snapshots", _]) => Route::GetSnapshot,
        ("DELETE", ["snapshots", _]) => Route::DeleteSnapshot,
        ("POST", ["snapshots", _, "action"]) => {
            let forced = serde_json::from_slice::<serde_json::Value>(body)
                .is_ok_and(|body| body.get("os-force_delete").is_some());
            if forced {
                Route::ForceDelete
            } else {
                Route::SnapshotAction
            }
        }
        ("GET", ["snapshots", _, "metadata"]) => Route::GetSnapshotMetadata,
        ("POST", ["snapshots", _, "metadata"]) => Route::MergeSnapshotMetadata,
        ("PUT", ["snapshots", _, "metadata"]) => Route::ReplaceSnapshotMetadata,
        ("GET", ["snapshots", _, "metadata", _]) => Route::GetSnapshotMetadataKey,
        ("PUT", ["snapshots", _, "metadata", _]) => Route::SetSnapshotMetadataKey,
        ("DELETE", ["snapshots", _, "metadata", _]) => Route::DeleteSnapshotMetadataKey,
        ("PUT", ["snapshots", _]) => Route::UpdateSnapshot,
        ("GET", ["limits"]) => Route::Limits,
        _ => Route::Unknown,
    }
}

/// Decodes the whole path before it is cut at its slashes, as WSGI does: that is why a
/// metadata key with a slash cannot be reached.
fn decode(path: &str) -> String {
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route_of(method: Method, path: &str) -> Route {
        Target::of(&method, path, b"").route
    }

    #[test]
    fn both_shapes_of_a_path_are_the_same_call() {
        for path in ["/volume/v3/p/volumes/detail", "/volume/v3/volumes/detail"] {
            assert_eq!(route_of(Method::GET, path), Route::ListVolumes, "{path}");
        }
        let with = Target::of(&Method::DELETE, "/internal/volume/v3/p/snapshots/x", b"");
        assert_eq!(with.route, Route::DeleteSnapshot);
        assert_eq!(with.project.as_deref(), Some("p"));
        assert_eq!(with.mount, "/internal/volume");
        assert_eq!(with.segment(1), "x");
    }

    #[test]
    fn keystone_answers_at_the_root_too() {
        assert_eq!(route_of(Method::POST, "/v3/auth/tokens"), Route::Login);
        assert_eq!(
            route_of(Method::POST, "/identity/v3/auth/tokens"),
            Route::Login
        );
        assert_eq!(
            route_of(Method::GET, "/identity/v3"),
            Route::KeystoneVersions
        );
    }

    #[test]
    fn a_trailing_slash_and_an_escaped_one_lead_nowhere() {
        assert_eq!(
            route_of(Method::GET, "/volume/v3/p/volumes/detail/"),
            Route::Unknown
        );
        assert_eq!(
            route_of(Method::DELETE, "/volume/v3/p/volumes/v/metadata/a%3Ab%2Fc"),
            Route::Unknown
        );
        assert_eq!(
            route_of(Method::DELETE, "/volume/v3/p/volumes/v/metadata/a%3Ab"),
            Route::DeleteVolumeMetadataKey
        );
    }
}
