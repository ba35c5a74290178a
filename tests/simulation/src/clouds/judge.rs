//! The invariants of several clouds behind one sandbox.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;
use simcloud::Cloud;

use super::way::Sent;
use super::{Clouds, Entry, Fault, Ill};
use crate::coverage::Coverage;
use crate::findings::Findings;
use crate::run::{Detail, End, Figures, Fingerprint, Outcome};

/// What a pass may fail with as a whole.
const NAMED: [&str; 4] = [
    "AuthenticationFailed",
    "DiscoveryFailed",
    "DeadlineExceeded",
    "InvalidConfiguration",
];

/// One event of one cloud.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) step: usize,
    pub(super) cloud: usize,
    pub(super) end: End,
    pub(super) sent: Vec<Sent>,
    pub(super) lines: Vec<String>,
    pub(super) ills: Vec<Ill>,
    pub(super) others_are_sick: bool,
    pub(super) entry: Entry,
    /// Whether the entry has a credential that the cloud takes no more.
    pub(super) is_stale: bool,
    pub(super) is_scrambled: bool,
    pub(super) is_cold: bool,
    /// How often it logged in.
    pub(super) logins: u64,
}

/// What belongs to one cloud.
#[derive(Clone, Debug, Default)]
struct Own {
    /// Passwords, secrets and tokens, also earlier ones.
    secrets: BTreeSet<String>,
    /// What else is its own and nobody's business.
    ids: BTreeSet<String>,
    /// Addresses of others that its catalogue has named.
    named: BTreeSet<String>,
    /// Whether its last token may have come with another's address.
    is_astray: bool,
    /// Whether another's requests have come to it, after which its ids are no longer those that it
    /// would have drawn.
    is_visited: bool,
}

/// A run, and what was found in it.
pub(super) struct Played<'a> {
    case: &'a Clouds,
    own: Vec<Own>,
    served: Vec<Served>,
    findings: Findings,
    pub(super) coverage: Coverage,
    figures: Figures,
    pub(super) trace: String,
}

impl<'a> Played<'a> {
    pub(super) fn new(case: &'a Clouds) -> Self {
        let mut played = Self {
            case,
            own: Vec::new(),
            served: Vec::new(),
            findings: Findings::default(),
            coverage: Coverage::default(),
            figures: Figures::default(),
            trace: String::new(),
        };
        for draw in &case.clouds {
            let config = &draw.config;
            let credential = &config.application_credential;
            let ids = [
                &credential.id,
                &credential.name,
                &config.user_name,
                &config.project_name,
            ]
            .into_iter()
            .chain(&config.project_id)
            .chain(&config.user_id)
            .chain(&draw.volumes);
            played.own.push(Own {
                ids: ids.cloned().collect(),
                secrets: [config.password.clone(), credential.secret.clone()].into(),
                ..Own::default()
            });
        }
        let addresses: BTreeSet<&str> =
            case.clouds.iter().map(|one| one.address.as_str()).collect();
        let shared = addresses.len() < case.clouds.len();
        played.coverage.hit_if(shared, "two clouds at one address");
        played
    }

    fn check(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        self.findings.check(holds, rule, what);
    }

    /// Learns what a cloud has given out by now.
    pub(super) fn learn(&mut self, n: usize, cloud: &Cloud) {
        self.own[n].secrets.extend(cloud.secrets());
    }

    pub(super) fn edited(&mut self, before: &Entry, after: &Entry) {
        let seen = &mut self.coverage;
        let was_absent = *before == Entry::Absent;
        seen.hit_if(
            was_absent && matches!(after, Entry::Good(_)),
            "an entry that came later",
        );
        seen.hit_if(
            *after == Entry::Absent && !was_absent,
            "an entry that was taken out",
        );
        let was_faulty = matches!(before, Entry::Faulty(_));
        seen.hit_if(
            was_faulty && matches!(after, Entry::Good(_)),
            "an entry at fault that is mended",
        );
    }

