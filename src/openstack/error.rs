//! What can go wrong with a request to OpenStack, told so that somebody can act on it.
//!
//! Every error carries the method, the path (never the query, never the host's credentials),
//! the status, the cloud's own words and the request id that its operators can look up.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::transport::TransportError;

/// A request to OpenStack that did not do what it was meant to.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    /// The request's method and path; absent where no request was begun.
    pub request: Option<(Method, String)>,
    /// The request id that the cloud gave its answer.
    pub request_id: Option<String>,
    pub kind: ErrorKind,
}

/// What happened to a request.
#[derive(Clone, Debug)]
pub(crate) enum ErrorKind {
    /// The cloud answered with a status that is not a success.
    Status {
        status: StatusCode,
        /// The cloud's own message, shortened.
        message: String,
        /// How long the cloud asks to wait, where it does.
        retry_after: Option<Duration>,
    },
    /// The cloud answered with a redirect, which is never followed: the token would travel.
    Redirect {
        /// Where to, without credentials or query.
        location: String,
    },
    /// No whole answer came.
    Transport(TransportError),
    /// A success whose body is not what it has to be.
    Body(String),
    /// The cloud did what it was asked, and what came of it cannot be used.
    Unusable(String),
    /// The pass's deadline came, or would have come, first; with what went wrong before.
    OutOfTime(Option<Box<Error>>),
    /// Keystone gave no token.
    Login(LoginError),
    /// It is not known whether the request was carried out, and that could not be looked up.
    OutcomeUnknown {
        request: Box<Error>,
        look_up: Box<Error>,
    },
}

/// Why there is no session with the cloud.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// Keystone refused, or could not be reached.
    #[error(transparent)]
    Refused(Box<Error>),
    /// The catalogue has no fitting endpoint.
    #[error("{0}")]
    NoEndpoint(String),
    /// The catalogue lists several regions and none was chosen.
    #[error("the catalogue lists several regions for block storage: {}; set OS_REGION_NAME to one of them", .0.join(", "))]
    AmbiguousRegion(Vec<String>),
    /// The token would travel in clear text, although Keystone is asked over `https`.
    #[error(
        "the catalogue lists {service} at {address}, over http, while OS_AUTH_URL is https: the \
         token would travel in clear text; have the catalogue corrected, choose another \
         OS_INTERFACE, or set OS_INSECURE=true where that is wanted"
    )]
    ClearText {
        /// The service that is listed so.
        service: &'static str,
        /// Where, without credentials or query.
        address: String,
    },
}

impl Error {
    /// An error of no request in particular.
    pub(super) fn new(kind: ErrorKind) -> Self {
        Self {
            request: None,
            request_id: None,
            kind,
        }
    }

    /// The same, of this request.
    pub(super) fn of(self, method: Method, path: impl Into<String>) -> Self {
        Self {
            request: Some((method, path.into())),
            ..self
        }
    }

    /// The same, under the id that the cloud gave the request.
    pub(super) fn under(self, request_id: Option<String>) -> Self {
        Self { request_id, ..self }
    }

    /// An error of a request that was never begun because there is no time left for it.
    pub(crate) fn out_of_time(last: Option<Error>) -> Self {
        match last {
            Some(last) if last.is_out_of_time() => last,
            last => Self {
                request: last.as_ref().and_then(|last| last.request.clone()),
                request_id: last.as_ref().and_then(|last| last.request_id.clone()),
                kind: ErrorKind::OutOfTime(last.map(Box::new)),
            },
        }
    }

    /// The answer's status, where there was an answer.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match &self.kind {
            ErrorKind::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the deadline was the reason.
    pub(crate) fn is_out_of_time(&self) -> bool {
        matches!(self.kind, ErrorKind::OutOfTime(_))
    }

    /// Whether the cloud asks to be left alone for a while and did nothing: 429, or a 413 that
    /// says how long to wait.
    pub(crate) fn is_rate_limit(&self) -> bool {
        match &self.kind {
            ErrorKind::Status {
                status,
                retry_after,
                ..
            } => {
                *status == StatusCode::TOO_MANY_REQUESTS
                    || (*status == StatusCode::PAYLOAD_TOO_LARGE
                        && retry_after.is_some_and(|wait| !wait.is_zero()))
            }
            _ => false,
        }
    }

