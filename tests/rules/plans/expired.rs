//! Expiry: when a snapshot goes, and for which reasons it stays although its time has come.
//!
//! Here it is never among the newest that are kept; that rule has tables of its own.

use chrono::TimeDelta;
use snapsentry::plan::expiry::{ExpiryVerdict, Reason};
use snapsentry::plan::{Expiry, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::Daily;

use super::{SECOND, STUCK_AFTER, daily, expiry_verdicts, now, since, subscribed};

fn expiring(expiry: Expiry) -> Snapshot {
    Snapshot {
        expiry,
        ..daily("s")
    }
}

fn expired(snapshot: Snapshot) -> Snapshot {
    Snapshot {
        expiry: Expiry::At(now() - SECOND),
        ..snapshot
    }
}

fn judge(snapshot: &Snapshot, volume: Option<&Volume>) -> ExpiryVerdict {
    expiry_verdicts(volume, std::slice::from_ref(snapshot), 0)[&snapshot.id]
}

/// The verdict, which is the same whether or not the volume still exists and wants snapshots.
fn verdict(snapshot: &Snapshot) -> ExpiryVerdict {
    let wanted = judge(snapshot, Some(&subscribed("v", &[Daily])));
    assert_eq!(wanted, judge(snapshot, None), "{snapshot:?}");
    wanted
}

#[test]
fn a_snapshot_goes_from_the_instant_at_which_it_expires() {
    for (ahead, goes) in [
        (TimeDelta::days(30), false),
        (SECOND, false),
        (TimeDelta::nanoseconds(1), false),
        (TimeDelta::zero(), true),
        (-SECOND, true),
        (-TimeDelta::days(3650), true),
    ] {
        let expired_at = now() + ahead;
        let expected = if goes {
            ExpiryVerdict::Delete {
                reason: Reason::Expired,
                expired_at,
            }
        } else {
            ExpiryVerdict::NotExpired
        };
        assert_eq!(verdict(&expiring(Expiry::At(expired_at))), expected);
    }
}

#[test]
fn what_cannot_be_judged_stays_and_is_told_of() {
    let unknown = |snapshot| Snapshot {
        policy: None,
        ..snapshot
    };
    for (snapshot, expected) in [
        (expiring(Expiry::Missing), ExpiryVerdict::NoExpiry),
        (
            expiring(Expiry::Unreadable),
            ExpiryVerdict::UnreadableExpiry,
        ),
        (unknown(expired(daily("s"))), ExpiryVerdict::UnknownPolicy),
        (unknown(daily("s")), ExpiryVerdict::UnknownPolicy),
    ] {
        let held = Snapshot {
            held: true,
            ..snapshot.clone()
        };
        assert_eq!(verdict(&snapshot), expected);
        assert_eq!(verdict(&held), expected, "also where it is held");
    }
}

#[test]
fn a_hold_keeps_a_snapshot_in_every_state() {
    for state in [State::Available, State::Error, State::Creating] {
        let held = Snapshot {
            state,
            held: true,
            ..expired(daily("s"))
        };
        assert_eq!(verdict(&held), ExpiryVerdict::Held, "{state:?}");
    }
}

#[test]
fn what_is_on_its_way_or_in_use_is_not_touched_unless_it_is_stuck() {
    let past_the_limit = STUCK_AFTER + SECOND;
    let (busy, goes) = (
        ExpiryVerdict::Busy,
        ExpiryVerdict::Delete {
            reason: Reason::Expired,
            expired_at: now() - SECOND,
        },
    );
    for (status, while_young, at_the_limit, later) in [
        ("available", goes, goes, goes),
        ("error", goes, goes, goes),
        ("creating", busy, busy, goes),
        ("deleting", busy, busy, goes),
        ("error_deleting", busy, busy, goes),
        ("backing-up", busy, busy, busy),
        ("restoring", busy, busy, busy),
        ("updating", busy, busy, busy),
        ("unmanaging", busy, busy, busy),
        ("a-new-word", busy, busy, busy),
    ] {
        for (age, expected) in [
            (SECOND, while_young),
            (STUCK_AFTER, at_the_limit),
            (past_the_limit, later),
        ] {
            let snapshot = expired(since("s", age, status));
            assert_eq!(verdict(&snapshot), expected, "{status} for {age}");
        }
    }
}
