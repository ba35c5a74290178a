//! Letting calls in: tokens, their end, and the access rules of an application credential.

use chrono::{DateTime, TimeDelta, Utc};

use super::address;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::{AccessRule, Role};
use crate::state::State;

/// A token that was given out.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) role: Role,
    /// Whether it is for the project; without it no service lets anybody in.
    pub(crate) scoped: bool,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) revoked: bool,
    /// When Cinder last asked Keystone about it.
    pub(crate) asked_at: Option<DateTime<Utc>>,
    pub(crate) access_rules: Option<Vec<AccessRule>>,
    /// Whether an application credential was shown for it.
    pub(crate) by_credential: bool,
}

impl Token {
    pub(super) fn is_good(&self, now: DateTime<Utc>) -> bool {
        !self.revoked && self.expires_at > now
    }
}

/// Lets a call to Cinder or Nova in: the role that it has there, or the one 401 there is.
pub(crate) fn admit(state: &mut State, call: &Call, service: &str) -> Result<Role, Answer> {
    let refused = || answer::unauthorized(&address(call));
    let cache = TimeDelta::from_std(state.config.token_cache).unwrap_or_default();
    let token = call.header("x-auth-token").unwrap_or("");
    let token = state.tokens.get_mut(token).ok_or_else(refused)?;
    let believed = token.asked_at.is_some_and(|at| call.now < at + cache);
    if state.config.keystone_is_gone && !believed {
        let as_json = call
            .header("accept")
            .is_some_and(|kinds| kinds.contains("json"));
        return Err(answer::keystone_is_gone(as_json));
    }
    if !token.scoped || token.expires_at <= call.now || (token.revoked && !believed) {
        return Err(refused());
    }
    if !believed {
        token.asked_at = Some(call.now);
    }
    let allowed = token.access_rules.as_ref().is_none_or(|rules| {
        rules.iter().any(|rule| {
            let wanted: Vec<&str> = rule.path.trim_matches('/').split('/').collect();
            let path: Vec<&str> = call
                .target
                .path
                .trim_start_matches('/')
                .split('/')
                .collect();
            rule.service == service
                && rule.method == call.parts.method.as_str()
                && fits(&wanted, &path)
        })
    });
    if allowed {
        Ok(token.role)
    } else {
        Err(refused())
    }
}

/// Whether a path fits the pattern of an access rule.
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| fits(rest, &path[skip..])),
        (Some((wanted, pattern)), Some((have, path))) => {
            let any = *wanted == "*" || (wanted.starts_with('{') && wanted.ends_with('}'));
            (any || wanted == have) && fits(pattern, path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn access_rules_match_segment_by_segment() {
        let fits = |pattern: &str, path: &str| {
            let pattern: Vec<&str> = pattern.split('/').collect();
            super::fits(&pattern, &path.split('/').collect::<Vec<_>>())
        };
        assert!(fits("v3/**", "v3/p/volumes/detail"));
        assert!(fits("v3/*/snapshots/{id}", "v3/p/snapshots/s"));
        assert!(!fits("v3/*/snapshots/*", "v3/p/snapshots/s/action"));
        assert!(!fits("v3/*/snapshots", "v3/p/volumes"));
    }
}
