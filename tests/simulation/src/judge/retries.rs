//! What is tried again, how often, and after how long.
//!
//! One operation's tries are told by what they ask for: two requests for the same page, the same
//! deletion or the same creation within one pass are tries of one thing.

use std::collections::BTreeMap;
use std::time::Duration;

use simcloud::{Happening, Kind as Misfortune};

use super::listings::is_of_discovery;
use super::{Asked, Judge};
use crate::meaning::Kind;
use crate::run::End;
use crate::witness::{Purpose, Sent};

/// What a request asks for.
type Errand<'a> = (Purpose, &'a str, String, &'a [u8]);

impl Judge {
    pub(super) fn retries(&mut self, asked: &Asked<'_>) {
        let tries = tries(asked);
        self.waits(asked, &tries);
        self.gives_up(asked, &tries);
        self.accepts_a_refusal(asked, &tries);
        self.removes_what_broke(asked);
        self.leaves_the_unknown(asked, &tries);
    }

    /// `Retry-After` is a floor.
    fn waits(&mut self, asked: &Asked<'_>, tries: &BTreeMap<Errand<'_>, Vec<&Sent>>) {
        for ((purpose, target, query, _), tries) in tries {
            // Each creation looks for its own.
            if *purpose == Purpose::List && *target == "snapshots" && !query.contains("metadata=") {
                continue;
            }
            for pair in tries.windows(2) {
                let (first, second) = (pair[0], pair[1]);
                let asks = first.retry_after.filter(|_| may_be_tried_again(first));
                let (Some(seconds), Some(took)) = (asks, first.took) else {
                    continue;
                };
                self.coverage.hit_if(seconds > 0, "Retry-After waited for");
                let waited = second.at.duration_since(first.at + took);
                self.check(
                    waited >= Duration::from_secs(seconds),
                    "Retry-After is waited for",
                    || format!("{}: {waited:?} of {seconds} s", asked.pass.label),
                );
            }
        }
    }

    /// One fresh token a try, and a refusal of that is final: nobody goes on asking for tokens.
    fn accepts_a_refusal(&mut self, asked: &Asked<'_>, tries: &BTreeMap<Errand<'_>, Vec<&Sent>>) {
        let most = asked.knobs.max_retries as usize + 2;
        for ((purpose, target, query, _), tries) in tries {
            // Each creation looks for its own, and each look is another.
            let is_look = query.contains("limit=") || query.contains("volume_id=");
            if matches!(purpose, Purpose::Login | Purpose::Read) || is_look {
                continue;
            }
            let refused = tries.iter().filter(|one| one.status == Some(401)).count();
            self.check(
                refused <= most,
                "a token that is refused again and again is accepted as refused",
                || format!("{}: {purpose:?} {target} {refused} times", asked.pass.label),
            );
        }
    }

    /// Nothing is given up that may be tried again, while there are tries and time.
    fn gives_up(&mut self, asked: &Asked<'_>, tries: &BTreeMap<Errand<'_>, Vec<&Sent>>) {
        // An answer that is too large is final, and leaves no trace but the fault.
        let oversized = |kind: &Misfortune| matches!(kind, Misfortune::Oversized { .. });
        let struck = asked.step.struck.iter();
        if struck
            .clone()
            .any(|(fault, times)| *times > 0 && oversized(&fault.kind))
        {
            return;
        }
        let most = asked.knobs.max_retries as usize + 1;
        let is_given_up = |purpose: Purpose, is_it: &dyn Fn(&Sent) -> bool| {
            tries
                .iter()
                .filter(|((of, ..), tries)| *of == purpose && tries.iter().any(|one| is_it(one)))
                .any(|(_, tries)| is_over(tries, most))
        };
        let label = &asked.pass.label;
        if let End::Failed(error_type, message) = &asked.pass.end {
            let reason = match error_type.as_str() {
                "DiscoveryFailed" => is_given_up(Purpose::List, &|_| true),
                "AuthenticationFailed" => {
                    is_given_up(Purpose::Login, &|_| true)
                        || is_given_up(Purpose::List, &|one| one.status == Some(401))
                }
                _ => true,
            };
            self.check(reason, "a pass fails for a final reason only", || {
                format!("{label}: {error_type}: {message}")
            });
        }
        let failures = asked.answer.map(|answer| &answer["failures"]);
        for failure in failures
            .and_then(|all| all.as_array())
            .into_iter()
            .flatten()
        {
            let text = failure["error"].as_str().unwrap_or_default();
            let snapshot = failure["snapshot_id"].as_str();
            let policy = failure["policy"].as_str().and_then(Kind::named);
            let volume = failure["volume_id"].as_str().unwrap_or_default();
            let (purpose, holds) = match (asked.phase, snapshot, policy) {
                // What is read again before it goes may not be readable.
                ("expire", Some(id), _) => (
                    match text.starts_with("GET ") {
                        true => Purpose::Read,
                        false => Purpose::Delete,
                    },
                    Box::new(move |one: &Sent| one.target == id) as Box<dyn Fn(&Sent) -> bool>,
                ),
                ("snapshot", None, Some(kind)) if !text.contains("outcome is unknown") => (
                    Purpose::Create,
                    Box::new(move |one: &Sent| {
                        let body = String::from_utf8_lossy(&one.body);
                        let name = format!("managed-{}-{volume}-", kind.as_str());
                        body.contains(&name)
                    }) as Box<dyn Fn(&Sent) -> bool>,
                ),
                _ => continue,
            };
            let was_sent = asked
                .pass
                .record
                .sent
                .iter()
                .any(|one| one.purpose == purpose && holds(one));
            // Without a token nothing can be tried; a later request may have got one.
            let no_token = || {
                let mut sent = asked.pass.record.sent.iter();
                is_given_up(Purpose::Login, &|_| true)
                    || sent.any(|one| one.purpose == Purpose::Login && !may_be_tried_again(one))
            };
            let is_over =
                is_given_up(purpose, &*holds) || text.contains("/auth/tokens") && no_token();
            self.check(
                !was_sent || is_over,
                "what may be tried again is tried again",
                || format!("{label}: {failure}"),
            );
        }
    }

