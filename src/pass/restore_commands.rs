//! The commands that a person would type after a restore.
//!
//! None of them is carried out: which server may be stopped, and when, is for people to say.

use std::collections::BTreeMap;

use crate::event::{RestoreRequest, RestoreTarget};
use crate::plan::restore::{RestoreAttachment, RestoreVolume};

/// A usable copy, and the original whose place it would take.
pub(super) struct Swap<'a> {
    /// Where the original is attached.
    pub(super) attachment: Option<&'a RestoreAttachment>,
    pub(super) volume_id: &'a str,
    pub(super) copy_id: String,
    /// Whether some server has it already.
    pub(super) is_attached: bool,
    /// The copy, as it was there before this call.
    pub(super) copy: Option<&'a RestoreVolume>,
}

impl Swap<'_> {
    fn is_done(&self) -> bool {
        self.is_attached || self.new_server().is_some()
    }

    /// The server that has the copy already, where it is known.
    fn new_server(&self) -> Option<&str> {
        let attachments = &self.copy?.attachments;
        attachments.first().map(|one| one.server_id.as_str())
    }
}

/// A swap, and where its original is attached.
type PlacedSwap<'a> = (&'a Swap<'a>, &'a RestoreAttachment);

/// Where a volume is attached; of several servers the one that the restore is for.
pub(super) fn attachment<'a>(
    volume: &'a RestoreVolume,
    request: &RestoreRequest,
) -> Option<&'a RestoreAttachment> {
    let is_asked_for = |one: &&RestoreAttachment| match &request.of {
        RestoreTarget::Server(server) => one.server_id == *server,
        RestoreTarget::Volumes(_) => false,
    };
    let attachments = &volume.attachments;
    let asked_for = attachments.iter().find(is_asked_for);
    asked_for.or(attachments.first())
}

/// The commands: server by server those that bring its volumes back, then what is left to a person's
/// choice of a server.
pub(super) fn commands(swaps: &[Swap<'_>], restore_id: &str) -> Vec<String> {
    let mut by_server: BTreeMap<&str, Vec<PlacedSwap<'_>>> = BTreeMap::new();
    let mut alone = Vec::new();
    for swap in swaps {
        match swap.attachment {
            Some(attachment) => by_server
                .entry(&attachment.server_id)
                .or_default()
                .push((swap, attachment)),
            None if swap.is_done() => {}
            None => alone.push(format!(
                "openstack server add volume SERVER {}",
                quoted(&swap.copy_id)
            )),
        }
    }
    let root = |swaps: &[PlacedSwap<'_>]| swaps.iter().position(|(_, at)| is_root(at));
    let roots = by_server.values().filter_map(|swaps| root(swaps)).count();
    let mut commands = Vec::new();
    for (server, mut swaps) in by_server {
        let root = root(&swaps).map(|at| swaps.remove(at).0);
        swaps.retain(|(swap, _)| !swap.is_done());
        commands.extend(match root {
            None => exchange(server, &swaps),
            Some(root) => {
                let name = match roots {
                    1 => format!("restored-{restore_id}"),
                    // Servers of one name could not be told apart by it.
                    _ => format!("restored-{restore_id}-{server}"),
                };
                start_anew(server, root, &swaps, &name)
            }
        });
    }
    commands.extend(alone);
    commands
}

/// Swaps the data volumes of a server.
fn exchange(server: &str, swaps: &[PlacedSwap<'_>]) -> Vec<String> {
    if swaps.is_empty() {
        return Vec::new();
    }
    let stop = [stop(server)].into_iter();
    let removed = swaps.iter().map(|(swap, _)| {
        let (server, original) = (quoted(server), quoted(swap.volume_id));
        format!("openstack server remove volume {server} {original}")
    });
    let added = swaps.iter().map(|placed| add(server, placed));
    let start = [format!("openstack server start {}", quoted(server))];
    stop.chain(removed).chain(added).chain(start).collect()
}

/// A root volume cannot be exchanged under its server: a new server starts from the copy, and gets the
/// copies of the data volumes as well, for they are of one moment. The old server keeps what it has.
fn start_anew(server: &str, root: &Swap<'_>, data: &[PlacedSwap<'_>], name: &str) -> Vec<String> {
    let mut commands = Vec::new();
    if !root.is_done() {
        commands.push(stop(server));
        commands.push(format!(
            "openstack server create --volume {} --flavor FLAVOR --network NETWORK --wait {}",
            quoted(&root.copy_id),
            quoted(name)
        ));
    }
    let new_server = root.new_server().unwrap_or(name);
    commands.extend(data.iter().map(|placed| add(new_server, placed)));
    commands
}

fn stop(server: &str) -> String {
    format!("openstack server stop {}", quoted(server))
}

/// Gives a server the copy where it had, or another server has, the original.
fn add(server: &str, (swap, attachment): &PlacedSwap<'_>) -> String {
    let device = attachment.device.as_deref().unwrap_or_default();
    let device = match device {
        "" => String::new(),
        device => format!("--device {} ", quoted(device)),
    };
    let (server, copy) = (quoted(server), quoted(&swap.copy_id));
    format!("openstack server add volume {device}{server} {copy}")
}

/// Nova names a server's root device so, whatever the bus.
fn is_root(attachment: &RestoreAttachment) -> bool {
    let device = attachment.device.as_deref().unwrap_or_default();
    matches!(device, "/dev/vda" | "/dev/sda" | "/dev/xvda" | "/dev/hda")
}

/// A word as a shell takes it: what the cloud says is text, whatever stands in it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_act_upon_is_quoted() {
        assert_eq!(quoted("/dev/vdb"), "/dev/vdb");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn servers_that_start_anew_are_told_apart_by_their_names() {
        let at = |server: &str, device: &str| RestoreAttachment {
            server_id: server.to_owned(),
            device: Some(device.to_owned()),
        };
        let places = [
            at("s1", "/dev/vda"),
            at("s1", "/dev/vdb"),
            at("s2", "/dev/vda"),
        ];
        let swaps = ["c1", "c2", "c3"].iter().zip(&places);
        let swaps: Vec<Swap<'_>> = swaps
            .map(|(copy, place)| Swap {
                attachment: Some(place),
                volume_id: "v",
                copy_id: (*copy).to_owned(),
                is_attached: false,
                copy: None,
            })
            .collect();
        let create = |copy: &str, name: &str| {
            format!(
                "openstack server create --volume {copy} --flavor FLAVOR --network NETWORK --wait {name}"
            )
        };
        assert_eq!(
            commands(&swaps, "r"),
            [
                "openstack server stop s1".to_owned(),
                create("c1", "restored-r-s1"),
                "openstack server add volume --device /dev/vdb restored-r-s1 c2".to_owned(),
                "openstack server stop s2".to_owned(),
                create("c3", "restored-r-s2"),
            ]
        );
    }
}
