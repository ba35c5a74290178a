//! Why an invocation failed: the error types that the outside knows.

use lambda_runtime::Diagnostic;

use crate::event::InvalidEvent;
use crate::openstack::{Error, ErrorKind, LoginError};
use crate::pass::restore::NotRestored;
use crate::pass::subscribe::NotSubscribed;
use crate::plan::restore::NothingToRestore;
use crate::settings::InvalidConfiguration;

/// An invocation that could not do its work. Each message says what to do next, and none
/// contains a secret: the runtime logs it.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum InvocationError {
    /// The event is no request.
    #[error("{0}")]
    InvalidEvent(#[from] InvalidEvent),
    /// The configuration is missing something, or contradicts itself.
    #[error("{0}")]
    InvalidConfiguration(#[from] InvalidConfiguration),
    /// The configuration does not fit the cloud, which could be told by asking it alone.
    #[error("{0}")]
    UnfitConfiguration(#[source] Error),
    /// There is no session with the cloud.
    #[error(
        "{0}; check OS_AUTH_URL, that the credential exists and has not expired, and its access \
         rules"
    )]
    AuthenticationFailed(#[source] Error),
    /// The cloud could not be looked at in full, so nothing was changed.
    #[error("{0}; nothing was changed, and the next pass tries again: see how the cloud is")]
    DiscoveryFailed(#[source] Error),
    /// The time ended before the cloud had been looked at.
    #[error(
        "{0}; nothing was changed: give the function a longer time-out, or split the project \
         into shards"
    )]
    DeadlineExceeded(#[source] Error),
    /// The volume to be tagged is not there.
    #[error("{0}; check volume_id, and that the credential is for the volume's project")]
    VolumeNotFound(#[source] Error),
    /// The volume could not be tagged, or not in full.
    #[error("{0}; the volume may have been tagged in part: subscribe again, which is safe")]
    SubscriptionFailed(#[source] Error),
    /// There is no snapshot to get the data back from.
    #[error("{0}")]
    NothingToRestore(#[from] NothingToRestore),
}

impl InvocationError {
    /// The error type that the answer names.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::InvalidEvent(_) => "InvalidEvent",
            Self::InvalidConfiguration(_) | Self::UnfitConfiguration(_) => "InvalidConfiguration",
            Self::AuthenticationFailed(_) => "AuthenticationFailed",
            Self::DiscoveryFailed(_) => "DiscoveryFailed",
            Self::DeadlineExceeded(_) => "DeadlineExceeded",
            Self::VolumeNotFound(_) => "VolumeNotFound",
            Self::SubscriptionFailed(_) => "SubscriptionFailed",
            Self::NothingToRestore(_) => "NothingToRestore",
        }
    }

    /// A failure of login or of looking at the cloud.
    pub(crate) fn of_discovery(error: Error) -> Self {
        match &error.kind {
            ErrorKind::Login(LoginError::AmbiguousRegion(_) | LoginError::ClearText { .. }) => {
                Self::UnfitConfiguration(error)
            }
            ErrorKind::Login(_) => Self::AuthenticationFailed(error),
            ErrorKind::OutOfTime(_) => Self::DeadlineExceeded(error),
            _ if error.status() == Some(http::StatusCode::UNAUTHORIZED) => {
                Self::AuthenticationFailed(error)
            }
            _ => Self::DiscoveryFailed(error),
        }
    }
}

impl From<NotSubscribed> for InvocationError {
    fn from(not: NotSubscribed) -> Self {
        match not {
            NotSubscribed::Invalid(invalid) => invalid.into(),
            NotSubscribed::NoSuchVolume(error) => Self::VolumeNotFound(error),
            NotSubscribed::Unread(error) => match Self::of_discovery(error) {
                Self::DiscoveryFailed(error) => Self::SubscriptionFailed(error),
                other => other,
            },
            NotSubscribed::Unwritten(error) => Self::SubscriptionFailed(error),
        }
    }
}

impl From<NotRestored> for InvocationError {
    fn from(not: NotRestored) -> Self {
        match not {
            NotRestored::Invalid(invalid) => invalid.into(),
            NotRestored::Nothing(nothing) => nothing.into(),
            NotRestored::Unread(error) => Self::of_discovery(error),
        }
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(failure: InvocationError) -> Self {
        Self {
            error_type: failure.error_type().into(),
            error_message: failure.to_string(),
        }
    }
}