    /// A snapshot of the pass's own that broke is deleted while there is time.
    fn removes_what_broke(&mut self, asked: &Asked<'_>) {
        let pass = asked.pass;
        let failures = asked.answer.map(|answer| &answer["failures"]);
        let slowest = pass.record.sent.iter().filter_map(|one| one.took).max();
        let has_time = pass.deadline.saturating_duration_since(pass.ended)
            > slowest.unwrap_or_default() + Duration::from_secs(1);
        if asked.phase != "snapshot" || !has_time {
            return;
        }
        for failure in failures
            .and_then(|all| all.as_array())
            .into_iter()
            .flatten()
        {
            let Some(id) = failure["snapshot_id"].as_str() else {
                continue;
            };
            let text = failure["error"].as_str().unwrap_or_default();
            if !text.contains("ended in error") {
                continue;
            }
            let broke = asked.has_met(id, &[Happening::CreationFailed]);
            let mut sent = pass.record.sent.iter();
            let removed = sent.any(|one| one.purpose == Purpose::Delete && one.target == id);
            self.check(
                !broke || removed,
                "a snapshot that broke is deleted",
                || format!("{}: {failure}", pass.label),
            );
        }
    }
}

impl Judge {
    /// A creation is not repeated where looking for the first one has failed.
    fn leaves_the_unknown(&mut self, asked: &Asked<'_>, tries: &BTreeMap<Errand<'_>, Vec<&Sent>>) {
        let most = asked.knobs.max_retries as usize + 1;
        let creations = tries.iter().filter(|((of, ..), _)| *of == Purpose::Create);
        for (_, creations) in creations {
            let copy = creations.iter().find_map(|one| one.copy.as_ref());
            let volume = copy.and_then(|copy| copy.snapshots.first());
            let Some(volume) = volume.map(|snap| format!("volume_id={}", snap.volume_id)) else {
                continue;
            };
            let (mut before, mut failed, mut found_nothing): (Option<&Sent>, _, _) = (None, 0, 0);
            for one in &asked.pass.record.sent {
                if creations
                    .iter()
                    .any(|creation| std::ptr::eq(*creation, one))
                {
                    let open = before.is_some_and(is_open);
                    let label = || format!("{}: {volume}", asked.pass.label);
                    self.check(
                        !open || failed < most,
                        "what is unknown is not repeated",
                        label,
                    );
                    self.check(
                        !open || found_nothing >= 2,
                        "what was not found is looked up again before the second try",
                        label,
                    );
                    (before, failed, found_nothing) = (Some(one), 0, 0);
                } else if one.query.starts_with(&volume) {
                    match one.status {
                        Some(401 | 406) => {}
                        None | Some(408 | 429 | 500 | 502 | 503 | 504) => failed += 1,
                        // A filter that is refused is followed by a look without it.
                        Some(_) => (failed, found_nothing) = (0, found_nothing + 1),
                    }
                }
            }
        }
    }
}

/// Whether it is open if a creation was carried out.
fn is_open(sent: &Sent) -> bool {
    match sent.status {
        None | Some(408 | 500..=599) => true,
        Some(202) => !sent.is_clear,
        Some(_) => false,
    }
}

/// What is asked for, whatever the size of the page: a page that times out is asked for again in
/// smaller ones.
fn without_size(sent: &Sent) -> String {
    let parts = sent.query.split('&');
    let of_one_kind = sent.query.contains("policy-type");
    let is_size = |part: &str| part.starts_with("limit=") && (of_one_kind || is_of_discovery(part));
    let parts = parts.filter(|part| !is_size(part));
    parts.collect::<Vec<_>>().join("&")
}

/// The tries of each errand, in order.
fn tries<'a>(asked: &Asked<'a>) -> BTreeMap<Errand<'a>, Vec<&'a Sent>> {
    let mut tries: BTreeMap<Errand<'_>, Vec<&Sent>> = BTreeMap::new();
    for sent in &asked.pass.record.sent {
        let errand = (
            sent.purpose,
            sent.target.as_str(),
            without_size(sent),
            &sent.body[..],
        );
        tries.entry(errand).or_default().push(sent);
    }
    tries
}

/// Whether the last of these tries ended for good, or there were as many as are allowed.
fn is_over(tries: &[&Sent], most: usize) -> bool {
    // A token or a microversion that was refused is part of a try.
    let is_part = |at: usize, one: &Sent| at > 0 && matches!(one.status, Some(401 | 406));
    let again = tries.iter().rev().enumerate();
    let again = again.filter(|(at, one)| !is_part(*at, one));
    let again = again.take_while(|(_, one)| may_be_tried_again(one)).count();
    again == 0 || again >= most
}

/// Whether a request that ended like this may do better a little later. Of a listing that was
/// answered it is not known here if the answer could be read.
fn may_be_tried_again(sent: &Sent) -> bool {
    match sent.status {
        None | Some(200 | 201 | 202 | 408 | 429 | 500 | 502 | 503 | 504) => true,
        Some(413) => sent.retry_after.is_some_and(|seconds| seconds > 0),
        Some(_) => false,
    }
}
