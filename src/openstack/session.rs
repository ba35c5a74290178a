//! The session with Keystone: one token and its catalogue, kept while the sandbox stays warm.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::catalogue::{self, CatalogueEntry};
use super::connection::{Connection, Kind, Outgoing};
use super::error::{Error, ErrorKind, LoginError};
use crate::deadline::Deadline;

/// A token is renewed this long before it ends, or when a quarter of its life is left where
/// that is shorter.
const RENEWAL_MARGIN: TimeDelta = TimeDelta::seconds(60);

/// What outlives an invocation: the token, its catalogue, and what was learnt about the cloud.
#[derive(Debug, Default)]
pub struct Session {
    state: Mutex<State>,
    current: std::sync::Mutex<Option<Arc<Token>>>,
}

#[derive(Debug, Default)]
struct State {
    tokens: u64,
    /// The login that failed after this token was refused: all who were refused share it.
    failed: Option<(String, Option<u64>, Error)>,
}

/// A token and the addresses that came with it.
#[derive(Debug)]
pub(super) struct Token {
    serial: u64,
    /// Marked sensitive, so that no `Debug` shows it.
    pub(super) header: HeaderValue,
    renew_at: DateTime<Utc>,
    /// The invocation in which it was fetched because another was refused.
    pub(super) replaced_a_refused_one_in: Option<String>,
    pub(super) project_name: Option<String>,
    pub(super) block_storage: Url,
    pub(super) compute: Option<Url>,
}

impl Session {
    pub(super) fn usable(&self, now: DateTime<Utc>) -> Option<Arc<Token>> {
        let current = self.current.lock().unwrap_or_else(|e| e.into_inner());
        current
            .as_ref()
            .filter(|token| now < token.renew_at)
            .cloned()
    }

    fn keep(&self, token: Option<Arc<Token>>) {
        *self.current.lock().unwrap_or_else(|e| e.into_inner()) = token;
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
        if let Some((run_id, serial, error)) = &state.failed
            && *run_id == self.run_id
            && *serial == refused
        {
            return Err(error.clone());
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
                state.failed = Some((self.run_id.clone(), refused, error.clone()));
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
                let told: TokenResponse = self.parse(&Method::POST, &url, &response)?;
                match token {
                    Some(token) => Ok((token, told.token)),
                    None => Err(self.unexpected(
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
        let life = told.expires_at - told.issued_at;
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
        Ok(Token {
            serial,
            header,
            renew_at,
            replaced_a_refused_one_in: after_refusal.then(|| self.run_id.clone()),
            project_name: project.name,
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
    #[serde(default)]
    catalog: Vec<CatalogueEntry>,
}

#[derive(Deserialize)]
struct ProjectBody {
    id: String,
    #[serde(default)]
    name: Option<String>,
}
