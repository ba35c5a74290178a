//! One request on its way through the cloud, and its work: to the service it is for, which
//! answers at once and under the lock.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use tokio::sync::watch;
use url::form_urlencoded;

use crate::answer::{self, Answer};
use crate::config::DateHeader;
use crate::health::MessageQueue;
use crate::route::{Service, Target};
use crate::state::State;
use crate::{cinder, keystone, nova};

/// A request and what is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) sequence: u64,
    /// The cloud's tick at its arrival.
    pub(crate) tick: u64,
    pub(crate) now: DateTime<Utc>,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) target: Target,
    /// The service's own id for the request.
    pub(crate) request_id: String,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Scheme and authority as the client wrote them.
    pub(crate) fn base(&self) -> String {
        let scheme = self.parts.uri.scheme_str().unwrap_or("http");
        let host = self
            .header("x-forwarded-host")
            .or_else(|| self.header("host"))
            .or_else(|| self.parts.uri.authority().map(|a| a.as_str()))
            .unwrap_or("localhost");
        format!("{scheme}://{host}")
    }

    pub(crate) fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.parts.uri.query().unwrap_or("").as_bytes())
            .into_owned()
            .collect()
    }

    /// Whether path, query or body contain this text.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let path_and_query = self.parts.uri.path_and_query().map_or("", |p| p.as_str());
        path_and_query.contains(text)
            || self.target.path.contains(text)
            || String::from_utf8_lossy(&self.body).contains(text)
    }
}

/// Does a call's work. Everything due by the call's time must have been settled before.
pub(crate) fn work(state: &mut State, call: &Call) -> Answer {
    let mut answer = match call.target.service {
        Service::Identity => keystone::answer(state, call),
        Service::BlockStorage => cinder::answer(state, call),
        Service::Compute => nova::answer(state, call),
    };
    if answer.status() == 202
        && call.target.service == Service::BlockStorage
        && let Some(queue) = state.sickness.queue_to_wait_for()
    {
        answer.extensions_mut().insert(Held::ByQueue(queue));
    }
    finish(state, call, &mut answer);
    answer
}

/// What an answer waits for before it leaves, beside latency.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    ByQueue(watch::Receiver<MessageQueue>),
    For(Duration),
    ForEver,
}

/// Gives an answer the headers that all of a service's answers have.
pub(crate) fn finish(state: &State, call: &Call, answer: &mut Answer) {
    if let DateHeader::Shifted(by) = state.config.date {
        let date = (state.now() + by).format("%a, %d %b %Y %H:%M:%S GMT");
        answer::set(answer, "date", &date.to_string());
    }
    answer::set(answer, "x-openstack-request-id", &call.request_id);
    let unauthorized = answer.status() == 401;
    let cinder = call.target.service != Service::Identity;
    // Nobody of Cinder's own has seen it.
    let by_middleware = answer.status() == 503 && state.config.keystone_is_gone;
    if cinder && !unauthorized && !by_middleware && !answer.body().is_empty() {
        answer::set(answer, "x-compute-request-id", &call.request_id);
    }
    let length = answer.body().len();
    if answer.status() != 204 {
        answer::set(answer, "content-length", &length.to_string());
    }
}
