//! Passes as the built program: a process a sandbox, the Runtime API, sockets and a real clock.
//!
//! Each sandbox has a port of its own, so whatever arrives there is its pass's. A pass is killed
//! with its process: before its nth request has reached the cloud, or when the answer is ready
//! that it will never get.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures::FutureExt;
use simcloud::lambda::{Deadline, Function, FunctionSpec};
use simcloud::{Cloud, Server};
use tokio::time::{Instant, sleep};

use super::environment::variables;
use super::{End, PassRun, allowed, receiver};
use crate::case::{Case, PassDraw};
use crate::witness::{Current, Watch, Witness, put, under_way};
use crate::world::World;

/// How long a process is waited for beyond what it is allowed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The log of every so many seeds is told in full, for the secrets that must not be in it.
const TRACED: u64 = 4;

/// A sandbox with a process of its own.
pub(super) struct Process {
    binary: PathBuf,
    port: Option<(Server, Current)>,
    function: Option<Function>,
    served: bool,
}

impl Process {
    /// Nothing is started yet.
    pub(super) fn new(binary: PathBuf) -> Self {
        Self {
            binary,
            port: None,
            function: None,
            served: false,
        }
    }

    /// Runs one pass, in a warm process or a new one, and kills it where that was drawn.
    pub(super) async fn pass(
        &mut self,
        case: &Case,
        cloud: &Cloud,
        world: &World,
        (step, number): (usize, usize),
        draw: &PassDraw,
    ) -> PassRun {
        sleep(draw.delay).await;
        let mut log = String::new();
        if draw.cold {
            log.push_str(&self.stop().await);
        }
        if self.port.is_none() {
            self.port = Some(port(cloud, world).await);
        }
        let (server, current) = self.port.as_ref().expect("it was opened just now");
        let receiver = receiver(draw);
        let watch = Watch::new(draw.kill, receiver);
        put(current, watch.clone());
        if self.function.is_none() {
            let url = server.url();
            let mut environment = variables(case, cloud, &url, &url);
            if case.seed.is_multiple_of(TRACED) {
                environment.push(("RUST_LOG".into(), "trace".into()));
            }
            let spec = FunctionSpec {
                log_format: Some("JSON".into()),
                patience: PATIENCE,
                ..FunctionSpec::new(&self.binary).env(environment)
            };
            let started = Function::start(spec).await;
            self.function = Some(started.expect("the built program can be started"));
            self.served = false;
        }
        let was_warm = std::mem::replace(&mut self.served, true);
        let function = self.function.as_mut().expect("it was started just now");
        function
            .ready()
            .await
            .expect("the built program asks for an event");
        let first_copy = world.remember(cloud);
        let (now, begun) = (Utc::now(), Instant::now());
        let until = super::deadline(now, draw).timestamp_millis();
        let until = Deadline::Millis(until.try_into().unwrap_or_default());
        let invoked = {
            let work = function.invoke(draw.event.clone(), until);
            tokio::select! {
                biased;
                () = watch.dies() => None,
                invocation = work => Some(invocation),
            }
        };
        let ended = Instant::now();
        let mut run_id = String::new();
        let (end, lines) = match invoked {
            None => (End::Killed, self.stop().await),
            Some(invocation) => {
                run_id = format!("req-{}", invocation.request_id);
                let end = match invocation.result {
                    Ok(answer) => End::Answered(answer),
                    Err(failure) if failure.error_type == "Sandbox.Timedout" => End::Overran,
                    Err(failure) => End::Failed(failure.error_type, failure.error_message),
                };
                (end, invocation.log.join("\n"))
            }
        };
        log.push_str(&lines);
        if matches!(end, End::Overran) {
            log.push_str(&self.stop().await);
        }
        let mut record = std::mem::take(&mut *watch.record());
        let metrics = lines.lines().filter(|line| line.contains("\"_aws\""));
        record.lines = metrics.map(str::to_owned).collect();
        let first = record.first.take();
        // It has read its clock between being handed the event and sending its first request.
        let read_by = first.as_ref().map_or_else(Utc::now, |(_, at)| *at);
        if let Some((id, _)) = first {
            run_id = id;
        }
        PassRun {
            draw: draw.clone(),
            label: format!("p{step}.{number}"),
            run_id,
            now,
            read_within: (read_by - now).max(TimeDelta::zero()),
            begun,
            ended,
            deadline: begun + allowed(case, draw).0,
            end,
            record,
            first_copy,
            receiver,
            was_warm,
            log,
        }
    }

    /// Ends the process and gives what it has printed since its last pass.
    async fn stop(&mut self) -> String {
        match self.function.take() {
            Some(function) => function.stop().await.join("\n"),
            None => String::new(),
        }
    }
}

/// Opens a port that leads into the cloud, and to the receiver of notifications.
async fn port(cloud: &Cloud, world: &World) -> (Server, Current) {
    let current = Watch::idle();
    let (cloud, world, watches) = (cloud.clone(), world.clone(), current.clone());
    let server = Server::in_front(move |request| {
        let witness = Witness {
            cloud: cloud.clone(),
            world: world.clone(),
            watch: under_way(&watches),
        };
        async move {
            if request.uri().path().starts_with("/hooks/") {
                return match witness.watch.notified(request.into_body()) {
                    Some(answer) => Ok(answer),
                    None => std::future::pending().await,
                };
            }
            let run_id = request.headers().get("x-openstack-request-id");
            if let Some(run_id) = run_id.and_then(|id| id.to_str().ok()) {
                let first = || (run_id.to_owned(), Utc::now());
                witness.watch.record().first.get_or_insert_with(first);
            }
            let number = witness.leaves(&request).await;
            let answer = witness.cloud.handle(request).await;
            let answer = answer.map(|answer| witness.with_nulls(answer));
            witness.came_back(number, answer.as_ref().ok()).await;
            answer
        }
        .boxed()
    });
    (server.await.expect("a free port"), current)
}
