//! The dashboard's page: how the volumes stand, as HTML with inline SVG.
//!
//! CloudWatch puts the page through a sanitizer, shows it in whatever width the dashboard gives it
//! and hands clicks back as events. Everything here is a template that escapes what it is given:
//! names belong to tenants, and are text wherever they stand.

mod clicks;
mod instants;
mod rows;
mod strip;

use std::time::Duration;

use chrono::{DateTime, Utc};
use maud::{Markup, PreEscaped, html};

use crate::cloud_name::CloudName;
use crate::event::WidgetRequest;
use crate::plan::coverage::{CoverageState, Totals};
use crate::report::{Report, json_size};
use clicks::{Click, Clicks};
use instants::ViewerClock;

pub(crate) use strip::first_instant;

/// Kept small, since it is part of every page.
const STYLE: &str = include_str!("style.css");

/// What `describe` is answered with.
pub(crate) const DOCUMENTATION: &str = include_str!("describe.md");

/// Lambda's answers may have six megabytes, and a browser has to draw what is on a page.
const MOST_BYTES: usize = 2_000_000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    pub report: &'a Report<'a>,
    /// What was asked, and how it is looked at.
    pub request: &'a WidgetRequest,
    /// The project's name, where the token told one.
    pub project: Option<&'a str>,
    /// The cloud that was asked for.
    pub cloud: Option<&'a CloudName>,
    /// The ARN that a click invokes.
    pub endpoint: &'a str,
    /// The time now; listings may be older.
    pub now: DateTime<Utc>,
    /// How long it took to look at the cloud.
    pub took: Duration,
}

impl Page<'_> {
    /// The page. It has fewer rows than the report where it would become too large.
    pub(crate) fn html(&self) -> String {
        let clock = ViewerClock {
            offset: self.request.viewer.offset,
            now: self.report.at,
        };
        let mut rows: Vec<Markup> = Vec::new();
        let mut bytes = 0;
        for row in &self.report.rows {
            let markup = rows::row(row, &clock);
            bytes += json_size(&markup.0);
            if bytes > MOST_BYTES && !rows.is_empty() {
                break;
            }
            rows.push(markup);
        }
        let next_after = match self.report.rows.get(rows.len()) {
            None => self.report.next_after,
            Some(_) => self
                .report
                .rows
                .get(rows.len() - 1)
                .map(|row| row.volume_id),
        };
        let theme = if self.request.viewer.dark {
            "dark"
        } else {
            "light"
        };
        html! {
            div class={ "snapsentry " (theme) } {
                // Before it there is an element: a sanitizer takes a style away that comes first.
                style { (PreEscaped(STYLE)) }
                (headline(&self.report.totals))
                (self.looked_at(&clock))
                (totals(&self.report.totals))
                @for warning in self.report.warnings.entries() {
                    p class="warning" {
                        @if let Some(id) = &warning.volume_id { (id) ": " }
                        (warning.warning)
                    }
                }
                (self.controls())
                @if rows.is_empty() {
                    p class="nothing" { (self.nothing()) }
                } @else {
                    (rows::table(&rows, &clock))
                    (strip::legend())
                }
                (self.pages(rows.len(), next_after))
            }
        }
        .0
    }

    fn clicks(&self) -> Clicks<'_> {
        Clicks {
            endpoint: self.endpoint,
            fields: &self.request.fields,
        }
    }

    /// Whose volumes these are, of when, and how long it took to look.
    fn looked_at(&self, clock: &ViewerClock) -> Markup {
        let request = &self.request.report;
        let age = (self.now - self.report.at).num_seconds();
        html! {
            p class="sub" {
                @if let Some(project) = self.project { "Project " b { (project) } ". " }
                @if let Some(cloud) = self.cloud { "Cloud " b { (cloud) } ". " }
                @if let Some(shard) = request.shard {
                    "Share " (shard.index) " of " (shard.count) ". "
                }
                "Looked at " (clock.precise(self.report.at))
                @if age > 0 { ", " (instants::seconds(age)) " ago" }
                ", which took " (instants::took(self.took)) "."
            }
        }
    }

    /// What can be shown instead.
    fn controls(&self) -> Markup {
        let clicks = self.clicks();
        let request = &self.request.report;
        let ids = request.volume_ids.iter().flatten().map(String::as_str);
        let ids: Vec<&str> = ids.collect();
        html! {
            form class="controls" {
                @if request.only_attention {
                    (clicks.button("Show all volumes", Click::All))
                } @else {
                    (clicks.button("Only what needs attention", Click::Attention))
                }
                label {
                    "Volumes "
                    input type="text" name="volume_ids" placeholder="ids, comma-separated"
                        value=(ids.join(", "));
                }
                (clicks.button("Show", Click::Volumes))
            }
        }
    }

    fn nothing(&self) -> &'static str {
        let request = &self.request.report;
        if request.after.is_some() {
            "There are no more volumes."
        } else if request.only_attention {
            "No volume needs attention."
        } else {
            "There is no volume."
        }
    }

    /// What is on the page, and the ways to others.
    fn pages(&self, shown: usize, next_after: Option<&str>) -> Markup {
        let clicks = self.clicks();
        html! {
            div class="pages" {
                @if self.request.report.after.is_some() {
                    (clicks.button("First page", Click::First))
                }
                @if let Some(after) = next_after {
                    (clicks.button("Next page", Click::Next(after)))
                }
                @if shown > 0 { span class="sub" { (instants::count(shown, "volume")) " on this page." } }
            }
        }
    }
}

/// One line that says whether all is well.
fn headline(totals: &Totals) -> Markup {
    let attention = totals.wanting_attention();
    let wanted = attention + totals.protected;
    let (class, text) = if attention > totals.creating {
        let few = attention - totals.creating;
        let verb = if few == 1 { "needs" } else { "need" };
        let text = format!(
            "{few} of {} {verb} attention",
            instants::count(wanted, "volume")
        );
        ("bad", text)
    } else if wanted == 0 {
        ("idle", "No volume is managed".to_owned())
    } else if attention > 0 {
        let text = format!(
            "All is well so far: {} on the way for {}",
            if attention == 1 {
                "a recovery point is"
            } else {
                "recovery points are"
            },
            instants::count(attention, "volume"),
        );
        ("busy", text)
    } else if wanted == 1 {
        (
            "good",
            "All is well: the one managed volume is protected".to_owned(),
        )
    } else {
        (
            "good",
            format!("All is well: all {wanted} managed volumes are protected"),
        )
    };
    html! { h2 class={ "headline " (class) } { (text) } }
}

fn totals(totals: &Totals) -> Markup {
    html! {
        ul class="totals" {
            @for state in CoverageState::ALL {
                @let count = totals.of(state);
                @if count > 0 {
                    li { span class={ "badge " (state.as_str()) } { (count) " " (state.as_str()) } }
                }
            }
            li { b { (instants::grouped(totals.snapshots as u64)) } " snapshots" }
            li { b { (instants::grouped(totals.gigabytes)) } " GiB" }
            @for (count, what) in [
                (totals.held, "held"),
                (totals.expired, "expired, to be deleted"),
                (totals.leftovers, "left behind by failed tries"),
                (totals.orphans, "of volumes that are gone"),
            ] {
                @if count > 0 { li { b { (count) } " " (what) } }
            }
        }
    }
}
