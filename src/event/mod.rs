//! What is asked: one JSON payload becomes one [`Event`], or an error that says why not.
//!
//! The payload is read by hand over [`serde_json::Value`] instead of through a derived
//! deserialiser, because whoever wrote the event sees nothing but the error: it has to name
//! the field, what stood there and what is accepted. Anything not understood is refused; a
//! misspelt `dry_run` that is merely ignored would change a cloud that was not to be touched.

mod pass;
mod payload;
mod report;
mod restore;
mod subscribe;
mod targets;

use std::fmt;

use serde_json::Value;

pub use pass::PassRequest;
pub(crate) use report::gone;
pub use report::{ReportRequest, Viewer, WidgetRequest};
pub use restore::{RestoreRequest, RestoreTarget};
pub use subscribe::SubscribeRequest;
pub use targets::{SpreadPhase, TargetsRequest};

use crate::cloud_name::CloudName;
use payload::{Fields, shown};

/// What one invocation is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// List the events that this tick wants, without asking any cloud.
    Targets(TargetsRequest),
    /// Tell what a widget's parameters are, without asking any cloud.
    Describe,
    /// Work with one cloud.
    Cloud {
        /// The entry of the `clouds.yaml`; `None` where the configuration says which.
        cloud: Option<CloudName>,
        /// What to do there.
        request: Request,
    },
}

/// What is to be done in one cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Take every snapshot that is due.
    Snapshot(PassRequest),
    /// Delete every snapshot that has expired.
    Expire(PassRequest),
    /// Tag one volume with one policy.
    Subscribe(SubscribeRequest),
    /// Tell how every volume stands.
    Report(ReportRequest),
    /// The same, as a page on a dashboard.
    Widget(WidgetRequest),
    /// Get data back as new volumes.
    Restore(RestoreRequest),
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
    /// Lists the events that a tick wants.
    Targets,
    /// Tells how every volume stands.
    Report,
    /// Gets data back as new volumes.
    Restore,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLabels {
    /// The phase, where it is one of ours.
    pub phase: Option<Phase>,
    /// Whether the payload says `dry_run: true`.
    pub dry_run: bool,
    /// The cloud, where it is a name.
    pub cloud: Option<CloudName>,
}

impl Event {
    /// Reads the request itself, or the `detail` of an EventBridge envelope.
    ///
    /// # Errors
    /// [`InvalidEvent`] for everything that is not exactly a request.
    pub fn parse(payload: &Value) -> Result<Self, InvalidEvent> {
        if report::is_describe(payload) {
            return Ok(Self::Describe);
        }
        if report::is_widget(payload) {
            return WidgetRequest::read(payload);
        }
        let request = payload::open(payload)?;
        let fields = Fields::of(&request)?;
        let phase = match fields.get("phase") {
            None => return Err(fields.without_phase()),
            Some(phase) => Phase::read(phase)?,
        };
        fields.only_those_of(phase)?;
        let request = match phase {
            Phase::Targets => return TargetsRequest::read(&fields).map(Self::Targets),
            Phase::Snapshot => PassRequest::read(&fields).map(Request::Snapshot),
            Phase::Expire => PassRequest::read(&fields).map(Request::Expire),
            Phase::Subscribe => SubscribeRequest::read(&fields).map(Request::Subscribe),
            Phase::Report => ReportRequest::read(&fields).map(Request::Report),
            Phase::Restore => RestoreRequest::read(&fields).map(Request::Restore),
        };
        let cloud = fields.read("cloud", CloudName::ACCEPTED, CloudName::of_json)?;
        Ok(Self::Cloud {
            cloud,
            request: request?,
        })
    }

    /// The phase that is asked for.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Targets(_) => Phase::Targets,
            Self::Describe => Phase::Report,
            Self::Cloud { request, .. } => request.phase(),
        }
    }

    /// Whether the cloud is to stay as it is.
    pub fn dry_run(&self) -> bool {
        match self {
            Self::Targets(_) | Self::Describe => false,
            Self::Cloud { request, .. } => request.dry_run(),
        }
    }

    /// The cloud that the event names.
    pub fn cloud(&self) -> Option<&CloudName> {
        match self {
            Self::Targets(_) | Self::Describe => None,
            Self::Cloud { cloud, .. } => cloud.as_ref(),
        }
    }
}

impl Request {
    /// The phase that is asked for.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Snapshot(_) => Phase::Snapshot,
            Self::Expire(_) => Phase::Expire,
            Self::Subscribe(_) => Phase::Subscribe,
            Self::Report(_) | Self::Widget(_) => Phase::Report,
            Self::Restore(_) => Phase::Restore,
        }
    }

    /// Whether the cloud is to stay as it is.
    pub(crate) fn dry_run(&self) -> bool {
        match self {
            Self::Snapshot(pass) | Self::Expire(pass) => pass.dry_run,
            Self::Subscribe(subscribe) => subscribe.dry_run,
            Self::Report(_) | Self::Widget(_) => false,
            Self::Restore(restore) => restore.dry_run,
        }
    }
}

impl Phase {
    /// All of them, in the order in which errors list them.
    pub const ALL: [Self; 6] = [
        Self::Snapshot,
        Self::Expire,
        Self::Subscribe,
        Self::Targets,
        Self::Report,
        Self::Restore,
    ];

    /// The name as it stands in events, answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Expire => "expire",
            Self::Subscribe => "subscribe",
            Self::Targets => "targets",
            Self::Report => "report",
            Self::Restore => "restore",
        }
    }

    /// Whether an invocation prints a line of metrics.
    pub(crate) fn is_measured(self) -> bool {
        match self {
            Self::Snapshot | Self::Expire | Self::Subscribe | Self::Targets => true,
            Self::Report | Self::Restore => false,
        }
    }

    /// The phase of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// All of them in words: `"snapshot", "expire" and "subscribe"`.
    pub fn all_in_words() -> String {
        let names = Self::ALL.map(|phase| format!("\"{phase}\""));
        let [others @ .., last] = &names;
        format!("{} and {last}", others.join(", "))
    }

    fn read(value: &Value) -> Result<Self, InvalidEvent> {
        value.as_str().and_then(Self::named).ok_or_else(|| {
            InvalidEvent::new(format!(
                "phase: {} is not a phase; accepted are {}",
                shown(value),
                Self::all_in_words()
            ))
        })
    }

    /// The fields an event of this phase may have.
    fn fields(self) -> Vec<&'static str> {
        let own = match self {
            Self::Targets => return [&["phase"], targets::FIELDS].concat(),
            Self::Snapshot | Self::Expire => pass::FIELDS,
            Self::Subscribe => &subscribe::fields(),
            Self::Report => report::FIELDS,
            Self::Restore => restore::FIELDS,
        };
        [&["phase", "cloud"], own].concat()
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl InvalidEvent {
    /// An error with this text, which must name the field and what is accepted.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl EventLabels {
    /// Looks at any payload; never fails.
    pub fn of(payload: &Value) -> Self {
        let request = payload::peek(payload);
        let looks = report::is_describe(payload) || report::is_widget(payload);
        Self {
            phase: if looks {
                Some(Phase::Report)
            } else {
                let phase = request.get("phase").and_then(Value::as_str);
                phase.and_then(Phase::named)
            },
            dry_run: [request, payload]
                .iter()
                .any(|place| place.get("dry_run") == Some(&Value::Bool(true))),
            cloud: if report::is_widget(payload) {
                report::widget_cloud(payload)
            } else {
                request.get("cloud").and_then(CloudName::of_json)
            },
        }
    }
}
