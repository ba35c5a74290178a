//! Which part of the project a pass looks after.
//!
//! Shards are disjoint and cover everything by construction: each is a share of one hash, so
//! nothing has to coordinate the passes that take them.

use std::collections::BTreeSet;

use super::Volume;

/// One of `count` disjoint shares that together cover everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Shard {
    /// Which share, from 0.
    pub index: u32,
    /// How many shares there are; at least 1.
    pub count: u32,
}

impl Shard {
    /// Whether what goes by this key (a VM's id, or a volume's) is in the share.
    pub fn contains(&self, key: &str) -> bool {
        stable_hash(key) % u64::from(self.count.max(1)) == u64::from(self.index)
    }
}

/// FNV-1a over the bytes, then mixed: FNV's low bits alone spread similar ids badly.
///
/// It is spelt out here and not taken from the standard library, whose own may change: every
/// pass, on every platform and in every release, has to compute the same share.
pub(super) fn stable_hash(key: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let fnv = key.bytes().fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

/// What a pass is limited to; everything where it is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only these volumes.
    pub volume_ids: Option<BTreeSet<String>>,
    /// Only this share.
    pub shard: Option<Shard>,
}

impl Scope {
    /// Whether this pass looks after a volume. Volumes of one VM go together.
    pub fn contains(&self, volume: &Volume) -> bool {
        self.names(&volume.id) && self.has_slots_for(volume)
    }

    /// Whether what is being created of a volume takes slots of this pass: a share has slots of its
    /// own, but a backend does not care which volumes an event names.
    pub(crate) fn has_slots_for(&self, volume: &Volume) -> bool {
        self.shard
            .is_none_or(|shard| shard.contains(volume.vm().unwrap_or(&volume.id)))
    }

    /// Whether this pass looks after the snapshots of a volume that no longer exists, or that
    /// was not listed: it goes by its own id.
    pub fn contains_unlisted(&self, volume_id: &str) -> bool {
        self.names(volume_id) && self.shard.is_none_or(|shard| shard.contains(volume_id))
    }

    fn names(&self, volume_id: &str) -> bool {
        self.volume_ids
            .as_ref()
            .is_none_or(|ids| ids.contains(volume_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_exactly_one_of_the_shards() {
        for count in [1, 2, 3, 4, 8, 256] {
            for n in 0..500 {
                let key = format!("{n:08x}-0000-4000-8000-000000000000");
                let shares = (0..count)
                    .filter(|&index| Shard { index, count }.contains(&key))
                    .count();
                assert_eq!(shares, 1, "{key} of {count}");
            }
        }
    }

    #[test]
    fn the_hash_never_changes() {
        // A release that moved volumes between shares would leave some out of every pass
        // while old and new sandboxes run side by side.
        assert_eq!(stable_hash(""), 0xefd0_1f60_ba99_2926);
        let id = "11111111-1111-1111-1111-111111111111";
        assert_eq!(stable_hash(id), 0x3464_0429_9250_3496);
    }

    #[test]
    fn shares_are_even_for_ids_that_differ_in_the_last_digits_only() {
        let count = 8;
        for index in 0..count {
            let shard = Shard { index, count };
            let members = (0..8_000)
                .filter(|n| shard.contains(&format!("00000000-0000-4000-8000-{n:012}")))
                .count();
            assert!((850..=1_150).contains(&members), "share {index}: {members}");
        }
    }
}