    /// Judges what a tick's targets are.
    pub(super) fn targets(
        &mut self,
        phase: &str,
        entries: &[(&str, &Entry)],
        is_scrambled: bool,
        now: DateTime<Utc>,
        end: &End,
        sent: &[Sent],
    ) {
        let _ = writeln!(self.trace, "  targets -> {end:?}");
        self.check(sent.is_empty(), "targets asks no cloud", || {
            format!("{sent:?}")
        });
        let is_empty = entries.iter().all(|(_, entry)| **entry == Entry::Absent);
        let answer = match end {
            End::Answered(answer) if !is_scrambled && !is_empty => answer,
            _ => {
                let refused = matches!(end, End::Failed(of, _) if of == "InvalidConfiguration");
                self.check(
                    refused && (is_scrambled || is_empty),
                    "targets fails without a document or without an entry, and only then",
                    || format!("{entries:?}: {end:?}"),
                );
                return;
            }
        };
        let mut expected = BTreeSet::new();
        let mut faults = BTreeSet::new();
        for (name, entry) in entries {
            match entry {
                Entry::Absent | Entry::Paused => {}
                Entry::Good(1) => {
                    expected.insert(json!({"phase": phase, "cloud": name}).to_string());
                }
                Entry::Good(shards) => expected.extend((0..*shards).map(|index| {
                    let shard = json!({"index": index, "count": shards});
                    json!({"phase": phase, "cloud": name, "shard": shard}).to_string()
                })),
                Entry::Unstartable | Entry::Faulty(_) => {
                    faults.insert((*name).to_owned());
                }
            }
        }
        let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
        let (targets, told) = (list("targets"), list("faults"));
        let events: BTreeSet<String> = targets.iter().map(|one| one["event"].to_string()).collect();
        self.check(
            events == expected && targets.len() == expected.len(),
            "targets are the entries that can be served, each once",
            || format!("{events:?}, not {expected:?}"),
        );
        let named: BTreeSet<String> = told
            .iter()
            .filter_map(|one| Some(one["cloud"].as_str()?.to_owned()))
            .collect();
        self.check(
            named == faults && told.len() == faults.len(),
            "faults are the entries that cannot be",
            || format!("{told:?}, not {faults:?}"),
        );
        let delays: Vec<i64> = targets
            .iter()
            .filter_map(|one| one["delay_seconds"].as_i64())
            .collect();
        let instants = targets.iter().zip(&delays).all(|(one, delay)| {
            let at = now + TimeDelta::seconds(*delay);
            one["at"] == at.to_rfc3339_opts(SecondsFormat::Secs, true).as_str()
        });
        self.check(
            delays.is_sorted() && delays.iter().all(|delay| (0..=120).contains(delay)) && instants,
            "targets are spread, in the order of their instants",
            || format!("{targets:?}"),
        );
        self.shows_nothing(None, &answer.to_string());
    }

    /// Judges what came of one event.
    pub(super) fn served(&mut self, served: Served, clouds: &[Cloud]) {
        self.figures.passes += 1;
        self.figures.requests += served.sent.len() as u64;
        self.figures.faults += u64::from(!served.ills.is_empty());
        for (n, cloud) in clouds.iter().enumerate() {
            self.learn(n, cloud);
        }
        let n = served.cloud;
        let _ = writeln!(
            self.trace,
            "  {} {:?}",
            self.case.clouds[n].name, served.end
        );
        for sent in &served.sent {
            let _ = writeln!(self.trace, "      {}{}", sent.address, sent.path);
        }
        for ill in &served.ills {
            self.coverage.hit(ill.name());
            if let Ill::Elsewhere(other) = ill {
                let address = self.case.clouds[*other].address.clone();
                self.own[n].named.insert(address);
                self.own[n].is_astray = true;
            }
        }
        self.sent(&served);
        self.ended(&served);
        let mut text = match &served.end {
            End::Answered(answer) => answer.to_string(),
            End::Failed(_, message) => message.clone(),
            End::Killed | End::Overran => String::new(),
        };
        text.extend(served.lines.iter().map(String::as_str));
        self.shows_nothing(Some(n), &text);
        self.seen(&served);
        let is_well = matches!(served.end, End::Answered(_)) && served.ills.is_empty();
        if is_well {
            self.own[n].is_astray = false;
        }
        self.served.push(served);
    }

