//! What the program is told: the variables of one case.

use simcloud::Cloud;

use crate::case::Case;

/// Path and query of the webhook's address: they are secrets.
pub const WEBHOOK_PATH: &str = "/hooks/not-a-secret-path?key=not-a-secret-query";
/// The name and the password for the webhook.
pub const WEBHOOK_LOGIN: (&str, &str) = ("sentry", "not-a-secret-webhook-password");

/// The variables, for a cloud at `url` and a webhook at `receiver`.
pub(super) fn variables(
    case: &Case,
    cloud: &Cloud,
    url: &str,
    receiver: &str,
) -> Vec<(String, String)> {
    let knobs = &case.knobs;
    let ms = |duration: std::time::Duration| format!("{}ms", duration.as_millis());
    let mut variables = cloud.os_env(url, case.login);
    let mut set = |name: &str, value: String| {
        variables.push((format!("SNAPSENTRY_{name}"), value));
    };
    set("MAX_CONCURRENCY", knobs.max_concurrency.to_string());
    set("MAX_CREATING", knobs.max_creating.to_string());
    set("MAX_RETRIES", knobs.max_retries.to_string());
    set("BASE_DELAY", ms(knobs.base_delay));
    set("MAX_DELAY", ms(knobs.max_delay));
    set("OPERATION_TIMEOUT", ms(knobs.operation_timeout));
    set("POLL_INTERVAL", ms(knobs.poll_interval));
    set("DEADLINE_MARGIN", ms(knobs.margin));
    set("DEFAULT_TIMEOUT", ms(knobs.default_timeout));
    set("KEEP_LAST", knobs.keep_last.to_string());
    set("STUCK_AFTER", ms(knobs.stuck_after));
    if knobs.webhook {
        set("WEBHOOK_URL", format!("{receiver}{WEBHOOK_PATH}"));
        set("WEBHOOK_USERNAME", WEBHOOK_LOGIN.0.into());
        set("WEBHOOK_PASSWORD", WEBHOOK_LOGIN.1.into());
    }
    variables
}
