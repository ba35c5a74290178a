//! What is promised of every invocation, whatever it is about: no secret is told, the deadline is
//! kept, the answer adds up, and the metrics say the same.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::run::COUNTS;
use super::{Run, World};

/// Whether the event only looks: a report, or what a dashboard asks for.
fn looks(event: &Value) -> bool {
    event["phase"] == "report" || event["describe"] == true || event.get("widgetContext").is_some()
}

impl Run {
    /// What is promised of every invocation.
    #[track_caller]
    pub(super) fn keeps_every_promise(&self, world: &World, event: &Value, begun: DateTime<Utc>) {
        let invocation = &self.invocation;
        let log = invocation.log.join("\n");
        let told = match &invocation.result {
            Ok(answer) => answer.to_string(),
            Err(failure) => format!("{failure:?}"),
        };
        for secret in world.secrets() {
            assert!(!told.contains(&secret), "a secret in what is told: {told}");
            let line = invocation.log.iter().find(|line| line.contains(&secret));
            assert!(line.is_none(), "a secret in the log: {line:?}");
        }
        assert!(
            !invocation.deadline_missed,
            "after {:?}: {told}\n{log}",
            invocation.elapsed
        );
        assert!(!log.contains("panicked"), "{log}");
        assert_eq!(invocation.log, invocation.stdout, "all is on one stream");
        for line in &invocation.log {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            let is_log_line = line["timestamp"].is_string() && line["level"].is_string();
            assert!(is_log_line || line["_aws"].is_object(), "{line}");
        }
        let request = event.get("detail").unwrap_or(event);
        let is_dry = request["dry_run"] == true;
        let looks = looks(request);
        let metrics = invocation.metrics();
        // A phase that the function does not serve is measured as an unknown one.
        let is_unserved = matches!(&invocation.result, Err(failure)
            if failure.error_message.contains("not served by this function"));
        let is_quiet = looks || request["phase"] == "restore";
        let is_measured = !is_dry && (!is_quiet || is_unserved);
        assert_eq!(metrics.len(), usize::from(is_measured), "{metrics:#?}");
        let failed = invocation.result.is_err();
        for line in &metrics {
            assert_eq!(line["InvocationsFailed"], u64::from(failed), "{line}");
        }
        let requests = self.requests_in(world);
        if is_dry || looks {
            assert!(requests.keys().all(|(_, writes)| !writes), "{requests:?}");
        }
        match &invocation.result {
            Err(failure) => {
                assert!(!failure.error_message.is_empty());
                for line in &metrics {
                    assert_eq!(line["ErrorType"], failure.error_type.as_str(), "{line}");
                    let seen = line.as_object().expect("an object").keys().find(|name| {
                        let kinds = ["Snapshots", "Volumes", "Oldest", "Targets", "Faults"];
                        kinds.iter().any(|kind| name.starts_with(kind))
                    });
                    assert_eq!(seen, None, "what failed has seen nothing: {line}");
                }
            }
            // A page, or a widget's documentation.
            Ok(Value::String(_)) => assert!(looks),
            Ok(answer) => {
                let run_id = format!("req-{}", invocation.request_id);
                assert_eq!(answer["run_id"], run_id.as_str());
                assert_eq!(answer["phase"], request["phase"], "{answer:#}");
                let dry_run = answer.get("dry_run").unwrap_or(&Value::Bool(false));
                assert_eq!(*dry_run, is_dry, "{answer:#}");
                if ["snapshot", "expire"]
                    .iter()
                    .any(|phase| answer["phase"] == *phase)
                {
                    self.adds_up(is_dry, begun, &metrics);
                    let seen: u64 = requests.values().sum();
                    let sent = self.figure("/requests/sent");
                    let cut_off = answer["outcome"] == "deferred";
                    assert!(
                        seen == sent || (cut_off && seen < sent),
                        "{sent} sent and {seen} seen"
                    );
                }
            }
        }
    }

    /// The requests of this run that the cloud has seen, by method and whether they change
    /// something.
    fn requests_in(&self, world: &World) -> BTreeMap<(String, bool), u64> {
        let run_id = format!("req-{}", self.invocation.request_id);
        world.cloud.with_journal(|journal| {
            let mut requests = BTreeMap::new();
            for entry in &journal.entries {
                if entry.request_id.as_ref() == Some(&run_id) {
                    let kind = (entry.method.clone(), entry.route.writes());
                    *requests.entry(kind).or_default() += 1;
                }
            }
            requests
        })
    }

    /// The figures of an answer fit each other and the metrics.
    #[track_caller]
    fn adds_up(&self, is_dry: bool, begun: DateTime<Utc>, metrics: &[Value]) {
        let answer = self.answer();
        let counts = |names: &[&str]| -> u64 {
            names
                .iter()
                .map(|name| self.figure(&format!("/snapshots/{name}")))
                .sum()
        };
        for name in COUNTS {
            self.figure(&format!("/snapshots/{name}"));
        }
        if answer["phase"] == "snapshot" && !is_dry {
            let parts = counts(&[
                "created", "adopted", "pending", "deferred", "blocked", "failed",
            ]);
            assert_eq!(self.due(), parts, "{answer:#}");
            assert_eq!(counts(&["deleted", "kept"]), 0, "{answer:#}");
        }
        if answer["phase"] == "expire" {
            assert_eq!(counts(&["created", "adopted", "pending"]), 0, "{answer:#}");
            assert_eq!(self.due(), 0, "{answer:#}");
        }
        let outcome = if !self.failures().is_empty() {
            "partial"
        } else if counts(&["pending", "deferred"]) > 0 {
            "deferred"
        } else {
            "complete"
        };
        assert_eq!(self.outcome(), outcome, "{answer:#}");
        assert!(is_dry || self.plan().is_empty(), "{answer:#}");
        for omitted in ["failures_omitted", "warnings_omitted", "plan_omitted"] {
            assert_ne!(answer[omitted], 0, "{answer:#}");
        }
        let started_at = answer["started_at"].as_str().expect("an instant");
        let started_at: DateTime<Utc> = started_at.parse().expect("RFC 3339");
        assert!((begun..=Utc::now()).contains(&started_at), "{started_at}");
        assert!(answer["duration_ms"].is_u64(), "{answer:#}");
        for line in metrics {
            assert_eq!(line["Phase"], answer["phase"], "{line}");
            assert_eq!(line.get("Cloud"), answer.get("cloud"), "{line}");
            assert_eq!(line["ProjectId"], answer["project"]["id"], "{line}");
            for (prefix, part) in [
                ("Snapshots", "snapshots"),
                ("Volumes", "volumes"),
                ("Requests", "requests"),
            ] {
                for (word, figure) in answer[part].as_object().expect("an object") {
                    let (first, rest) = word.split_at(1);
                    let metric = format!("{prefix}{}{rest}", first.to_uppercase());
                    assert_eq!(line[&metric], *figure, "{metric}: {line}");
                }
            }
        }
    }
}
