//! The table: a row for each volume, with how each of its policies stands.

use maud::{Markup, html};

use super::instants::{self, ViewerClock};
use super::strip;
use crate::plan::coverage::{ActiveWindow, CoverageState, KindTally, PolicyCoverage};
use crate::policy::PolicyState;
use crate::report::Row;

pub(super) fn table(rows: &[Markup], clock: &ViewerClock) -> Markup {
    html! {
        table class="volumes" {
            thead {
                tr {
                    th class="state" { "State" }
                    th class="volume" { "Volume" }
                    th class="days" { (strip::axis(clock)) }
                    th class="policies" { "Policies" }
                }
            }
            tbody { @for row in rows { (row) } }
        }
    }
}

pub(super) fn row(row: &Row<'_>, clock: &ViewerClock) -> Markup {
    let behind = row.policies.iter().filter_map(|one| one.active);
    let behind = behind.map(|active| active.behind_seconds).max();
    html! {
        tr {
            td class="state" {
                (badge(row.state))
                @if let Some(behind) = behind.filter(|behind| *behind > 0) {
                    div class="sub" { (instants::seconds(behind)) " behind" }
                }
            }
            td class="volume" {
                @if row.name.is_empty() {
                    b { (row.volume_id) }
                } @else {
                    b { (row.name) }
                    div class="sub id" { (row.volume_id) }
                }
                div class="sub" {
                    (row.status)
                    @if let Some(size) = row.size { ", " (size) " GiB" }
                    @match row.server_ids.as_slice() {
                        [] => {},
                        [server] => { ", on " span class="id" { (server) } },
                        servers => { ", on " (servers.len()) " servers" },
                    }
                }
            }
            td class="days" {
                @if row.policies.is_empty() {
                    span class="sub" { (nothing_wanted(row.state)) }
                } @else {
                    (strip::strip(row, clock))
                }
            }
            td class="policies" {
                @for policy in &row.policies { (policy_facts(policy, clock)) }
            }
        }
    }
}

fn badge(state: CoverageState) -> Markup {
    html! { span class={ "badge " (state.as_str()) } { (state.as_str()) } }
}

fn nothing_wanted(state: CoverageState) -> &'static str {
    match state {
        CoverageState::Lost => "It has lost its tags: what it wanted is not known any more.",
        CoverageState::Off => "No policy is on.",
        _ => "Not managed.",
    }
}

fn policy_facts(policy: &PolicyCoverage<'_>, clock: &ViewerClock) -> Markup {
    let nothing = KindTally::default();
    let tally = policy.tally.unwrap_or(&nothing);
    html! {
        div class="policy" {
            b { (policy.kind) } " " (badge(policy.state)) " "
            @if let PolicyState::Invalid(invalid) = policy.reading {
                span class="error" { (invalid) }
            }
            @if let Some(active) = policy.active { (due(policy.state, &active, clock)) }
            div class="sub" {
                @match &tally.newest {
                    None => { "No recovery point" },
                    Some(newest) => {
                        (tally.available) " available, newest "
                        @match newest.created_at {
                            None => { "of unknown age" },
                            Some(at) => { (clock.short(at)) },
                        }
                        @if newest.held { " (held)" }
                    },
                }
                @if let Some(at) = tally.next_expiry { "; next expires " (clock.short(at)) }
                @if tally.creating > 0 { "; " (tally.creating) " being created" }
                @if tally.leftovers > 0 {
                    "; " (tally.leftovers) " left behind by failed tries"
                }
            }
        }
    }
}

/// When the next snapshot is wanted.
fn due(state: CoverageState, active: &ActiveWindow, clock: &ViewerClock) -> Markup {
    html! {
        @if state == CoverageState::Creating {
            "being created, due since "
        } @else if active.next_due <= clock.now {
            "due since "
        } @else if state == CoverageState::Protected {
            "next due "
        } @else {
            "tried again from "
        }
        (clock.short(active.next_due))
    }
}
