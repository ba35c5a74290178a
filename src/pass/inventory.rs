//! Looking at the cloud: volumes and snapshots, each listed once, side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{TryFutureExt, try_join};
use tokio::sync::SetOnce;

use super::Pass;
use crate::openstack::{self, Error};
use crate::plan::creation::HUNG_PART;
use crate::plan::expiry::ManagedSnapshots;
use crate::plan::{Expiry, Scope, Snapshot, Volume, VolumeSnapshots};
use crate::policy::{Metadata, PolicyKind, PolicyState};
use crate::report::{Summary, Warning};

/// What a snapshot pass sees.
pub(super) struct CreateInventory {
    /// The managed volumes of this pass's share.
    pub(super) volumes: Vec<Volume>,
    /// All managed volumes, in whatever share, where the pass is limited to one.
    pub(super) known: BTreeSet<String>,
    /// What there is of each volume's snapshots.
    pub(super) histories: BTreeMap<String, VolumeSnapshots>,
    /// When the newest managed snapshot was made.
    pub(super) newest: Option<DateTime<Utc>>,
}

/// What an expire pass sees.
pub(super) struct ExpireInventory {
    pub(super) volumes: BTreeMap<String, Volume>,
    /// All managed snapshots, those of volumes that are gone included.
    pub(super) snapshots: ManagedSnapshots,
    /// Metadata as listed, by snapshot, of those that have expired, where somebody will be told of
    /// failures.
    pub(super) metadata: HashMap<String, Metadata>,
}

/// Looks at what a snapshot pass needs to know.
pub(super) async fn for_creation(pass: &Pass<'_>) -> Result<CreateInventory, Error> {
    let (client, deadline, now) = (pass.client, pass.deadline, pass.now);
    let new = || (Vec::new(), BTreeSet::new());
    let horizons = Horizons::new(now, pass.limits.stuck_after / HUNG_PART);
    let volumes = client
        .list_subscribed_volumes(deadline, new, |(volumes, known), one| {
            let volume = read_volume(one);
            if *pass.scope != Scope::default() {
                known.insert(volume.id.clone());
            }
            if pass.scope.contains(&volume) {
                volumes.push(volume);
            }
        })
        .inspect_ok(|(volumes, _)| horizons.know(volumes));
    let types = PolicyKind::ALL.map(PolicyKind::as_str);
    let snapshots = client.list_recent_managed_snapshots(
        deadline,
        &types,
        |policy_type| horizons.of(policy_type),
        async || horizons.are_known().await,
        || (BTreeMap::<String, VolumeSnapshots>::new(), None),
        |(histories, newest), one| {
            let snapshot = read_snapshot(&one);
            *newest = snapshot.created_at.max(*newest);
            match histories.get_mut(&snapshot.volume_id) {
                Some(history) => history.take_in(snapshot, now),
                None => histories
                    .entry(one.volume_id)
                    .or_default()
                    .take_in(snapshot, now),
            }
        },
    );
    let ((volumes, known), listed) = try_join!(volumes, snapshots)?;
    let mut histories = BTreeMap::<String, VolumeSnapshots>::new();
    let mut newest = None;
    for (part, newest_of_part) in listed {
        newest = newest_of_part.max(newest);
        for (volume_id, of_volume) in part {
            histories.entry(volume_id).or_default().merge(of_volume);
        }
    }
    Ok(CreateInventory {
        volumes,
        known,
        histories,
        newest,
    })
}

/// How far back snapshots can matter to a snapshot pass.
struct Horizons {
    now: DateTime<Utc>,
    /// How long a snapshot in `creating` counts against the slots.
    slot_age: TimeDelta,
    /// Of each kind of policy that a volume wants when the earliest of its windows before the
    /// active ones began, once the volumes are known.
    wanted: SetOnce<BTreeMap<PolicyKind, DateTime<Utc>>>,
}

impl Horizons {
    fn new(now: DateTime<Utc>, slot_age: TimeDelta) -> Self {
        Self {
            now,
            slot_age,
            wanted: SetOnce::new(),
        }
    }

    /// The volumes have been listed: what none of them wants need not be looked for.
    fn know(&self, volumes: &[Volume]) {
        let mut wanted = BTreeMap::new();
        for (kind, state) in volumes.iter().flat_map(Volume::policies) {
            if let PolicyState::Enabled(policy) = state {
                let active = policy.window_at(self.now);
                let previous = policy.window_at(active.start - TimeDelta::seconds(1));
                let earliest = wanted.entry(kind).or_insert(previous.start);
                *earliest = previous.start.min(*earliest);
            }
        }
        // A listing is gone through once, so nothing was known before.
        let _ = self.wanted.set(wanted);
    }

