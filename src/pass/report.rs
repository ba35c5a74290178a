//! The report: looks at what an expire pass looks at, changes nothing, and tells how every volume
//! stands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use futures::try_join;

use super::inventory::{read_snapshot, read_volume};
use super::{Limits, remarks};
use crate::deadline::Deadline;
use crate::event::{InvalidEvent, ReportRequest, gone};
use crate::openstack::{Client, Error};
use crate::plan::coverage::{self, SnapshotTally, TallyRule, Totals, VolumeCoverage};
use crate::plan::expiry::{self, ExpiryLimits, ManagedSnapshots};
use crate::plan::{Scope, Volume};
use crate::report::{Capped, Report, Row, Warning};

/// What was seen of a project: kept for a while where a dashboard asks again and again.
#[derive(Debug)]
pub(crate) struct ReportInventory {
    /// The instant by which everything is judged.
    pub now: DateTime<Utc>,
    /// How long it took to look.
    pub took: std::time::Duration,
    volumes: BTreeMap<String, Volume>,
    labels: HashMap<String, Label>,
    tallies: HashMap<String, SnapshotTally>,
    managed: ManagedSnapshots,
    clock_difference: Option<TimeDelta>,
    /// That rows do not say what they are: they are in no count.
    rows_left_out: Option<Warning>,
    limits: Limits,
}

/// What people know a volume by.
#[derive(Debug)]
struct Label {
    name: String,
    size: Option<u64>,
}

/// Lists all volumes and all managed snapshots, side by side. Each snapshot made since
/// `points_since` is remembered, for a timeline.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full.
pub(crate) async fn look(
    client: &Client,
    deadline: Deadline,
    now: DateTime<Utc>,
    points_since: Option<DateTime<Utc>>,
    limits: Limits,
) -> Result<ReportInventory, Error> {
    let begun = tokio::time::Instant::now();
    let rule = TallyRule {
        now,
        stuck_after: limits.stuck_after,
        points_since,
    };
    let new = || (BTreeMap::new(), HashMap::new());
    let volumes = client.list_volumes(
        deadline,
        new,
        |(volumes, labels): &mut (BTreeMap<_, _>, HashMap<_, _>), mut one| {
            let name = one.name.take().unwrap_or_default();
            let size = one.size;
            labels.insert(one.id.clone(), Label { name, size });
            volumes.insert(one.id.clone(), read_volume(one));
        },
    );
    let new = || (HashMap::new(), ManagedSnapshots::default());
    let snapshots = client.list_managed_snapshots(
        deadline,
        new,
        |(tallies, managed): &mut (HashMap<String, SnapshotTally>, ManagedSnapshots), one| {
            let snapshot = read_snapshot(&one);
            managed.take_in(snapshot.clone(), now);
            let tally = match tallies.get_mut(&snapshot.volume_id) {
                Some(tally) => tally,
                None => tallies.entry(one.volume_id).or_default(),
            };
            tally.take_in(snapshot, one.size, &rule);
        },
    );
    let ((volumes, labels), (tallies, managed)) = try_join!(volumes, snapshots)?;
    Ok(ReportInventory {
        now,
        took: begun.elapsed(),
        volumes,
        labels,
        tallies,
        managed,
        clock_difference: client.clock_difference(),
        rows_left_out: remarks::rows_left_out(client),
        limits,
    })
}

/// A volume's place among the rows.
type Place<'a> = (coverage::CoverageState, Reverse<i64>, &'a str);

impl ReportInventory {
    /// The page that is asked for.
    ///
    /// # Errors
    /// Where it is to begin after a volume that is gone.
    pub(crate) fn report(&self, request: &ReportRequest) -> Result<Report<'_>, InvalidEvent> {
        let scope = request.scope();
        let after = request.after.as_deref();
        let after = after.map(|id| self.place(id).ok_or_else(|| gone(id)));
        let after = after.transpose()?;
        let mut totals = self.totals_of_snapshots(&scope);
        let mut listed = Vec::new();
        for one in self.volumes.values() {
            if scope.contains(one) {
                let coverage = self.coverage(one);
                totals.add_volume(coverage.state);
                let place = place(one, &coverage);
                let wanted = !request.only_attention || coverage.state.wants_attention();
                if wanted && after.is_none_or(|after| place > after) {
                    listed.push(place);
                }
            }
        }
        listed.sort_unstable();
        let is_last = listed.len() <= request.limit;
        listed.truncate(request.limit);
        let next_after = listed.last().filter(|_| !is_last).map(|place| place.2);
        let rows = listed.into_iter().filter_map(|place| self.row(place.2));
        Ok(Report {
            at: self.now,
            totals,
            rows: rows.collect(),
            next_after,
            warnings: self.warnings(&scope),
        })
    }

    fn totals_of_snapshots(&self, scope: &Scope) -> Totals {
        let mut totals = Totals::default();
        for (id, tally) in &self.tallies {
            let volume = self.volume(id);
            if contains(scope, volume, id) {
                totals.add_snapshots(tally, volume.is_some());
            }
        }
        let limits = ExpiryLimits {
            keep_last: self.limits.keep_last,
            stuck_after: self.limits.stuck_after,
            all_volumes_known: self.rows_left_out.is_none(),
        };
        if remarks::why_not_to_delete(self.clock_difference).is_none() {
            let plan = expiry::plan(&self.volumes, &self.managed, scope, self.now, limits);
            totals.expired = plan.deletions.len();
        }
        totals
    }

    fn warnings(&self, scope: &Scope) -> Capped<Warning> {
        let is_known = |id: &str| self.volume(id).is_some() || self.tallies.contains_key(id);
        let unknown =
            remarks::unknown_volumes(scope.volume_ids.as_ref(), remarks::NO_TRACE, is_known);
        let mut warnings = Capped::of_remarks();
        remarks::clocks_apart(self.clock_difference)
            .into_iter()
            .chain(self.rows_left_out.clone())
            .chain(unknown)
            .for_each(|warning| warnings.push(warning));
        warnings
    }

    /// The volume of this id, where it is there.
    pub(crate) fn volume(&self, id: &str) -> Option<&Volume> {
        self.volumes.get(id)
    }

    fn place<'a>(&'a self, id: &str) -> Option<Place<'a>> {
        let volume = self.volume(id)?;
        Some(place(volume, &self.coverage(volume)))
    }

    fn coverage<'a>(&'a self, volume: &'a Volume) -> VolumeCoverage<'a> {
        let tally = self.tallies.get(&volume.id);
        coverage::of_volume(volume, tally, self.now, self.limits.stuck_after)
    }

    fn row(&self, id: &str) -> Option<Row<'_>> {
        let volume = self.volumes.get(id)?;
        let label = self.labels.get(id)?;
        let coverage = self.coverage(volume);
        let servers = volume.servers.iter().map(String::as_str);
        Some(Row {
            volume_id: &volume.id,
            name: &label.name,
            status: &volume.status,
            size: label.size,
            created_at: volume.created_at,
            server_ids: servers.filter(|id| !id.is_empty()).collect(),
            state: coverage.state,
            policies: coverage.policies,
        })
    }
}

fn contains(scope: &Scope, volume: Option<&Volume>, volume_id: &str) -> bool {
    match volume {
        Some(volume) => scope.contains(volume),
        None => scope.contains_unlisted(volume_id),
    }
}

fn place<'a>(volume: &'a Volume, coverage: &VolumeCoverage<'_>) -> Place<'a> {
    (coverage.state, Reverse(coverage.behind_seconds), &volume.id)
}
