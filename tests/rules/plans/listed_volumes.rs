//! A listed volume: whether it is ours, what it wants, and with which others it belongs.

use snapsentry::plan::{Volume, group_volumes_by_vm};
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};
use snapsentry::policy::{Metadata, PolicyState};

use super::{attached, subscribed, volume};

fn ids<'a>(volumes: impl IntoIterator<Item = &'a &'a Volume>) -> Vec<&'a str> {
    volumes.into_iter().map(|one| one.id.as_str()).collect()
}

#[test]
fn a_volume_says_which_policies_are_on_and_which_cannot_be_read() {
    let volume = volume(
        "v",
        &[
            ("managed", "true"),
            ("daily-enabled", "true"),
            ("weekly-enabled", "false"),
            ("monthly-enabled", "maybe"),
        ],
    );
    let kinds: Vec<PolicyKind> = volume.policies().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [Daily, Monthly]);
    assert!(matches!(volume.policy(Daily), PolicyState::Enabled(policy) if policy.kind() == Daily));
    assert!(matches!(volume.policy(Monthly), PolicyState::Invalid(_)));
    for off in [Express, Weekly] {
        assert_eq!(volume.policy(off), &PolicyState::Disabled, "{off}");
    }
}

#[test]
fn a_volume_is_wiped_if_no_key_of_ours_is_left() {
    for (keys, managed, wiped) in [
        (&[("managed", "true")][..], true, false),
        (&[("managed", "false")], false, false),
        (&[("daily-enabled", "true")], false, false),
        (&[("unheard-of", "x")], false, false),
        // An empty value counts as missing, whatever the key.
        (&[("managed", "")], false, true),
        (&[("managed", ""), ("daily-enabled", "")], false, true),
        (&[], false, true),
    ] {
        let volume = volume("v", keys);
        assert_eq!(
            (volume.managed, volume.without_our_keys),
            (managed, wiped),
            "{keys:?}"
        );
    }
    // Keys of others are not ours, however similar.
    let others: Metadata = ["backup", "snapsentry", "my-x-snapsentry-managed"]
        .map(|key| (key.to_owned(), "true".to_owned()))
        .into();
    assert!(Volume::new("v".to_owned(), String::new(), Vec::new(), &others).without_our_keys);
}

#[test]
fn only_one_attachment_makes_a_volume_one_of_a_vm() {
    for (servers, vm) in [
        (&["web"][..], Some("web")),
        (&[], None),
        (&["web", "db"], None),
        (&["web", "web"], None),
        // An attachment to a host names no server.
        (&[""], None),
    ] {
        let volume = attached(subscribed("v", &[]), servers);
        assert_eq!(volume.vm(), vm, "{servers:?}");
    }
}

#[test]
fn volumes_of_one_vm_are_one_group_and_all_others_stand_alone() {
    let volumes = [
        ("data", &["web"][..]),
        ("spare", &[]),
        ("store", &["db"]),
        ("shared", &["web", "db"]),
        ("root", &["web"]),
        ("shared-too", &["web", "db"]),
        ("spare-too", &[]),
    ]
    .map(|(id, servers)| attached(subscribed(id, &[]), servers));
    let grouped = group_volumes_by_vm(&volumes);

    let attached: Vec<_> = grouped.attached.iter().collect();
    let attached: Vec<_> = attached.iter().map(|(vm, of)| (**vm, ids(*of))).collect();
    assert_eq!(
        attached,
        [("db", vec!["store"]), ("web", vec!["data", "root"])]
    );
    assert_eq!(ids(&grouped.multi_attached), ["shared", "shared-too"]);
    assert_eq!(ids(&grouped.unattached), ["spare", "spare-too"]);

    let mut groups: Vec<Vec<&str>> = grouped.groups().map(ids).collect();
    groups.sort();
    assert_eq!(
        groups,
        [
            vec!["data", "root"],
            vec!["shared"],
            vec!["shared-too"],
            vec!["spare"],
            vec!["spare-too"],
            vec!["store"],
        ]
    );
}

#[test]
fn attachments_that_name_no_server_bring_no_volumes_together() {
    let volumes = ["a", "b"].map(|id| attached(subscribed(id, &[]), &[""]));
    let grouped = group_volumes_by_vm(&volumes);
    let mut groups: Vec<Vec<&str>> = grouped.groups().map(ids).collect();
    groups.sort();
    assert_eq!(groups, [["a"], ["b"]]);
}
