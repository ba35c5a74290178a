//! What must hold over time: nobody is without a recovery point in silence, nothing rings without a
//! reason, and what was sick leaves no mark once it is well again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use simcloud::Role;

use super::alarms::{Alarms, Printed};
use super::template::Template;
use super::{Ill, Sickness, Weeks, delta};
use crate::calendar;
use crate::case::Case;
use crate::coverage::Coverage;
use crate::findings::Violation;
use crate::meaning::{Kind, Meaning, Schedule};
use crate::rules::{self, Basis, Fate};
use crate::world::{Copy, VolumeCopy};

/// Any of them says that recovery points are not being taken.
const SAYS_UNSERVED: [&str; 6] = [
    "oldest-due-age",
    "no-snapshot-pass",
    "function-errors",
    "snapshots-failed",
    "async-events-dropped",
    "no-volumes-managed",
];
/// Any of them says that what has expired is not being deleted.
const SAYS_EXPIRED: [&str; 6] = [
    "oldest-expired-age",
    "deletions-deferred",
    "no-expire-pass",
    "function-errors",
    "no-volumes-managed",
    "async-events-dropped",
];
/// Any of them says that nothing is known of lost volumes.
const SAYS_LOST: [&str; 5] = [
    "volumes-lost",
    "no-expire-pass",
    "function-errors",
    "no-volumes-managed",
    "async-events-dropped",
];

/// Any of them says that a policy cannot be read, or that nothing is known of it.
const SAYS_INVALID: [&str; 5] = [
    "policies-invalid",
    "no-snapshot-pass",
    "function-errors",
    "no-volumes-managed",
    "async-events-dropped",
];
/// At most so many tries that came to nothing does a backend that is down cost a policy a day: at
/// once, and ten minutes, half an hour, an hour and a half, four and a half and thirteen hours after
/// the one before; one more where what is stuck is cleaned first, and does not count then.
const LEFT_A_DAY: usize = 7;
/// So many windows that begin within two ticks are many.
const MANY: usize = 12;

/// So long after health is back everything is as it was.
const RECOVERY: TimeDelta = TimeDelta::hours(2);
/// So long the first passes of all have.
const BEGINNING: TimeDelta = TimeDelta::hours(4);

/// One policy of a volume over time.
#[derive(Debug, Default)]
struct Thread {
    /// Whether it was in order when it was last looked at.
    in_order: bool,
    /// Since when its active window has had no available recovery point, though it could have.
    lacks: Option<DateTime<Utc>>,
    /// Since when its volume allows none.
    blocked: Option<DateTime<Utc>>,
    /// As it was when this was last looked at.
    schedule: Option<Schedule>,
    /// When its active window began.
    window: Option<DateTime<Utc>>,
    /// Whether an alarm had to say that it lacks one.
    told: bool,
    /// When it last had to wait for what is stuck.
    waited: Option<DateTime<Utc>>,
    /// When a snapshot was last being created for it, and since when.
    creating: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A snapshot that the next expire pass would delete.
#[derive(Clone, Copy, Debug)]
struct Expired {
    since: DateTime<Utc>,
    /// Whether a role is needed that may force a deletion.
    by_force: bool,
}

/// Watches over some weeks.
#[derive(Debug)]
pub struct Course {
    case: Arc<Case>,
    sicknesses: Vec<Sickness>,
    /// Whether a request in a hundred is answered by 503 although all is well.
    is_noisy: bool,
    limits: Limits,
    threads: BTreeMap<(String, Kind), Thread>,
    /// When everything was last looked at.
    looked: Option<DateTime<Utc>>,
    lost: BTreeMap<String, DateTime<Utc>>,
    unreadable: BTreeMap<(String, Kind), DateTime<Utc>>,
    expired: BTreeMap<String, Expired>,
    invoked: BTreeMap<&'static str, DateTime<Utc>>,
    /// When an alarm last said each thing that has to be said.
    said: BTreeMap<&'static str, DateTime<Utc>>,
    /// When something was last there that only force removes, and the role has none.
    unforced: Option<DateTime<Utc>>,
    /// When something that had been kept beyond its date was last let go.
    released: Option<DateTime<Utc>>,
    /// When no volume was last subscribed.
    none_managed: Option<DateTime<Utc>>,
    /// When a volume had last been blocked for longer than the alarm allows.
    long_blocked: Option<DateTime<Utc>>,
    /// When a volume last allowed snapshots again.
    unblocked: Option<DateTime<Utc>>,
    /// When a policy that lacked a recovery point was last taken away, perhaps with its volume.
    given_up: Option<DateTime<Utc>>,
    protected: BTreeSet<String>,
    violated: BTreeSet<&'static str>,
    violations: Vec<Violation>,
    coverage: Coverage,
    checks: u64,
}

/// What the template's alarms allow.
#[derive(Clone, Copy, Debug)]
struct Limits {
    tick: TimeDelta,
    expire_tick: TimeDelta,
    due: TimeDelta,
    blocked: TimeDelta,
    expired: TimeDelta,
}

/// One moment, with what is needed to judge it.
struct Moment<'a> {
    at: DateTime<Utc>,
    copy: &'a Copy,
    alarms: &'a Alarms,
    basis: Basis,
    /// Since when nothing has been sick; none while something is.
    well_since: Option<DateTime<Utc>>,
    sick: Vec<Ill>,
}

