//! The session with Keystone: one token and its catalogue, kept while the sandbox stays warm, and one
//! login at a time, shared by everybody who needs a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use url::Url;

use super::catalogue::{self, CatalogueEntry};
use super::connection::{Connection, Outgoing, RequestKind};
use super::de::{or_default, timestamp};
use super::error::{Error, ErrorKind, LoginError};
use super::response::{parse, unexpected, without_secrets};
use crate::deadline::Deadline;
use crate::lock::lock;

/// What outlives an invocation: the token, its catalogue, and what was learnt about the cloud.
#[derive(Debug, Default)]
pub(crate) struct Session {
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
    pub(crate) fn project_name(&self) -> Option<String> {
        lock(&self.project).as_ref()?.name.clone()
    }

    /// The id of the project, as the latest token told it.
    pub(crate) fn project_id(&self) -> Option<String> {
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

/// A token is renewed this long before it ends, or when a quarter of its life is left where
/// that is shorter.
const RENEWAL_MARGIN: TimeDelta = TimeDelta::seconds(60);

/// What a token is believed about its life: anything else is a mistake of the cloud's clock.
const SHORTEST_LIFE: TimeDelta = TimeDelta::seconds(1);
const LONGEST_LIFE: TimeDelta = TimeDelta::days(365);

impl Connection {
    /// The token to use: the one at hand, or a new one where there is none, it is about to end,
    /// or it is the `unfit` one.
    ///
    /// Whoever comes while a login is under way waits for that one.
    pub(super) async fn token(
        &self,
        deadline: Deadline,
        unfit: Option<Unfit<'_>>,
    ) -> Result<Arc<Token>, Error> {
        let came = Instant::now();
        let mut logins = deadline
            .bound(self.session.logins.lock())
            .await
            .map_err(|_| Error::out_of_time(None))?;
        let was_refused = unfit.is_some_and(|unfit| unfit.was_refused);
        let refused = unfit.map(|unfit| unfit.token.serial);
        if let Some(token) = self.session.usable(self.clock.now())
            && Some(token.serial) != refused
        {
            return Ok(token);
        }
        if let Some(failed) = &logins.failed
            && failed.invocation == self.invocation
        {
            let is_shared = came <= failed.at || refused.is_some() && failed.refused == refused;
            // Another's deadline may be later than the one that ended that login.
            if is_shared && !failed.error.is_out_of_time() {
                return Err(failed.error.clone());
            }
            // A login that was given up does not lift what Keystone has asked for.
            let asked = failed.error.retry_after().unwrap_or_default();
            let wait = asked.saturating_sub(failed.at.elapsed());
            if !deadline.fits(wait) {
                return Err(Error::out_of_time(Some(failed.error.clone())));
            }
            sleep(wait).await;
        }
        let serial = logins.tokens + 1;
        match self.log_in(deadline, serial, was_refused).await {
            Ok(token) => {
                logins.tokens = serial;
                let token = Arc::new(token);
                self.session.keep(Some(token.clone()));
                Ok(token)
            }
            Err(error) => {
                self.session.keep(None);
                logins.failed = Some(FailedLogin {
                    invocation: self.invocation,
                    refused,
                    at: Instant::now(),
                    error: error.clone(),
                });
                Err(error)
            }
        }
    }

    async fn log_in(
        &self,
        deadline: Deadline,
        serial: u64,
        after_refusal: bool,
    ) -> Result<Token, Error> {
        let url = self.auth.tokens_url().to_string();
        let body = self.auth.method.token_request().to_string();
        let granted = self
            .execute_action(deadline, &self.retry, "log in", || async {
                let response = self
                    .send(
                        deadline,
                        Outgoing {
                            kind: RequestKind::Login,
                            method: Method::POST,
                            url: &url,
                            headers: &[],
                            body: Some(body.clone().into()),
                        },
                        None,
                    )
                    .await?;
                let token = response.headers().get("x-subject-token").cloned();
                let told: TokenResponse = parse(&Method::POST, &url, &response)?;
                match token {
                    Some(token) => Ok((token, told.token)),
                    None => Err(unexpected(
                        &Method::POST,
                        &url,
                        &response,
                        "no X-Subject-Token header",
                    )),
                }
            })
            .await;
        let (mut header, told) = match granted {
            Ok(granted) => granted,
            Err(error) if error.is_out_of_time() => return Err(error),
            Err(error) => return Err(login_error(LoginError::Refused(Box::new(error)))),
        };
        header.set_sensitive(true);

        // The cloud's clock may differ from ours; the length of the token's life does not.
        let now = self.clock.now();
        let life = told.expires_at - told.issued_at.unwrap_or(now);
        let life = life.clamp(SHORTEST_LIFE, LONGEST_LIFE);
        let renew_at = now + life - RENEWAL_MARGIN.min(life / 4);
        let project = told.project.ok_or_else(|| {
            login_error(LoginError::NoEndpoint(
                "the token is for no project, so it has no catalogue; name a project, or use an \
                 application credential"
                    .into(),
            ))
        })?;
        let block_storage = catalogue::block_storage(&told.catalog, &self.endpoint, &project.id)
            .map_err(login_error)?;
        let compute = catalogue::compute(&told.catalog, &self.endpoint).map_err(login_error)?;
        tracing::debug!(
            project = project.name,
            block_storage = without_secrets(block_storage.as_str()),
            renew_at = %renew_at,
            "logged in"
        );
        self.session.set_project(project);
        Ok(Token {
            serial,
            header,
            renew_at,
            replaced_a_refused_one_in: after_refusal.then_some(self.invocation),
            fetched_in: self.invocation,
            block_storage,
            compute,
        })
    }
}

fn login_error(error: LoginError) -> Error {
    Error::new(ErrorKind::Login(error))
}

#[derive(Deserialize)]
struct TokenResponse {
    token: TokenBody,
}

#[derive(Deserialize)]
struct TokenBody {
    expires_at: DateTime<Utc>,
    #[serde(default, deserialize_with = "timestamp")]
    issued_at: Option<DateTime<Utc>>,
    #[serde(default)]
    project: Option<TokenProject>,
    #[serde(default, deserialize_with = "or_default")]
    catalog: Vec<CatalogueEntry>,
}