    /// Waits until the volumes have been listed.
    async fn are_known(&self) {
        self.wanted.wait().await;
    }

    /// When the window before the active one began, for any policy of this type. Of a type that
    /// no volume wants, only what may still be being made matters.
    fn of(&self, policy_type: &str) -> DateTime<Utc> {
        let Ok(kind) = policy_type.parse::<PolicyKind>() else {
            return self.now;
        };
        let ago = |back| {
            let at = self.now.checked_sub_signed(back);
            at.unwrap_or(DateTime::<Utc>::MIN_UTC)
        };
        let two_windows = kind.longest_window() * 2;
        match self.wanted.get() {
            None => ago(two_windows),
            Some(wanted) => {
                let being_made = ago(two_windows.min(self.slot_age));
                wanted
                    .get(&kind)
                    .map_or(being_made, |at| being_made.min(*at))
            }
        }
    }
}

/// Looks at what an expire pass needs to know. The volumes are listed without the metadata
/// filter, which would hide those that another tool has wiped.
pub(super) async fn for_expiry(pass: &Pass<'_>) -> Result<ExpireInventory, Error> {
    let (client, deadline, now) = (pass.client, pass.deadline, pass.now);
    let volumes = client.list_volumes(deadline, BTreeMap::new, |volumes, one| {
        let volume = read_volume(one);
        volumes.insert(volume.id.clone(), volume);
    });
    let new = || (ManagedSnapshots::default(), HashMap::new());
    let snapshots = client.list_managed_snapshots(
        deadline,
        new,
        |(snapshots, metadata): &mut (ManagedSnapshots, HashMap<_, _>), one| {
            let snapshot = read_snapshot(&one);
            let has_expired = matches!(snapshot.expiry, Expiry::At(at) if at <= now);
            if pass.notifies && has_expired && snapshot.policy.is_some() {
                metadata.insert(one.id, one.metadata);
            }
            snapshots.take_in(snapshot, now);
        },
    );
    let (volumes, (snapshots, metadata)) = try_join!(volumes, snapshots)?;
    Ok(ExpireInventory {
        volumes,
        snapshots,
        metadata,
    })
}

/// Warns of volumes that were asked for by id and of which nothing is known.
pub(super) fn warn_of_unknown(
    pass: &Pass<'_>,
    what: &str,
    is_known: impl Fn(&str) -> bool,
    summary: &mut Summary,
) {
    for id in pass.scope.volume_ids.iter().flatten() {
        if !is_known(id) {
            summary.warnings.push(unknown_volume(id, what));
        }
    }
}

/// Warns of rows that do not say what they are: nothing could be done about them.
pub(super) fn warn_of_rows_left_out(pass: &Pass<'_>, summary: &mut Summary) {
    let rows = pass.client.rows_left_out();
    if rows > 0 {
        summary.warn(format!(
            "{rows} rows of the cloud's listings have no readable id, so nothing could be done \
             about what they are of: ask the cloud's operators"
        ));
    }
}

/// The warning of a volume that was asked for by id and of which nothing is known.
pub(super) fn unknown_volume(id: &str, what: &str) -> Warning {
    tracing::warn!(volume_id = id, "asked for, and {what}");
    Warning {
        volume_id: Some(id.to_owned()),
        warning: format!("named in volume_ids, but {what}"),
        ..Warning::default()
    }
}

/// Reads a listed volume as planning sees it.
pub(super) fn read_volume(volume: openstack::Volume) -> Volume {
    let mut servers: Vec<String> = volume
        .attachments
        .into_iter()
        .map(|attachment| attachment.server_id.unwrap_or_default())
        .collect();
    // A volume's attachments come in no order.
    servers.sort();
    let mut read = Volume::new(volume.id, volume.status, servers, &volume.metadata);
    read.volume_type = volume.volume_type;
    read.created_at = volume.created_at;
    read
}

/// Reads a listed snapshot as planning sees it.
pub(super) fn read_snapshot(snapshot: &openstack::Snapshot) -> Snapshot {
    Snapshot::new(
        snapshot.id.clone(),
        snapshot.volume_id.clone(),
        snapshot.status.as_str(),
        snapshot.created_at,
        snapshot.updated_at,
        &snapshot.metadata,
    )
}
