//! How the volumes stand, for who looks.

use http::Method;
use serde_json::{Value, json};

use crate::tenancy::{NewVolume, Tenancy};

const SERVER: &str = "33333333-3333-4333-8333-333333333333";

/// Of every state that a tenant can bring about by tags alone, and a page at a time.
pub async fn a_report_says_how_every_volume_stands_page_by_page_and_changes_nothing(
    t: &mut Tenancy,
) {
    let data = NewVolume::named("data").policy("daily").on(SERVER);
    let protected = t.add_volume(data).await;
    let mut function = t.function().await;
    function.snapshot().await;
    let late = NewVolume::named("late").policy("yearly");
    let late = t.add_volume(late).await;
    let unreadable = NewVolume::named("unreadable")
        .policy("weekly")
        .meta("x-snapsentry-weekly-start-day-of-week", "someday");
    let unreadable = t.add_volume(unreadable).await;
    let goodbye = NewVolume::named("goodbye").meta("x-snapsentry-managed", "false");
    let goodbye = t.add_volume(goodbye).await;
    let stranger = t.add_volume(NewVolume::named("stranger")).await;
    let wiped = t.add_volume(NewVolume::named("wiped")).await;
    let expired = t.add_expired_snapshot(&wiped, "daily").await;

    let before = t.exchanges().len();
    let told = function
        .invoke(json!({ "phase": "report" }))
        .await
        .answer()
        .clone();
    let expected = [
        (&wiped, "lost"),
        (&unreadable, "invalid"),
        (&late, "late"),
        (&protected, "protected"),
        (&goodbye, "off"),
        (&stranger, "unmanaged"),
    ];
    assert_eq!(
        states(&told),
        expected.map(|(id, state)| (id.as_str(), state)),
        "{told:#}"
    );
    for (_, state) in expected {
        assert_eq!(told["totals"][state], 1, "{state} in {told:#}");
    }
    assert_eq!(told["totals"]["snapshots"], 2, "{told:#}");
    assert_eq!(told["totals"]["gigabytes"], 2, "{told:#}");
    let row = &told["volumes"][3];
    assert_eq!(row["server_ids"], json!([SERVER]), "{row:#}");
    assert_eq!(row["policies"][0]["available"], 1, "{row:#}");
    let taken = t.api.snapshots_of(&protected).await;
    let newest = &row["policies"][0]["newest"]["snapshot_id"];
    assert_eq!(newest, taken[0].id.as_str(), "{row:#}");

    // The same, two rows at a time.
    let mut pages: Vec<(String, String)> = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut event = json!({ "phase": "report", "limit": 2 });
        if !after.is_null() {
            event["after"] = after;
        }
        let page = function.invoke(event).await.answer().clone();
        let rows = states(&page).into_iter();
        pages.extend(rows.map(|(id, state)| (id.to_owned(), state.to_owned())));
        assert_eq!(page["totals"], told["totals"]);
        after = page["next_after"].clone();
        if after.is_null() {
            break;
        }
    }
    let all = expected.map(|(id, state)| (id.clone(), state.to_owned()));
    assert_eq!(pages, all);

    let changes = t.exchanges().split_off(before);
    let changes = changes
        .iter()
        .filter(|one| one.method != Method::GET && !one.path.ends_with("/auth/tokens"));
    assert_eq!(changes.count(), 0);
    t.api.wait_for_snapshot(&expired, "available").await;
}

fn states(report: &Value) -> Vec<(&str, &str)> {
    let rows = report["volumes"].as_array().into_iter().flatten();
    rows.map(|row| {
        let field = |name: &str| row[name].as_str().unwrap_or_default();
        (field("volume_id"), field("state"))
    })
    .collect()
}
