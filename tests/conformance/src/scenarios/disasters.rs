//! Parts of a cloud that go missing, for a while, and come back: what several passes in a row
//! make of it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use simcloud::lambda::Invocation;
use tokio::time::{Instant, sleep};

use super::{assert_counts, assert_outcome, next_second};
use crate::api::Api;
use crate::sandbox::Sandbox;
use crate::tenancy::{Fate, Login, NewVolume, Part, Tenancy};

/// Passes in a row over a sick cloud.
const PASSES: usize = 10;
/// Enough for what does not hang.
const QUICK: Duration = Duration::from_secs(12);
/// How long the cloud may take to work off what has waited: RabbitMQ's clients try again at
/// growing intervals.
const RECOVERY: Duration = Duration::from_secs(120);

/// One leftover and no more, however often the function comes; every pass says since when somebody
/// is without a recovery point; and nobody's help is needed afterwards.
pub async fn a_dead_backend_costs_one_leftover_a_window_and_its_return_serves_all(t: &mut Tenancy) {
    let volumes = [
        t.add_volume(NewVolume::named("a").policy("daily")).await,
        t.add_volume(NewVolume::named("b").policy("daily").policy("weekly"))
            .await,
    ];
    let other = t.add_volume(NewVolume::named("by hand")).await;
    let untagged = Default::default();
    let by_hand = t.api.add_snapshot(&other, "by hand", &untagged).await;
    let mut function = t.function().await;
    t.befall(Part::Volume, Fate::Killed);
    t.wait_until_given_up().await;
    // No new volume is made of what there is, either.
    let client = t.direct_client().await;
    let body = json!({ "volume": { "snapshot_id": by_hand, "name": "never" } });
    let made = client.call(Method::POST, "/volumes", Some(body)).await;
    wait_for_error(&client, made["volume"]["id"].as_str().expect("an id")).await;

    let first = function.snapshot().await;
    assert_outcome(&first, "partial");
    assert_counts(&first, &[("volumes.due", 3), ("failed", 3)]);
    let mut ages = Vec::new();
    for _ in 1..PASSES {
        let pass = quick(&mut function).await;
        let told = pass.answer();
        assert_counts(told, &[("volumes.due", 3), ("failed", 0), ("deferred", 3)]);
        // Each says why, and until when.
        assert_eq!(
            told["warnings"].as_array().map(Vec::len),
            Some(3),
            "{told:#}"
        );
        ages.push(metric(&pass, "OldestDueAgeSeconds"));
        next_second().await;
    }
    assert!(
        ages.is_sorted() && ages[0] < ages[ages.len() - 1],
        "{ages:?}"
    );
    assert_eq!(t.count(&Method::POST, "/snapshots"), 3);
    let mut left = t.api.snapshots().await;
    left.retain(|one| one.id != by_hand);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(|one| one.status == "deleting"), "{left:?}");

    t.befall(Part::Volume, Fate::StartedAgain);
    t.wait_until_up().await;
    for one in &left {
        t.api.wait_for_snapshot(&one.id, "gone").await;
    }
    let pass = quick(&mut function).await;
    assert_counts(pass.answer(), &[("volumes.due", 3), ("created", 3)]);
    assert_eq!(metric(&pass, "OldestDueAgeSeconds"), 0.0);
    for (volume, wanted) in volumes.iter().zip([1, 2]) {
        let taken = t.api.snapshots_of(volume).await;
        assert_eq!(taken.len(), wanted, "{taken:?}");
        assert!(
            taken.iter().all(|one| one.status == "available"),
            "{taken:?}"
        );
    }
}

