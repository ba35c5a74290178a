//! What happened, for the table of what the seeds covered: in a step as a whole here, how
//! everything stood in [`windows`], and what a pass did about it in [`deeds`].

mod deeds;
mod windows;

use simcloud::{Fault, Happening, Kind as Misfortune, Outcome, Requests, Route, When};

use super::Judge;
use crate::case::{Doing, Trouble};
use crate::run::StepRun;

impl Judge {
    pub(super) fn seen_in_step(&mut self, step: &StepRun<'_>) {
        let seen = &mut self.coverage;
        for (fault, times) in &step.struck {
            seen.add(format!("fault: {}", name(fault)), *times);
            if let Requests::Route(route) = fault.requests {
                seen.add(format!("fault on {route:?}"), *times);
            }
        }
        for change in &step.changes {
            match change.happening {
                Happening::CreationFailed => seen.hit("storage: creation failed"),
                Happening::DeletionFailed => seen.hit("storage: deletion failed"),
                Happening::Busy => seen.hit("storage: busy"),
                _ => {}
            }
        }
        let first = step.entries.first().map(|entry| entry.sequence);
        for change in &step.changes {
            let later = change.happening == Happening::Creating && {
                let entry = step
                    .entries
                    .iter()
                    .find(|entry| Some(entry.sequence) == change.request);
                entry.is_none_or(|entry| !entry.worked) && first.is_some()
            };
            seen.hit_if(later, "work done late");
        }
        for entry in &step.entries {
            seen.hit_if(
                entry.status() == Some(404)
                    && entry.path.contains("marker=")
                    && entry.outcome == Outcome::Answered(404),
                "marker vanished",
            );
            seen.hit_if(
                entry.worked && entry.route == Route::CreateSnapshot && entry.status() == Some(413),
                "quota used up",
            );
            seen.hit_if(
                entry.api_version.is_some() && entry.worked && entry.status() == Some(406),
                "microversion refused",
            );
        }
        for trouble in &step.troubles {
            match trouble {
                Trouble::Backend(_) => seen.hit("storage: slow or hung"),
                Trouble::Latency(_) => seen.hit("slow answers"),
                Trouble::Meanwhile(_, _, When::Before | When::After, doing)
                    if step.meanwhile > 0 =>
                {
                    match doing {
                        Doing::RemoveVolume(_) => seen.hit("volume removed meanwhile"),
                        Doing::RemoveSnapshot(..) => seen.hit("snapshot removed meanwhile"),
                        Doing::Hold(..) => seen.hit("hold changed meanwhile"),
                        Doing::Retag(..) => seen.hit("volume tagged anew meanwhile"),
                        Doing::RevokeTokens | Doing::ExpireTokens => {
                            seen.hit("tokens revoked or ended");
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        match step.passes.len() {
            2 => seen.hit("two passes at once"),
            3 => seen.hit("three passes at once"),
            _ => {}
        }
    }
}

/// A fault's kind, for the table.
fn name(fault: &Fault) -> String {
    match &fault.kind {
        Misfortune::Status { code, .. } => format!("status {code}"),
        Misfortune::Refused => "refused".into(),
        Misfortune::ResetBefore => "reset before".into(),
        Misfortune::ResetAfter => "reset after".into(),
        Misfortune::DelayBefore(_) => "delay before".into(),
        Misfortune::DelayAfter(_) => "delay after".into(),
        Misfortune::HangBefore => "hang before".into(),
        Misfortune::HangAfter => "hang after".into(),
        Misfortune::Truncate => "truncate".into(),
        Misfortune::NotJson => "not json".into(),
        Misfortune::RateLimit { .. } => "rate limit".into(),
        Misfortune::LateWork { .. } => "late work".into(),
        Misfortune::Unauthorized => "unauthorized".into(),
        Misfortune::ExpireToken => "expire token".into(),
        Misfortune::Redirect { .. } => "redirect".into(),
        Misfortune::Oversized { .. } => "oversized".into(),
    }
}