impl Moment<'_> {
    fn any_rings(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.alarms.rings(name))
    }

    /// Whether all has been well for long enough.
    fn is_well(&self) -> bool {
        self.well_since
            .is_some_and(|since| self.at - since >= RECOVERY)
    }
}

impl Course {
    /// For the weeks of a seed.
    pub fn new(weeks: &Weeks, template: &Template) -> Self {
        let seconds = |name: &str| TimeDelta::seconds(template.number(name) as i64);
        Self {
            case: weeks.case.clone(),
            sicknesses: weeks.sicknesses.clone(),
            is_noisy: weeks.one_in > 0,
            limits: Limits {
                tick: seconds("SnapshotTickSeconds"),
                expire_tick: seconds("ExpireTickSeconds"),
                due: seconds("OldestDueAgeLimitSeconds"),
                blocked: seconds("OldestBlockedAgeLimitSeconds"),
                expired: seconds("OldestExpiredAgeLimitSeconds"),
            },
            threads: BTreeMap::new(),
            looked: None,
            lost: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            expired: BTreeMap::new(),
            invoked: BTreeMap::new(),
            said: BTreeMap::new(),
            unforced: None,
            released: None,
            none_managed: None,
            long_blocked: None,
            unblocked: None,
            given_up: None,
            protected: BTreeSet::new(),
            violated: BTreeSet::new(),
            violations: Vec::new(),
            coverage: Coverage::default(),
            checks: 0,
        }
    }

    /// A pass of this phase has been made, or would have been.
    pub fn invoked(&mut self, phase: &'static str, at: DateTime<Utc>) {
        self.invoked.insert(phase, at);
    }

    /// A pass that could have been left out was run all the same: it has to print what would have
    /// been taken for its line.
    pub fn compare(&mut self, label: &str, foretold: &Printed, printed: &Printed) {
        self.hit("a pass that could have been left out was run");
        self.check(
            foretold.is_like(printed),
            "a pass over what has not changed prints the same, with ages that have gone on",
            || format!("{label}: {foretold:?}, printed {printed:?}"),
        );
    }

    /// Something happened, for the table of what was covered.
    pub fn hit(&mut self, name: impl Into<std::borrow::Cow<'static, str>>) {
        self.coverage.hit(name);
    }

    /// Looks at everything after a tick.
    pub fn look(&mut self, at: DateTime<Utc>, copy: &Copy, alarms: &Alarms) {
        self.follow(at, copy);
        self.looked = Some(at);
        if at - self.case.begins() < BEGINNING {
            return;
        }
        let over = |one: &&Sickness| one.from <= at;
        let last = self.sicknesses.iter().filter(over).map(|one| one.until);
        let well_since = match last.max() {
            None => Some(self.case.begins()),
            Some(until) => (until <= at).then_some(until),
        };
        let sick = self.sicknesses.iter().filter(|one| one.lasts_at(at));
        let moment = Moment {
            at,
            copy,
            alarms,
            basis: Basis {
                now: at,
                stuck_after: self.case.knobs.stuck_after,
                keep_last: self.case.knobs.keep_last,
            },
            well_since,
            sick: sick.map(|one| one.ill.clone()).collect(),
        };
        self.note_who_waits(&moment);
        self.nobody_is_without_in_silence(&moment);
        self.passes_that_do_not_come_are_told(&moment);
        self.nothing_rings_without_reason(&moment);
        self.all_is_served_again(&moment);
        self.nobody_suffers_for_others(&moment);
        self.few_are_creating(&moment);
        self.little_is_left_behind(&moment);
    }

