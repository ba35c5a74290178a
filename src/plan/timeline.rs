//! The last days of a policy, window by window: where there is a recovery point, and where one is
//! missing that should be there.

use chrono::{DateTime, TimeDelta, Utc};

use super::State;
use super::coverage::{CoverageState, KindTally, Point, PolicyCoverage};
use crate::policy::{Policy, PolicyState};

/// What a timeline shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The instant by which everything is judged.
    pub now: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
}

/// Neighbouring windows that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The start of the first.
    pub start: DateTime<Utc>,
    /// The end of the last.
    pub end: DateTime<Utc>,
    /// How many they are.
    pub windows: u32,
    /// What they have in common.
    pub look: Look,
    /// When the newest recovery point of the last was made.
    pub created_at: Option<DateTime<Utc>>,
}

/// How a window looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It has a recovery point.
    Covered,
    /// It has one that is held.
    Held,
    /// It has one that is being created.
    Creating,
    /// It has none, and should have.
    Missing,
    /// It has none, and its volume allows none.
    Blocked,
    /// It has none any more, as its retention wants it.
    Over,
    /// It is older than anything that is known of the policy.
    Unknown,
    /// It has not begun.
    Next,
}

/// The windows of a policy that the span touches, in their order; nothing where the policy cannot
/// be read. Neighbours that look alike are one cell where each is shorter than `shortest`.
pub fn lane(
    volume_created_at: Option<DateTime<Utc>>,
    coverage: &PolicyCoverage<'_>,
    span: &Span,
    shortest: TimeDelta,
) -> Vec<Cell> {
    let (PolicyState::Enabled(policy), Some(active)) = (coverage.reading, coverage.active) else {
        return Vec::new();
    };
    let mut points = coverage
        .tally
        .map_or_else(Vec::new, |tally| tally.points.clone());
    points.sort_by_key(|point| point.at);
    let begins = begins(volume_created_at, policy, coverage.tally, &points);
    let mut cells: Vec<Cell> = Vec::new();
    let mut window = policy.window_at(span.from);
    while window.start < span.until {
        let within =
            |point: &&Point| (window.start.timestamp()..window.end.timestamp()).contains(&point.at);
        let first = points.partition_point(|point| point.at < window.start.timestamp());
        let best = best(points[first..].iter().take_while(within));
        let look = if window.start > span.now {
            Look::Next
        } else if let Some((look, _)) = best {
            look
        } else if window == active.window {
            of_active(coverage.state)
        } else if begins.is_none_or(|begins| window.end <= begins) {
            Look::Unknown
        } else if policy.expires_at(&window) <= span.now {
            Look::Over
        } else {
            Look::Missing
        };
        let cell = Cell {
            start: window.start,
            end: window.end,
            windows: 1,
            look,
            created_at: best.and_then(|(_, made)| DateTime::from_timestamp(made?, 0)),
        };
        match cells.last_mut() {
            Some(last)
                if last.look == look
                    && look != Look::Next
                    && window.end - window.start < shortest =>
            {
                last.end = cell.end;
                last.windows += 1;
                last.created_at = cell.created_at.or(last.created_at);
            }
            // Of what comes, the next window is enough.
            Some(last) if last.look == Look::Next && look == Look::Next => break,
            _ => cells.push(cell),
        }
        if window.end <= window.start {
            break;
        }
        window = policy.window_at(window.end);
    }
    cells
}

/// The oldest instant of which it can be told whether something is missing: before the first
/// snapshot there is, nobody knows whether one was wanted; and before those that the number of
/// snapshots kept allows, none is.
fn begins(
    volume_created_at: Option<DateTime<Utc>>,
    policy: &Policy,
    tally: Option<&KindTally>,
    points: &[Point],
) -> Option<DateTime<Utc>> {
    let first = tally.and_then(|tally| tally.first)?;
    let first = volume_created_at.map_or(first, |made| first.max(made));
    let kept = policy.keep_at_most().and_then(|most| {
        let available = points.iter().rev().filter(|one| is_whole(one));
        let oldest = available.map(|one| one.at).nth(most as usize - 1)?;
        DateTime::from_timestamp(oldest, 0)
    });
    Some(kept.map_or(first, |kept| first.max(kept)))
}

/// How the active window looks where it has nothing that can be restored from.
fn of_active(state: CoverageState) -> Look {
    match state {
        CoverageState::Protected => Look::Covered,
        CoverageState::Creating => Look::Creating,
        CoverageState::Blocked => Look::Blocked,
        _ => Look::Missing,
    }
}

/// The best recovery point among these, and when it was made.
fn best<'a>(points: impl Iterator<Item = &'a Point>) -> Option<(Look, Option<i64>)> {
    let whole = points.filter(|point| is_whole(point));
    whole
        .max_by_key(|point| (point.held, point.created_at))
        .map(|point| {
            let look = if point.held {
                Look::Held
            } else {
                Look::Covered
            };
            (look, point.created_at)
        })
}

/// Whether it can be restored from, also where somebody is at work with it.
fn is_whole(point: &Point) -> bool {
    matches!(point.state, State::Available | State::Busy)
}
