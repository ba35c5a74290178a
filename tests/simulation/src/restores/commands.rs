//! The commands that a person would type next, said a second time: server by server what swaps its
//! volumes, or starts a new one from the root's copy, then what has no place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::point::{Moment, id_of};

/// A copy that can be used, as an answer names it.
pub(super) struct Usable<'a> {
    pub(super) original: &'a str,
    pub(super) copy: &'a str,
    pub(super) status: &'a str,
}

/// What the answer has to name; nothing of a server while a copy for it is `open`. `devices` says
/// where an original is at its server; of several servers the one that the event asks for counts.
pub(super) fn expected(
    usable: &[Usable<'_>],
    open: &[&str],
    moment: &Moment,
    devices: &BTreeMap<String, String>,
    event: &Value,
) -> Vec<String> {
    let restore_id = id_of(event);
    let mut of_servers: BTreeMap<&str, Vec<(&Usable<'_>, &str)>> = BTreeMap::new();
    let mut placeless = Vec::new();
    for one in usable {
        let copy = one.copy;
        match server_of(one.original, moment, event) {
            None if is_attached(one, moment) => {}
            None => placeless.push(format!("openstack server add volume SERVER {copy}")),
            Some(server) => {
                let device = devices.get(one.original).map_or("/dev/vdb", String::as_str);
                of_servers.entry(server).or_default().push((one, device));
            }
        }
    }
    of_servers.retain(|server, _| {
        let mut open = open.iter();
        !open.any(|one| server_of(one, moment, event) == Some(server))
    });
    let is_root = |(_, device): &(&Usable<'_>, &str)| *device == "/dev/vda";
    let anew = of_servers.values().filter(|all| all.iter().any(is_root));
    let anew = anew.count();
    let mut lines = Vec::new();
    for (server, mut volumes) in of_servers {
        let root = volumes
            .iter()
            .position(is_root)
            .map(|at| volumes.remove(at).0);
        volumes.retain(|(one, _)| !is_attached(one, moment));
        let mut target = server.to_owned();
        if let Some(root) = root {
            target = format!("restored-{restore_id}");
            if anew > 1 {
                target = format!("{target}-{server}");
            }
            if !is_attached(root, moment) {
                lines.push(format!("openstack server stop {server}"));
                lines.push(format!(
                    "openstack server create --volume {} --flavor FLAVOR --network NETWORK --wait \
                     {target}",
                    root.copy
                ));
            } else if let Some(at) = moment.volume(root.copy).and_then(|one| one.servers.first()) {
                at.clone_into(&mut target);
            }
        } else if !volumes.is_empty() {
            lines.push(format!("openstack server stop {server}"));
            for (one, _) in &volumes {
                lines.push(format!(
                    "openstack server remove volume {server} {}",
                    one.original
                ));
            }
        }
        for (one, device) in &volumes {
            lines.push(format!(
                "openstack server add volume --device {device} {target} {}",
                one.copy
            ));
        }
        if root.is_none() && !volumes.is_empty() {
            lines.push(format!("openstack server start {server}"));
        }
    }
    lines.extend(placeless);
    lines
}

/// The server that an original is at; of several the one that is asked for.
fn server_of<'m>(original: &str, moment: &'m Moment, event: &Value) -> Option<&'m str> {
    let servers = &moment.volume(original)?.servers;
    let asked_for = servers
        .iter()
        .find(|one| event["server_id"] == one.as_str());
    asked_for.or(servers.first()).map(String::as_str)
}

/// Whether some server has the copy already.
fn is_attached(one: &Usable<'_>, moment: &Moment) -> bool {
    let copy = moment.volume(one.copy);
    one.status == "in-use" || copy.is_some_and(|copy| !copy.servers.is_empty())
}
