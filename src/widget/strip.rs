//! The strip of a volume: its last days as inline SVG, one lane a policy.
//!
//! Places are percentages, so that a strip is as wide as there is room without a script.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::instants::ViewerClock;
use crate::plan::coverage::PolicyCoverage;
use crate::plan::timeline::{Cell, Look, Span, lane};
use crate::report::Row;

/// How far a strip goes back.
const BACK: TimeDelta = TimeDelta::days(14);
/// How far it goes ahead.
const AHEAD: TimeDelta = TimeDelta::hours(36);
/// Windows that are shorter are too narrow to be met by a pointer one by one.
const SHORTEST: TimeDelta = TimeDelta::hours(4);
/// In pixels.
const LANE: usize = 24;
/// Every so many days one is named.
const NAMED_DAYS: usize = 4;

/// From when on the windows have to be known for the strips of a page.
pub(crate) fn first_instant(now: DateTime<Utc>) -> DateTime<Utc> {
    now - BACK
}

fn span(clock: &ViewerClock) -> Span {
    Span {
        from: clock.now - BACK,
        now: clock.now,
        until: clock.now + AHEAD,
    }
}

pub(super) fn strip(row: &Row<'_>, clock: &ViewerClock) -> Markup {
    let span = span(clock);
    let height = LANE * row.policies.len();
    let label = row
        .policies
        .iter()
        .map(|one| format!("{} {}", one.kind, one.state.as_str()))
        .collect::<Vec<_>>()
        .join(", ");
    html! {
        div class="strip" {
            div class="lanes" {
                @for policy in &row.policies { div { (policy.kind) } }
            }
            svg width="100%" height=(height) role="img" aria-label=(label) {
                @for day in days(clock, &span) {
                    (line("day", &span, day, height))
                }
                @for (number, policy) in row.policies.iter().enumerate() {
                    g {
                        @for cell in lane(row.created_at, policy, &span, SHORTEST) {
                            (cell_of(policy, &cell, &span, LANE * number, clock))
                        }
                    }
                }
                (line("now", &span, span.now, height))
            }
        }
    }
}

fn cell_of(
    policy: &PolicyCoverage<'_>,
    cell: &Cell,
    span: &Span,
    top: usize,
    clock: &ViewerClock,
) -> Markup {
    let (from, to) = (place(span, cell.start), place(span, cell.end));
    // What is missing stands out by its height as well, not by its colour alone.
    let (inset, height) = match cell.look {
        Look::Missing | Look::Blocked => (1, LANE - 2),
        Look::Over | Look::Unknown => (LANE / 2 - 2, 4),
        _ => (4, LANE - 8),
    };
    html! {
        rect class=(class(cell.look)) x={ (percent(from)) "%" } y=(top + inset)
            width={ (percent((to - from).max(0.15))) "%" } height=(height) rx="1" {
            title { (tooltip(policy, cell, clock)) }
        }
    }
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Covered => "covered",
        Look::Held => "held",
        Look::Creating => "creating",
        Look::Missing => "missing",
        Look::Blocked => "blocked",
        Look::Over => "over",
        Look::Unknown => "unknown",
        Look::Next => "next",
    }
}

fn words(look: Look) -> &'static str {
    match look {
        Look::Covered => "recovery point",
        Look::Held => "recovery point that is held",
        Look::Creating => "being created",
        Look::Missing => "no recovery point",
        Look::Blocked => "no recovery point: the volume's state allows none",
        Look::Over => "none any more: its retention is over",
        Look::Unknown => "older than the oldest snapshot",
        Look::Next => "comes next",
    }
}

fn tooltip(policy: &PolicyCoverage<'_>, cell: &Cell, clock: &ViewerClock) -> String {
    let (from, to) = (clock.short(cell.start), clock.short(cell.end));
    let windows = match cell.windows {
        1 => String::new(),
        several => format!(", {several} windows"),
    };
    let of = match cell.created_at {
        None => String::new(),
        Some(at) if cell.windows == 1 => format!(" of {}", clock.short(at)),
        Some(at) => format!(", the last of {}", clock.short(at)),
    };
    let kind = policy.kind;
    format!("{kind}, {from} to {to}{windows}: {}{of}", words(cell.look))
}

/// The days above the strips.
pub(super) fn axis(clock: &ViewerClock) -> Markup {
    let span = span(clock);
    let past = days(clock, &span).into_iter();
    let days = past.take_while(|day| *day < span.now);
    html! {
        div class="strip" {
            div class="lanes" { "Last days" }
            svg width="100%" height="16" aria-hidden="true" {
                @for day in days.step_by(NAMED_DAYS) {
                    text class="axis" x={ (percent(place(&span, day))) "%" } y="12" {
                        (clock.day(day))
                    }
                }
            }
        }
    }
}

/// What the looks mean.
pub(super) fn legend() -> Markup {
    html! {
        ul class="legend" {
            @for look in [
                Look::Covered, Look::Held, Look::Creating, Look::Missing, Look::Blocked, Look::Over,
                Look::Next,
            ] {
                li {
                    svg width="14" height="14" aria-hidden="true" {
                        rect class=(class(look)) x="1" y="1" width="12" height="12" rx="1" {}
                    }
                    " " (words(look))
                }
            }
        }
    }
}

/// Every midnight of the viewer's that is shown.
fn days(clock: &ViewerClock, span: &Span) -> Vec<DateTime<Utc>> {
    let first = clock.local(span.from).date_naive().and_time(NaiveTime::MIN);
    let first = (first - clock.offset).and_utc();
    (1..)
        .map(|day| first + TimeDelta::days(day))
        .take_while(|day| *day < span.until)
        .collect()
}

fn line(class: &str, span: &Span, at: DateTime<Utc>, height: usize) -> Markup {
    let x = percent(place(span, at));
    html! { line class=(class) x1={ (x) "%" } x2={ (x) "%" } y1="0" y2=(height) {} }
}

/// Where an instant lies, in percent of the span.
fn place(span: &Span, at: DateTime<Utc>) -> f64 {
    let at = at.clamp(span.from, span.until);
    let seconds = |delta: TimeDelta| delta.num_seconds() as f64;
    seconds(at - span.from) / seconds(span.until - span.from) * 100.0
}

fn percent(number: f64) -> String {
    format!("{number:.2}")
}