    fn check(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        self.checks += 1;
        // What is wrong once is wrong at every tick from then on.
        if !holds && self.violated.insert(rule) {
            self.violations.push(Violation { rule, what: what() });
        }
    }

    /// Since when each policy lacks something.
    fn follow(&mut self, at: DateTime<Utc>, copy: &Copy) {
        let basis = Basis {
            now: at,
            stuck_after: self.case.knobs.stuck_after,
            keep_last: self.case.knobs.keep_last,
        };
        let before = self.looked.unwrap_or(at);
        let mut seen = BTreeSet::new();
        for (id, copy) in &copy.volumes {
            let Some(volume) = &copy.volume else {
                self.lost.remove(id);
                continue;
            };
            let may_be_taken = matches!(volume.status.as_str(), "available" | "in-use");
            for (schedule, window) in rules::windows(copy, &basis) {
                let key = (id.clone(), schedule.kind);
                let thread = self.threads.entry(key.clone()).or_default();
                seen.insert(key);
                // By an edited schedule all windows are others, and their ages begin anew.
                if thread
                    .schedule
                    .replace(schedule)
                    .is_some_and(|old| old != schedule)
                {
                    (thread.lacks, thread.blocked, thread.in_order) = (None, None, false);
                    self.given_up = Some(at);
                }
                let has = copy.snapshots.iter().any(|snap| {
                    snap.status == "available" && rules::belongs(snap, schedule.kind, &window)
                });
                let since = if thread.in_order { before } else { at };
                let since = since.max(window.start);
                if thread.blocked.is_some() && (has || may_be_taken) {
                    self.unblocked = Some(at);
                }
                match (has, may_be_taken) {
                    (true, _) => (thread.lacks, thread.blocked) = (None, None),
                    (false, true) => {
                        thread.blocked = None;
                        thread.lacks.get_or_insert(since);
                    }
                    (false, false) => {
                        thread.lacks = None;
                        thread.blocked.get_or_insert(since);
                    }
                }
                if has && std::mem::take(&mut thread.told) {
                    self.coverage
                        .hit("a recovery point came after an alarm had said that it was missing");
                }
                thread.in_order = has;
                thread.window = Some(window.start);
            }
            for kind in Kind::ALL {
                let is_unreadable =
                    volume.tags.managed && volume.tags.policy(kind) == Meaning::Unreadable;
                let key = (id.clone(), kind);
                if is_unreadable {
                    self.unreadable.entry(key).or_insert(at);
                } else {
                    self.unreadable.remove(&key);
                }
            }
            let is_lost = !volume.tags.has_our_keys && copy.snapshots.iter().any(|one| one.managed);
            if is_lost {
                self.lost.entry(id.clone()).or_insert(at);
            } else {
                self.lost.remove(id);
            }
        }
        // What no longer has to be told rings until the next pass has seen that.
        let mut gone = self.threads.iter().filter(|(key, _)| !seen.contains(key));
        if gone.any(|(_, thread)| !thread.in_order) {
            self.given_up = Some(at);
        }
        self.threads.retain(|key, _| seen.contains(key));
        self.lost.retain(|id, _| copy.volumes.contains_key(id));
        let is_there = |id: &str| {
            copy.volumes
                .get(id)
                .is_some_and(|copy| copy.volume.is_some())
        };
        self.unreadable.retain(|(id, _), _| is_there(id));
    }

    /// What an expire pass would delete now, and since when: to be asked now and then.
    pub fn follow_expired(&mut self, at: DateTime<Utc>, copy: &Copy) {
        let basis = Basis {
            now: at,
            stuck_after: self.case.knobs.stuck_after,
            keep_last: self.case.knobs.keep_last,
        };
        let (mut seen, mut protected) = (BTreeSet::new(), BTreeSet::new());
        for copy in copy.volumes.values() {
            for snap in &copy.snapshots {
                match rules::fate(snap, copy, &basis) {
                    Fate::Goes => {
                        if self.protected.contains(&snap.id) {
                            self.released = Some(at);
                        }
                        seen.insert(snap.id.clone());
                        let by_force = rules::is_stuck(snap, &basis);
                        let expired = self.expired.entry(snap.id.clone());
                        expired
                            .or_insert(Expired {
                                since: at,
                                by_force,
                            })
                            .by_force = by_force;
                    }
                    Fate::KeptForPolicy
                    | Fate::KeptForUnreadable
                    | Fate::KeptForWiped
                    | Fate::Held
                    | Fate::Busy => {
                        protected.insert(snap.id.clone());
                    }
                    _ => {}
                }
            }
        }
        self.expired.retain(|id, _| seen.contains(id));
        self.protected = protected;
    }