/// While the scheduler still believes in it a snapshot is begun, and that one is all.
pub async fn a_backend_that_stands_still_gets_no_second_snapshot_and_is_seen(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("a").policy("daily")).await;
    let mut function = t.function().await;
    t.befall(Part::Volume, Fate::Stopped);
    let pass = quick(&mut function).await;
    assert_counts(pass.answer(), &[("volumes.due", 1), ("pending", 1)]);

    // It serves its window for as long as it is being created, and is no recovery point.
    t.wait_until_given_up().await;
    let mut ages = Vec::new();
    for _ in 0..3 {
        let pass = quick(&mut function).await;
        assert_counts(pass.answer(), &[("volumes.due", 0)]);
        ages.push(metric(&pass, "OldestDueAgeSeconds"));
        next_second().await;
    }
    assert!(ages[0] > 0.0 && ages[0] < ages[2], "{ages:?}");

    t.befall(Part::Volume, Fate::GoesOn);
    t.wait_until_up().await;
    let taken = t.api.snapshots_of(&volume).await[0].clone();
    t.api.wait_for_snapshot(&taken.id, "available").await;
    let pass = quick(&mut function).await;
    assert_counts(pass.answer(), &[("volumes.due", 0)]);
    assert_eq!(metric(&pass, "OldestDueAgeSeconds"), 0.0);
    assert_eq!(t.count(&Method::POST, "/snapshots"), 1);
}

/// Cinder says yes and nothing happens, until it is back.
pub async fn without_a_scheduler_snapshots_wait_and_are_not_taken_twice(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("a").policy("daily")).await;
    let expired = t.add_expired_snapshot(&volume, "weekly").await;
    let mut function = t.function().await;
    t.befall(Part::Scheduler, Fate::Killed);
    let pass = quick(&mut function).await;
    assert_counts(pass.answer(), &[("volumes.due", 1), ("pending", 1)]);
    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
    // Deleting does not need it.
    assert_counts(&function.expire().await, &[("deleted", 1)]);
    t.api.wait_for_snapshot(&expired, "gone").await;

    t.befall(Part::Scheduler, Fate::StartedAgain);
    t.wait_until_up().await;
    let taken = t.api.snapshots_of(&volume).await[0].clone();
    t.api.wait_for_snapshot(&taken.id, "available").await;
    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
    assert_eq!(t.count(&Method::POST, "/snapshots"), 1);
}

/// The row is there and nobody answers: it is looked up, and not asked for again.
pub async fn a_message_queue_that_dies_makes_no_second_snapshot(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("a").policy("daily")).await;
    let login = t.env(Login::Credential);
    let impatient = [("SNAPSENTRY_OPERATION_TIMEOUT", "3s")];
    let mut function = t.function_with(&login, &impatient).await;
    t.befall(Part::MessageQueue, Fate::Killed);
    let pass = quick(&mut function).await;
    let told = pass.answer();
    assert_counts(told, &[("volumes.due", 1), ("created", 0), ("failed", 0)]);
    let served = &told["snapshots"];
    let open = served["pending"].as_u64().unwrap_or(0) + served["adopted"].as_u64().unwrap_or(0);
    assert_eq!(open, 1, "{told:#}");
    assert_counts(quick(&mut function).await.answer(), &[("volumes.due", 0)]);

    t.befall(Part::MessageQueue, Fate::StartedAgain);
    t.wait_until_up().await;
    let taken = t.api.snapshots_of(&volume).await;
    assert_eq!(taken.len(), 1, "{taken:?}");
    wait_for(t, &taken[0].id, "available").await;
    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
    assert_eq!(t.api.snapshots_of(&volume).await.len(), 1);
}

/// Cinder cannot ask it about tokens, and nobody can log in: a pass fails, says so, and claims
/// nothing; the next one with a Keystone is right again, in the same sandbox.
pub async fn a_warm_sandbox_outlives_the_loss_of_keystone(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("a").policy("daily")).await;
    let mut function = t.function().await;
    assert_counts(&function.snapshot().await, &[("created", 1)]);
    t.befall(Part::Keystone, Fate::Killed);
    let pass = quick(&mut function).await;
    let failure = pass.result.as_ref().expect_err("nothing can be listed");
    let expected = [
        "DiscoveryFailed",
        "AuthenticationFailed",
        "DeadlineExceeded",
    ];
    assert!(
        expected.contains(&failure.error_type.as_str()),
        "{failure:?}"
    );
    // It has seen nothing: a zero would call an alarm off.
    let line = metrics(&pass);
    assert_eq!(line.get("OldestDueAgeSeconds"), None, "{line:#}");

    t.befall(Part::Keystone, Fate::StartedAgain);
    let give_up = Instant::now() + RECOVERY;
    loop {
        let pass = quick(&mut function).await;
        if let Ok(told) = &pass.result {
            assert_outcome(told, "complete");
            assert_counts(told, &[("volumes.due", 0), ("volumes.managed", 1)]);
            break;
        }
        assert!(Instant::now() < give_up, "{pass:?}");
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(t.api.snapshots_of(&volume).await.len(), 1);
}

