//! Misfortune: what can go wrong with a request, for which requests and how often.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::route::{Route, Service};

/// Which requests something is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requests {
    /// All.
    Any,
    /// Those of one service.
    Service(Service),
    /// Those of one call.
    Route(Route),
    /// Those of any of these calls.
    Routes(Vec<Route>),
}

impl Requests {
    pub(crate) fn include(&self, service: Service, route: Route) -> bool {
        match self {
            Self::Any => true,
            Self::Service(wanted) => *wanted == service,
            Self::Route(wanted) => *wanted == route,
            Self::Routes(wanted) => wanted.contains(&route),
        }
    }
}

impl From<Route> for Requests {
    fn from(route: Route) -> Self {
        Self::Route(route)
    }
}

impl From<Service> for Requests {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

impl From<Vec<Route>> for Requests {
    fn from(routes: Vec<Route>) -> Self {
        Self::Routes(routes)
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An answer of this status instead of the work.
    Status {
        /// HTTP status.
        code: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
        /// Body; `None` writes one in the service's own shape.
        body: Option<Bytes>,
    },
    /// No connection can be made. (Over a socket one is made and reset at once;
    /// [`Server::refuse`](crate::Server::refuse) really refuses.)
    Refused,
    /// The connection is reset and the work not done.
    ResetBefore,
    /// The work is done and the answer lost.
    ResetAfter,
    /// The work begins this much later. Adds to other delays.
    DelayBefore(Duration),
    /// The answer leaves this much later than the work is done. Adds to other delays.
    DelayAfter(Duration),
    /// No work, no answer.
    HangBefore,
    /// The work is done and no answer ever comes.
    HangAfter,
    /// The work is done; half of the answer's body comes, then the connection is lost.
    Truncate,
    /// The work is done; the answer has its status, and an HTML page for a body.
    NotJson,
    /// 429.
    RateLimit {
        /// Value of `Retry-After`, seconds or a date.
        retry_after: Option<String>,
    },
    /// An answer of this status now, and the work is done this much later by the cloud's clock.
    LateWork {
        /// HTTP status.
        code: u16,
        /// From the answer to the work; zero does the work before the answer.
        delay: Duration,
    },
    /// 401 although the token is good.
    Unauthorized,
    /// The token that the request carries ends now, for this and all later requests.
    ExpireToken,
    /// A redirect.
    Redirect {
        /// HTTP status.
        code: u16,
        /// Value of `Location`.
        location: String,
    },
    /// The work is done; the answer is this long.
    Oversized {
        /// Length of the body in bytes.
        bytes: usize,
    },
}

impl Kind {
    /// An answer of this status in the service's own shape.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            headers: Vec::new(),
            body: None,
        }
    }

    /// An answer of this status with one more header.
    pub fn status_with(code: u16, header: &str, value: &str) -> Self {
        Self::Status {
            code,
            headers: vec![(header.into(), value.into())],
            body: None,
        }
    }

    pub(crate) fn is_delay(&self) -> bool {
        matches!(self, Self::DelayBefore(_) | Self::DelayAfter(_))
    }
}

/// A misfortune and the requests it befalls. Several may befall one request: delays add up,
/// and of the rest the first injected wins; the others are then not used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub requests: Requests,
    /// Only requests with this text, such as an id, in path, query or body.
    pub containing: Option<String>,
    /// Requests spared before the first one.
    pub skip: u64,
    /// Requests befallen; `None` for all from then on.
    pub times: Option<u64>,
    /// Only requests that come from this instant of the cloud's clock on.
    pub from: Option<DateTime<Utc>>,
    /// Only requests that come before this instant of the cloud's clock.
    pub until: Option<DateTime<Utc>>,
    /// What goes wrong.
    pub kind: Kind,
}

