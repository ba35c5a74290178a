//! The commands that a person would type next, said a second time: server by server what swaps its
//! volumes, then what has no place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::point::{Moment, id_of};

/// A copy that can be used, as an answer names it.
pub(super) struct Usable<'a> {
    pub(super) original: &'a str,
    pub(super) copy: &'a str,
    pub(super) status: &'a str,
}

/// What the answer has to name. `devices` says where an original is at its server; of several servers
/// the one that the event asks for counts.
pub(super) fn expected(
    usable: &[Usable<'_>],
    moment: &Moment,
    devices: &BTreeMap<String, String>,
    event: &Value,
) -> Vec<String> {
    let restore_id = id_of(event);
    let mut swapped: BTreeMap<&str, Vec<(&Usable<'_>, &str)>> = BTreeMap::new();
    let mut placeless = Vec::new();
    for one in usable {
        let is_attached = moment
            .volume(one.copy)
            .is_some_and(|copy| !copy.servers.is_empty());
        if one.status == "in-use" || is_attached {
            continue;
        }
        let original = moment.volume(one.original);
        let copy = one.copy;
        let servers = original.map_or(&[][..], |original| &original.servers);
        let asked_for = servers
            .iter()
            .find(|one| event["server_id"] == one.as_str());
        match asked_for.or(servers.first()) {
            None => placeless.push(format!("openstack server add volume SERVER {copy}")),
            Some(server) => {
                let device = devices.get(one.original).map_or("/dev/vdb", String::as_str);
                if device == "/dev/vda" {
                    placeless.push(format!(
                        "openstack server create --volume {copy} --flavor FLAVOR --network NETWORK \
                         restored-{restore_id}"
                    ));
                } else {
                    swapped.entry(server).or_default().push((one, device));
                }
            }
        }
    }
    let mut lines = Vec::new();
    for (server, volumes) in swapped {
        lines.push(format!("openstack server stop {server}"));
        for (one, _) in &volumes {
            lines.push(format!(
                "openstack server remove volume {server} {}",
                one.original
            ));
        }
        for (one, device) in &volumes {
            lines.push(format!(
                "openstack server add volume --device {device} {server} {}",
                one.copy
            ));
        }
        lines.push(format!("openstack server start {server}"));
    }
    lines.extend(placeless);
    lines
}