/// One volume's leftovers take another's place, which is told as what it is: a quota.
pub async fn what_a_dead_backend_leaves_behind_holds_quota_until_it_is_back(t: &mut Tenancy) {
    for name in ["a", "b"] {
        t.add_volume(NewVolume::named(name).policy("daily")).await;
    }
    t.set_snapshot_quota(2).await;
    let mut function = t.function().await;
    t.befall(Part::Volume, Fate::Killed);
    t.wait_until_given_up().await;
    assert_counts(&function.snapshot().await, &[("failed", 2)]);
    // A volume that came later finds no room.
    t.befall(Part::Volume, Fate::StartedAgain);
    t.wait_until_up().await;
    for one in t.api.snapshots().await {
        t.api.wait_for_snapshot(&one.id, "gone").await;
    }
    t.add_volume(NewVolume::named("c").policy("daily")).await;
    t.befall(Part::Volume, Fate::Killed);
    t.wait_until_given_up().await;
    let told = function.snapshot().await;
    assert_counts(&told, &[("volumes.due", 3), ("failed", 3), ("created", 0)]);
    let failures = told["failures"].as_array().expect("failures").iter();
    let quota = failures.filter(|one| one["error"].as_str().is_some_and(|e| e.contains("quota")));
    assert_eq!(quota.count(), 1, "{told:#}");
    let again = function.snapshot().await;
    assert_counts(
        &again,
        &[("volumes.due", 3), ("failed", 1), ("deferred", 2)],
    );
    assert_eq!(t.api.snapshots().await.len(), 2);

    t.befall(Part::Volume, Fate::StartedAgain);
    t.wait_until_up().await;
    for one in t.api.snapshots().await {
        t.api.wait_for_snapshot(&one.id, "gone").await;
    }
    t.set_snapshot_quota(3).await;
    assert_counts(
        &function.snapshot().await,
        &[("volumes.due", 3), ("created", 3)],
    );
}

async fn quick(function: &mut Sandbox) -> Invocation {
    let pass = function
        .invoke_within(json!({ "phase": "snapshot" }), QUICK)
        .await;
    assert!(!pass.deadline_missed, "{pass:?}");
    pass
}

async fn wait_for_error(client: &Api, volume: &str) {
    let give_up = Instant::now() + RECOVERY;
    let path = format!("/volumes/{volume}");
    while client.call(Method::GET, &path, None).await["volume"]["status"] != "error" {
        assert!(Instant::now() < give_up, "volume {volume} is not in error");
        sleep(Duration::from_millis(200)).await;
    }
}

async fn wait_for(t: &Tenancy, id: &str, status: &str) {
    let give_up = Instant::now() + RECOVERY;
    while t.api.snapshot(id).await.map(|one| one.status).as_deref() != Some(status) {
        assert!(Instant::now() < give_up, "snapshot {id} is not {status}");
        sleep(Duration::from_millis(500)).await;
    }
}

/// The line that CloudWatch makes metrics of.
fn metrics(pass: &Invocation) -> Value {
    let mut lines = pass
        .log
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok());
    let line = lines.find(|line: &Value| line.get("_aws").is_some());
    line.unwrap_or_else(|| panic!("no metrics in {:#?}", pass.log))
}

fn metric(pass: &Invocation, name: &str) -> f64 {
    let line = metrics(pass);
    let value = line[name].as_f64();
    value.unwrap_or_else(|| panic!("no {name} in {line:#}"))
}
