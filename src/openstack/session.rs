//! The session with Keystone: one token and its catalogue, kept while the sandbox stays warm.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::answer::{parse, unexpected};
use super::catalogue::{self, CatalogueEntry};
use super::connection::{Connection, Kind, Outgoing, locked};
use super::error::{Error, ErrorKind, LoginError};
use super::lenient::or_default;
use crate::deadline::Deadline;

/// A token is renewed this long before it ends, or when a quarter of its life is left where
/// that is shorter.
const RENEWAL_MARGIN: TimeDelta = TimeDelta::seconds(60);

/// What a token is believed about its life: anything else is a mistake of the cloud's clock.
const SHORTEST_LIFE: TimeDelta = TimeDelta::seconds(1);
const LONGEST_LIFE: TimeDelta = TimeDelta::days(365);

/// What outlives an invocation: the token, its catalogue, and what was learnt about the cloud.
#[derive(Debug, Default)]
pub struct Session {
    state: Mutex<State>,
    current: std::sync::Mutex<Option<Arc<Token>>>,
    /// Kept when the token is not: metrics name it also where a login fails.
    project_name: std::sync::Mutex<Option<String>>,
    invocations: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    tokens: u64,
    failed: Option<FailedLogin>,
}

/// A login that failed is shared by all who waited for it, and by all who were refused with the
/// same token.
#[derive(Debug)]
struct FailedLogin {
    invocation: u64,
    refused: Option<u64>,
    at: Instant,
    error: Error,
}

/// A token and the addresses that came with it.
#[derive(Debug)]
pub(super) struct Token {
    serial: u64,
    /// Marked sensitive, so that no `Debug` shows it.
    pub(super) header: HeaderValue,
    renew_at: DateTime<Utc>,
    /// The number of the invocation in which it was fetched because another was refused.
    pub(super) replaced_a_refused_one_in: Option<u64>,
    pub(super) block_storage: Url,
    pub(super) compute: Option<Url>,
}

impl Session {
    /// The name of the project, as the latest token told it.
    pub fn project_name(&self) -> Option<String> {
        locked(&self.project_name).clone()
    }

    /// A number for each pass that uses the session. Lambda's request id would not do: it comes
    /// again when Lambda tries a failed event again.
    pub(super) fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn usable(&self, now: DateTime<Utc>) -> Option<Arc<Token>> {
        let current = locked(&self.current);
        current
            .as_ref()
            .filter(|token| now < token.renew_at)
            .cloned()
    }

    fn keep(&self, token: Option<Arc<Token>>) {
        *locked(&self.current) = token;
    }
}

impl Connection {
    /// The token to use: the one at hand, or a new one where there is none, it is about to end,
    /// or it is the one that the cloud has just `refused`.
    ///
    /// Whoever comes while a login is under way waits for that one.
    pub(super) async fn token(
        &self,
        deadline: Deadline,
        refused: Option<&Token>,
    ) -> Result<Arc<Token>, Error> {
        let came = Instant::now();
        let mut state = deadline
            .bound(self.session.state.lock())
            .await
            .map_err(|_| Error::out_of_time(None))?;
        let refused = refused.map(|token| token.serial);
        if let Some(token) = self.session.usable(self.clock.now())
            && Some(token.serial) != refused
        {
            return Ok(token);
        }
        if let Some(failed) = &state.failed
            && failed.invocation == self.invocation
            && (came <= failed.at || refused.is_some() && failed.refused == refused)
        {
            return Err(failed.error.clone());
        }
        let serial = state.tokens + 1;
        match self.log_in(deadline, serial, refused.is_some()).await {
            Ok(token) => {
                state.tokens = serial;
                let token = Arc::new(token);
                self.session.keep(Some(token.clone()));
                Ok(token)
            }
            Err(error) => {
                self.session.keep(None);
                // Another's deadline may be later than the one that ended this login.
                if !error.is_out_of_time() {
                    state.failed = Some(FailedLogin {
                        invocation: self.invocation,
                        refused,
                        at: Instant::now(),
                        error: error.clone(),
                    });
                }
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
                            kind: Kind::Login,
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
        let life = (told.expires_at - told.issued_at).clamp(SHORTEST_LIFE, LONGEST_LIFE);
        let renew_at = self.clock.now() + life - RENEWAL_MARGIN.min(life / 4);
        let project = told.project.ok_or_else(|| {
            login_error(LoginError::NoEndpoint(
                "the token is for no project, so it has no catalogue; name a project, or use an \
                 application credential"
                    .into(),
            ))
        })?;
        let block_storage = catalogue::block_storage(&told.catalog, &self.endpoint, &project.id)
            .map_err(login_error)?;
        let compute = catalogue::compute(&told.catalog, &self.endpoint);
        tracing::debug!(
            project = project.name,
            block_storage = %block_storage,
            renew_at = %renew_at,
            "logged in"
        );
        *locked(&self.session.project_name) = project.name;
        Ok(Token {
            serial,
            header,
            renew_at,
            replaced_a_refused_one_in: after_refusal.then_some(self.invocation),
            block_storage,
            compute,
        })
    }
}

fn login_error(error: LoginError) -> Error {
    Error {
        request: None,
        request_id: None,
        kind: ErrorKind::Login(error),
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    token: TokenBody,
}

#[derive(Deserialize)]
struct TokenBody {
    expires_at: DateTime<Utc>,
    issued_at: DateTime<Utc>,
    #[serde(default)]
    project: Option<ProjectBody>,
    #[serde(default, deserialize_with = "or_default")]
    catalog: Vec<CatalogueEntry>,
}

#[derive(Deserialize)]
struct ProjectBody {
    id: String,
    #[serde(default)]
    name: Option<String>,
}
