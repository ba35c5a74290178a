//! What is asked: one JSON payload becomes one [`Request`], or an error that says why not.
//!
//! The payload is read by hand over [`serde_json::Value`] instead of through a derived
//! deserialiser, because whoever wrote the event sees nothing but the error: it has to name
//! the field, what stood there and what is accepted. Anything not understood is refused; a
//! misspelt `dry_run` that is merely ignored would change a cloud that was not to be touched.

mod envelope;
mod fields;
mod pass;
mod shard;
mod subscribe;

use std::fmt;

use serde_json::Value;

pub use pass::PassRequest;
pub use subscribe::SubscribeRequest;

use fields::{Fields, shown};

/// One invocation's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Take every snapshot that is due.
    Snapshot(PassRequest),
    /// Delete every snapshot that has expired.
    Expire(PassRequest),
    /// Tag one volume with one policy.
    Subscribe(SubscribeRequest),
}

/// What an invocation does, by the names that events, answers and metrics use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Takes what is due.
    Snapshot,
    /// Deletes what has expired.
    Expire,
    /// Tags a volume.
    Subscribe,
}

/// The payload is not a request.
///
/// Its text names the field at fault, what stood there and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEvent(String);

/// What can be told of a payload even if it is refused.
///
/// Every invocation prints its metrics under its phase, and a dry run prints none; that must
/// hold for a request that is refused for one bad field, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLabels {
    /// The phase, where it is one of ours.
    pub phase: Option<Phase>,
    /// Whether the payload says `dry_run: true`.
    pub dry_run: bool,
}

impl Request {
    /// Reads the request itself, or the `detail` of an EventBridge envelope.
    ///
    /// # Errors
    /// [`InvalidEvent`] for everything that is not exactly a request.
    pub fn parse(payload: &Value) -> Result<Self, InvalidEvent> {
        let request = envelope::open(payload)?;
        let fields = Fields::of(&request)?;
        let phase = match fields.get("phase") {
            None => return Err(fields.without_phase()),
            Some(phase) => Phase::read(phase)?,
        };
        match phase {
            Phase::Snapshot => PassRequest::read(phase, &fields).map(Self::Snapshot),
            Phase::Expire => PassRequest::read(phase, &fields).map(Self::Expire),
            Phase::Subscribe => SubscribeRequest::read(&fields).map(Self::Subscribe),
        }
    }

    /// The phase that is asked for.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Snapshot(_) => Phase::Snapshot,
            Self::Expire(_) => Phase::Expire,
            Self::Subscribe(_) => Phase::Subscribe,
        }
    }

    /// Whether the cloud is to stay as it is.
    pub fn dry_run(&self) -> bool {
        match self {
            Self::Snapshot(pass) | Self::Expire(pass) => pass.dry_run,
            Self::Subscribe(subscribe) => subscribe.dry_run,
        }
    }
}

impl Phase {
    const ALL: [Self; 3] = [Self::Snapshot, Self::Expire, Self::Subscribe];

    /// The name as it stands in events, answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Expire => "expire",
            Self::Subscribe => "subscribe",
        }
    }

    fn read(value: &Value) -> Result<Self, InvalidEvent> {
        Self::named(value).ok_or_else(|| {
            InvalidEvent::new(format!(
                "phase: {} is not a phase; accepted are \"snapshot\", \"expire\" and \"subscribe\"",
                shown(value)
            ))
        })
    }

    fn named(value: &Value) -> Option<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// The fields an event of this phase may have.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Snapshot | Self::Expire => pass::FIELDS,
            Self::Subscribe => subscribe::FIELDS,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl InvalidEvent {
    /// An error with this text, which must name the field and what is accepted.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl EventLabels {
    /// Looks at any payload; never fails.
    pub fn of(payload: &Value) -> Self {
        let request = envelope::peek(payload);
        Self {
            phase: request.get("phase").and_then(Phase::named),
            dry_run: [request, payload]
                .iter()
                .any(|place| place.get("dry_run") == Some(&Value::Bool(true))),
        }
    }
}
