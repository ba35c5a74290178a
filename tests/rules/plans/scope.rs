//! The part of the project that a pass looks after.

use snapsentry::plan::{Scope, Shard, Volume};

use super::{attached, subscribed};

fn share(index: u32, count: u32) -> Scope {
    Scope {
        shard: Some(Shard { index, count }),
        volume_ids: None,
    }
}

fn only(ids: &[&str]) -> Scope {
    Scope {
        volume_ids: Some(ids.iter().map(|id| id.to_string()).collect()),
        shard: None,
    }
}

/// The index of the one share, of four, for which this holds.
fn share_of(is_in: impl Fn(&Scope) -> bool) -> u32 {
    let shares: Vec<u32> = (0..4).filter(|&index| is_in(&share(index, 4))).collect();
    assert_eq!(shares.len(), 1, "in exactly one share, not in {shares:?}");
    shares[0]
}

fn share_of_volume(volume: &Volume) -> u32 {
    share_of(|scope| scope.contains(volume))
}

#[test]
fn a_pass_without_limits_looks_after_everything() {
    let everything = Scope::default();
    assert!(everything.contains(&subscribed("v", &[])));
    assert!(everything.contains(&attached(subscribed("v", &[]), &["web"])));
    assert!(everything.contains_unlisted("gone"));
}

#[test]
fn a_pass_for_certain_volumes_looks_after_no_others() {
    let some = only(&["a", "b"]);
    for (id, contained) in [("a", true), ("b", true), ("c", false), ("", false)] {
        assert_eq!(some.contains(&subscribed(id, &[])), contained, "{id}");
        assert_eq!(some.contains_unlisted(id), contained, "{id}");
    }
    // A VM's name is no volume's.
    assert!(!some.contains(&attached(subscribed("c", &[]), &["a"])));
}

#[test]
fn the_volumes_of_one_vm_are_in_the_same_share() {
    let mut seen = [false; 4];
    for vm in ["web", "db", "mail", "dns", "ci", "wiki", "proxy", "cache"] {
        let shares = [1, 2, 3, 4, 5, 6, 7, 8].map(|n| {
            let id = format!("{vm}-{n}");
            share_of_volume(&attached(subscribed(&id, &[]), &[vm]))
        });
        assert_eq!(shares, [shares[0]; 8], "{vm}");
        seen[shares[0] as usize] = true;
    }
    assert!(seen.iter().filter(|&&seen| seen).count() > 1, "{seen:?}");
}

#[test]
fn all_other_volumes_go_by_their_own_id_also_when_they_are_gone() {
    let mut seen = [false; 4];
    for n in 0..32 {
        let id = format!("volume-{n}");
        let own = share_of_volume(&subscribed(&id, &[]));
        let shared = attached(subscribed(&id, &[]), &["web", "db"]);
        assert_eq!(share_of_volume(&shared), own, "{id}");
        assert_eq!(share_of(|scope| scope.contains_unlisted(&id)), own, "{id}");
        seen[own as usize] = true;
    }
    assert_eq!(seen, [true; 4]);
}

#[test]
fn a_share_of_certain_volumes_is_what_both_contain() {
    let volume = subscribed("v", &[]);
    let (own, count) = (share_of_volume(&volume), 4);
    for (named, index, contained) in [
        ("v", own, true),
        ("v", (own + 1) % count, false),
        ("other", own, false),
        ("other", (own + 1) % count, false),
    ] {
        let scope = Scope {
            shard: Some(Shard { index, count }),
            ..only(&[named])
        };
        assert_eq!(scope.contains(&volume), contained, "{named} {index}");
        assert_eq!(scope.contains_unlisted("v"), contained, "{named} {index}");
    }
}