    /// What leaves in an event of one cloud has nothing of another in it.
    fn sent(&mut self, served: &Served) {
        let n = served.cloud;
        let name = self.case.clouds[n].name.clone();
        for sent in &served.sent {
            let whole = format!(
                "{}\n{}\n{}",
                sent.path,
                sent.headers,
                String::from_utf8_lossy(&sent.body)
            );
            let own = self.own[n].clone();
            let foreign = self.own.iter().enumerate().filter(|(m, _)| *m != n);
            let foreign = foreign.flat_map(|(_, other)| other.secrets.iter().chain(&other.ids));
            let shown = foreign
                .into_iter()
                .find(|text| whole.contains(text.as_str()))
                .cloned();
            self.check(
                shown.is_none(),
                "nothing of one cloud is in what is sent for another",
                || format!("{name}: {shown:?} in {sent:?}"),
            );
            let is_own = sent
                .token
                .as_ref()
                .is_none_or(|token| own.secrets.contains(token));
            self.check(is_own, "a request has a token of its own cloud", || {
                format!("{name}: {sent:?}")
            });
            let own_address = &self.case.clouds[n].address;
            let may_be = sent.address == *own_address || own.named.contains(&sent.address);
            self.check(
                may_be,
                "a request goes to its own cloud, or where that says",
                || format!("{name}: {sent:?}"),
            );
            if sent.address != *own_address {
                let others = self.case.clouds.iter().zip(&mut self.own);
                for (_, other) in others.filter(|(draw, _)| draw.address == sent.address) {
                    other.is_visited = true;
                }
                self.own[n].is_visited = true;
                let has_secret = own.secrets.iter().any(|secret| {
                    Some(secret) != sent.token.as_ref() && whole.contains(secret.as_str())
                });
                self.check(
                    !has_secret,
                    "a credential goes to its own Keystone only",
                    || format!("{name}: {sent:?}"),
                );
            }
        }
    }

    /// How an event ends follows from its own entry and its own cloud.
    fn ended(&mut self, served: &Served) {
        let n = served.cloud;
        let name = self.case.clouds[n].name.clone();
        let told = || format!("{name} in step {}: {served:?}", served.step);
        let fault = match &served.end {
            End::Failed(error_type, message) => Some((error_type.as_str(), message.as_str())),
            _ => None,
        };
        let is_named = fault.is_none_or(|(error_type, _)| NAMED.contains(&error_type));
        let is_over = !matches!(served.end, End::Overran);
        self.check(
            is_named && is_over,
            "an event is answered in time or fails with a named error",
            told,
        );
        let unusable =
            served.is_scrambled || matches!(served.entry, Entry::Absent | Entry::Faulty(_));
        if unusable {
            let refused = fault.is_some_and(|(error_type, message)| {
                error_type == "InvalidConfiguration"
                    && (served.is_scrambled || message.contains(&name))
            });
            self.check(
                refused && served.sent.is_empty(),
                "an entry at fault is refused before any call, and named",
                told,
            );
            return;
        }
        let is_healthy = served
            .ills
            .iter()
            .all(|ill| matches!(ill, Ill::Flaky | Ill::TokensEnd));
        if is_healthy && !served.is_stale && !self.own[n].is_astray {
            let outcome = match &served.end {
                End::Answered(answer) => answer["outcome"].as_str().unwrap_or_default(),
                _ => "",
            };
            self.check(
                outcome == "complete",
                "a healthy cloud with a good entry is served, whatever the others are like",
                told,
            );
            if let End::Answered(answer) = &served.end {
                let config = &self.case.clouds[n].config;
                let is_its = answer["cloud"] == name.as_str()
                    && answer["project"]["id"].as_str() == config.project_id.as_deref()
                    && answer["project"]["name"] == config.project_name.as_str();
                self.check(is_its, "an answer names its own cloud and project", told);
            }
        }
        if served.is_stale && served.ills.is_empty() && !self.own[n].is_astray {
            let refused = fault.is_some_and(|(error_type, _)| error_type == "AuthenticationFailed");
            self.check(
                refused,
                "a credential that is no longer taken is refused",
                told,
            );
        }
    }

