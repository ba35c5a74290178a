//! Every cloud that a `clouds.yaml` has, and what is wrong with those that cannot be served.

use super::environment::{Environment, Files};
use super::layers::Layer;
use super::secret::Secret;
use super::sources::{Sources, Wanted};
use super::{InvalidConfiguration, Settings};
use crate::cloud_name::CloudName;

/// The clouds of one deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudList {
    /// Those to be served, each with the number of its shards.
    pub clouds: Vec<(CloudName, u32)>,
    /// The entries that cannot be, by name.
    pub faults: Vec<CloudFault>,
}

/// An entry that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloudFault {
    /// The entry's name, as it is written.
    pub entry: String,
    /// What is wrong, as far as it can be said without a secret.
    pub error: String,
}

impl CloudList {
    /// Reads the entries of the one `clouds.yaml` there is.
    ///
    /// # Errors
    /// [`InvalidConfiguration`] where there is none that can be read, where it has no entry, and
    /// where what holds for all clouds is at fault.
    pub fn read(
        environment: &Environment,
        secret: Option<&Secret>,
        files: &dyn Files,
    ) -> Result<Self, InvalidConfiguration> {
        let (mut sources, clouds) = Sources::open(environment, secret, files, Wanted::All);
        sources
            .faults
            .append(&mut Settings::faults_of_all(&sources, files));
        let Some(clouds) = clouds.filter(|_| sources.faults.is_empty()) else {
            return Err(InvalidConfiguration::of(sources.faults));
        };
        if clouds.entries().is_empty() {
            return Err(InvalidConfiguration::new(format!(
                "{}: has no entries, so there is no cloud to serve; add one under \"clouds\"",
                clouds.name()
            )));
        }
        let region = sources.text("OS_REGION_NAME").map(str::to_owned);
        let mut list = Self::default();
        for entry in clouds.entries() {
            let layer: Result<Layer, Vec<String>> = entry.layer(clouds.file(), region.as_deref());
            let settings = layer.and_then(|layer| {
                sources.cloud = Some(layer);
                Settings::read(&sources, files).map_err(|invalid| invalid.faults)
            });
            let starts = entry.starts(clouds.file());
            let name = entry.name.parse::<CloudName>();
            match (settings, starts, name) {
                (Ok(_), Ok(starts), Ok(name)) => {
                    if !starts.paused {
                        list.clouds.push((name, starts.shards));
                    }
                }
                (settings, starts, _) => {
                    let mut faults = settings.err().unwrap_or_default();
                    for fault in starts.err().unwrap_or_default() {
                        if !faults.contains(&fault) {
                            faults.push(fault);
                        }
                    }
                    list.faults.push(CloudFault {
                        entry: entry.name.clone(),
                        error: faults.join("; "),
                    });
                }
            }
        }
        list.faults.sort();
        Ok(list)
    }
}