    /// Whether one of these alarms rings, or did until the pass that will make it ring again was
    /// due: at most so long ago.
    fn is_said(
        &mut self,
        what: &'static str,
        now: bool,
        at: DateTime<Utc>,
        ago: TimeDelta,
    ) -> bool {
        if now {
            self.said.insert(what, at);
        }
        self.said.get(what).is_some_and(|said| at - *said <= ago)
    }

    /// Whether an alarm says that nothing is known of a project whose place another has taken: it is
    /// snapshot passes that count the volumes, as long as they come.
    fn says_nothing_is_seen(&self, moment: &Moment<'_>) -> bool {
        let at = moment.at - self.limits.tick * 3;
        let is_elsewhere = |one: &Sickness| one.ill == Ill::OtherProject && one.until > at;
        let mut begun = self.sicknesses.iter().filter(|one| one.from <= moment.at);
        begun.any(is_elsewhere) && moment.any_rings(&["no-snapshot-pass"])
    }

    fn nobody_is_without_in_silence(&mut self, moment: &Moment<'_>) {
        let limits = self.limits;
        // What is being created counts from its own beginning, also where it is not the first.
        let lacks = self.threads.iter().filter_map(|(key, thread)| {
            let since = thread.lacks?;
            let since = since.max(self.seen_back_to(moment, key)?);
            // A window that has just begun gets its own with the next pass.
            let creating = thread.creating;
            let lately = |(on, _): &(DateTime<Utc>, _)| moment.at - *on <= limits.tick * 2;
            let creating = creating.filter(lately).map(|(_, since)| since);
            Some((
                creating.map_or(since, |creating| creating.max(since)),
                key.clone(),
            ))
        });
        let lacks = lacks.min();
        let blocked = self.threads.iter().filter_map(|(key, thread)| {
            let since = thread.blocked?.max(self.seen_back_to(moment, key)?);
            Some((since, key.clone()))
        });
        let blocked = blocked.min();
        let lost = self.lost.iter().map(|(id, since)| (*since, id.clone()));
        let lost = lost.min();
        let expired = self.expired.iter();
        let expired = expired.map(|(id, expired)| (expired.since, id.clone()));
        let expired = expired.min();
        let rings: Vec<String> = moment.alarms.ringing().map(str::to_owned).collect();
        let at = moment.at;
        if let Some((since, key)) = lacks
            && at - since > limits.due + limits.tick * 3
        {
            self.hit("an alarm had to say that a recovery point is missing");
            if let Some(thread) = self.threads.get_mut(&key) {
                thread.told = true;
            }
            let rings_now = moment.any_rings(&SAYS_UNSERVED);
            let said = self.is_said("unserved", rings_now, at, limits.tick * 2);
            self.check(
                said,
                "nobody is without a recovery point in silence",
                || format!("{at}: {key:?} since {since}; ringing {rings:?}"),
            );
        }
        if let Some((since, key)) = blocked
            && at - since > limits.blocked + limits.tick * 3
        {
            self.hit("an alarm had to say that a volume has long been blocked");
            let says = moment.any_rings(&["oldest-blocked-age"]);
            self.check(
                says || moment.any_rings(&SAYS_UNSERVED),
                "nobody is blocked for long in silence",
                || format!("{at}: {key:?} since {since}; ringing {rings:?}"),
            );
        }
        if let Some((since, id)) = lost
            && at - since > limits.expire_tick * 4
        {
            self.hit("an alarm had to say that a volume has been lost");
            let rings_now = moment.any_rings(&SAYS_LOST) || self.says_nothing_is_seen(moment);
            let said = self.is_said("lost", rings_now, at, limits.expire_tick * 3);
            self.check(said, "no volume is lost in silence", || {
                format!("{at}: {id} since {since}; ringing {rings:?}")
            });
        }
        if let Some((since, id)) = expired
            && at - since > limits.expired + limits.expire_tick * 3
        {
            self.hit("an alarm had to say that what has expired will not go");
            let rings_now = moment.any_rings(&SAYS_EXPIRED) || self.says_nothing_is_seen(moment);
            let said = self.is_said("expired", rings_now, at, limits.expire_tick * 3);
            self.check(said, "what has expired and will not go is told", || {
                format!("{at}: {id} since {since}; ringing {rings:?}")
            });
        }
        let unreadable = self.unreadable.iter();
        let unreadable = unreadable.map(|(key, since)| (*since, key.clone())).min();
        if let Some((since, key)) = unreadable
            && at - since > limits.tick * 3
        {
            self.hit("an alarm had to say that a policy cannot be read");
            let rings_now = moment.any_rings(&SAYS_INVALID);
            let said = self.is_said("unreadable", rings_now, at, limits.tick * 2);
            self.check(said, "a policy that cannot be read is told", || {
                format!("{at}: {key:?} since {since}; ringing {rings:?}")
            });
        }
    }

