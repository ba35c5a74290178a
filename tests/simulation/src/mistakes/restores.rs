//! Mistakes that restores show.

use super::{Change, Mistake};

/// Each of them is found by some seed of restores.
pub const OF_RESTORES: &[Mistake] = &[
    Mistake {
        name: "restore-without-look-up",
        says: "A volume's creation whose answer was lost is simply sent again.",
        changes: &[Change {
            file: "src/openstack/volume_creation.rs",
            find: "Ok(tagged.into_iter().find(|volume| matches(volume)))",
            put: "Ok(tagged.into_iter().find(|volume| matches(volume) && volume.id.is_empty()))",
        }],
    },
    Mistake {
        name: "newest-of-each",
        says: "Each volume is got back from its newest snapshot, whatever the others have.",
        changes: &[Change {
            file: "src/plan/restore/point.rs",
            find: ".and_then(|keys| keys.last().copied());",
            put: ".and_then(|keys| keys.last().copied().filter(|_| keys.is_empty()));",
        }],
    },
    Mistake {
        name: "copies-that-are-there-do-not-count",
        says: "A later call makes all copies once more.",
        changes: &[Change {
            file: "src/plan/restore/mod.rs",
            find: "let copy = made.next();",
            put: "let copy = made.next().filter(|copy| copy.status.is_empty());",
        }],
    },
    Mistake {
        name: "later-calls-choose-anew",
        says: "What is missing is made from the newest, whatever the copies are of.",
        changes: &[Change {
            file: "src/plan/restore/point.rs",
            find: "if chosen.explains(copies) {",
            put: "if !chosen.explains(copies) || copies.is_empty() {",
        }],
    },
    Mistake {
        name: "newer-ones-are-mixed-in",
        says: "A later call sees what was taken after the first copy was made.",
        changes: &[Change {
            file: "src/plan/restore/point.rs",
            find: "let until = [point.at, first_copy].into_iter().flatten().min();",
            put: "let until = point.at.filter(|_| first_copy.is_none());",
        }],
    },
    Mistake {
        name: "used-up-quota-is-tried-again",
        says: "A quota that is used up is taken for a rate limit.",
        changes: &[Change {
            file: "src/openstack/error.rs",
            find: "&& retry_after.is_some_and(|wait| !wait.is_zero()))",
            put: ")",
        }],
    },
    Mistake {
        name: "twins-the-second",
        says: "Of two snapshots of one window the later is taken.",
        changes: &[Change {
            file: "src/plan/restore/point.rs",
            find: "Some(point) => of_volume.into_iter().find(|one| key(one) == Some(point)),",
            put: "Some(point) => of_volume.into_iter().rfind(|one| key(one) == Some(point)),",
        }],
    },
    Mistake {
        name: "copies-are-managed",
        says: "A copy is subscribed from the start.",
        changes: &[Change {
            file: "src/plan/restore/mod.rs",
            find: "(keys::RESTORED_VOLUME.to_owned(), volume_id.to_owned()),",
            put: "(keys::RESTORED_VOLUME.to_owned(), volume_id.to_owned()),
        (\"x-snapsentry-managed\".to_owned(), \"true\".to_owned()),",
        }],
    },
    Mistake {
        name: "a-dry-run-creates",
        says: "A dry run is none.",
        changes: &[Change {
            file: "src/pass/restore.rs",
            find: "let outcomes = if request.dry_run {",
            put: "let outcomes = if request.dry_run && plan.items.len() > 2 {",
        }],
    },
    Mistake {
        name: "second-copies-are-kept-quiet",
        says: "Nobody is told that two calls have made two copies.",
        changes: &[Change {
            file: "src/pass/restore_summary.rs",
            find: "for id in &item.surplus {",
            put: "for id in item.surplus.iter().take(0) {",
        }],
    },
    Mistake {
        name: "a-broken-copy-is-made-again",
        says: "A copy that ended in error is no obstacle to another.",
        changes: &[Change {
            file: "src/plan/restore/mod.rs",
            find: "let copy = made.next();",
            put: "let copy = made.next().filter(|copy| CopyState::of(&copy.status) != CopyState::Broken);",
        }],
    },
    Mistake {
        name: "what-is-gone-explains-everything",
        says: "A copy of whose original no snapshot is left says nothing of the window.",
        changes: &[Change {
            file: "src/plan/restore/point.rs",
            find: "self.by_volume.get(volume_id).is_some_and(|chosen| {",
            put: "self.by_volume.get(volume_id).is_none_or(|chosen| {",
        }],
    },
];
