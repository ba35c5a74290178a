//! The log lines of a snapshot pass: one for each volume and policy says what was decided and
//! why, and one for each snapshot that was cleaned.

use crate::plan::DueWindow;
use crate::policy::{PolicyKind, Window};

/// The line of a window that was due.
pub(super) struct Line<'a> {
    verdict: &'static str,
    message: &'static str,
    reason: &'a str,
    snapshot_id: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl<'a> Line<'a> {
    pub(super) fn new(verdict: &'static str, message: &'static str, reason: &'a str) -> Self {
        Self {
            verdict,
            message,
            reason,
            snapshot_id: None,
            request_id: None,
        }
    }

    /// Names the snapshot.
    pub(super) fn of(self, snapshot_id: Option<&'a str>) -> Self {
        Self {
            snapshot_id,
            ..self
        }
    }

    /// Names the request by the id under which the cloud's own logs tell of it.
    pub(super) fn asked_as(self, request_id: Option<&'a str>) -> Self {
        Self { request_id, ..self }
    }

    pub(super) fn log(self, due: &DueWindow) {
        tracing::info!(
            volume_id = due.volume_id,
            policy = %due.policy,
            verdict = self.verdict,
            reason = self.reason,
            snapshot_id = self.snapshot_id,
            openstack_request_id = self.request_id,
            window_start = %due.window.start,
            "{}",
            self.message
        );
    }
}

/// The line of a window that was not due.
pub(super) fn served(volume_id: &str, policy: PolicyKind, by: &str, window: &Window) {
    tracing::debug!(
        volume_id,
        %policy,
        verdict = "served",
        snapshot_id = by,
        window_start = %window.start,
        "nothing is due: the window has its snapshot"
    );
}

/// The line of a deletion that was accepted.
pub(super) fn cleaned(
    volume_id: &str,
    policy: PolicyKind,
    snapshot_id: &str,
    reason: &str,
    request_id: Option<&str>,
) {
    tracing::info!(
        volume_id,
        %policy,
        snapshot_id,
        reason,
        openstack_request_id = request_id,
        "snapshot cleaned"
    );
}

/// The line of something that somebody should know.
pub(super) fn warn(volume_id: &str, policy: PolicyKind, snapshot_id: Option<&str>, warning: &str) {
    tracing::warn!(volume_id, %policy, snapshot_id, warning);
}