    /// Whether a text shows what nobody may see, or what is another's.
    fn shows_nothing(&mut self, of: Option<usize>, text: &str) {
        self.search_for_secrets("what is told", text);
        let foreign = self
            .own
            .iter()
            .enumerate()
            .filter(|(n, _)| of.is_some_and(|of| of != *n));
        let shown = foreign
            .flat_map(|(_, other)| &other.ids)
            .find(|id| text.contains(id.as_str()))
            .cloned();
        self.check(
            shown.is_none(),
            "nothing of one cloud is told of another",
            || format!("{shown:?} in {text}"),
        );
    }

    /// Whether a text shows what nobody may see.
    pub(super) fn search_for_secrets(&mut self, place: &str, text: &str) {
        let all = self.own.iter().flat_map(|own| &own.secrets);
        let session = ["not-a-secret-session-token".to_owned()];
        let shown = all
            .chain(&session)
            .find(|secret| text.contains(secret.as_str()))
            .cloned();
        self.check(shown.is_none(), "no secret is shown", || {
            format!("{place} shows {shown:?}")
        });
    }

    fn seen(&mut self, served: &Served) {
        let seen = &mut self.coverage;
        match &served.entry {
            Entry::Absent => seen.hit("a cloud that the document does not have"),
            Entry::Good(shards) => seen.hit_if(*shards > 1, "an entry in shards"),
            Entry::Paused => seen.hit("an entry that is paused"),
            Entry::Unstartable => seen.hit("an entry with nothing wrong but how it is started"),
            Entry::Faulty(
                Fault::NoAddress | Fault::NoSecret | Fault::UnknownLogin | Fault::NoMapping,
            ) => seen.hit("an entry at fault"),
        }
        seen.hit(if served.is_cold {
            "a new sandbox"
        } else {
            "a warm sandbox"
        });
        match &served.end {
            End::Failed(error_type, _) => seen.hit(error_type.clone()),
            End::Answered(answer) => {
                let created = answer["snapshots"]["created"].as_u64().unwrap_or(0);
                seen.add("snapshots created", created);
                seen.hit_if(
                    served.ills.is_empty() && served.others_are_sick,
                    "healthy beside a sick one",
                );
                seen.hit_if(served.logins == 0, "a login kept from one tick to the next");
            }
            _ => {}
        }
    }

    /// Compares what was answered of a cloud with what is answered when it is alone.
    pub(super) fn compare(&mut self, n: usize, alone: &Played<'_>) {
        if self.own[n].is_visited || !self.own[n].named.is_empty() {
            return;
        }
        let name = self.case.clouds[n].name.clone();
        let together: Vec<Served> = self
            .served
            .iter()
            .filter(|one| one.cloud == n)
            .cloned()
            .collect();
        let number = together.len() == alone.served.len();
        self.check(number, "a cloud is served as often as alone", || {
            name.clone()
        });
        for (one, other) in together.iter().zip(&alone.served) {
            let is_equal = match (&one.end, &other.end) {
                // The error names the entries that there are.
                (End::Failed(a, _), End::Failed(b, _)) if one.entry == Entry::Absent => a == b,
                (End::Failed(a, text), End::Failed(b, other)) => {
                    a == b && (one.is_scrambled || unnumbered(text) == unnumbered(other))
                }
                (End::Answered(a), End::Answered(b)) => a == b,
                _ => false,
            };
            let lines = one.entry == Entry::Absent || one.lines == other.lines;
            self.check(
                is_equal && lines,
                "a cloud is served as if it were alone",
                || {
                    format!(
                        "{name} in step {}: {:?} {:?}, alone {:?} {:?}",
                        one.step, one.end, one.lines, other.end, other.lines
                    )
                },
            );
            self.coverage.hit("as alone");
        }
    }

    /// What was found.
    pub(super) fn conclude(self, detail: Detail) -> Outcome {
        let mut fingerprint = Fingerprint::NEW;
        for served in &self.served {
            fingerprint.take(&format!("{:?} {:?}", served.end, served.sent));
        }
        Outcome {
            violations: self.findings.violations,
            coverage: self.coverage,
            figures: Figures {
                checks: self.findings.checks,
                ..self.figures
            },
            trace: match detail {
                Detail::Trace => self.trace,
                _ => String::new(),
            },
            fingerprint: fingerprint.value(),
        }
    }
}

/// A text without its numbers: the lines of a document are others where other entries are in it.
fn unnumbered(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect()
}