    fn passes_that_do_not_come_are_told(&mut self, moment: &Moment<'_>) {
        let limits = self.limits;
        for (phase, tick, alarm, label) in [
            (
                "snapshot",
                limits.tick,
                "no-snapshot-pass",
                "an alarm had to say that snapshot passes do not come",
            ),
            (
                "expire",
                limits.expire_tick,
                "no-expire-pass",
                "an alarm had to say that expire passes do not come",
            ),
        ] {
            let last = self.invoked.get(phase).copied();
            let last = last.unwrap_or(self.case.begins());
            if moment.at - last > tick * 5 {
                self.hit(label);
                self.check(
                    moment.alarms.rings(alarm),
                    "passes that do not come are told",
                    || format!("{}: none of {phase} since {last}", moment.at),
                );
            }
        }
    }

    /// In a cloud that is, or has long been, well again nothing rings but what has a reason that
    /// only people can take away.
    fn nothing_rings_without_reason(&mut self, moment: &Moment<'_>) {
        if !moment.is_well() {
            return;
        }
        let rings: Vec<String> = moment.alarms.ringing().map(str::to_owned).collect();
        for alarm in rings {
            let reason = self.reason(moment, &alarm);
            let rule = if self.sicknesses.iter().any(|one| one.from <= moment.at) {
                "two hours after health is back all alarms are OK"
            } else {
                "a healthy cloud rings nothing"
            };
            if let Some(reason) = reason {
                self.hit(format!("an alarm rang on for a reason: {reason}"));
            }
            self.check(reason.is_some(), rule, || {
                format!("{}: {alarm} rings, {:?}", moment.at, moment.well_since)
            });
        }
        let was_sick = self.sicknesses.iter().any(|one| one.from <= moment.at);
        self.hit(match (was_sick, self.is_noisy) {
            (true, _) => "nothing rang once health had been back for two hours",
            (false, false) => "nothing rang in a healthy cloud",
            (false, true) => "nothing rang with one request in a hundred answered by 503",
        });
        let lately = |thread: &&Thread| {
            let began = thread
                .window
                .is_some_and(|began| moment.at - began <= self.limits.tick * 2);
            began && moment.at - self.case.begins() > BEGINNING
        };
        if self.threads.values().filter(lately).count() >= MANY {
            self.hit("many windows began at once, and nothing rang");
        }
    }

