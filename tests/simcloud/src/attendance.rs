//! A request being attended to: latency, misfortune, hooks and the work, in this order, and
//! what misfortune then makes of the answer.

use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;
use tokio::time::{Instant, sleep_until};

use crate::answer::{self, Answer};
use crate::call::{self, Call, Held};
use crate::cloud::{Cloud, Interrupted};
use crate::config::Latency;
use crate::faults::{Kind, Misfortune};
use crate::health::MessageQueue;
use crate::hooks::{Action, When};
use crate::keystone;
use crate::route::Service;
use crate::state::State;

/// How the handling of a request ends.
pub(crate) enum End {
    Answer(Answer),
    Interrupted(Interrupted),
    Hang,
}

impl Cloud {
    pub(crate) async fn attend(
        &self,
        mut call: Call,
        misfortune: Misfortune,
        arrived: Instant,
        latency: Duration,
        actions: Vec<(When, Action)>,
    ) -> End {
        let work_at = arrived + latency / 2 + misfortune.before;
        let answer_at = work_at + latency / 2 + misfortune.after;
        wait_until(work_at).await;
        let (before, after): (Vec<_>, Vec<_>) = actions
            .into_iter()
            .partition(|(when, _)| *when == When::Before);
        for (_, action) in before {
            action(self);
        }
        if let Some(early) = self.without_work(&mut call, misfortune.kind.as_ref()) {
            wait_until(answer_at).await;
            return early;
        }
        if call.target.service == Service::Identity && self.lock().config.keystone_is_gone {
            return End::Interrupted(Interrupted::Refused);
        }
        let answer = self.work(&mut call);
        for (_, action) in after {
            action(self);
        }
        wait_until(answer_at).await;
        if wait_for(answer.extensions().get::<Held>()).await.is_err() {
            return End::Hang;
        }
        spoil(answer, misfortune.kind)
    }

    fn work(&self, call: &mut Call) -> Answer {
        let mut state = self.lock();
        state.settle();
        call.now = state.now();
        let answer = call::work(&mut state, call);
        if let Some(entry) = state.journal.entry(call.sequence) {
            entry.worked = true;
        }
        answer
    }

    /// How a misfortune ends that keeps the work from being done now.
    fn without_work(&self, call: &mut Call, kind: Option<&Kind>) -> Option<End> {
        let mut answer = match kind? {
            Kind::Refused => return Some(End::Interrupted(Interrupted::Refused)),
            Kind::ResetBefore => return Some(End::Interrupted(Interrupted::Reset)),
            Kind::HangBefore => return Some(End::Hang),
            Kind::Status {
                code,
                headers,
                body,
            } => {
                let mut answer = match body {
                    Some(body) => answer::json(*code, body.clone()),
                    None => plain_fault(call, *code),
                };
                for (name, value) in headers {
                    answer::set(&mut answer, name, value);
                }
                answer
            }
            Kind::RateLimit { retry_after } => {
                let mut answer = plain_fault(call, 429);
                if let Some(value) = retry_after {
                    answer::set(&mut answer, "retry-after", value);
                }
                answer
            }
            Kind::LateWork { code, delay } => {
                if delay.is_zero() {
                    self.work(call);
                } else {
                    let mut state = self.lock();
                    let delay = chrono::TimeDelta::from_std(*delay).unwrap_or_default();
                    let at = state.now() + delay;
                    state.work_later(at, call.clone());
                }
                plain_fault(call, *code)
            }
            Kind::Unauthorized => answer::unauthorized(&keystone::address(call)),
            Kind::ExpireToken => {
                let mut state = self.lock();
                let now = state.now();
                let token = call.header("x-auth-token").unwrap_or("").to_owned();
                if let Some(token) = state.tokens.get_mut(&token) {
                    token.expires_at = now;
                }
                return None;
            }
            Kind::Redirect { code, location } => {
                let mut answer = answer::html(*code, "Moved", "The resource is elsewhere.");
                answer::set(&mut answer, "location", location);
                answer
            }
            _ => return None,
        };
        call::finish(&self.lock(), call, &mut answer);
        Some(End::Answer(answer))
    }
}

/// An error if what the answer waits for never comes.
async fn wait_for(held: Option<&Held>) -> Result<(), ()> {
    match held {
        None => Ok(()),
        Some(Held::For(delay)) => {
            tokio::time::sleep(*delay).await;
            Ok(())
        }
        Some(Held::ForEver) => Err(()),
        Some(Held::ByQueue(queue)) => {
            let mut queue = queue.clone();
            let back = queue.wait_for(|queue| *queue != MessageQueue::Dead).await;
            back.map(drop).map_err(drop)
        }
    }
}

async fn wait_until(instant: Instant) {
    if instant > Instant::now() {
        sleep_until(instant).await;
    }
}

fn plain_fault(call: &Call, status: u16) -> Answer {
    let text = format!("The embedded cloud was told to answer {status}.");
    match (call.target.service, status) {
        (_, 401) => answer::unauthorized(&keystone::address(call)),
        (Service::Identity, _) => answer::keystone_error(status, &text),
        _ => answer::fault(status, &text),
    }
}

/// What becomes of an answer to work that was done.
fn spoil(mut answer: Answer, kind: Option<Kind>) -> End {
    match kind {
        Some(Kind::ResetAfter) => End::Interrupted(Interrupted::Reset),
        Some(Kind::HangAfter) => End::Hang,
        Some(Kind::Truncate) => {
            // An answer without a body is cut before its first byte.
            if answer.body().is_empty() {
                return End::Interrupted(Interrupted::Reset);
            }
            let half = answer.body().slice(..answer.body().len() / 2);
            *answer.body_mut() = half;
            End::Interrupted(Interrupted::Truncated(answer))
        }
        Some(Kind::NotJson) => {
            let page = Bytes::from_static(b"<html><body><h1>It works!</h1></body></html>");
            answer::set(&mut answer, "content-type", "text/html; charset=UTF-8");
            answer::set(&mut answer, "content-length", &page.len().to_string());
            *answer.body_mut() = page;
            End::Answer(answer)
        }
        Some(Kind::Oversized { bytes }) => {
            answer::set(&mut answer, "content-length", &bytes.to_string());
            *answer.body_mut() = vec![b' '; bytes].into();
            End::Answer(answer)
        }
        _ => End::Answer(answer),
    }
}

impl State {
    /// How long the next answer takes.
    pub(crate) fn draw_latency(&mut self) -> Duration {
        match self.config.latency {
            Latency::None => Duration::ZERO,
            Latency::Fixed(latency) => latency,
            Latency::LogNormal { median, sigma } => {
                // Box and Muller: two even draws make a normal one.
                let (u, v): (f64, f64) = (self.weather.random(), self.weather.random());
                let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                median.mul_f64((sigma * normal).exp())
            }
        }
    }
}
