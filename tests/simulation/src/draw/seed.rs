//! A seed as a tree: each part of a case draws from a generator of its own, named by what it is
//! for, so that a new drawing shifts nothing of the others.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// Where the randomness of a case, or of a part of it, comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The root of a case.
    pub fn new(number: u64) -> Self {
        Self(mixed(number))
    }

    /// The seed of a part, by its name.
    #[must_use]
    pub fn of(self, part: &str) -> Self {
        let letters = part.bytes().map(u64::from);
        Self(letters.fold(self.0, |seed, letter| mixed(seed ^ letter)))
    }

    /// The seed of the nth of several alike.
    #[must_use]
    pub fn nth(self, n: usize) -> Self {
        Self(mixed(self.0.wrapping_add(n as u64 + 1)))
    }

    /// A generator. Every call gives the same one.
    pub fn rng(self) -> StdRng {
        StdRng::seed_from_u64(self.0)
    }
}

/// The finaliser of SplitMix64: every bit of the number moves every bit of the result.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn parts_draw_apart_and_always_the_same() {
        let root = Seed::new(7);
        assert_eq!(root.of("volumes").nth(3), Seed::new(7).of("volumes").nth(3));
        let parts = [
            root,
            Seed::new(8),
            root.of("a"),
            root.of("b"),
            root.of("ab"),
        ];
        let nths = (0..1_000).map(|n| root.of("volumes").nth(n));
        let all: BTreeSet<u64> = parts.into_iter().chain(nths).map(|seed| seed.0).collect();
        assert_eq!(all.len(), 1_005);
    }
}
