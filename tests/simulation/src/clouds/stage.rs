//! The stage of some clouds: one sandbox, and ticks of the schedules at fixed instants, so that a
//! cloud that is played by itself is asked at the very same ones.

use std::fmt::Write as _;
use std::future::pending;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use seam::Embedded;
use serde_json::{Value, json};
use simcloud::{Cloud, Endpoints, Fault as Misfortune, Kind, Requests, Route, Service, VolumeSpec};
use snapsentry::handler::{Handler, Invocation};
use snapsentry::settings::LocalFiles;
use tokio::time::{Instant, sleep_until};

use super::document::{Written, login_of, text};
use super::draw::BETWEEN;
use super::judge::{Played, Served};
use super::way::{Router, Sent};
use super::{Clouds, Edit, Entry, Ill, Step};
use crate::logs::Logs;
use crate::run::{End, invoke};
use crate::sandbox::LARGEST_BODY;

/// How long one invocation has.
const TIME: Duration = Duration::from_secs(90);
/// From one invocation to the next.
const APART: Duration = Duration::from_secs(100);
/// The most events of one cloud in a tick.
const SHARDS: usize = 3;

/// What people know of a cloud's login.
pub(super) struct Known {
    /// Whether the entry has a credential that the cloud takes no more.
    pub(super) is_stale: bool,
    /// Exchanges so far.
    exchanges: usize,
}

pub(super) struct Stage<'a> {
    case: &'a Clouds,
    /// The one that is played by itself.
    alone: Option<usize>,
    pub(super) clouds: Vec<Cloud>,
    written: Vec<Written<'a>>,
    known: Vec<Known>,
    router: Router,
    handler: Handler,
    begun: Instant,
}

impl<'a> Stage<'a> {
    pub(super) fn new(case: &'a Clouds, alone: Option<usize>) -> Self {
        let clouds: Vec<Cloud> = case
            .clouds
            .iter()
            .map(|draw| {
                let cloud = Cloud::new(draw.config.clone());
                for (n, id) in draw.volumes.iter().enumerate() {
                    let mut spec = VolumeSpec::named(format!("volume-{n}"))
                        .meta("x-snapsentry-managed", "true")
                        .meta("x-snapsentry-daily-enabled", "true");
                    spec.id = Some(id.clone());
                    spec.created_at = Some(draw.config.now - TimeDelta::days(3));
                    cloud.add_volume(spec);
                }
                cloud
            })
            .collect();
        let written = case
            .clouds
            .iter()
            .zip(&clouds)
            .map(|(draw, cloud)| Written {
                draw,
                entry: draw.entry.clone(),
                login: login_of(cloud, draw),
            });
        let there = case
            .clouds
            .iter()
            .cloned()
            .zip(clouds.iter().cloned())
            .enumerate();
        let there = there.filter(|(n, _)| alone.is_none_or(|alone| alone == *n));
        let router = Router::new(there.map(|(_, one)| one).collect());
        Self {
            written: written.collect(),
            known: case
                .clouds
                .iter()
                .map(|_| Known {
                    is_stale: false,
                    exchanges: 0,
                })
                .collect(),
            handler: handler(case, &router),
            router,
            clouds,
            begun: Instant::now(),
            case,
            alone,
        }
    }

