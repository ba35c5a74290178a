//! The clocks: how far the cloud's is from this machine's, and what follows from that.
//!
//! What is due and what has expired is judged by this machine's clock. Where the two are far
//! apart, one of them is wrong, and nobody here knows which.

use chrono::TimeDelta;

use crate::report::Summary;

/// A larger difference is told.
const NOTABLE: TimeDelta = TimeDelta::minutes(5);
/// With a larger difference nothing is deleted.
const TRUSTED: TimeDelta = TimeDelta::hours(1);

/// Warns where the clocks are more than five minutes apart. `difference` is by how much the
/// cloud's is ahead; nothing where the cloud did not say.
pub(super) fn warn(difference: Option<TimeDelta>, summary: &mut Summary) {
    if let Some(warning) = warning(difference) {
        summary.warn(warning);
    }
}

/// What is told where the clocks are more than five minutes apart.
pub(super) fn warning(difference: Option<TimeDelta>) -> Option<String> {
    let difference = difference.filter(|difference| difference.abs() > NOTABLE)?;
    let warning = format!("{}; set the clocks right", described(difference));
    tracing::warn!(warning);
    Some(warning)
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
