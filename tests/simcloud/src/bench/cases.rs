//! The cases, and what has to be reached in each.

use std::time::Duration;

use super::measure::Run;
use super::scenario::{RECENT, Scenario};
use super::weather::Weather;

const MIB: u64 = 1024 * 1024;

/// A scenario in one weather.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) scenario: Scenario,
    pub(super) weather: Weather,
    pub(super) runs: usize,
    pub(super) goals: Vec<Goal>,
}

/// A figure to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// From the event to the answer.
    Wall(Duration),
    /// That, as a multiple of the limit.
    Ratio(f64),
    /// Requests in all.
    Requests(u64),
    /// Peak memory of the function in bytes.
    Memory(u64),
    /// From the first to the last creation request.
    Skew(Duration),
    /// From the start of the process to the first request to the cloud.
    FirstRequest(Duration),
}

impl Goal {
    pub(super) fn is_reached(self, run: &Run, limit: Duration) -> bool {
        match self {
            Self::Wall(most) => run.wall < most,
            Self::Ratio(most) => run.wall.as_secs_f64() <= most * limit.as_secs_f64(),
            Self::Requests(most) => run.sent() <= most,
            Self::Memory(most) => run.peak_memory < most,
            Self::Skew(most) => run.skew.is_some_and(|skew| skew < most),
            Self::FirstRequest(most) => run.first_request.is_some_and(|first| first < most),
        }
    }

    pub(super) fn told(self) -> String {
        match self {
            Self::Wall(most) => format!("wall < {} s", most.as_secs_f64()),
            Self::Ratio(most) => format!("≤ {most} × limit"),
            Self::Requests(most) => format!("requests ≤ {most}"),
            Self::Memory(most) => format!("memory < {} MiB", most / MIB),
            Self::Skew(most) => format!("skew < {} ms", most.as_millis()),
            Self::FirstRequest(most) => format!("first request < {} ms", most.as_millis()),
        }
    }
}

/// What a pass that finds nothing due may ask for: the pages of volumes, those of each kind's
/// recent snapshots, and eight more requests.
fn looks(volumes: usize, kinds: usize) -> u64 {
    let pages = |rows: usize| rows / 1_000 + 1;
    (pages(volumes) + kinds * pages(RECENT * volumes) + 8) as u64
}

/// All cases, in the order of the table.
pub(super) fn all() -> Vec<Case> {
    use Scenario::{Cold, Due, Expire, Growth, Long, Quiet, Report, Skew};
    use Weather::{Fixed, LogNormal, Still};
    let seconds = |s: f64| Duration::from_secs_f64(s);
    let millis = Duration::from_millis;
    let mut cases = Vec::new();
    let mut add = |scenario, weather, runs, goals: &[Goal]| {
        cases.push(Case {
            scenario,
            weather,
            runs,
            goals: goals.to_vec(),
        });
    };
    let cold = [Goal::FirstRequest(millis(6)), Goal::Memory(12 * MIB)];
    add(Cold, Fixed, 21, &cold);
    add(Cold, LogNormal, 5, &cold);
    for volumes in [100, 1_000, 10_000] {
        for four in [false, true] {
            let quiet = Quiet { volumes, four };
            let requests = looks(volumes, if four { 4 } else { 1 });
            let goals = match (volumes, four) {
                (1_000, true) => vec![Goal::Requests(requests), Goal::Wall(seconds(1.5))],
                (10_000, false) => vec![
                    Goal::Requests(requests),
                    Goal::Wall(seconds(6.0)),
                    Goal::Memory(64 * MIB),
                ],
                _ => vec![Goal::Requests(requests)],
            };
            let runs = if volumes < 10_000 { 5 } else { 3 };
            add(quiet, Fixed, runs, &goals);
            add(quiet, LogNormal, runs.min(3), &goals[..1]);
        }
    }
    let long = Long {
        volumes: 1_000,
        each: 360,
    };
    // Nearly all of its time is the embedded cloud's own, which looks through 1.44 million rows.
    let goals = [Goal::Requests(looks(1_000, 4)), Goal::Memory(64 * MIB)];
    add(long, Fixed, 1, &goals);
    for (volumes, max_creating) in [(100, 64), (300, 64), (2_000, 2_000)] {
        let due = Due {
            volumes,
            max_creating,
        };
        let goals = match volumes {
            300 => vec![Goal::Ratio(1.15), Goal::Requests(400)],
            2_000 => vec![Goal::Wall(seconds(30.0))],
            _ => vec![Goal::Ratio(1.15)],
        };
        add(due, Fixed, 3, &goals);
        add(due, LogNormal, 1, &goals);
    }
    let some = Expire {
        expired: 1_000,
        of: 10_000,
    };
    let goals = [
        Goal::Ratio(1.15),
        Goal::Wall(seconds(3.0)),
        Goal::Memory(32 * MIB),
    ];
    add(some, Fixed, 5, &goals);
    add(some, LogNormal, 3, &goals[2..]);
    let none = Expire {
        expired: 0,
        of: 100_000,
    };
    let goals = [Goal::Wall(seconds(4.0)), Goal::Memory(64 * MIB)];
    add(none, Still, 3, &goals);
    add(none, Fixed, 1, &goals[1..]);
    add(none, LogNormal, 1, &goals[1..]);
    for page in [false, true] {
        let report = Report { of: 100_000, page };
        let goals = [Goal::Memory(64 * MIB)];
        add(report, Still, 3, &goals);
        add(report, Fixed, 1, &goals);
    }
    for (volumes, max_concurrency) in [(8, 16), (40, 40)] {
        let skew = Skew {
            volumes,
            max_concurrency,
        };
        let goals = [Goal::Skew(millis(5))];
        add(skew, Fixed, 3, &goals);
        add(skew, LogNormal, 5, &goals);
    }
    for snapshots in [1_000, 10_000, 100_000] {
        let goals = [Goal::Memory(64 * MIB)];
        add(Growth { snapshots }, Fixed, 3, &goals);
        add(Growth { snapshots }, LogNormal, 1, &goals);
    }
    cases
}
