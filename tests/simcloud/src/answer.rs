//! Answers in the shapes that OpenStack gives them.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::call::Held;

/// An answer with its whole body.
pub(crate) type Answer = Response<Bytes>;

/// A JSON answer.
pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Answer {
    with_body(status, "application/json", body)
}

/// An answer of any type.
pub(crate) fn with_body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status has three digits");
    set(&mut answer, "content-type", content_type);
    answer
}

/// Sets a header.
pub(crate) fn set(answer: &mut Answer, name: &str, value: &str) {
    let name: http::HeaderName = name.parse().expect("a header name");
    answer
        .headers_mut()
        .insert(name, value.parse().expect("a header value"));
}

/// An error in Cinder's and Nova's envelope.
pub(crate) fn fault(status: u16, message: &str) -> Answer {
    let envelope = match status {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 | 429 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    };
    let inner = serde_json::json!({ "code": status, "message": message });
    json(status, serde_json::json!({ envelope: inner }).to_string())
}

/// 413 with `Retry-After: 0`: a quota is used up.
pub(crate) fn over_quota(message: &str) -> Answer {
    let inner = serde_json::json!({ "code": 413, "message": message, "retryAfter": "0" });
    let mut answer = json(413, serde_json::json!({ "overLimit": inner }).to_string());
    set(&mut answer, "retry-after", "0");
    answer
}

/// 404 for a thing that is not there.
pub(crate) fn not_found(kind: &str, id: &str) -> Answer {
    fault(404, &format!("{kind} {id} could not be found."))
}

/// 400 for JSON that breaks the call's schema.
pub(crate) fn invalid_field(field: &str, value: &serde_json::Value, why: &str) -> Answer {
    let shown = match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = format!("Invalid input for field/attribute {field}. Value: {shown}. {why}");
    fault(400, &text)
}

/// 403 for a role that does not reach.
pub(crate) fn forbidden(policy: &str) -> Answer {
    fault(
        403,
        &format!("Policy doesn't allow {policy} to be performed."),
    )
}

/// 500 as Cinder gives it when its database refuses a value.
pub(crate) fn broken() -> Answer {
    let text = "The server has either erred or is incapable of performing the requested operation.";
    fault(500, text)
}

/// An HTML page, as the layers in front of Cinder's controllers write them.
pub(crate) fn html(status: u16, title: &str, text: &str) -> Answer {
    let body = format!(
        "<html>\n <head>\n  <title>{status} {title}</title>\n </head>\n <body>\n  \
         <h1>{status} {title}</h1>\n  {text}<br /><br />\n\n\n </body>\n</html>"
    );
    with_body(status, "text/html; charset=UTF-8", body)
}

/// 404 for a path that leads nowhere.
pub(crate) fn no_such_path() -> Answer {
    html(404, "Not Found", "The resource could not be found.")
}

/// The 503 of the token check in front of every service that cannot reach Keystone. It tries
/// for some seconds first.
pub(crate) fn keystone_is_gone(as_json: bool) -> Answer {
    let mut answer = if as_json {
        let text = "The server is currently unavailable. Please try again at a later time.\
                    <br /><br />\nThe Keystone service is temporarily unavailable.\n\n";
        let body = serde_json::json!({
            "message": text, "code": "503 Service Unavailable", "title": "Service Unavailable",
        });
        json(503, body.to_string())
    } else {
        let text = "503 Service Unavailable\n\nThe server is currently unavailable. Please try \
                    again at a later time.\n\n The Keystone service is temporarily unavailable.  \
                    \n\n";
        with_body(503, "text/plain; charset=UTF-8", text)
    };
    let patience = Held::For(Duration::from_millis(3500));
    answer.extensions_mut().insert(patience);
    answer
}

/// An error in Keystone's envelope.
pub(crate) fn keystone_error(status: u16, message: &str) -> Answer {
    let title = StatusCode::from_u16(status)
        .ok()
        .and_then(|s| s.canonical_reason());
    let inner = serde_json::json!({ "code": status, "message": message, "title": title });
    json(status, serde_json::json!({ "error": inner }).to_string())
}

/// The 401 of Keystone and of the token check in front of every service.
pub(crate) fn unauthorized(keystone: &str) -> Answer {
    let mut answer = keystone_error(401, "The request you have made requires authentication.");
    set(
        &mut answer,
        "www-authenticate",
        &format!("Keystone uri=\"{keystone}\""),
    );
    answer
}
