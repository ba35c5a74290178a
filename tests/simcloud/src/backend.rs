//! The storage behind Cinder: how long creating and deleting really take, and how they fail
//! after Cinder has said 202.

use std::time::Duration;

/// Which snapshots a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshots {
    /// All.
    Any,
    /// Those of this volume.
    OfVolume(String),
    /// This one.
    Id(String),
    /// Those whose name matches this shell pattern (`*` stands for any text).
    Named(String),
}

/// What the storage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Creation takes this much longer.
    CreateSlowly(Duration),
    /// Creation ends in `error`.
    CreateFails,
    /// The snapshot stays `creating` for ever.
    CreateHangs,
    /// Deletion takes this much longer.
    DeleteSlowly(Duration),
    /// Deletion ends in `error_deleting`.
    DeleteFails,
    /// Deletion ends in `available` again.
    DeleteBusy,
    /// The snapshot stays `deleting` for ever.
    DeleteHangs,
    /// Making a volume from the snapshot takes this much longer.
    VolumeSlowly(Duration),
    /// The volume made from the snapshot ends in `error`.
    VolumeFails,
    /// The volume made from the snapshot stays `creating` for ever.
    VolumeHangs,
}

/// What the storage is asked to do with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Create,
    Delete,
    MakeVolume,
}

impl Behaviour {
    fn is_slow(self) -> bool {
        matches!(
            self,
            Self::CreateSlowly(_) | Self::DeleteSlowly(_) | Self::VolumeSlowly(_)
        )
    }

    fn deed(self) -> Deed {
        match self {
            Self::CreateSlowly(_) | Self::CreateFails | Self::CreateHangs => Deed::Create,
            Self::VolumeSlowly(_) | Self::VolumeFails | Self::VolumeHangs => Deed::MakeVolume,
            Self::DeleteSlowly(_) | Self::DeleteFails | Self::DeleteBusy | Self::DeleteHangs => {
                Deed::Delete
            }
        }
    }
}

/// A behaviour and the snapshots it is for. All that match apply: delays add up, and of the
/// rest the first added wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which snapshots.
    pub snapshots: Snapshots,
    /// How often; `None` for always.
    pub times: Option<u64>,
    /// What the storage does.
    pub behaviour: Behaviour,
}

impl Rule {
    /// Applies always.
    pub fn new(snapshots: Snapshots, behaviour: Behaviour) -> Self {
        Self {
            snapshots,
            times: None,
            behaviour,
        }
    }

    /// Applies this often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

/// How one creation or deletion ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Fails,
    Busy,
    Never,
}

/// Decides how long one deed takes and how it ends.
pub(crate) fn decide(
    rules: &mut [Rule],
    deed: Deed,
    volume: &str,
    id: &str,
    name: &str,
) -> (Duration, End) {
    let (mut delay, mut end) = (Duration::ZERO, None);
    for rule in rules {
        let matches = match &rule.snapshots {
            Snapshots::Any => true,
            Snapshots::OfVolume(wanted) => wanted == volume,
            Snapshots::Id(wanted) => wanted == id,
            Snapshots::Named(pattern) => glob(pattern.as_bytes(), name.as_bytes()),
        };
        let applies = rule.behaviour.deed() == deed
            && rule.times != Some(0)
            && matches
            && (rule.behaviour.is_slow() || end.is_none());
        if !applies {
            continue;
        }
        rule.times = rule.times.map(|times| times - 1);
        match rule.behaviour {
            Behaviour::CreateSlowly(more)
            | Behaviour::DeleteSlowly(more)
            | Behaviour::VolumeSlowly(more) => delay += more,
            Behaviour::CreateFails | Behaviour::DeleteFails | Behaviour::VolumeFails => {
                end = Some(End::Fails);
            }
            Behaviour::DeleteBusy => end = Some(End::Busy),
            Behaviour::CreateHangs | Behaviour::DeleteHangs | Behaviour::VolumeHangs => {
                end = Some(End::Never);
            }
        }
    }
    (delay, end.unwrap_or(End::Done))
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
        Some((letter, rest)) => text.first() == Some(letter) && glob(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        assert!(glob(b"managed-*-x", b"managed-daily-x"));
        assert!(glob(b"*", b""));
        assert!(!glob(b"bad-*", b"good-1"));
    }

    #[test]
    fn delays_add_up_and_the_first_end_wins() {
        let second = Duration::from_secs(1);
        let mut rules = [
            Rule::new(Snapshots::Any, Behaviour::CreateSlowly(second)),
            Rule::new(Snapshots::Named("m*".into()), Behaviour::CreateFails).times(1),
            Rule::new(
                Snapshots::OfVolume("v".into()),
                Behaviour::CreateSlowly(second),
            ),
            Rule::new(Snapshots::Any, Behaviour::DeleteBusy),
        ];
        assert_eq!(
            decide(&mut rules, Deed::Create, "v", "s", "m"),
            (2 * second, End::Fails)
        );
        assert_eq!(
            decide(&mut rules, Deed::Create, "w", "s", "m"),
            (second, End::Done)
        );
        assert_eq!(
            decide(&mut rules, Deed::Delete, "v", "s", "m"),
            (Duration::ZERO, End::Busy)
        );
    }
}
