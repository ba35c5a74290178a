//! The real Keystone and Cinder that `tests/conformance/cloud/up` has brought up.

mod database;
mod project;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::api::Api;
use crate::recorder::Behind;

pub use database::Database;
pub(crate) use project::RealProject;

/// A cloud that is up.
#[derive(Clone, Debug)]
pub struct Real {
    folder: PathBuf,
    service_down_time: Duration,
    glance: String,
    client: PathBuf,
    database_url: String,
    keystone: String,
    cinder: String,
    region: String,
    admin_password: String,
    page_size: usize,
    behaviour: PathBuf,
    logs: Value,
}

impl Real {
    /// Reads what `up` says about the cloud in a folder, and makes sure that it answers.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub async fn find(folder: &Path) -> Result<Self, String> {
        let file = folder.join("cloud.json");
        let how = format!(
            "bring one up with: tests/conformance/cloud/up {}",
            folder.display()
        );
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("no cloud: {}: {error}; {how}", file.display()))?;
        let told: Value = serde_json::from_str(&text)
            .map_err(|error| format!("{}: {error}; {how}", file.display()))?;
        let field = |name: &str| {
            told[name]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("{} has no {name}; {how}", file.display()))
        };
        let real = Self {
            folder: folder.to_owned(),
            glance: field("glance")?,
            client: field("client")?.into(),
            database_url: field("database_url")?,
            service_down_time: told["service_down_time"]
                .as_u64()
                .map(Duration::from_secs)
                .ok_or_else(|| format!("{} has no service_down_time; {how}", file.display()))?,
            keystone: field("keystone")?,
            cinder: field("cinder")?,
            region: field("region")?,
            admin_password: field("admin_password")?,
            page_size: told["osapi_max_limit"]
                .as_u64()
                .and_then(|limit| usize::try_from(limit).ok())
                .ok_or_else(|| format!("{} has no osapi_max_limit; {how}", file.display()))?,
            behaviour: field("behaviour")?.into(),
            logs: told["logs"].clone(),
        };
        for url in [&real.keystone, &format!("{}/healthcheck", real.cinder)] {
            crate::api::client()
                .get(url)
                .send()
                .await
                .and_then(reqwest::Response::error_for_status)
                .map_err(|error| format!("the cloud does not answer: {error}; {how}"))?;
        }
        Ok(real)
    }

    /// Does something to one of the cloud's processes, for everybody who uses it.
    pub(crate) fn service(&self, deed: &str, name: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cloud/service");
        let done = Command::new(&script)
            .arg(&self.folder)
            .args([deed, name])
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{deed} {name}: {told}");
    }

    /// The command `openstack`.
    pub fn client(&self) -> &Path {
        &self.client
    }

    /// Glance's address without its version.
    pub fn glance(&self) -> &str {
        &self.glance
    }

    /// The id of one of the cloud's processes, which leads a group of its own.
    ///
    /// # Errors
    /// If nobody has written it down.
    pub fn process(&self, name: &str) -> Result<u64, String> {
        let file = self.folder.join("run").join(format!("{name}.json"));
        let text =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let told: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        told["pid"]
            .as_u64()
            .ok_or_else(|| format!("{} has no pid", file.display()))
    }

    /// Most rows that a page holds.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Cinder's database.
    pub fn database(&self) -> Database<'_> {
        Database::at(&self.database_url)
    }

    /// A token of the cloud's administrator.
    pub async fn admin_token(&self) -> String {
        let password = &self.admin_password;
        Api::log_in(&self.keystone, "admin", password, "admin")
            .await
            .0
    }

    pub(crate) fn service_down_time(&self) -> Duration {
        self.service_down_time
    }

    pub(crate) fn behind(&self) -> Behind {
        Behind {
            keystone: self.keystone.trim_end_matches("/v3").to_owned(),
            cinder: self.cinder.clone(),
            catalogue_is_fixed: true,
        }
    }
}
