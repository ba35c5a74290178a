//! What the cloud's answers say: bodies, the reasons of refusals, request ids.
//!
//! Whatever goes into an error from here is read by people and kept in logs, so it carries no
//! query, no credentials, and nothing that was sent in confidence.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Method, header};
use serde::de::DeserializeOwned;
use url::Url;

use super::credential::Auth;
use super::error::{Error, ErrorKind};
use crate::text::cut;
use crate::transport::Response;

/// The most of the cloud's own message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Reads a success's body as JSON.
pub(super) fn parse<T: DeserializeOwned>(
    method: &Method,
    url: &str,
    response: &Response,
) -> Result<T, Error> {
    serde_json::from_slice(response.body()).map_err(|error| {
        // serde's own message may quote the body, and a token's body is nobody's business.
        let what = format!(
            "{} bytes that are not the expected JSON ({:?} error at line {}, column {})",
            response.body().len(),
            error.classify(),
            error.line(),
            error.column()
        );
        unexpected(method, url, response, &what)
    })
}

/// An error about a success that is not what it has to be.
pub(super) fn unexpected(method: &Method, url: &str, response: &Response, what: &str) -> Error {
    Error::new(ErrorKind::Body(what.to_owned()))
        .of(method.clone(), path_of(url))
        .under(request_id(response))
}

/// Why the cloud did not do what it was asked.
pub(super) fn refusal(
    response: &Response,
    sent: &[(HeaderName, HeaderValue)],
    auth: &Auth,
    now: DateTime<Utc>,
) -> ErrorKind {
    if response.status().is_redirection() {
        return ErrorKind::Redirect {
            location: response
                .headers()
                .get(header::LOCATION)
                .and_then(|location| location.to_str().ok())
                .map(|location| without_what_was_sent(without_secrets(location), sent, auth))
                .unwrap_or_else(|| "nowhere".into()),
        };
    }
    ErrorKind::Status {
        status: response.status(),
        // In this order, or a secret that is cut in half would be shown.
        message: shortened(&without_what_was_sent(message(response), sent, auth)),
        retry_after: retry_after(response, now),
    }
}

/// A text without what was sent in confidence, should some cloud repeat it in an error.
fn without_what_was_sent(text: String, sent: &[(HeaderName, HeaderValue)], auth: &Auth) -> String {
    let tokens = sent
        .iter()
        .filter(|(_, value)| value.is_sensitive())
        .filter_map(|(_, value)| value.to_str().ok());
    tokens.fold(auth.without_secrets(text), |text, token| {
        text.replace(token, "***")
    })
}

/// `Retry-After` in seconds, or as a date.
fn retry_after(response: &Response, now: DateTime<Utc>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number(value.trim()) {
        // One that is too large to hold is too long to wait, however long it is.
        let seconds = value.trim().parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    let wait = date.to_utc() - now;
    Some(wait.to_std().unwrap_or_default())
}

/// When the answer was given, by the cloud's clock.
pub(super) fn date_of(response: &Response) -> Option<DateTime<Utc>> {
    let date = response.headers().get(header::DATE)?.to_str().ok()?;
    let date = DateTime::parse_from_rfc2822(date.trim()).ok()?;
    Some(date.to_utc())
}

/// The id that the cloud gave the request.
pub(super) fn request_id(response: &Response) -> Option<String> {
    ["x-openstack-request-id", "x-compute-request-id"]
        .iter()
        .find_map(|name| response.headers().get(*name))
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned)
}

/// An address without its query, and without the host.
pub(super) fn path_of(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        |url| url.path().to_owned(),
    )
}

/// An address without its query and without credentials.
pub(super) fn without_secrets(address: &str) -> String {
    let shown = address.split(['?', '#']).next().unwrap_or_default();
    match Url::parse(shown) {
        Ok(mut url) => {
            // Neither fails on an address with a host, and another has neither part.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => shown.to_owned(),
    }
}

/// The cloud's own words: Cinder and Keystone wrap them in an object of one key.
fn message(response: &Response) -> String {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(response.body()) else {
        return response
            .status()
            .canonical_reason()
            .unwrap_or_default()
            .to_owned();
    };
    body.as_object()
        .and_then(|envelope| {
            envelope
                .values()
                .chain([&body])
                .find_map(|inner| inner.get("message")?.as_str())
        })
        .unwrap_or_default()
        .to_owned()
}

/// The beginning, on one line: a line that some cloud begins could pass for one of ours.
fn shortened(text: &str) -> String {
    let (beginning, rest) = cut(text, LONGEST_MESSAGE);
    format!("{}{rest}", beginning.replace(char::is_control, " "))
}
