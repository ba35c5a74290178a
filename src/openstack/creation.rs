//! Creating one thing once, and knowing what became of it.
//!
//! A creation whose answer was lost may have been carried out. It is looked up before it is
//! tried again, since a retry on its own is how a window comes to have two snapshots, or a
//! restored volume a double.

use std::cell::{Cell, RefCell};

use bytes::Bytes;

use super::client::Client;
use super::connection::{Permit, RequestKind};
use super::error::{Error, ErrorKind};
use super::request::ApiRequest;
use super::response::request_id;
use crate::deadline::Deadline;
use crate::transport::Response;

/// A creating request.
pub(super) struct CreateRequest<'a> {
    /// For log lines.
    pub(super) name: &'a str,
    /// Below the service's address.
    pub(super) path: &'a str,
    pub(super) body: Bytes,
}

/// Something that is there now.
#[derive(Clone, Debug)]
pub(crate) enum Creation<R> {
    /// Made by this request.
    Created {
        resource: R,
        /// Cinder's id of the creating request.
        request_id: Option<String>,
    },
    /// Found when an answer was lost: perhaps ours, perhaps another's.
    Adopted(R),
    /// Made by somebody else before a request left: nothing was asked for.
    Served(R),
}

impl<R> Creation<R> {
    pub(crate) fn resource(&self) -> &R {
        match self {
            Self::Created { resource, .. } | Self::Adopted(resource) | Self::Served(resource) => {
                resource
            }
        }
    }

    /// Cinder's id of the creating request, where it is known.
    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Created { request_id, .. } => request_id.as_deref(),
            Self::Adopted(_) | Self::Served(_) => None,
        }
    }

    /// The same with the resource as it looks by now.
    pub(super) fn with(self, seen: R) -> Self {
        match self {
            Self::Created { request_id, .. } => Self::Created {
                resource: seen,
                request_id,
            },
            Self::Adopted(_) => Self::Adopted(seen),
            Self::Served(_) => Self::Served(seen),
        }
    }
}

/// A creation of which nothing is known to be there.
pub(super) enum NotRequested {
    /// It was tried and failed.
    Failed(Error),
    /// Nothing was begun, or nothing came of it, and no time is left.
    Deferred(Error),
    /// It was sent, and what comes of it is open.
    Pending,
}

/// What is known of a creation after its last try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    /// An answer was lost, and a look-up after it found nothing.
    FoundNothing,
    /// An answer was lost and not looked up.
    Open,
}

impl Client {
    /// Sends a creating request until its answer, or a look-up, tells what came of it.
    ///
    /// Before each request `served` tells what somebody else has made by now: nothing is asked for
    /// then. `read` reads a success's body, and `look_up` looks for what was made by a request whose
    /// answer was lost: by the one that ended in the given error, or, right before another try,
    /// by any so far. Where a `permit` is handed in, the first request leaves without waiting for
    /// one.
    pub(super) async fn create<R>(
        &self,
        deadline: Deadline,
        request: &CreateRequest<'_>,
        permit: Option<Permit>,
        served: impl Fn() -> Option<R>,
        read: impl Fn(&Response) -> Result<R, Error>,
        look_up: impl AsyncFn(Option<&Error>) -> Result<Option<R>, Error>,
    ) -> Result<Creation<R>, NotRequested> {
        let call = ApiRequest::post(RequestKind::Create, request.path, request.body.clone());
        let permit = RefCell::new(permit);
        let doubt = Cell::new(Doubt::None);
        let (permit, doubt, call) = (&permit, &doubt, &call);
        let (served, read, look_up) = (&served, &read, &look_up);
        let attempt = || async move {
            if let Some(found) = served() {
                return Ok(match doubt.get() {
                    Doubt::None => Creation::Served(found),
                    // Perhaps ours after all, so it is waited for like what a look-up finds.
                    Doubt::FoundNothing | Doubt::Open => Creation::Adopted(found),
                });
            }
            if doubt.get() != Doubt::None
                && let Some(found) = look_up(None).await?
            {
                return Ok(Creation::Adopted(found));
            }
            self.connection
                .observed
                .check_time(deadline, RequestKind::Create)?;
            let permit = permit.borrow_mut().take();
            let before = doubt.replace(Doubt::Open);
            let answer = self.connection.call(deadline, call, permit).await;
            let error = match answer.and_then(|response| Ok((read(&response)?, response))) {
                Ok((resource, response)) => {
                    return Ok(Creation::Created {
                        resource,
                        request_id: request_id(&response),
                    });
                }
                Err(error) => error,
            };
            if !error.is_ambiguous() {
                doubt.set(before);
                return Err(error);
            }
            let found = look_up(Some(&error)).await?;
            doubt.set(Doubt::FoundNothing);
            found.map(Creation::Adopted).ok_or(error)
        };
        let retry = &self.connection.retry;
        self.connection
            .execute_action(deadline, retry, request.name, attempt)
            .await
            .map_err(|error| match (&error.kind, doubt.get()) {
                (ErrorKind::OutcomeUnknown { look_up, .. }, _) if look_up.is_out_of_time() => {
                    NotRequested::Pending
                }
                (ErrorKind::OutOfTime(_), Doubt::Open) => NotRequested::Pending,
                (ErrorKind::OutOfTime(_), _) => NotRequested::Deferred(error),
                _ => NotRequested::Failed(error),
            })
    }
}

/// The error of a look-up that failed: what became of the creation that ended in `lost`, or of
/// all tries so far, is not known.
pub(super) fn outcome_unknown(lost: Option<&Error>, look_up: Error) -> Error {
    // An earlier look-up found nothing, and nothing was sent since.
    if lost.is_none() && look_up.is_out_of_time() {
        return look_up;
    }
    let request = lost.unwrap_or(&look_up).clone();
    Error {
        request: request.request.clone(),
        request_id: request.request_id.clone(),
        kind: ErrorKind::OutcomeUnknown {
            request: Box::new(request),
            look_up: Box::new(look_up),
        },
    }
}