    /// Why an alarm may ring although nothing is sick.
    fn reason(&self, moment: &Moment<'_>, alarm: &str) -> Option<&'static str> {
        let at = moment.at;
        let volumes = || moment.copy.volumes.values();
        let policies = || volumes().filter_map(|copy| copy.volume.as_ref());
        let managed = || policies().filter(|volume| volume.tags.managed);
        let lately =
            |when: Option<DateTime<Utc>>, ago: TimeDelta| when.is_some_and(|when| at - when <= ago);
        let waits = || {
            let mut waiting = self.threads.iter().filter(|(_, one)| one.lacks.is_some());
            waiting.any(|((id, kind), _)| self.has_to_wait(moment, id, *kind))
                || self
                    .threads
                    .values()
                    .any(|one| lately(one.waited, self.limits.tick * 3))
        };
        let is_given_up = lately(self.given_up, self.limits.tick * 2);
        match alarm {
            "oldest-due-age" | "oldest-blocked-age" | "snapshots-deferred" if is_given_up => {
                Some("who lacked a recovery point until now is gone")
            }
            "policies-invalid" => managed()
                .any(|volume| volume.tags.policies.contains(&Meaning::Unreadable))
                .then_some("a policy is unreadable"),
            "no-volumes-managed" => {
                lately(self.none_managed, self.limits.tick * 2).then_some("no volume is subscribed")
            }
            "volumes-lost" => (!self.lost.is_empty()).then_some("a volume is lost"),
            // When a window ends, what is looked back to moves on, and the next pass sees that.
            "oldest-blocked-age" => lately(self.long_blocked, self.limits.tick * 2)
                .then_some("a volume is blocked")
                .or(lately(self.unblocked, self.limits.tick * 2)
                    .then_some("a volume was blocked until now")),
            "oldest-due-age" | "snapshots-deferred" => {
                waits().then_some("a window has to wait for what is stuck")
            }
            "oldest-expired-age" => {
                if lately(self.released, self.limits.expire_tick * 2) {
                    // Its date had long passed when it was no longer among the newest.
                    return Some("what had been kept beyond its date goes");
                }
                lately(self.unforced, self.limits.expire_tick * 2)
                    .then_some("the role may not force a deletion")
            }
            _ => None,
        }
    }

    /// Remembers which policies have to wait for what is stuck.
    fn note_who_waits(&mut self, moment: &Moment<'_>) {
        let lacking = self.threads.iter().filter(|(_, one)| one.lacks.is_some());
        let waiting: Vec<(String, Kind)> = lacking
            .filter(|((id, kind), _)| self.has_to_wait(moment, id, *kind))
            .map(|(key, _)| key.clone())
            .collect();
        if moment.is_well() && !waiting.is_empty() {
            self.hit("a window had to wait for what is stuck");
        }
        for key in waiting {
            let creating = self.is_being_created(moment, &key);
            if let Some(thread) = self.threads.get_mut(&key) {
                thread.waited = Some(moment.at);
                if let Some(since) = creating {
                    thread.creating = Some((moment.at, since));
                }
            }
        }
        // The window before counts as well where its copy has gone by now.
        let limits = self.limits;
        let mut blocked = self.threads.iter().filter(|(_, one)| one.blocked.is_some());
        let for_long = |since: DateTime<Utc>| moment.at - since > limits.blocked - limits.tick * 2;
        if blocked.any(|(key, _)| self.seen_back_to(moment, key).is_some_and(for_long)) {
            self.long_blocked = Some(moment.at);
        }
        let volumes = || moment.copy.volumes.values();
        let mut subscribed = volumes().filter_map(|copy| copy.volume.as_ref());
        if !subscribed.any(|volume| volume.tags.managed) {
            self.none_managed = Some(moment.at);
        }
        let mut snapshots = volumes().flat_map(|copy| &copy.snapshots);
        let may_force = self.case.config.role >= Role::Admin;
        if !may_force && snapshots.any(|snap| rules::is_stuck(snap, &moment.basis)) {
            self.unforced = Some(moment.at);
        }
    }

    /// How far back a pass sees: to the beginning of the window before the active one.
    fn seen_back_to(
        &self,
        moment: &Moment<'_>,
        (id, kind): &(String, Kind),
    ) -> Option<DateTime<Utc>> {
        let copy = moment.copy.volumes.get(id)?;
        let mut windows = rules::windows(copy, &moment.basis);
        let (schedule, window) = windows.find(|(schedule, _)| schedule.kind == *kind)?;
        Some(calendar::window_at(&schedule, window.start - TimeDelta::seconds(1)).start)
    }

    /// Since when a snapshot is being created that serves the active window.
    fn is_being_created(
        &self,
        moment: &Moment<'_>,
        (id, kind): &(String, Kind),
    ) -> Option<DateTime<Utc>> {
        let copy = moment.copy.volumes.get(id)?;
        let mut windows = rules::windows(copy, &moment.basis);
        let (_, window) = windows.find(|(schedule, _)| schedule.kind == *kind)?;
        let creating = copy.snapshots.iter().filter(|snap| {
            snap.status == "creating"
                && rules::belongs(snap, *kind, &window)
                && rules::serves(snap, &moment.basis)
        });
        creating.map(|snap| snap.created_at).min()
    }

    /// Whether a window cannot be taken although nothing is sick any more: a snapshot for it has
    /// been `creating` ever since, or leftovers that nobody can remove are too young.
    fn has_to_wait(&self, moment: &Moment<'_>, volume_id: &str, kind: Kind) -> bool {
        let Some(copy) = moment.copy.volumes.get(volume_id) else {
            return false;
        };
        let Some((_, window)) =
            rules::windows(copy, &moment.basis).find(|(schedule, _)| schedule.kind == kind)
        else {
            return false;
        };
        let serving = |snap: &crate::meaning::Snap| {
            rules::belongs(snap, kind, &window) && rules::serves(snap, &moment.basis)
        };
        copy.snapshots.iter().any(serving)
            || rules::waits_for(rules::leftovers(copy, kind, &moment.basis)).is_some_and(|until| {
                // It is taken by the tick after that.
                moment.at < until + self.limits.tick * 2
            })
    }

    /// Who has lacked a recovery point for longer than this, and nothing has kept waiting meanwhile.
    fn late(&self, moment: &Moment<'_>, patience: TimeDelta) -> Vec<(String, Kind, DateTime<Utc>)> {
        let lacking = self.threads.iter().filter_map(|((id, kind), one)| {
            let since = one.lacks?;
            let since = one.waited.map_or(since, |on| on.max(since));
            Some((id.clone(), *kind, since))
        });
        lacking
            .filter(|(_, _, since)| moment.at - *since > patience)
            .collect()
    }

    fn all_is_served_again(&mut self, moment: &Moment<'_>) {
        if !moment.is_well() {
            return;
        }
        let patience = self.limits.tick * 2 + TimeDelta::minutes(6);
        let late = self.late(moment, patience);
        for (id, kind, since) in late {
            let waits = self.has_to_wait(moment, &id, kind);
            self.check(
                waits,
                "where nothing is sick a window is served by the second tick",
                || {
                    let (at, kind) = (moment.at, kind.as_str());
                    format!(
                        "{at}: {kind} of {id} lacks since {since}, {:?}",
                        moment.well_since
                    )
                },
            );
        }
        // So is what has expired, as far as the role goes.
        let may_force = self.case.config.role >= Role::Admin;
        let patience = self.limits.expire_tick * 2 + TimeDelta::minutes(6);
        let goes = |one: &Expired| (may_force || !one.by_force) && moment.at - one.since > patience;
        let stays = self.expired.iter().find(|(_, one)| goes(one));
        let stays = stays.map(|(id, one)| (id.clone(), one.since));
        self.check(
            stays.is_none(),
            "two hours after health is back what has expired is gone, as far as the role goes",
            || format!("{}: {stays:?}", moment.at),
        );
        // What was to be deleted from the active window is gone.
        for (id, copy) in &moment.copy.volumes {
            if copy.snapshots.iter().all(|snap| snap.status != "deleting") {
                continue;
            }
            for (schedule, window) in rules::windows(copy, &moment.basis) {
                let left = copy.snapshots.iter().find(|snap| {
                    rules::belongs(snap, schedule.kind, &window)
                        && snap.status == "deleting"
                        && !rules::is_stuck(snap, &moment.basis)
                        && moment.at - snap.created_at > RECOVERY
                        && snap
                            .updated_at
                            .is_some_and(|since| moment.at - since > RECOVERY)
                });
                let forever = self.ended_with_loss();
                self.check(
                    left.is_none() || forever,
                    "two hours after health is back nothing is left in deletion",
                    || format!("{}: {id} {left:?}", moment.at),
                );
            }
        }
    }

    /// Whether something was sick in a way that loses work for ever.
    fn ended_with_loss(&self) -> bool {
        self.sicknesses.iter().any(|one| {
            matches!(
                one.ill,
                Ill::Queue(_) | Ill::Backend(_, simcloud::Health::Dead)
            )
        })
    }

    /// A sick backend delays nothing of a healthy one by more than a tick.
    fn nobody_suffers_for_others(&mut self, moment: &Moment<'_>) {
        let mut ill = BTreeSet::new();
        for one in &self.sicknesses {
            if one.from > moment.at || one.until + RECOVERY <= moment.at {
                continue;
            }
            match &one.ill {
                Ill::Backend(name, _) => drop(ill.insert(*name)),
                // Whose volume it is gets nothing then; others do.
                Ill::Typo(_) | Ill::RuleOff("expire") => {}
                _ => return,
            }
        }
        if ill.is_empty() || moment.sick.is_empty() {
            return;
        }
        let patience = self.limits.tick * 2 + TimeDelta::minutes(6);
        let type_of = |id: &str| {
            let volumes = self.case.volumes.iter();
            volumes
                .filter(|volume| volume.id == id)
                .find_map(|volume| volume.spec.volume_type.clone())
        };
        let mut late = self.late(moment, patience);
        late.retain(|(id, _, _)| !ill.contains(type_of(id).unwrap_or_default().as_str()));
        // Of a healthy backend, and begun since the other is sick.
        let since = self.sicknesses.iter().filter(|one| one.lasts_at(moment.at));
        let since = since.map(|one| one.from).min().unwrap_or(moment.at);
        let was_served = self.threads.iter().any(|((id, _), thread)| {
            let of = type_of(id).unwrap_or_default();
            let began = thread.window.is_some_and(|began| began > since);
            !ill.contains(of.as_str()) && thread.in_order && began
        });
        if was_served {
            self.hit("a window was served while another backend was sick");
        }
        for (id, kind, since) in late {
            let waits = self.has_to_wait(moment, &id, kind);
            self.check(
                waits,
                "a sick backend delays nothing of a healthy one by more than a tick",
                || format!("{}: {} of {id} since {since}", moment.at, kind.as_str()),
            );
        }
    }

    /// At most so many of a volume type are `creating` at a time, of those that still count.
    fn few_are_creating(&mut self, moment: &Moment<'_>) {
        let counts_for = delta(self.case.knobs.stuck_after / 6);
        let mut creating: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for volume in &self.case.volumes {
            let of = moment.copy.volumes.get(&volume.id);
            let young = of
                .into_iter()
                .flat_map(|copy| &copy.snapshots)
                .filter(|snap| {
                    snap.managed
                        && snap.status == "creating"
                        && moment.at - snap.created_at < counts_for
                });
            let of = volume.spec.volume_type.as_deref();
            *creating.entry(of).or_default() += young.count();
        }
        let most = self.case.knobs.max_creating;
        if creating.values().any(|count| *count == most) {
            self.coverage
                .hit("what was being created took all slots of a type");
        }
        let too_many = creating.into_iter().find(|(_, count)| *count > most);
        let too_many = too_many.map(|(of, count)| (of.map(str::to_owned), count));
        self.check(
            too_many.is_none(),
            "no sickness brings more into creation than is allowed a type",
            || format!("{}: {too_many:?} of {most}", moment.at),
        );
    }

    /// No sickness costs a policy more than a handful of tries a day that leave something behind.
    fn little_is_left_behind(&mut self, moment: &Moment<'_>) {
        let day = TimeDelta::days(1);
        let mut many = false;
        let mut too_many = None;
        for (id, copy) in &moment.copy.volumes {
            for kind in Kind::ALL {
                let left = rules::leftovers(copy, kind, &moment.basis);
                let count = left
                    .filter(|snap| moment.at - snap.created_at < day)
                    .count();
                many |= count >= 3;
                if count > LEFT_A_DAY {
                    let windows = windows_of_a_day(copy, kind, moment);
                    let most = LEFT_A_DAY + 3 * windows / 2;
                    too_many = too_many.or((count > most).then_some((id, kind, count, most)));
                }
            }
        }
        if many {
            self.hit("three and more tries in a day left something behind");
        }
        self.check(
            too_many.is_none(),
            "no sickness leaves more than a handful a day behind",
            || format!("{}: {too_many:?}", moment.at),
        );
    }

    /// What was found: violations, coverage and the number of questions.
    pub fn conclude(self) -> (Vec<Violation>, Coverage, u64) {
        (self.violations, self.coverage, self.checks)
    }
}

/// How many windows of a policy have begun within a day. A listing reaches back to the one before the
/// active one, and what earlier ones have left behind delays nothing: that makes up to three tries
/// more for two windows.
fn windows_of_a_day(copy: &VolumeCopy, kind: Kind, moment: &Moment<'_>) -> usize {
    let active = rules::windows(copy, &moment.basis).find(|(schedule, _)| schedule.kind == kind);
    let Some((schedule, active)) = active else {
        // Whatever it was until somebody switched it off.
        return 24;
    };
    let before = |window: &calendar::Window| {
        let last = window.start - TimeDelta::seconds(1);
        Some(calendar::window_at(&schedule, last))
    };
    std::iter::successors(Some(active), before)
        .take_while(|window| moment.at - window.start < TimeDelta::days(1))
        .count()
        .max(1)
}
