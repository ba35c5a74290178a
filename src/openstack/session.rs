//! The session with Keystone: one token and its catalogue, kept while the sandbox stays warm.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use http::HeaderValue;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::error::Error;
use crate::lock::lock;

/// What outlives an invocation: the token, its catalogue, and what was learnt about the cloud.
#[derive(Debug, Default)]
pub struct Session {
    /// Held while somebody logs in.
    pub(super) logins: Mutex<Logins>,
    current: std::sync::Mutex<Option<Arc<Token>>>,
    /// Kept when the token is not: metrics name it also where a login fails.
    project: std::sync::Mutex<Option<TokenProject>>,
    invocations: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Logins {
    pub(super) tokens: u64,
    pub(super) failed: Option<FailedLogin>,
}

/// A login that failed is shared by all who waited for it, and by all who were refused with the
/// same token.
#[derive(Debug)]
pub(super) struct FailedLogin {
    pub(super) invocation: u64,
    pub(super) refused: Option<u64>,
    pub(super) at: Instant,
    pub(super) error: Error,
}

/// The project that a token is for.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct TokenProject {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// A token and the addresses that came with it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) serial: u64,
    /// Marked sensitive, so that no `Debug` shows it.
    pub(super) header: HeaderValue,
    pub(super) renew_at: DateTime<Utc>,
    /// The number of the invocation in which it was fetched because another was refused.
    pub(super) replaced_a_refused_one_in: Option<u64>,
    /// The number of the invocation in which it was fetched.
    pub(super) fetched_in: u64,
    pub(super) block_storage: Url,
    pub(super) compute: Option<Url>,
}

/// A token that is not to be used again.
#[derive(Clone, Copy)]
pub(super) struct Unfit<'a> {
    pub(super) token: &'a Token,
    /// Whether it was refused: a refusal of the one that replaces it is then final.
    pub(super) was_refused: bool,
}

impl Session {
    /// The name of the project, as the latest token told it.
    pub fn project_name(&self) -> Option<String> {
        lock(&self.project).as_ref()?.name.clone()
    }

    /// The id of the project, as the latest token told it.
    pub fn project_id(&self) -> Option<String> {
        Some(lock(&self.project).as_ref()?.id.clone())
    }

    pub(super) fn set_project(&self, project: TokenProject) {
        *lock(&self.project) = Some(project);
    }

    /// A number for each pass that uses the session. Lambda's request id would not do: it comes
    /// again when Lambda tries a failed event again.
    pub(super) fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn usable(&self, now: DateTime<Utc>) -> Option<Arc<Token>> {
        let current = lock(&self.current);
        current
            .as_ref()
            .filter(|token| now < token.renew_at)
            .cloned()
    }

    pub(super) fn keep(&self, token: Option<Arc<Token>>) {
        *lock(&self.current) = token;
    }
}
