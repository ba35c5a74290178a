//! Tags, at the edges of what Cinder stores.

use futures::future::join;
use serde_json::json;

use super::{assert_counts, assert_outcome};
use crate::tenancy::{NewVolume, Tenancy};

/// The most characters that Cinder takes for a name, a key or a value.
const LONGEST: usize = 255;

/// What others wrote is never touched, however long.
pub async fn keys_and_values_at_their_length_limits_survive(t: &mut Tenancy) {
    let mut volume = NewVolume::named("n".repeat(LONGEST));
    for letter in ["a", "b", "c"] {
        volume = volume.meta(letter.repeat(LONGEST), "v".repeat(LONGEST));
    }
    let before = volume.metadata.clone();
    let volume = t.add_volume(volume).await;
    let mut function = t.function().await;
    for policy in ["express", "daily", "weekly", "monthly"] {
        assert_outcome(&function.subscribe(&volume, policy).await, "complete");
    }
    let after = t.api.volume_metadata(&volume).await;
    for (key, value) in &before {
        assert_eq!(after.get(key), Some(value));
    }
    let told = function.snapshot().await;
    assert_counts(&told, &[("created", 4)]);

    // A snapshot of ours takes what others add, up to the same limit.
    let taken = t.api.snapshots_of(&volume).await;
    t.api
        .tag_snapshot(&taken[0].id, &"k".repeat(LONGEST), &"v".repeat(LONGEST))
        .await;
    assert_counts(
        &function.snapshot().await,
        &[("volumes.due", 0), ("managed", 4)],
    );
}

/// Everything but the rare characters that clouds with old tables refuse.
pub async fn names_and_values_in_any_script_survive(t: &mut Tenancy) {
    let name = "Größe Ωμέγα 日本語 العربية \"quoted\" it's 100 %";
    let volume = NewVolume::named(name)
        .policy("daily")
        .meta("note", name)
        .meta(
            "x-snapsentry-daily-timezone",
            "America/Argentina/ComodRivadavia",
        );
    let volume = t.add_volume(volume).await;
    let mut function = t.function().await;
    assert_outcome(&function.subscribe(&volume, "weekly").await, "complete");
    assert_eq!(t.api.volume_metadata(&volume).await["note"], name);
    let told = function.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("created", 2)]);
    for one in t.api.snapshots_of(&volume).await {
        t.api.tag_snapshot(&one.id, "note", name).await;
    }
    assert_counts(
        &function.snapshot().await,
        &[("volumes.due", 0), ("managed", 2)],
    );
}

/// The answer is what the volume says, not what was sent.
pub async fn a_key_that_another_writer_changed_meanwhile_is_mended(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    t.meanwhile_tag_volume(&volume, "x-snapsentry-daily-enabled", "false");
    t.meanwhile_tag_volume(&volume, "owner", "ops");
    let told = t.function().await.subscribe(&volume, "daily").await;
    assert_outcome(&told, "complete");
    let tags = t.api.volume_metadata(&volume).await;
    assert_eq!(tags["x-snapsentry-daily-enabled"], "true");
    assert_eq!(tags["owner"], "ops");
}

/// Two writers of different keys, and of one in common.
pub async fn two_subscriptions_at_once_both_last(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let (mut one, mut other) = (t.function().await, t.function().await);
    let (told, other_told) = join(
        one.subscribe(&volume, "daily"),
        other.subscribe(&volume, "weekly"),
    )
    .await;
    assert_outcome(&told, "complete");
    assert_outcome(&other_told, "complete");
    let told = one.snapshot().await;
    assert_counts(&told, &[("volumes.invalid", 0), ("created", 2)]);
}

/// Subscribing does not make anything.
pub async fn a_missing_volume_is_an_error(t: &mut Tenancy) {
    let event = json!({
        "phase": "subscribe", "policy": "daily",
        "volume_id": "00000000-0000-4000-8000-000000000000" });
    let told = t.function().await.invoke(event).await;
    assert_eq!(told.failure().error_type, "VolumeNotFound");
}
