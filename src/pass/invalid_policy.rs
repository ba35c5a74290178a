//! What every pass tells of a policy that cannot be read.

use crate::plan::Volume;
use crate::policy::{InvalidSetting, PolicyKind};
use crate::report::{FailureEntry, Summary};

/// A policy that cannot be read is a failure of its own and stops no other.
pub(super) fn add_invalid_policy(
    volume: &Volume,
    policy: PolicyKind,
    invalid: &InvalidSetting,
    summary: &mut Summary,
) {
    tracing::info!(
        volume_id = volume.id,
        policy = %policy,
        verdict = "invalid",
        reason = %invalid,
        "the policy cannot be read"
    );
    summary.volumes.invalid += 1;
    summary.failures.push(FailureEntry {
        volume_id: Some(volume.id.clone()),
        policy: Some(policy),
        error: invalid.to_string(),
        ..FailureEntry::default()
    });
}
