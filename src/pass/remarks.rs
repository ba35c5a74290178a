//! What passes remark alike: on volumes that nobody knows, rows and policies that cannot be read, and
//! clocks that differ.
//!
//! What is due and what has expired is judged by this machine's clock. Where the cloud's is far from
//! it, one of them is wrong, and nobody here knows which.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::Pass;
use crate::openstack::Client;
use crate::plan::Volume;
use crate::policy::{InvalidSetting, PolicyKind};
use crate::report::{FailureEntry, Summary, VolumeCounts, Warning};

/// A larger difference of the clocks is told.
const NOTABLE: TimeDelta = TimeDelta::minutes(5);
/// With a larger difference nothing is deleted.
const TRUSTED: TimeDelta = TimeDelta::hours(1);

/// Why there is nothing to do about a volume that an expire pass or a report is asked for by its id.
pub(super) const NO_TRACE: &str =
    "there is neither a volume with this id nor a managed snapshot of one";

/// What is told of the cloud as a whole once it has been looked at.
pub(super) fn on_cloud(pass: &Pass<'_>) -> Summary {
    let clocks = clocks_apart(pass.client.clock_difference());
    let warnings = clocks.into_iter().chain(rows_left_out(pass.client));
    warnings.map(Summary::from).sum()
}

/// That the clocks are more than five minutes apart. `difference` is by how much the cloud's is
/// ahead; nothing where the cloud did not say.
pub(super) fn clocks_apart(difference: Option<TimeDelta>) -> Option<Warning> {
    let difference = difference.filter(|difference| difference.abs() > NOTABLE)?;
    let warning = format!("{}; set the clocks right", described(difference));
    tracing::warn!(warning);
    Some(Warning::on_pass(warning))
}

/// Why nothing may be deleted, where the clocks are more than an hour apart.
pub(super) fn why_not_to_delete(difference: Option<TimeDelta>) -> Option<String> {
    let difference = difference.filter(|difference| difference.abs() > TRUSTED)?;
    Some(format!(
        "nothing is deleted, for it is not certain what has expired: {}; set the clocks right, and \
         the next pass deletes what is left",
        described(difference)
    ))
}

fn described(difference: TimeDelta) -> String {
    let seconds = difference.num_seconds().abs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let amount = match (hours, minutes) {
        (0, minutes) => format!("{minutes} min {seconds} s"),
        (hours, minutes) => format!("{hours} h {minutes} min {seconds} s"),
    };
    if difference > TimeDelta::zero() {
        format!("the cloud's clock is {amount} ahead of this function's")
    } else {
        format!("this function's clock is {amount} ahead of the cloud's")
    }
}

/// That rows do not say what they are: nothing could be done about them.
pub(super) fn rows_left_out(client: &Client) -> Option<Warning> {
    let rows = client.rows_left_out();
    (rows > 0).then(|| {
        Warning::on_pass(format!(
            "{rows} rows of the cloud's listings have no readable id, so nothing could be done \
             about what they are of: ask the cloud's operators"
        ))
    })
}

/// That volumes were asked for by their ids and nothing is known of them; `what` says it in words.
pub(super) fn unknown_volumes(
    ids: Option<&BTreeSet<String>>,
    what: &str,
    is_known: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Warning> {
    let ids = ids.into_iter().flatten();
    ids.filter(move |id| !is_known(id)).map(move |id| {
        tracing::warn!(volume_id = id, "asked for, and {what}");
        Warning {
            volume_id: Some(id.clone()),
            warning: format!("named in volume_ids, but {what}"),
            ..Warning::default()
        }
    })
}

/// A policy that cannot be read is a failure of its own and stops no other.
pub(super) fn invalid_policy(
    volume: &Volume,
    policy: PolicyKind,
    invalid: &InvalidSetting,
) -> Summary {
    tracing::info!(
        volume_id = volume.id,
        policy = %policy,
        verdict = "invalid",
        reason = %invalid,
        "the policy cannot be read"
    );
    let counts = VolumeCounts {
        invalid: 1,
        ..VolumeCounts::default()
    };
    Summary::from(counts)
        + FailureEntry {
            volume_id: Some(volume.id.clone()),
            policy: Some(policy),
            error: invalid.to_string(),
            ..FailureEntry::default()
        }
}
