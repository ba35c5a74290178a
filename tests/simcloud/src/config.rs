//! What kind of cloud it is: one value per thing that clouds differ in.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use crate::quirks::Quirks;

/// Which services the catalogue lists for block storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Catalogue {
    /// `block-storage` (its URL ends in `/v3`) and `volumev3` (its URL ends in the project).
    Both,
    /// Only `block-storage`.
    Modern,
    /// Only `volumev3`.
    Legacy,
}

/// Which microversions Cinder speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Microversions {
    /// 3.0 up to 3.n; higher is 406.
    UpTo(u32),
    /// A request with the header `OpenStack-API-Version` is refused with this status,
    /// whatever the version is.
    HeaderRefused(u16),
}

/// The highest role that the user has in the project; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May look.
    Reader,
    /// May create and delete.
    Member,
    /// May delete by force.
    Admin,
}

/// How long an answer takes, work of the backend not included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// At once.
    None,
    /// Always this long.
    Fixed(Duration),
    /// Log-normally distributed, drawn from the cloud's seed.
    LogNormal {
        /// Half of the answers are faster.
        median: Duration,
        /// Standard deviation of the logarithm; 0.5 makes the slowest of a hundred about three
        /// times the median.
        sigma: f64,
    },
}

/// What the header `Date` of every answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateHeader {
    /// The cloud's clock, and this much more.
    Shifted(TimeDelta),
    /// Nothing: there is none.
    Absent,
}

/// Where the catalogue says that a service is: scheme, host and port, such as
/// `https://inside:8443`; `None` takes those that Keystone was asked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Cinder.
    pub block_storage: Option<String>,
    /// Nova.
    pub compute: Option<String>,
    /// Cinder has moved from `/volume` to `/moved/volume`: at the old path everything is 404.
    pub block_storage_has_moved: bool,
}

/// One access rule of an application credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// Service type, such as `block-storage` or `compute`.
    pub service: String,
    /// HTTP method.
    pub method: String,
    /// Path pattern below the service, such as `/v3/**`: `*` and `{name}` stand for one
    /// segment, `**` for any number.
    pub path: String,
}

impl AccessRule {
    /// A rule for the block storage service.
    pub fn block_storage(method: &str, path: &str) -> Self {
        Self {
            service: "block-storage".into(),
            method: method.into(),
            path: path.into(),
        }
    }
}

/// The one application credential there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCredential {
    /// Its id, 32 hexadecimal digits.
    pub id: String,
    /// Its name, unique for the user.
    pub name: String,
    /// Its secret.
    pub secret: String,
    /// When it ends, and its tokens with it.
    pub expires_at: Option<DateTime<Utc>>,
    /// The calls it allows; `None` for all.
    pub access_rules: Option<Vec<AccessRule>>,
    /// Deleted: its id is then unknown to Keystone.
    pub deleted: bool,
}

