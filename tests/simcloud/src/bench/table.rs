//! The table: one line a case, for people, and the same as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::cases::Case;
use super::measure::Run;

/// A case's figures.
pub(super) struct Row {
    pub(super) case: Case,
    pub(super) median: Run,
    pub(super) runs: usize,
    pub(super) limit: Duration,
    /// Of the last minute, when the case was over.
    pub(super) load_average: f64,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.median.wall.as_secs_f64() / self.limit.as_secs_f64()
    }

    fn verdicts(&self) -> Vec<(String, bool)> {
        let goals = self.case.goals.iter();
        goals
            .map(|goal| (goal.told(), goal.is_reached(&self.median, self.limit)))
            .collect()
    }

    pub(super) fn is_reached(&self) -> bool {
        self.verdicts().iter().all(|(_, reached)| *reached)
    }

    pub(super) fn json(&self) -> Value {
        let run = &self.median;
        let goals: Vec<Value> = self
            .verdicts()
            .into_iter()
            .map(|(goal, reached)| json!({ "goal": goal, "reached": reached }))
            .collect();
        json!({
            "case": self.case.scenario.name(),
            "latency": self.case.weather.name(),
            "runs": self.runs,
            "wall_seconds": run.wall.as_secs_f64(),
            "limit_seconds": self.limit.as_secs_f64(),
            "ratio": self.ratio(),
            "requests": run.sent(),
            "requests_by_route": run.requests,
            "peak_memory_bytes": run.peak_memory,
            "cpu_seconds": run.cpu.as_secs_f64(),
            "first_request_seconds": run.first_request.map(|first| first.as_secs_f64()),
            "start_to_answer_seconds": run.from_start.as_secs_f64(),
            "skew_seconds": run.skew.map(|skew| skew.as_secs_f64()),
            "load_average": self.load_average,
            "goals": goals,
        })
    }

    /// The line without its ends, for a table in Markdown.
    pub(super) fn line(&self) -> String {
        let run = &self.median;
        let routes: Vec<String> = run
            .requests
            .iter()
            .map(|(route, count)| format!("{route} {count}"))
            .collect();
        let mut notes = Vec::new();
        if let Some(first) = run.first_request.filter(|_| self.is_cold()) {
            let answer = run.from_start.as_secs_f64() * 1e3;
            notes.push(format!(
                "first request after {:.1} ms, last answer after {answer:.0} ms",
                first.as_secs_f64() * 1e3
            ));
        }
        if let Some(skew) = run.skew {
            notes.push(format!("skew {:.1} ms", skew.as_secs_f64() * 1e3));
        }
        for (goal, reached) in self.verdicts() {
            notes.push(format!("{goal}: {}", if reached { "yes" } else { "NO" }));
        }
        format!(
            "| {} | {} | {:.3} | {:.3} | {:.2} | {} | {:.1} | {:.2} | {} | {} |",
            self.case.scenario.name(),
            self.case.weather.name(),
            run.wall.as_secs_f64(),
            self.limit.as_secs_f64(),
            self.ratio(),
            run.sent(),
            run.peak_memory as f64 / (1024.0 * 1024.0),
            run.cpu.as_secs_f64(),
            routes.join(", "),
            notes.join("; "),
        )
    }

    fn is_cold(&self) -> bool {
        self.case.scenario == super::scenario::Scenario::Cold
    }
}

/// What stands above the lines.
pub(super) fn head() -> String {
    let columns = [
        "case", "latency", "wall s", "limit s", "ratio", "requests", "peak MiB", "CPU s",
        "by route", "goals",
    ];
    let mut head = format!("| {} |\n|", columns.join(" | "));
    for _ in columns {
        let _ = write!(head, " --- |");
    }
    head
}
