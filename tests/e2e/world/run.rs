//! One invocation as its caller sees it.

use std::fmt::Write;

use serde_json::Value;
use simcloud::lambda::Invocation;

/// The counts of an answer's `snapshots`, in their order.
pub(super) const COUNTS: [&str; 10] = [
    "managed", "created", "adopted", "pending", "deferred", "blocked", "failed", "deleted", "kept",
    "cleaned",
];

/// What came of one event.
pub(crate) struct Run {
    pub(crate) invocation: Invocation,
}

impl Run {
    /// The answer.
    #[track_caller]
    pub(crate) fn answer(&self) -> &Value {
        self.invocation.answer()
    }

    /// The message of the failure, which must be of this type.
    #[track_caller]
    pub(crate) fn fails(&self, error_type: &str) -> &str {
        let failure = self.invocation.failure();
        assert_eq!(failure.error_type, error_type, "{}", failure.error_message);
        &failure.error_message
    }

    /// The message of the failure, which must be of this type and have each of these words.
    #[track_caller]
    pub(crate) fn fails_with(&self, error_type: &str, words: &[&str]) -> &str {
        let message = self.fails(error_type);
        for word in words {
            assert!(message.contains(word), "lacks {word:?}: {message}");
        }
        message
    }

    /// One figure of the answer, by its JSON pointer.
    #[track_caller]
    pub(crate) fn figure(&self, pointer: &str) -> u64 {
        let figure = self.answer().pointer(pointer).and_then(Value::as_u64);
        figure.unwrap_or_else(|| panic!("no {pointer} in {:#}", self.answer()))
    }

    /// What was done, such as `created 2, failed 1`: the counts of snapshots that are not zero,
    /// without `managed`.
    #[track_caller]
    pub(crate) fn did(&self) -> String {
        let mut did = String::new();
        for name in &COUNTS[1..] {
            let count = self.figure(&format!("/snapshots/{name}"));
            if count > 0 {
                let comma = if did.is_empty() { "" } else { ", " };
                write!(did, "{comma}{name} {count}").expect("a string grows");
            }
        }
        did
    }

    /// The due windows.
    #[track_caller]
    pub(crate) fn due(&self) -> u64 {
        self.figure("/volumes/due")
    }

    /// How it ended.
    #[track_caller]
    pub(crate) fn outcome(&self) -> &str {
        self.answer()["outcome"].as_str().expect("an outcome")
    }

    /// A list of the answer.
    #[track_caller]
    pub(crate) fn list(&self, name: &str) -> Vec<Value> {
        let list = self.answer()[name].as_array();
        list.unwrap_or_else(|| panic!("no {name} in {:#}", self.answer()))
            .clone()
    }

    /// What failed.
    #[track_caller]
    pub(crate) fn failures(&self) -> Vec<Value> {
        self.list("failures")
    }

    /// The one thing that failed.
    #[track_caller]
    pub(crate) fn only_failure(&self) -> Value {
        let failures = self.failures();
        assert_eq!(failures.len(), 1, "{failures:#?}");
        failures[0].clone()
    }

    /// What the dry run would do.
    #[track_caller]
    pub(crate) fn plan(&self) -> Vec<Value> {
        self.list("plan")
    }

    /// The one warning.
    #[track_caller]
    pub(crate) fn only_warning(&self) -> Value {
        let warnings = self.list("warnings");
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        warnings[0].clone()
    }

    /// The warnings with this text.
    #[track_caller]
    pub(crate) fn warnings_with(&self, text: &str) -> Vec<Value> {
        let mut warnings = self.list("warnings");
        warnings.retain(|one| {
            one["warning"]
                .as_str()
                .is_some_and(|one| one.contains(text))
        });
        warnings
    }

    /// Nothing failed and there is nothing to warn of.
    #[track_caller]
    pub(crate) fn is_quiet(&self) {
        let answer = self.answer();
        assert_eq!(self.outcome(), "complete", "{answer:#}");
        assert_eq!(answer["warnings"], Value::Array(Vec::new()), "{answer:#}");
    }

    /// The metrics.
    #[track_caller]
    pub(crate) fn metrics(&self) -> Value {
        let lines = self.invocation.metrics();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines[0].clone()
    }

    /// The log lines, metrics apart.
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.invocation.log.iter();
        let objects = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        objects
            .filter(|object| object.get("_aws").is_none())
            .collect()
    }

    /// The log lines with this message.
    pub(crate) fn said(&self, message: &str) -> Vec<Value> {
        let mut lines = self.log();
        lines.retain(|line| {
            let said = line["message"].as_str();
            said.is_some_and(|said| said.contains(message))
        });
        lines
    }

    /// The log lines that give a verdict, by level, policy and verdict.
    pub(crate) fn verdicts(&self) -> Vec<(String, String, String)> {
        let text = |line: &Value, field: &str| line[field].as_str().unwrap_or("").to_owned();
        self.log()
            .iter()
            .filter(|line| line.get("verdict").is_some())
            .map(|line| {
                (
                    text(line, "level"),
                    text(line, "policy"),
                    text(line, "verdict"),
                )
            })
            .collect()
    }
}