    /// Whether a quota is used up: Cinder's 413 that does not ask to wait.
    pub(crate) fn is_quota(&self) -> bool {
        self.status() == Some(StatusCode::PAYLOAD_TOO_LARGE) && !self.is_rate_limit()
    }

    /// Whether it is open if the request was carried out: no whole answer, or a server's error.
    pub(crate) fn is_ambiguous(&self) -> bool {
        match &self.kind {
            ErrorKind::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::REQUEST_TIMEOUT
            }
            ErrorKind::Transport(_) | ErrorKind::Body(_) => true,
            _ => false,
        }
    }

    /// Whether the same request may do better a little later.
    pub(crate) fn is_retryable(&self) -> bool {
        match &self.kind {
            ErrorKind::Status { status, .. } => {
                matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504) || self.is_rate_limit()
            }
            ErrorKind::Transport(TransportError::TooLarge { .. }) => false,
            ErrorKind::Transport(_) | ErrorKind::Body(_) => true,
            _ => false,
        }
    }

    /// How long the cloud asks to wait before the request is sent again, by whomever.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match &self.kind {
            ErrorKind::Status { retry_after, .. } => *retry_after,
            ErrorKind::OutOfTime(Some(last)) | ErrorKind::Login(LoginError::Refused(last)) => {
                last.retry_after()
            }
            _ => None,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Transport(error) => Some(error),
            ErrorKind::Login(error) => Some(error),
            ErrorKind::OutOfTime(last) => {
                let last = last.as_deref()?;
                Some(last)
            }
            ErrorKind::OutcomeUnknown { look_up, .. } => Some(&**look_up),
            ErrorKind::Status { .. }
            | ErrorKind::Redirect { .. }
            | ErrorKind::Body(_)
            | ErrorKind::Unusable(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ErrorKind::OutOfTime(last) = &self.kind {
            return match last {
                Some(last) => write!(f, "deadline exceeded (last error: {last})"),
                None => f.write_str("deadline exceeded"),
            };
        }
        if let ErrorKind::OutcomeUnknown { request, look_up } = &self.kind {
            return write!(
                f,
                "the outcome is unknown, and looking it up failed, so it is not tried again; \
                 the request: {request}; the look-up: {look_up}"
            );
        }
        if let ErrorKind::Login(error) = &self.kind {
            return write!(f, "{error}");
        }
        if let Some((method, path)) = &self.request {
            write!(f, "{method} {path}: ")?;
        }
        match &self.kind {
            ErrorKind::Status {
                status, message, ..
            } => {
                if self.is_quota() {
                    f.write_str("quota used up: ")?;
                }
                write!(f, "{}", status.as_u16())?;
                if !message.is_empty() {
                    write!(f, " {message}")?;
                }
                let is_login = |(_, path): &(Method, String)| path.ends_with("/auth/tokens");
                if *status == StatusCode::UNAUTHORIZED
                    && !self.request.as_ref().is_some_and(is_login)
                {
                    f.write_str(
                        " (with a fresh token: either the credential was revoked, or it is an \
                         application credential whose access rules do not allow this call)",
                    )?;
                }
            }
            ErrorKind::Redirect { location } => write!(
                f,
                "answered with a redirect to {location}, which is not followed; correct the \
                 address in OS_AUTH_URL or in the catalogue"
            )?,
            ErrorKind::Transport(error) => write!(f, "{error}")?,
            ErrorKind::Body(what) => write!(f, "the answer is not what was expected: {what}")?,
            ErrorKind::Unusable(what) => f.write_str(what)?,
            ErrorKind::OutOfTime(_) | ErrorKind::OutcomeUnknown { .. } | ErrorKind::Login(_) => {}
        }
        if let Some(id) = &self.request_id {
            write!(f, " [{id}]")?;
        }
        Ok(())
    }
}
