//! What goes wrong in a step: put in at its beginning, and taken out at its end.

use std::sync::Arc;

use simcloud::{Cloud, Fault, FaultId, Latency};

use crate::case::{Case, Trouble};
use crate::world::World;

/// Puts everything in, and gives the faults to ask after them later.
pub(super) fn begin<'t>(
    cloud: &Cloud,
    world: &World,
    case: &Arc<Case>,
    troubles: &[&'t Trouble],
) -> Vec<(&'t Fault, FaultId)> {
    let mut faults = Vec::new();
    for trouble in troubles {
        match trouble {
            Trouble::Fault(fault) => faults.push((fault, cloud.inject(fault.clone()))),
            Trouble::Backend(rule) => cloud.backend(rule.clone()),
            Trouble::SnapshotQuota(more) => {
                let quota = cloud.snapshots().len() as i64 + more;
                cloud.configure(|config| config.snapshot_quota = quota);
            }
            Trouble::GigabytesQuota(more) => {
                let volumes = cloud.volumes().iter().map(|one| one.size).sum::<u64>();
                let snapshots = cloud.snapshots().iter().map(|one| one.size).sum::<u64>();
                let quota = (volumes + snapshots) as i64 + more;
                cloud.configure(|config| config.gigabytes_quota = quota);
            }
            Trouble::Latency(latency) => {
                let latency = *latency;
                cloud.configure(|config| config.latency = latency);
            }
            // It is put in and taken out by whoever knows how long it lasts.
            Trouble::Lasting(_) => {}
            Trouble::Meanwhile(route, nth, when, doing) => {
                let (world, case, doing) = (world.clone(), case.clone(), doing.clone());
                let step = world.step();
                cloud.on(*route, *nth, *when, move |cloud| {
                    world.interfere(step, cloud, &case, &doing);
                });
            }
        }
    }
    faults
}

/// Takes the long tail off the cloud's latency: an answer that outlasts a try is lost, and what is
/// clean has to be free of that too.
pub(super) fn calm(cloud: &Cloud) {
    cloud.configure(|config| {
        if let Latency::LogNormal { median, .. } = config.latency {
            config.latency = Latency::Fixed(median);
        }
    });
}

/// Ends it all. What it has begun goes on.
pub(super) fn end(cloud: &Cloud, case: &Case) {
    let usual = case.config.latency;
    cloud.clear_faults();
    cloud.clear_backend();
    cloud.configure(|config| {
        config.snapshot_quota = -1;
        config.gigabytes_quota = -1;
        config.latency = usual;
    });
}
