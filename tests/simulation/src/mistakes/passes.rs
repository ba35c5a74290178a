//! Mistakes that single passes show.
//!
//! Of the rules in `src/plan/` and `src/policy/` there are a few only, which prove that the seeds
//! see that layer: the rest is changed line by line by cargo-mutants.

use super::{Change, Mistake};

/// Each of them is found by some seed of misfortune.
pub const OF_PASSES: &[Mistake] = &[
    Mistake {
        name: "retry-without-look-up",
        says: "A creation whose answer was lost is simply sent again.",
        changes: &[
            Change {
                file: "src/openstack/creation.rs",
                find: r"if doubt.get() != Doubt::None
    && let Some(found) = look_up(None).await?
{
    return Ok(Creation::Adopted(found));
}",
                put: "",
            },
            Change {
                file: "src/openstack/creation.rs",
                find: r"let found = look_up(Some(&error)).await?;
doubt.set(Doubt::FoundNothing);
found.map(Creation::Adopted).ok_or(error)",
                put: "Err(error)",
            },
        ],
    },
    Mistake {
        name: "thirty-seconds-for-everything",
        says: "A snapshot that is not available after thirty seconds is deleted and reported as failed.",
        changes: &[Change {
            file: "src/openstack/snapshot_creation.rs",
            find: "match self.settled_snapshot(deadline, requested.resource()).await {",
            put: r#"let ours = matches!(requested, Creation::Created { .. });
let waiting = if ours {
    deadline.within(std::time::Duration::from_secs(30))
} else {
    deadline
};
match self.settled_snapshot(waiting, requested.resource()).await {
    Err(_) if ours && !deadline.remaining().is_zero() => {
        let broken = Snapshot {
            status: SnapshotStatus::Error,
            metadata: new.metadata.clone(),
            ..requested.resource().clone()
        };
        Err(self.broken(deadline, broken, made_by, matcher).await)
    }"#,
        }],
    },
    Mistake {
        name: "deletion-errors-are-successes",
        says: "Every deletion that is refused counts as done.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: "Err(error) => Self::Refused(error),",
            put: "Err(_) => Self::AlreadyGone,",
        }],
    },
    Mistake {
        name: "windows-of-fixed-length",
        says: "Windows have a fixed length, also when the clocks change.",
        changes: &[Change {
            file: "src/policy/window.rs",
            find: "let end = self.zone.first_instant_of(nominal_end);",
            put: "let end = start + (nominal_end - nominal_start);",
        }],
    },
    Mistake {
        name: "one-listing-per-volume",
        says: "Snapshots are listed once more for every volume.",
        changes: &[Change {
            file: "src/pass/inventory.rs",
            find: "let ((volumes, known, neighbours), listed) = try_join!(volumes, snapshots)?;",
            put: r"let ((volumes, known, neighbours), listed) = try_join!(volumes, snapshots)?;
for volume in volumes.iter() {
    client
        .list_managed_volume_snapshots(deadline, &volume.id, None, false, None)
        .await?;
}",
        }],
    },
    Mistake {
        name: "token-never-renewed",
        says: "A 401 ends the operation: the token is never renewed.",
        changes: &[Change {
            file: "src/openstack/request.rs",
            find: r"if unfit.is_none()
    && token.replaced_a_refused_one_in",
            put: r"if unfit.is_some()
    && token.replaced_a_refused_one_in",
        }],
    },
    Mistake {
        name: "502-is-final",
        says: "502 is not retried.",
        changes: &[Change {
            file: "src/openstack/error.rs",
            find: "matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504) || self.is_rate_limit()",
            put: "matches!(status.as_u16(), 408 | 500 | 503 | 504) || self.is_rate_limit()",
        }],
    },
    Mistake {
        name: "retry-after-ignored",
        says: "`Retry-After` is ignored.",
        changes: &[Change {
            file: "src/openstack/retry.rs",
            find: r"let wait = config
    .delay(n, fraction)
    .max(error.retry_after().unwrap_or_default());",
            put: "let wait = config.delay(n, fraction);",
        }],
    },
    Mistake {
        name: "broken-one-is-left",
        says: "The clean-up of a failed creation has no time left.",
        changes: &[Change {
            file: "src/openstack/snapshot_creation.rs",
            find: r".delete_snapshot(
                deadline,",
            put: r".delete_snapshot(
    deadline.within(std::time::Duration::ZERO),",
        }],
    },
    Mistake {
        name: "always-complete",
        says: "The run reports success whatever happened.",
        changes: &[Change {
            file: "src/report/answer.rs",
            find: "let outcome = if !summary.failures.is_empty() {",
            put: "let outcome = if summary.failures.entries().len() > 1_000 {",
        }],
    },
    Mistake {
        name: "vanished-marker-is-the-end",
        says: "A marker that has vanished is taken for the end of the listing.",
        changes: &[Change {
            file: "src/openstack/paging.rs",
            find: "Err(error) if self.can_go_on_after(&error, with_version) => {",
            put: r#"Err(error) if error.status() == Some(StatusCode::NOT_FOUND) && !self.visited.is_empty() => {
    tracing::debug!(%error, "the end");
    self.next = None;
    return Ok(Step::End);
}
Err(error) if self.can_go_on_after(&error, with_version) => {"#,
        }],
    },
    Mistake {
        name: "empty-filter-is-believed",
        says: "A filtered listing that comes back empty is believed.",
        changes: &[Change {
            file: "src/openstack/paging.rs",
            find: "if !self.has_shown_rows && self.listing.filter_is_optional && self.is_filtered() {",
            put: "if !self.has_shown_rows && self.listing.filter_is_optional && !self.is_filtered() {",
        }],
    },
    Mistake {
        name: "refused-filter-is-final",
        says: "A filter that is refused fails the pass.",
        changes: &[Change {
            file: "src/openstack/paging.rs",
            find: r"if self.listing.filter_is_optional {
    self.listing.filter = None;
}
return self.listing.filter_is_optional;",
            put: "return false;",
        }],
    },
    Mistake {
        name: "half-a-listing",
        says: "A listing that fails after its first page is taken as it is.",
        changes: &[Change {
            file: "src/openstack/paging.rs",
            find: r"    Err(error) => return Err(error),
};",
            put: r"    Err(error) if self.visited.is_empty() => return Err(error),
    Err(_) => {
        self.next = None;
        return Ok(Step::End);
    }
};",
        }],
    },
    Mistake {
        name: "unmanaged-is-managed",
        says: "The client does not filter: whatever the server lists is managed.",
        changes: &[Change {
            file: "src/openstack/client.rs",
            find: r#"metadata
    .get(self.tags.managed)
    .is_some_and(|value| value == "true")"#,
            put: "metadata.len() < usize::MAX || metadata.contains_key(self.tags.managed)",
        }],
    },
    Mistake {
        name: "managed-in-any-spelling",
        says: "`True` and `1` count as managed too.",
        changes: &[
            Change {
                file: "src/openstack/client.rs",
                find: r#".is_some_and(|value| value == "true")"#,
                put: r#".is_some_and(|value| value != "false")"#,
            },
            Change {
                file: "src/policy/keys.rs",
                find: r#"metadata.get(MANAGED).is_some_and(|value| value == "true")"#,
                put: r#"metadata.get(MANAGED).is_some_and(|value| value != "false")"#,
            },
        ],
    },
    Mistake {
        name: "filtered-volumes-for-expire",
        says: "An expire pass lists managed volumes only, so that wiped ones look deleted.",
        changes: &[Change {
            file: "src/pass/inventory.rs",
            find: "let volumes = client.list_volumes(deadline, BTreeMap::new, |volumes, one| {",
            put: "let volumes = client.list_subscribed_volumes(deadline, BTreeMap::new, |volumes, one| {",
        }],
    },
    Mistake {
        name: "error-serves",
        says: "A snapshot in error serves its window.",
        changes: &[Change {
            file: "src/plan/snapshot.rs",
            find: "matches!(self, Self::Error | Self::ErrorDeleting | Self::Deleting)",
            put: "matches!(self, Self::ErrorDeleting | Self::Deleting)",
        }],
    },
    Mistake {
        name: "outcome-unknown-ignored",
        says: "A look-up that fails is taken for one that found nothing.",
        changes: &[Change {
            file: "src/openstack/snapshot_creation.rs",
            find: "Ok(listed) => listed,",
            put: r"Ok(listed) => listed,
Err(look_up) if lost.is_some() && !look_up.is_out_of_time() => return Ok(None),",
        }],
    },
    Mistake {
        name: "recognised-by-policy-alone",
        says: "A look-up takes any snapshot of the policy for the one that was lost.",
        changes: &[Change {
            file: "src/pass/create.rs",
            find: r"snapshot.policy == Some(due.policy)
    && snapshot.window_start == Some(due.window.start)
    && !due.known.contains(&snapshot.id)",
            put: "snapshot.policy == Some(due.policy) && !due.known.contains(&snapshot.id)",
        }],
    },
    Mistake {
        name: "known-ones-recognised",
        says: "A look-up takes one that was there before for the one that was lost.",
        changes: &[Change {
            file: "src/pass/create.rs",
            find: r"snapshot.policy == Some(due.policy)
    && snapshot.window_start == Some(due.window.start)
    && !due.known.contains(&snapshot.id)",
            put: "snapshot.policy == Some(due.policy) && snapshot.window_start == Some(due.window.start)",
        }],
    },
    Mistake {
        name: "look-up-by-name-alone",
        says: "A look-up goes by the name, whether managed or not.",
        changes: &[
            Change {
                file: "src/openstack/snapshot.rs",
                find: "pub id: String,",
                put: r"pub id: String,
/// Its name.
#[serde(default)]
pub name: Option<String>,",
            },
            Change {
                file: "src/pass/executor.rs",
                find: "volume_id: other.volume_id.clone(),",
                put: "volume_id: other.volume_id.clone(),\nname: None,",
            },
            Change {
                file: "src/openstack/snapshot_listing.rs",
                find: "if one.volume_id == volume_id && wanted && self.is_managed(&one.metadata) {",
                put: r#"if one.volume_id == volume_id
    && (wanted
        || one
            .name
            .as_ref()
            .is_some_and(|name| name.starts_with("managed-")))
{"#,
            },
            Change {
                file: "src/pass/create.rs",
                find: r"snapshot.policy == Some(due.policy)
    && snapshot.window_start == Some(due.window.start)
    && !due.known.contains(&snapshot.id)",
                put: "seen.name.as_ref() == Some(&due.name) && !due.known.contains(&snapshot.id)",
            },
        ],
    },
    Mistake {
        name: "the-latest-look-ignored",
        says: "What others have taken meanwhile is not noticed before a request leaves.",
        changes: &[Change {
            file: "src/pass/create.rs",
            find: "let serving = self.serving(due, cleaned, &seen)?;",
            put: "let serving = self.serving(due, cleaned, &[])?;",
        }],
    },
    Mistake {
        name: "no-second-look-before-the-retry",
        says: "The second try is sent without another look-up.",
        changes: &[Change {
            file: "src/openstack/creation.rs",
            find: "if doubt.get() != Doubt::None",
            put: "if doubt.get() == Doubt::Open",
        }],
    },
    Mistake {
        name: "many-of-one-volume",
        says: "Snapshots of one volume are made side by side.",
        changes: &[Change {
            file: "src/pass/scheduler.rs",
            find: "let is_creating = |due: &DueWindow| creating.contains(&due.volume_id);",
            put: "let is_creating = |due: &DueWindow| creating.contains(&due.name);",
        }],
    },
    Mistake {
        name: "no-slots",
        says: "`SNAPSENTRY_MAX_CREATING` is not kept.",
        changes: &[
            Change {
                file: "src/pass/slots.rs",
                find: ".filter(|(of, count)| self.taken.get(of).unwrap_or(&0) + count > self.limit)",
                put: ".filter(|(of, count)| self.taken.get(of).unwrap_or(&0) + count > usize::MAX)",
            },
            Change {
                file: "src/pass/slots.rs",
                find: "if *count < self.limit && chunk.len() < at_once {",
                put: "if chunk.len() < at_once {",
            },
        ],
    },
    Mistake {
        name: "one-after-the-other",
        says: "The volumes of one VM are taken one after the other.",
        changes: &[Change {
            file: "src/pass/slots.rs",
            find: "if *count < self.limit && chunk.len() < at_once {",
            put: "if *count < self.limit && chunk.is_empty() && at_once > 0 {",
        }],
    },
    Mistake {
        name: "pending-is-deleted",
        says: "A snapshot that is not available when time is up is forgotten: nobody counts it.",
        changes: &[Change {
            file: "src/pass/snapshot_summary.rs",
            find: "SnapshotCounts { pending: 1, ..none }",
            put: "SnapshotCounts { pending: 0, ..none }",
        }],
    },
    Mistake {
        name: "quota-stops-all",
        says: "When the quota has refused one window, no other is tried.",
        changes: &[
            Change {
                file: "src/pass/create.rs",
                find: "let new = NewSnapshot {",
                put: r#"static USED_UP: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
let run = format!("{:?}", self.now);
let is_over = USED_UP.lock().is_ok_and(|of| *of == run);
if is_over {
    let why = self.deadline.within(std::time::Duration::ZERO);
    let late = self.client.volume(why, &due.volume_id).await;
    if let Err(error) = late {
        return CreateOutcome::Deferred(Deferral::OutOfTime(error));
    }
}
let new = NewSnapshot {"#,
            },
            Change {
                file: "src/pass/create.rs",
                find: "}) => match self.blocked_by_now(due, &error).await {",
                put: r#"}) => match {
    if error.to_string().contains("quota")
        && let Ok(mut of) = USED_UP.lock()
    {
        *of = format!("{:?}", self.now);
    }
    self.blocked_by_now(due, &error).await
} {"#,
            },
        ],
    },
    Mistake {
        name: "younger-twin-stays",
        says: "Of two twins the older one goes.",
        changes: &[Change {
            file: "src/plan/duplicates.rs",
            find: ".into_values()",
            put: r".into_values()
.rev()",
        }],
    },
    Mistake {
        name: "no-look-for-twins",
        says: "A pass does not look for twins when its own are available.",
        changes: &[Change {
            file: "src/pass/dedupe.rs",
            find: "if created.is_empty() {",
            put: "if created.len() < usize::MAX {",
        }],
    },
    Mistake {
        name: "hold-ignored",
        says: "A hold is ignored.",
        changes: &[
            Change {
                file: "src/plan/expiry/judge.rs",
                find: r"if copy.held {
    ExpiryVerdict::Held
}",
                put: r"if false {
    ExpiryVerdict::Held
}",
            },
            Change {
                file: "src/plan/expiry/judge.rs",
                find: r"if snapshot.held {
    ExpiryVerdict::Held
}",
                put: r"if false {
    ExpiryVerdict::Held
}",
            },
        ],
    },
    Mistake {
        name: "wiped-volumes-lose-their-last",
        says: "Keep-last does not protect what another tool has wiped.",
        changes: &[Change {
            file: "src/plan/expiry/judge.rs",
            find: r"} else if volume.without_our_keys {
    self.limits.keep_last
}",
            put: r"} else if false {
    self.limits.keep_last
}",
        }],
    },
    Mistake {
        name: "orphans-stay",
        says: "Snapshots whose volume is gone are never deleted.",
        changes: &[Change {
            file: "src/plan/expiry/mod.rs",
            find: "None => scope.contains_unlisted(volume_id),",
            put: "None => scope.contains_unlisted(volume_id) && volume_id.is_empty(),",
        }],
    },
    Mistake {
        name: "403-is-a-success",
        says: "A deletion that the role does not allow counts as done.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: "Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Self::AlreadyGone,",
            put: r"Err(error)
    if matches!(
        error.status(),
        Some(StatusCode::NOT_FOUND | StatusCode::FORBIDDEN)
    ) =>
{
    Self::AlreadyGone
}",
        }],
    },
    Mistake {
        name: "404-is-a-failure",
        says: "A snapshot that is gone already is a failure.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: "Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Self::AlreadyGone,",
            put: "Err(error) if error.status() == Some(StatusCode::GONE) => Self::AlreadyGone,",
        }],
    },
    Mistake {
        name: "force-whatever-it-is",
        says: "What the cloud refuses to delete is deleted by force, whatever its state.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: r"State::Deleting => AfterRefusal::LeaveToOther,
                _ => AfterRefusal::GiveUp,
            }
        };
        let outcome = self
            .client
            .delete_snapshot(deadline, snapshot_id, goes, force_what_is_stuck)",
            put: r"_ => AfterRefusal::Force,
            }
        };
        let outcome = self
            .client
            .delete_snapshot(deadline, snapshot_id, goes, force_what_is_stuck)",
        }],
    },
    Mistake {
        name: "never-by-force",
        says: "Nothing is ever deleted by force.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: "_ if stuck || snapshot.state == State::ErrorDeleting => {",
            put: "_ if stuck && snapshot.held => {",
        }],
    },
    Mistake {
        name: "dry-run-deletes",
        says: "A dry run of an expire pass deletes.",
        changes: &[Change {
            file: "src/pass/expire.rs",
            find: "if pass.dry_run {",
            put: "if pass.dry_run && plan.deletions.is_empty() {",
        }],
    },
    Mistake {
        name: "dry-run-creates",
        says: "A dry run of a snapshot pass creates.",
        changes: &[Change {
            file: "src/pass/snapshot.rs",
            find: "let outcomes = if pass.dry_run {",
            put: "let outcomes = if pass.dry_run && plan.decisions.len() > 3 {",
        }],
    },
    Mistake {
        name: "shares-overlap",
        says: "A pass takes the next share as well.",
        changes: &[Change {
            file: "src/plan/scope.rs",
            find: "stable_hash(key) % u64::from(self.count.max(1)) == u64::from(self.index)",
            put: r"let share = stable_hash(key) % u64::from(self.count.max(1));
share == u64::from(self.index) || share == u64::from(self.index + 1)",
        }],
    },
    Mistake {
        name: "margin-ignored",
        says: "`SNAPSENTRY_DEADLINE_MARGIN` is ignored.",
        changes: &[Change {
            file: "src/handler/time_limit.rs",
            find: "Deadline::at(begun + left.saturating_sub(bounds.deadline_margin))",
            put: "Deadline::at(begun + left)",
        }],
    },
    Mistake {
        name: "begun-although-it-does-not-fit",
        says: "Deletions and creations are begun although they would not fit.",
        changes: &[Change {
            file: "src/openstack/observed.rs",
            find: "if deadline.fits(expected) {",
            put: "if deadline.fits(expected.min(std::time::Duration::ZERO)) {",
        }],
    },
    Mistake {
        name: "too-many-at-a-time",
        says: "One more request is in flight than allowed.",
        changes: &[Change {
            file: "src/openstack/connection.rs",
            find: "in_flight: Arc::new(Semaphore::new(parts.max_concurrency)),",
            put: "in_flight: Arc::new(Semaphore::new(parts.max_concurrency + 1)),",
        }],
    },
    Mistake {
        name: "created-one-too-many",
        says: "One more is counted as created than was.",
        changes: &[Change {
            file: "src/pass/snapshot_summary.rs",
            find: "SnapshotCounts { created: 1, ..none }",
            put: "SnapshotCounts { created: 2, ..none }",
        }],
    },
    Mistake {
        name: "retries-are-not-counted",
        says: "A request that is tried again is not counted as sent.",
        changes: &[Change {
            file: "src/openstack/connection.rs",
            find: "self.sent.fetch_add(1, Ordering::Relaxed);",
            put: r"self.sent
    .fetch_add(u64::from(outgoing.kind != RequestKind::Login), Ordering::Relaxed);",
        }],
    },
    Mistake {
        name: "secret-in-the-log",
        says: "The token is logged.",
        changes: &[Change {
            file: "src/openstack/auth.rs",
            find: "renew_at = %renew_at,",
            put: r"renew_at = %renew_at,
token = header.to_str().unwrap_or_default(),",
        }],
    },
    Mistake {
        name: "failures-in-silence",
        says: "A failed creation sends no notification.",
        changes: &[Change {
            file: "src/pass/snapshot_summary.rs",
            find: "pass.notifies.then(|| {",
            put: "(pass.notifies && due.known.len() > 1_000).then(|| {",
        }],
    },
    Mistake {
        name: "metrics-of-a-dry-run",
        says: "A dry run writes metrics.",
        changes: &[Change {
            file: "src/handler/mod.rs",
            find: "if labels.dry_run || !phase.is_none_or(Phase::is_measured) {",
            put: "if !phase.is_none_or(Phase::is_measured) {",
        }],
    },
    Mistake {
        name: "looks-without-a-break",
        says: "Snapshots that are being made are looked at as often as answers come.",
        changes: &[Change {
            file: "src/openstack/poller.rs",
            find: r"const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
/// The interval is this part of the age of what is waited for.
const LOOKS_A_LIFE: u32 = 12;",
            put: r"const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);
/// The interval is this part of the age of what is waited for.
const LOOKS_A_LIFE: u32 = 100_000;",
        }],
    },
    Mistake {
        name: "401-for-ever",
        says: "A 401 fetches fresh tokens for ever.",
        changes: &[Change {
            file: "src/openstack/request.rs",
            find: "&& token.replaced_a_refused_one_in != Some(self.invocation) =>",
            put: "|| unfit.is_some() && !deadline.remaining().is_zero() =>",
        }],
    },
    Mistake {
        name: "looks-that-press-on",
        says: "A look that was given up is followed by the next one whatever the cloud asks for.",
        changes: &[Change {
            file: "src/openstack/snapshot_looks.rs",
            find: "Ok(self.looked(error.retry_after()))",
            put: "Ok(self.looked(None))",
        }],
    },
    Mistake {
        name: "logins-that-press-on",
        says: "A login that was given up is followed by the next one whatever Keystone asks for.",
        changes: &[Change {
            file: "src/openstack/auth.rs",
            find: r"let asked = failed.error.retry_after().unwrap_or_default();
let wait = asked.saturating_sub(failed.at.elapsed());",
            put: "let wait = std::time::Duration::ZERO;",
        }],
    },
    Mistake {
        name: "held-ones-are-counted",
        says: "`keep-at-most` counts what is held, so that a hold costs another copy.",
        changes: &[Change {
            file: "src/plan/expiry/judge.rs",
            find: "usize::from(counts && !copy.held)",
            put: "usize::from(counts)",
        }],
    },
    Mistake {
        name: "one-less-than-at-most",
        says: "Expiry leaves one less than `keep-at-most` says.",
        changes: &[Change {
            file: "src/plan/expiry/judge.rs",
            find: "newer_not_held >= most",
            put: "newer_not_held + 1 >= most",
        }],
    },
    Mistake {
        name: "number-beats-keep-last",
        says: "`keep-at-most` deletes what keep-last protects.",
        changes: &[
            Change {
                file: "src/plan/expiry/judge.rs",
                find: r"if copy.held {
            ExpiryVerdict::Held
        } else if is_last {",
                put: r"if copy.held {
            ExpiryVerdict::Held
        } else if is_last && reason == Reason::Expired {",
            },
            Change {
                file: "src/plan/expiry/judge.rs",
                find: "} else if is_surplus && !is_last && copy.is_dated() {",
                put: "} else if is_surplus {",
            },
        ],
    },
    Mistake {
        name: "number-of-a-volume-that-says-goodbye",
        says: "`keep-at-most` deletes of volumes that are not managed.",
        changes: &[Change {
            file: "src/plan/expiry/judge.rs",
            find: "let volume = self.volume.filter(|volume| volume.managed)?;",
            put: "let volume = self.volume?;",
        }],
    },
    Mistake {
        name: "own-keep-last-ignored",
        says: "A policy's own `keep-last` is ignored.",
        changes: &[Change {
            file: "src/plan/expiry/judge.rs",
            find: ".map_or(self.limits.keep_last, |own| own as usize)",
            put: ".map_or(self.limits.keep_last, |_| self.limits.keep_last)",
        }],
    },
    Mistake {
        name: "keep-last-of-what-cannot-be-read",
        says: "The `keep-last` of a policy that cannot be read is ignored.",
        changes: &[Change {
            file: "src/policy/read.rs",
            find: "Self::Invalid(invalid) => invalid.keep_last,",
            put: "Self::Invalid(_) => None,",
        }],
    },
    Mistake {
        name: "first-of-the-times",
        says: "Of several times a day only the first counts.",
        changes: &[Change {
            file: "src/policy/read.rs",
            find: "Some(times) => times,",
            put: r"Some(mut times) => {
    times.truncate(1);
    times
}",
        }],
    },
    Mistake {
        name: "thirty-days-hath-february",
        says: "A year from a leap day begins in March where there is none.",
        changes: &[Change {
            file: "src/policy/window.rs",
            find: r#"day_of_month(first.expect("every month has a first day"), day)"#,
            put: r#"first.expect("every month has a first day") + Days::new(u64::from(day) - 1)"#,
        }],
    },
    Mistake {
        name: "youngest-expired-first",
        says: "What expired last goes first.",
        changes: &[Change {
            file: "src/plan/expiry/mod.rs",
            find: "(self.turn, self.expired_at, self.snapshot_id)",
            put: "(self.turn, DateTime::UNIX_EPOCH + (DateTime::UNIX_EPOCH - self.expired_at), self.snapshot_id)",
        }],
    },
    Mistake {
        name: "broken-ones-go-first",
        says: "What is in error goes before what is whole.",
        changes: &[Change {
            file: "src/plan/expiry/judge.rs",
            find: "State::Error => Turn::Error,",
            put: "State::Error => Turn::Available,",
        }],
    },
    Mistake {
        name: "late-holds-ignored",
        says: "Nothing is read again before it goes, however long ago it was listed.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: "listed_since.elapsed() > LISTING_HOLDS",
            put: "listed_since.elapsed() > LISTING_HOLDS * 1_000",
        }],
    },
    Mistake {
        name: "deletes-by-any-clock",
        says: "Clocks that are hours apart stop no deletion.",
        changes: &[Change {
            file: "src/pass/remarks.rs",
            find: "difference.filter(|difference| difference.abs() > TRUSTED)?",
            put: "difference.filter(|difference| difference.abs() > TRUSTED * 1_000)?",
        }],
    },
    Mistake {
        name: "clocks-in-silence",
        says: "Nobody is told that the clocks are apart.",
        changes: &[Change {
            file: "src/pass/remarks.rs",
            find: "difference.filter(|difference| difference.abs() > NOTABLE)?",
            put: "difference.filter(|difference| difference.abs() > NOTABLE * 1_000)?",
        }],
    },
    Mistake {
        name: "report-of-another-instant",
        says: "A report judges windows by another instant than a snapshot pass.",
        changes: &[Change {
            file: "src/plan/coverage/mod.rs",
            find: "let verdict = creation::judge(volume, policy, snapshots, now, stuck_after);",
            put: r"let verdict =
    creation::judge(volume, policy, snapshots, now - TimeDelta::minutes(90), stuck_after);",
        }],
    },
    Mistake {
        name: "creating-protects",
        says: "A report calls protected what cannot be restored from yet.",
        changes: &[Change {
            file: "src/plan/coverage/mod.rs",
            find: "WindowVerdict::Served { window, .. } => (CoverageState::Creating, *window, window.start),",
            put: "WindowVerdict::Served { window, .. } => (CoverageState::Protected, *window, window.end),",
        }],
    },
    Mistake {
        name: "horizon-too-near",
        says: "A listing ends where the active windows began, also where nothing is there to restore from.",
        changes: &[Change {
            file: "src/pass/horizons.rs",
            find: "self.windows.get()?.previous_since(kind, &seen)",
            put: "self.windows.get()?.previous_since(kind, &seen).and(None)",
        }],
    },
    Mistake {
        name: "anything-settles-what-came-before",
        says: "Whatever there is of an active window makes up for not looking at the one before.",
        changes: &[Change {
            file: "src/plan/recent_windows.rs",
            find: "part.has_available(kind, active)",
            put: "part.of_window(kind, active).next().is_some()",
        }],
    },
    Mistake {
        name: "order-trusted",
        says: "That rows come newest first is taken on trust.",
        changes: &[Change {
            file: "src/openstack/newest_first.rs",
            find: "let is_believed = self.order.falls.get() && !self.order.rises.get() && !self.has_undated;",
            put: "let is_believed = self.order.falls.get() || !self.has_undated;",
        }],
    },
    Mistake {
        name: "skew-ignored",
        says: "The difference of the clocks is not allowed for.",
        changes: &[Change {
            file: "src/openstack/recent_snapshots.rs",
            find: "let difference = self.clock_difference().unwrap_or_default().abs();",
            put: "let difference = self.clock_difference().map_or(TimeDelta::zero(), |_| TimeDelta::zero());",
        }],
    },
    Mistake {
        name: "empty-type-is-believed",
        says: "That no policy type shows any row is believed.",
        changes: &[Change {
            file: "src/openstack/recent_snapshots.rs",
            find: "is_filtering.get() && (!is_empty || shows_rows(&readings))",
            put: "is_filtering.get() || !is_empty || shows_rows(&readings)",
        }],
    },
    Mistake {
        name: "undated-are-old",
        says: "A row that does not say when it was made is taken for an old one.",
        changes: &[Change {
            file: "src/openstack/newest_first.rs",
            find: "self.has_undated = true;",
            put: "self.has_undated = false;",
        }],
    },
    Mistake {
        name: "null-state-is-broken",
        says: "A snapshot whose state cannot be read is taken for a broken one.",
        changes: &[Change {
            file: "src/plan/snapshot.rs",
            find: r#""error" => Self::Error,"#,
            put: r#""error" | "" => Self::Error,"#,
        }],
    },
];
