//! A call: one request with a token, and what is done where the token or the version is refused.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::auth::{Token, Unfit};
use super::connection::{Connection, Outgoing, Permit, RequestKind};
use super::error::{Error, ErrorKind};
use crate::deadline::Deadline;
use crate::transport::{Response, TransportError};

/// The Cinder version that is asked for: the first in which snapshots can be listed by metadata.
const MICROVERSION: HeaderValue = HeaderValue::from_static("volume 3.22");

/// The service that a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    BlockStorage,
    Compute,
}

#[derive(Clone, Debug)]
pub(super) struct ApiRequest<'a> {
    pub(super) kind: RequestKind,
    pub(super) service: Service,
    pub(super) method: Method,
    /// Below the service's address, with the query.
    pub(super) path: &'a str,
    pub(super) body: Option<Bytes>,
}

impl<'a> ApiRequest<'a> {
    /// Asks Cinder for something.
    pub(super) fn get(kind: RequestKind, path: &'a str) -> Self {
        Self {
            kind,
            service: Service::BlockStorage,
            method: Method::GET,
            path,
            body: None,
        }
    }

    /// Tells Cinder to do something.
    pub(super) fn post(kind: RequestKind, path: &'a str, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            body: Some(body.into()),
            ..Self::get(kind, path)
        }
    }

    /// Tells Cinder to delete something.
    pub(super) fn delete(kind: RequestKind, path: &'a str) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::get(kind, path)
        }
    }
}

impl Connection {
    /// Makes one call. A 401 fetches one fresh token, shared by all who were refused with the
    /// old one, and the call is made once more; a 401 with a token that was itself fetched
    /// because of a 401 is final. Likewise a first listing that shows that the catalogue of an
    /// earlier invocation's token may have moved.
    ///
    /// Where a `permit` is handed in, the request leaves without waiting for one.
    pub(super) async fn call(
        &self,
        deadline: Deadline,
        call: &ApiRequest<'_>,
        permit: Option<Permit>,
    ) -> Result<Response, Error> {
        self.call_while(deadline, call, permit, async |_| true)
            .await
    }

    /// The same for a call that is to be made only while `goes` says so: it is asked where a login
    /// comes first, for that may have waited for long, and told whether the call was made once.
    pub(super) async fn call_while(
        &self,
        deadline: Deadline,
        call: &ApiRequest<'_>,
        mut permit: Option<Permit>,
        goes: impl AsyncFn(bool) -> bool,
    ) -> Result<Response, Error> {
        let mut unfit: Option<(Arc<Token>, bool)> = None;
        let mut refused = None;
        loop {
            let token = match self.session.usable(self.clock.now()) {
                Some(token) if unfit.is_none() => token,
                _ => {
                    // Logging in needs a permit of its own.
                    permit = None;
                    let unfit = unfit.as_ref().map(|(token, was_refused)| Unfit {
                        token,
                        was_refused: *was_refused,
                    });
                    let token = self.token(deadline, unfit).await?;
                    if !goes(refused.is_some()).await {
                        return Err(refused.unwrap_or_else(not_to_go));
                    }
                    token
                }
            };
            let base = match call.service {
                Service::BlockStorage => Some(&token.block_storage),
                Service::Compute => token.compute.as_ref(),
            };
            let base = base.map(Url::as_str).unwrap_or_default();
            let url = format!("{base}{}", call.path);
            let mut headers = vec![(
                HeaderName::from_static("x-auth-token"),
                token.header.clone(),
            )];
            let with_version =
                call.service == Service::BlockStorage && self.observed.may_know_microversion();
            if with_version {
                headers.push((
                    HeaderName::from_static("openstack-api-version"),
                    MICROVERSION,
                ));
            }
            let outgoing = Outgoing {
                kind: call.kind,
                method: call.method.clone(),
                url: &url,
                headers: &headers,
                body: call.body.clone(),
            };
            let error = match self.send(deadline, outgoing, permit.take()).await {
                Ok(response) => {
                    self.observed.answered_with(&token);
                    return Ok(response);
                }
                Err(error) => error,
            };
            match error.status() {
                Some(StatusCode::UNAUTHORIZED)
                    if unfit.is_none()
                        && token.replaced_a_refused_one_in != Some(self.invocation) =>
                {
                    tracing::debug!(%error, "the token was refused; fetching a fresh one");
                    unfit = Some((token, true));
                    refused = Some(error);
                    self.count_retry();
                }
                _ if unfit.is_none() && self.may_have_moved(call, &token, &error) => {
                    tracing::info!(%error, "the catalogue may have moved; logging in afresh");
                    unfit = Some((token, false));
                    self.count_retry();
                }
                Some(StatusCode::NOT_ACCEPTABLE) if with_version => {
                    tracing::debug!(%error, "the cloud does not know this microversion");
                    self.observed.refused_microversion();
                }
                _ => return Err(error),
            }
        }
    }
}

impl Connection {
    /// Whether the error may come of an address that is no longer right: the token is of an
    /// earlier invocation, and nothing has been answered at its addresses in this one.
    fn may_have_moved(&self, call: &ApiRequest<'_>, token: &Token, error: &Error) -> bool {
        let is_elsewhere = match &error.kind {
            ErrorKind::Transport(TransportError::Connect(_)) | ErrorKind::Redirect { .. } => true,
            ErrorKind::Status { status, .. } => *status == StatusCode::NOT_FOUND,
            _ => false,
        };
        is_elsewhere
            && call.kind == RequestKind::List
            && token.fetched_in != self.invocation
            && !self.observed.has_answered_with(token)
    }
}

/// The error of a call that is not to be made any more.
pub(super) fn not_to_go() -> Error {
    let what = "nothing was sent: the snapshot is not to go any more";
    Error::new(ErrorKind::Unusable(what.to_owned()))
}

/// Whether this can be an id that is part of an address: a UUID can, and whatever cannot lead
/// out of its place.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=255).contains(&text.len()) && text.bytes().all(plain)
}