/// The kind of cloud. Change a running one with [`crate::Cloud::configure`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// All randomness comes from it, ids and request ids included.
    pub seed: u64,
    /// What the cloud's clock shows when it is created.
    pub now: DateTime<Utc>,
    /// Most rows a page holds (`osapi_max_limit`).
    pub osapi_max_limit: usize,
    /// Services in the catalogue.
    pub catalogue: Catalogue,
    /// Regions in the catalogue. The first has the volumes; the others are empty clouds.
    pub regions: Vec<String>,
    /// Whether the catalogue has a compute service.
    pub compute: bool,
    /// Microversions of Cinder.
    pub microversions: Microversions,
    /// How long a snapshot is `creating`.
    pub creation_time: Duration,
    /// How long a snapshot is `deleting`.
    pub deletion_time: Duration,
    /// How long a new volume is `creating`.
    pub volume_creation_time: Duration,
    /// Volume type of volumes that name none.
    pub default_volume_type: Option<String>,
    /// From when on the scheduler takes a cinder-volume that does not report for dead.
    pub service_down_time: Duration,
    /// Whether a snapshot cannot be deleted while a volume made from it is there, as on Ceph
    /// before 2024.1: it is accepted, and the snapshot is `available` again.
    pub clones_pin_snapshots: bool,
    /// Snapshots allowed, -1 for no limit.
    pub snapshot_quota: i64,
    /// Volumes allowed, -1 for no limit.
    pub volume_quota: i64,
    /// Gigabytes of volumes and snapshots allowed, -1 for no limit.
    pub gigabytes_quota: i64,
    /// The user's role.
    pub role: Role,
    /// How long a token lives.
    pub token_lifetime: Duration,
    /// How long Cinder goes on believing in a revoked token it has seen (`token_cache_time`).
    pub token_cache: Duration,
    /// Keystone cannot be reached, by clients or by Cinder, which then answers 503 where it would
    /// have to ask about a token.
    pub keystone_is_gone: bool,
    /// How long answers take.
    pub latency: Latency,
    /// Whether the database cuts times to whole seconds, as MariaDB does. The answer to a
    /// creation has microseconds all the same.
    pub whole_seconds: bool,
    /// Scheme and host of `next` links, such as `http://inside:8776`; `None` takes the
    /// request's own.
    pub link_base: Option<String>,
    /// The header `Date`.
    pub date: DateHeader,
    /// Where the catalogue says that the services are.
    pub endpoints: Endpoints,
    /// What is odd about the listings.
    pub quirks: Quirks,
    /// Whether two writers of the same new metadata key at the same moment leave two rows.
    pub metadata_race: bool,
    /// Largest request body in bytes.
    pub max_request_body: usize,
    /// The project's name.
    pub project_name: String,
    /// The project's id; `None` draws one from the seed.
    pub project_id: Option<String>,
    /// The user's name.
    pub user_name: String,
    /// The user's id; `None` draws one from the seed.
    pub user_id: Option<String>,
    /// The user's password.
    pub password: String,
    /// Name of the domain of user and project; its id is `default`.
    pub domain_name: String,
    /// The application credential.
    pub application_credential: ApplicationCredential,
}

impl Default for Config {
    /// A healthy cloud on 2026-11-22 at 09:10 UTC: no latency, no quota, role member.
    fn default() -> Self {
        Self {
            seed: 0,
            now: Utc
                .with_ymd_and_hms(2026, 11, 22, 9, 10, 0)
                .single()
                .expect("this instant exists"),
            osapi_max_limit: 1000,
            catalogue: Catalogue::Both,
            regions: vec!["RegionOne".into()],
            compute: true,
            microversions: Microversions::UpTo(71),
            creation_time: Duration::ZERO,
            deletion_time: Duration::ZERO,
            volume_creation_time: Duration::ZERO,
            default_volume_type: Some("simcloud".into()),
            service_down_time: Duration::from_secs(60),
            clones_pin_snapshots: false,
            snapshot_quota: -1,
            volume_quota: -1,
            gigabytes_quota: -1,
            role: Role::Member,
            token_lifetime: Duration::from_secs(3600),
            token_cache: Duration::ZERO,
            keystone_is_gone: false,
            latency: Latency::None,
            whole_seconds: true,
            link_base: None,
            date: DateHeader::Shifted(TimeDelta::zero()),
            endpoints: Endpoints::default(),
            quirks: Quirks::default(),
            metadata_race: false,
            max_request_body: 114_688,
            project_name: "demo".into(),
            project_id: None,
            user_name: "demo".into(),
            user_id: None,
            password: "not-a-secret-password".into(),
            domain_name: "Default".into(),
            application_credential: ApplicationCredential {
                id: "0a11c0de0a11c0de0a11c0de0a11c0de".into(),
                name: "demo-snapshots".into(),
                secret: "not-a-secret-application-credential".into(),
                expires_at: None,
                access_rules: None,
                deleted: false,
            },
        }
    }
}
