//! Races on purpose: something a test does in the middle of the cloud's handling of a request,
//! such as deleting a volume between two pages.

use crate::Cloud;
use crate::faults::Requests;
use crate::route::{Route, Service};

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the request's work is done.
    Before,
    /// After it, before the answer leaves.
    After,
}

pub(crate) type Action = Box<dyn FnOnce(&Cloud) + Send>;

pub(crate) struct Hook {
    pub(crate) requests: Requests,
    /// Requests until it runs; it runs with the one that makes this 0.
    pub(crate) left: u64,
    pub(crate) when: When,
    pub(crate) action: Option<Action>,
}

/// Counts a request and takes out the hooks that run with it.
pub(crate) fn take(hooks: &mut Vec<Hook>, service: Service, route: Route) -> Vec<(When, Action)> {
    let mut ready = Vec::new();
    hooks.retain_mut(|hook| {
        if !hook.requests.include(service, route) {
            return true;
        }
        hook.left = hook.left.saturating_sub(1);
        if hook.left > 0 {
            return true;
        }
        ready.extend(hook.action.take().map(|action| (hook.when, action)));
        false
    });
    ready
}
