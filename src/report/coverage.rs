//! The answer of a report: how the volumes stand, a page of them at a time.

use std::io;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::answer::{ProjectLabel, is_zero};
use super::entries::{Capped, Warning};
use crate::cloud_name::CloudName;
use crate::event::Phase;
use crate::plan::coverage::{CoverageState, KindTally, PolicyCoverage, Totals};
use crate::policy::{PolicyKind, PolicyState};
use crate::text::serialize_rfc3339;

/// Lambda's answers may have six megabytes; this leaves room for what is not rows.
const MOST_BYTES: usize = 5_000_000;

/// What a report has come to: its totals, and a page of rows.
#[derive(Clone, Debug)]
pub(crate) struct Report<'a> {
    /// When the cloud was looked at: the instant by which everything is judged.
    pub at: DateTime<Utc>,
    /// Of the whole share.
    pub totals: Totals,
    /// The volumes of this page, the worst first.
    pub rows: Vec<Row<'a>>,
    /// The volume after which the next page begins; nothing on the last.
    pub next_after: Option<&'a str>,
    pub warnings: Capped<Warning>,
}

/// One volume of a report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row<'a> {
    pub volume_id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// Cinder's word for its state.
    pub status: &'a str,
    /// In GiB.
    pub size: Option<u64>,
    #[serde(skip)]
    pub created_at: Option<DateTime<Utc>>,
    /// The servers it is attached to.
    pub server_ids: Vec<&'a str>,
    pub state: CoverageState,
    #[serde(serialize_with = "policies")]
    pub policies: Vec<PolicyCoverage<'a>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ReportAnswer<'a> {
    pub phase: Phase,
    pub run_id: &'a str,
    /// When the cloud was looked at.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub at: DateTime<Utc>,
    /// The cloud that the event named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<&'a CloudName>,
    /// The project that the token was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<&'a ProjectLabel>,
    /// Of the whole share.
    pub totals: Totals,
    pub volumes: &'a [Row<'a>],
    /// The volume after which the next page begins.
    pub next_after: Option<&'a str>,
    pub warnings: &'a [Warning],
    /// How many warnings were left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub warnings_omitted: usize,
}

impl<'a> Report<'a> {
    /// Leaves out the rows with which the answer would be larger than Lambda lets it be, if
    /// `size` is what one takes; at least one stays.
    pub(crate) fn fit(&mut self, size: impl Fn(&Row<'a>) -> usize, most: usize) {
        let mut bytes = 0;
        let fitting = self.rows.iter().take_while(|row| {
            bytes += size(row);
            bytes <= most
        });
        let fitting = fitting.count().max(1);
        if fitting < self.rows.len() {
            self.rows.truncate(fitting);
            self.next_after = self.rows.last().map(|row| row.volume_id);
        }
    }

    /// The same, by what the rows take as JSON.
    pub(crate) fn fit_json(&mut self) {
        self.fit(json_size, MOST_BYTES);
    }

    pub(crate) fn answer(
        &'a self,
        run_id: &'a str,
        cloud: Option<&'a CloudName>,
        project: Option<&'a ProjectLabel>,
    ) -> ReportAnswer<'a> {
        ReportAnswer {
            phase: Phase::Report,
            run_id,
            at: self.at,
            cloud,
            project,
            totals: self.totals,
            volumes: &self.rows,
            next_after: self.next_after,
            warnings: self.warnings.entries(),
            warnings_omitted: self.warnings.omitted(),
        }
    }
}

/// How many bytes it takes as JSON.
pub(crate) fn json_size(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).expect("answers have string keys and finite numbers");
    count.0
}

/// A policy as a row shows it.
#[derive(Serialize)]
struct PolicyRow<'a> {
    policy: PolicyKind,
    state: CoverageState,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    behind_seconds: Option<i64>,
    window_start: Option<Instant>,
    window_end: Option<Instant>,
    next_due: Option<Instant>,
    newest: Option<NewestRow<'a>>,
    oldest_created_at: Option<Instant>,
    available: u32,
    creating: u32,
    leftovers: u32,
}

#[derive(Serialize)]
struct NewestRow<'a> {
    snapshot_id: &'a str,
    window_start: Option<Instant>,
    created_at: Option<Instant>,
    expires_at: Option<Instant>,
    held: bool,
}

#[derive(Serialize)]
struct Instant(#[serde(serialize_with = "serialize_rfc3339")] DateTime<Utc>);

fn policies<S: Serializer>(policies: &[PolicyCoverage<'_>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(policies.iter().map(policy_row))
}

fn policy_row<'a>(coverage: &PolicyCoverage<'a>) -> PolicyRow<'a> {
    let nothing = KindTally::default();
    let tally = coverage.tally.unwrap_or(&nothing);
    PolicyRow {
        policy: coverage.kind,
        state: coverage.state,
        error: match coverage.reading {
            PolicyState::Invalid(invalid) => Some(invalid.to_string()),
            PolicyState::Enabled(_) | PolicyState::Disabled => None,
        },
        behind_seconds: coverage.active.map(|active| active.behind_seconds),
        window_start: coverage.active.map(|active| Instant(active.window.start)),
        window_end: coverage.active.map(|active| Instant(active.window.end)),
        next_due: coverage.active.map(|active| Instant(active.next_due)),
        newest: coverage.tally.and_then(newest_row),
        oldest_created_at: tally.oldest_created_at.map(Instant),
        available: tally.available,
        creating: tally.creating,
        leftovers: tally.leftovers,
    }
}

fn newest_row(tally: &KindTally) -> Option<NewestRow<'_>> {
    let newest = tally.newest.as_ref()?;
    Some(NewestRow {
        snapshot_id: &newest.snapshot_id,
        window_start: newest.window_start.map(Instant),
        created_at: newest.created_at.map(Instant),
        expires_at: newest.expires_at.map(Instant),
        held: newest.held,
    })
}