    pub(super) async fn play(mut self, logs: &Logs) -> Played<'a> {
        let mut played = Played::new(self.case);
        for (n, step) in self.case.steps.iter().enumerate() {
            self.step(n, step, &mut played).await;
            for line in logs.lines() {
                let _ = writeln!(played.trace, "      {line}");
            }
        }
        played.search_for_secrets("a log line", &logs.take());
        played
    }

    fn is_there(&self, n: usize) -> bool {
        self.alone.is_none_or(|alone| alone == n)
    }

    async fn step(&mut self, number: usize, step: &Step, played: &mut Played<'a>) {
        for cloud in &self.clouds {
            cloud.advance(BETWEEN.to_std().unwrap_or_default());
        }
        let mut is_scrambled = false;
        for edit in &step.edits {
            is_scrambled |= matches!(edit, Edit::Scramble);
            self.edit(edit, played);
        }
        for (n, ill) in &step.ills {
            self.begin(*n, ill);
        }
        if step.is_cold {
            self.handler = handler(self.case, &self.router);
        }
        let document = self.document(is_scrambled);
        let _ = writeln!(played.trace, "\nstep {number}: {step:?}\n{document}");
        self.router.traffic().secret = document;
        // The first slot of a tick is that of its targets.
        let slots = 1 + self.case.clouds.len() * SHARDS;
        let at = self.begun + APART * (number * (slots + 1)) as u32;
        if self.alone.is_none() {
            sleep_until(at).await;
            let event = json!({"phase": "targets", "for": step.phase});
            let (end, sent) = self.invoke(&event, number, 0, 0).await;
            let entries: Vec<(&str, &Entry)> = self
                .written
                .iter()
                .map(|one| (one.draw.name.as_str(), &one.entry))
                .collect();
            played.targets(
                step.phase,
                &entries,
                is_scrambled,
                self.clouds[0].now(),
                &end,
                &sent,
            );
        }
        for (position, n) in step.order.iter().copied().enumerate() {
            if !self.is_there(n) {
                continue;
            }
            let shards = match self.written[n].entry {
                Entry::Good(shards) => shards as usize,
                _ => 1,
            };
            for shard in 0..shards {
                let slot = 1 + position * SHARDS + shard;
                sleep_until(at + APART * slot as u32).await;
                let mut event = json!({"phase": step.phase, "cloud": self.case.clouds[n].name});
                if shards > 1 {
                    event["shard"] = json!({"index": shard, "count": shards});
                }
                let logins = self.clouds[n].with_journal(|journal| journal.count(Route::Login));
                let (end, sent) = self.invoke(&event, number, slot, n).await;
                let served = Served {
                    step: number,
                    cloud: n,
                    end,
                    sent,
                    ills: step
                        .ills
                        .iter()
                        .filter(|(of, _)| *of == n)
                        .map(|(_, ill)| ill.clone())
                        .collect(),
                    others_are_sick: step.ills.iter().any(|(of, _)| *of != n),
                    entry: self.written[n].entry.clone(),
                    is_stale: self.known[n].is_stale,
                    is_scrambled,
                    is_cold: step.is_cold,
                    logins: self.clouds[n].with_journal(|journal| journal.count(Route::Login))
                        - logins,
                    lines: std::mem::take(&mut self.router.traffic().lines),
                };
                played.served(served, &self.clouds);
            }
        }
        for (n, cloud) in self.clouds.iter().enumerate() {
            cloud.clear_faults();
            if step.ills.iter().any(|(of, _)| *of == n) {
                cloud.configure(|config| config.endpoints = Endpoints::default());
            }
        }
    }

    fn document(&self, is_scrambled: bool) -> String {
        let written: Vec<Written<'_>> = self
            .written
            .iter()
            .enumerate()
            .filter(|(n, _)| self.is_there(*n))
            .map(|(_, one)| Written {
                draw: one.draw,
                entry: one.entry.clone(),
                login: one.login.clone(),
            })
            .collect();
        let whole = text(&written, self.case.as_json);
        match is_scrambled {
            true => format!("clouds: [{whole}"),
            false => whole,
        }
    }

    async fn invoke(&self, event: &Value, step: usize, slot: usize, n: usize) -> (End, Vec<Sent>) {
        {
            let mut traffic = self.router.traffic();
            traffic.sent.clear();
            traffic.lines.clear();
        }
        let now: DateTime<Utc> = self.clouds[n].now();
        let invocation = Invocation {
            request_id: format!("{step:08x}-{slot:04x}-4000-a000-{:012x}", self.case.seed),
            deadline: now + TimeDelta::from_std(TIME).expect("a minute or so"),
            now,
            seed: (step * 1_000 + slot) as u64,
            invoked_function_arn: String::new(),
        };
        let end = invoke(&self.handler, event, &invocation, TIME, pending()).await;
        let sent = std::mem::take(&mut self.router.traffic().sent);
        (end, sent)
    }

    fn edit(&mut self, edit: &Edit, played: &mut Played<'a>) {
        match edit {
            Edit::Write(n, entry) => {
                played.edited(&self.written[*n].entry, entry);
                self.written[*n].entry = entry.clone();
            }
            Edit::Rotate(n) => {
                self.exchange(*n);
                self.written[*n].login = login_of(&self.clouds[*n], self.written[*n].draw);
                self.known[*n].is_stale = false;
                played.coverage.hit("a credential exchanged");
            }
            Edit::RotateCloud(n) => {
                self.exchange(*n);
                self.known[*n].is_stale = true;
                played
                    .coverage
                    .hit("a credential exchanged in the cloud alone");
            }
            Edit::Scramble => played.coverage.hit("a document that nobody can read"),
        }
        for (n, cloud) in self.clouds.iter().enumerate() {
            played.learn(n, cloud);
        }
    }

    fn exchange(&mut self, n: usize) {
        let known = &mut self.known[n];
        known.exchanges += 1;
        let draw = &self.case.clouds[n].config;
        let exchanges = known.exchanges;
        let renewed = |secret: &str| format!("{secret}-{exchanges}");
        let (password, secret) = (
            renewed(&draw.password),
            renewed(&draw.application_credential.secret),
        );
        self.clouds[n].configure(|config| {
            config.password = password;
            config.application_credential.secret = secret;
        });
        self.clouds[n].revoke_tokens();
    }

    fn begin(&self, n: usize, ill: &Ill) {
        let cloud = &self.clouds[n];
        let address = |n: usize| self.case.clouds[n].address.clone();
        let all = |requests: Requests, kind: Kind| {
            cloud.inject(Misfortune::on(requests, kind).forever());
        };
        let cinder = || Requests::from(Service::BlockStorage);
        match ill {
            Ill::Unauthorized => all(cinder(), Kind::Unauthorized),
            Ill::LoginRefused => all(Route::Login.into(), Kind::status(401)),
            Ill::Redirects(other) => {
                let location = format!("{}/volume/v3/volumes/detail", address(*other));
                all(
                    Requests::Any,
                    Kind::Redirect {
                        code: 307,
                        location,
                    },
                );
            }
            Ill::Garbage => all(Requests::Any, Kind::NotJson),
            Ill::Hangs => all(Requests::Any, Kind::HangBefore),
            Ill::Oversized => all(
                cinder(),
                Kind::Oversized {
                    bytes: LARGEST_BODY + 1,
                },
            ),
            Ill::ClearText => {
                let clear = address(n).replace("https:", "http:");
                cloud.configure(|config| config.endpoints.block_storage = Some(clear));
                cloud.revoke_tokens();
            }
            Ill::Elsewhere(other) => {
                let there = address(*other);
                cloud.configure(|config| config.endpoints.block_storage = Some(there));
                cloud.revoke_tokens();
            }
            Ill::Dead => all(Requests::Any, Kind::Refused),
            Ill::Flaky => {
                cloud.inject(Misfortune::on(cinder(), Kind::status(503)).times(2));
            }
            Ill::TokensEnd => cloud.expire_tokens(),
        }
    }
}

fn handler(case: &Clouds, router: &Router) -> Handler {
    let environment = [
        ("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/clouds"),
        ("AWS_SESSION_TOKEN", "not-a-secret-session-token"),
        ("SNAPSENTRY_OPERATION_TIMEOUT", case.operation_timeout),
    ];
    Handler::new(
        environment.into_iter().collect(),
        Box::new(LocalFiles),
        Box::new(Embedded(router.clone())),
    )
}
