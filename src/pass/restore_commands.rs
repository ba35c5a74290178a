//! The commands that a person would type after a restore, in order.
//!
//! Nothing here is carried out: which server may be stopped, and when, is for people to say.

use std::collections::BTreeMap;

use crate::plan::restore::{RestoreAttachment, RestoreVolume};

/// A usable copy, and the original whose place it would take.
pub(super) struct Swap<'a> {
    /// The original, where it is still there.
    pub(super) original: Option<&'a RestoreVolume>,
    pub(super) volume_id: &'a str,
    pub(super) copy_id: String,
    /// Whether some server has it already.
    pub(super) is_attached: bool,
    /// The copy, as it was there before this call.
    pub(super) copy: Option<&'a RestoreVolume>,
}

/// The commands: server by server those that swap its volumes, then what is left to a person's
/// choice of a server.
pub(super) fn commands(swaps: &[Swap<'_>], restore_id: &str) -> Vec<String> {
    let mut by_server: BTreeMap<&str, Vec<(&Swap<'_>, &RestoreAttachment)>> = BTreeMap::new();
    let mut commands = Vec::new();
    let mut alone = Vec::new();
    for swap in swaps {
        if swap.is_attached || swap.copy.is_some_and(|copy| !copy.attachments.is_empty()) {
            continue;
        }
        match swap
            .original
            .and_then(|original| original.attachments.first())
        {
            Some(attachment) if is_root(attachment) => alone.push(root(swap, restore_id)),
            Some(attachment) => by_server
                .entry(&attachment.server_id)
                .or_default()
                .push((swap, attachment)),
            None => alone.push(format!(
                "openstack server add volume SERVER {}",
                quoted(&swap.copy_id)
            )),
        }
    }
    for (server, swaps) in by_server {
        let server = quoted(server);
        commands.push(format!("openstack server stop {server}"));
        for (swap, _) in &swaps {
            let original = quoted(swap.volume_id);
            commands.push(format!(
                "openstack server remove volume {server} {original}"
            ));
        }
        for (swap, attachment) in &swaps {
            let device = attachment
                .device
                .as_deref()
                .filter(|device| !device.is_empty());
            let device = device.map_or(String::new(), |device| {
                format!("--device {} ", quoted(device))
            });
            let copy = quoted(&swap.copy_id);
            commands.push(format!(
                "openstack server add volume {device}{server} {copy}"
            ));
        }
        commands.push(format!("openstack server start {server}"));
    }
    commands.extend(alone);
    commands
}

/// A root volume cannot be exchanged under its server: a new server starts from the copy.
fn root(swap: &Swap<'_>, restore_id: &str) -> String {
    format!(
        "openstack server create --volume {} --flavor FLAVOR --network NETWORK {}",
        quoted(&swap.copy_id),
        quoted(&format!("restored-{restore_id}"))
    )
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
}
