//! Order in time, without sleeping for luck.

use std::time::Duration;

use futures::{StreamExt, stream};
use simcloud::Entry;
use tokio::time::{sleep, timeout};

/// Waits until something is so; it has to become so.
#[track_caller]
pub(crate) fn eventually(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let wait = async {
            while !is_so() {
                sleep(Duration::from_millis(2)).await;
            }
        };
        if timeout(Duration::from_secs(20), wait).await.is_err() {
            panic!("what {place} waits for never came");
        }
    }
}

/// Whether the last of these requests had arrived before the first was answered.
pub(crate) fn overlap(requests: &[Entry]) -> bool {
    let last = requests.iter().map(|one| one.arrived).max();
    let first = requests.iter().filter_map(|one| one.answered).min();
    match (last, first) {
        (Some(last), Some(first)) => last < first,
        _ => true,
    }
}

/// Rows of a table side by side: each has a world of its own, and most of their time is waiting.
pub(crate) async fn side_by_side<Row>(
    rows: impl IntoIterator<Item = Row>,
    test: impl AsyncFn(Row),
) {
    let test = &test;
    stream::iter(rows)
        .for_each_concurrent(8, |row| test(row))
        .await;
}
