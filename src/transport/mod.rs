//! The one seam through which all HTTP leaves: a request in; status, headers and body out.
//!
//! The program is written against [`Transport`]; [`reqwest`] is behind it in production, and a
//! simulation puts the embedded cloud's own handlers there. Nothing above the seam knows which.

mod certificates;
mod https;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::deadline::Deadline;

pub use https::{BadCertificates, Https, Trust};

/// A request with its whole body.
pub type Request = ::http::Request<Bytes>;
/// An answer with its whole body.
pub type Response = ::http::Response<Bytes>;

/// No whole answer came back.
///
/// The texts never contain the address: it may be a secret (a webhook's), and whoever
/// called knows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request's deadline came before the whole answer did.
    #[error("no answer in time")]
    TimedOut,
    /// No connection could be made: the request was never sent.
    #[error("could not connect: {0}")]
    Connect(String),
    /// The connection ended before the whole answer was there.
    #[error("connection lost: {0}")]
    Interrupted(String),
    /// The answer was larger than any that is accepted.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The most that is accepted, in bytes.
        limit: usize,
    },
}

/// Sends one request and gives its one answer: no redirects, no retries, no cookies.
pub trait Transport: Send + Sync {
    /// Sends the request and reads the whole answer.
    ///
    /// # Errors
    /// [`TransportError`] when no whole answer came before the deadline.
    fn send(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> BoxFuture<'_, Result<Response, TransportError>>;
}
