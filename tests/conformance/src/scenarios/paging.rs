//! More rows than a page holds.

use futures::future::join_all;
use http::Method;

use super::{assert_counts, assert_outcome, next_second};
use crate::tenancy::{NewVolume, Tenancy};

/// What a pass may ask for beside the pages.
const BESIDE_PAGES: usize = 8;

/// Nothing is overlooked on a later page, and nothing is asked for volume by volume.
pub async fn every_page_is_followed_and_a_quiet_pass_asks_for_nothing_else(t: &mut Tenancy) {
    let rows = t.page_size() + 2;
    let volumes = (0..rows).map(|number| {
        let name = format!("v{number}");
        t.add_volume(NewVolume::named(name).policy("daily").policy("weekly"))
    });
    let volumes = join_all(volumes).await;
    let expired = volumes
        .iter()
        .map(|volume| t.add_expired_snapshot(volume, "daily"));
    join_all(expired).await;
    next_second().await;

    let mut function = t.function().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("volumes.managed", rows), ("created", 2 * rows)]);

    let before = t.exchanges().len();
    let told = function.snapshot().await;
    assert_counts(&told, &[("volumes.due", 0), ("managed", 3 * rows)]);
    let pages = rows.div_ceil(t.page_size()) + (3 * rows).div_ceil(t.page_size());
    let asked = t.exchanges().len() - before;
    assert!(asked <= pages + BESIDE_PAGES, "{asked} for {pages} pages");

    let told = function.expire().await;
    assert_counts(&told, &[("managed", 3 * rows), ("deleted", rows)]);
}

/// Somebody deletes the very snapshot that the next page begins behind.
pub async fn a_listing_whose_marker_vanishes_begins_again(t: &mut Tenancy) {
    let volume = t
        .add_volume(NewVolume::named("data").policy("monthly"))
        .await;
    let rows = t.page_size() + 2;
    let snapshots = (0..rows).map(|_| t.add_expired_snapshot(&volume, "daily"));
    join_all(snapshots).await;
    // Newest first, as pages are.
    let marker = t.api.snapshots().await[t.page_size() - 1].id.clone();
    let api = t.api.clone();
    t.recorder
        .meanwhile(Method::GET, "/snapshots/detail", move || async move {
            let path = format!("/snapshots/{marker}");
            api.call(Method::DELETE, &path, None).await;
            api.wait_for_snapshot(&marker, "gone").await;
        });
    // The pass that reads everything.
    let told = t.function().await.expire().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("managed", rows - 1), ("deleted", rows - 1)]);
    let refused = t.exchanges().into_iter().filter(|one| one.status == 404);
    assert_eq!(refused.count(), 1);
}