impl Fault {
    /// Befalls the next such request, once.
    pub fn on(requests: impl Into<Requests>, kind: Kind) -> Self {
        Self {
            requests: requests.into(),
            containing: None,
            skip: 0,
            times: Some(1),
            from: None,
            until: None,
            kind,
        }
    }

    /// Befalls every request for a while, by the cloud's clock.
    #[must_use]
    pub fn between(mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        self.times = None;
        self.from = Some(from);
        self.until = Some(until);
        self
    }

    /// Only requests with this text in path, query or body.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.containing = Some(text.into());
        self
    }

    /// Spares this many requests first.
    #[must_use]
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Befalls this many requests.
    #[must_use]
    pub fn times(mut self, requests: u64) -> Self {
        self.times = Some(requests);
        self
    }

    /// Befalls every request from then on.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = None;
        self
    }
}

/// Names an injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(pub(crate) usize);

/// A fault and how often it has struck.
#[derive(Clone, Debug)]
pub(crate) struct Injected {
    pub(crate) fault: Fault,
    pub(crate) struck: u64,
}

/// What befalls one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Misfortune {
    pub(crate) before: Duration,
    pub(crate) after: Duration,
    pub(crate) kind: Option<Kind>,
}

/// Decides what befalls a request and counts it.
pub(crate) fn befall(
    faults: &mut [Injected],
    now: DateTime<Utc>,
    service: Service,
    route: Route,
    contains: impl Fn(&str) -> bool,
) -> Misfortune {
    let mut misfortune = Misfortune::default();
    for injected in faults {
        let Injected { fault, struck } = injected;
        let matches = fault.requests.include(service, route)
            && fault.containing.as_deref().is_none_or(&contains)
            && fault.times != Some(0)
            && fault.from.is_none_or(|from| now >= from)
            && fault.until.is_none_or(|until| now < until)
            && (fault.kind.is_delay() || misfortune.kind.is_none());
        if !matches {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            continue;
        }
        fault.times = fault.times.map(|times| times - 1);
        *struck += 1;
        match &fault.kind {
            Kind::DelayBefore(delay) => misfortune.before += *delay,
            Kind::DelayAfter(delay) => misfortune.after += *delay,
            kind => misfortune.kind = Some(kind.clone()),
        }
    }
    misfortune
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(fault: &Fault, requests: usize) -> Vec<bool> {
        let mut faults = [Injected {
            fault: fault.clone(),
            struck: 0,
        }];
        (0..requests)
            .map(|_| {
                let route = Route::GetVolume;
                let now = DateTime::UNIX_EPOCH;
                befall(&mut faults, now, Service::BlockStorage, route, |_| true)
                    .kind
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn a_fault_skips_strikes_and_is_used_up() {
        let fault = Fault::on(Route::GetVolume, Kind::ResetBefore)
            .skip(1)
            .times(2);
        assert_eq!(struck(&fault, 5), [false, true, true, false, false]);
        assert_eq!(struck(&fault.forever(), 4), [false, true, true, true]);
        assert_eq!(
            struck(&Fault::on(Route::Login, Kind::ResetBefore), 1),
            [false]
        );
    }

    #[test]
    fn delays_add_up_and_the_first_other_kind_wins() {
        let second = Duration::from_secs(1);
        let mut faults: Vec<Injected> = [
            Kind::DelayBefore(second),
            Kind::HangAfter,
            Kind::ResetBefore,
            Kind::DelayBefore(second),
        ]
        .map(|kind| Injected {
            fault: Fault::on(Requests::Any, kind),
            struck: 0,
        })
        .into();
        let now = DateTime::UNIX_EPOCH;
        let first = befall(&mut faults, now, Service::Compute, Route::GetServer, |_| {
            true
        });
        assert_eq!(first.before, 2 * second);
        assert_eq!(first.kind, Some(Kind::HangAfter));
        let second = befall(&mut faults, now, Service::Compute, Route::GetServer, |_| {
            true
        });
        assert_eq!(second.kind, Some(Kind::ResetBefore));
    }
}
