//! Faults: what they do to the work and to the answer.

use serde_json::json;
use simcloud::{Config, Fault, Happening, Interrupted, Kind, Outcome, Requests, Route, Service};
use std::time::Duration;

use crate::client::Client;

const LIST: &str = "/volume/v3/volumes/detail";

async fn client() -> Client {
    Client::new(Config::default()).await
}

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done_and_a_reset_before_it_does_not() {
    for (kind, made) in [(Kind::ResetBefore, 0), (Kind::ResetAfter, 1)] {
        let client = client().await;
        let volume = client.volume();
        client.cloud.inject(Fault::on(Route::CreateSnapshot, kind));
        let body = json!({ "snapshot": { "volume_id": volume } }).to_string();
        let result = client.try_send("POST", "/volume/v3/snapshots", &body).await;
        assert!(matches!(result, Err(Interrupted::Reset)));
        assert_eq!(client.cloud.snapshots().len(), made);
        let journal = client.cloud.journal();
        let entry = journal
            .of(Route::CreateSnapshot)
            .next()
            .expect("the request");
        assert_eq!((entry.outcome, entry.worked), (Outcome::Reset, made == 1));
    }
}

#[tokio::test(start_paused = true)]
async fn late_work_is_done_after_the_answer_said_failure() {
    let client = client().await;
    let volume = client.volume();
    let late = Kind::LateWork {
        code: 504,
        delay: Duration::from_secs(3),
    };
    client.cloud.inject(Fault::on(Route::CreateSnapshot, late));
    let answer = client
        .create(json!({ "volume_id": volume, "name": "late" }))
        .await;
    assert_eq!(answer.status, 504);
    assert_eq!(client.cloud.snapshots().len(), 0);
    client.cloud.advance(Duration::from_secs(3));
    assert_eq!(client.cloud.snapshots()[0].name.as_deref(), Some("late"));
    let journal = client.cloud.journal();
    let made = journal
        .changed(Happening::Creating)
        .next()
        .expect("the creation");
    let asked = journal
        .of(Route::CreateSnapshot)
        .next()
        .expect("the request");
    assert_eq!(made.request, Some(asked.sequence));
    assert_eq!(made.at - asked.at, chrono::TimeDelta::seconds(3));
}

#[tokio::test]
async fn bodies_are_cut_or_are_no_json() {
    let client = client().await;
    client.volume();
    let whole = client.get(LIST).await.text;
    client
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::Truncate));
    match client.try_send("GET", LIST, "").await {
        Err(Interrupted::Truncated(part)) => {
            assert_eq!(
                part.headers()["content-length"],
                whole.len().to_string().as_str()
            );
            assert_eq!(part.body().len(), whole.len() / 2);
        }
        other => panic!("{other:?}"),
    }
    client
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::NotJson));
    let page = client.get(LIST).await;
    assert_eq!(page.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&page.text).is_err());
    client.cloud.inject(Fault::on(
        Route::ListVolumes,
        Kind::Oversized { bytes: 1 << 20 },
    ));
    assert_eq!(client.get(LIST).await.text.len(), 1 << 20);
}

#[tokio::test]
async fn statuses_come_in_the_services_own_shape_with_their_headers() {
    let client = client().await;
    client.cloud.inject(Fault::on(
        Service::BlockStorage,
        Kind::status_with(503, "Retry-After", "7"),
    ));
    let answer = client.get(LIST).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "7"));
    assert_eq!(answer.json()["serviceUnavailable"]["code"], 503);
    client
        .cloud
        .inject(Fault::on(Route::Login, Kind::status(503)));
    let answer = client.post("/identity/v3/auth/tokens", json!({})).await;
    assert_eq!(answer.json()["error"]["code"], 503);
    let limited = Kind::RateLimit {
        retry_after: Some("Sun, 22 Nov 2026 09:10:05 GMT".into()),
    };
    client.cloud.inject(Fault::on(Requests::Any, limited));
    let answer = client.get(LIST).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").ends_with("GMT"));
    let moved = Kind::Redirect {
        code: 302,
        location: "http://elsewhere.example/".into(),
    };
    client.cloud.inject(Fault::on(Requests::Any, moved));
    assert_eq!(
        client.get(LIST).await.header("location"),
        "http://elsewhere.example/"
    );
}

#[tokio::test]
async fn a_token_can_end_in_the_middle_or_be_refused_once() {
    let mut client = client().await;
    client
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::Unauthorized));
    assert_eq!(client.get(LIST).await.status, 401);
    assert_eq!(client.get(LIST).await.status, 200);
    client
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::ExpireToken));
    assert_eq!(client.get(LIST).await.status, 401);
    assert_eq!(client.get(LIST).await.status, 401);
    client.log_in().await;
    assert_eq!(client.get(LIST).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_hang_never_answers_and_the_work_goes_on_without_its_client() {
    for (kind, made) in [
        (Kind::HangBefore, 0),
        (Kind::HangAfter, 1),
        (Kind::DelayBefore(Duration::from_secs(60)), 1),
    ] {
        let client = client().await;
        let volume = client.volume();
        client
            .cloud
            .inject(Fault::on(Route::CreateSnapshot, kind.clone()));
        let patience = Duration::from_secs(30);
        let asked = client.create(json!({ "volume_id": volume }));
        assert!(
            tokio::time::timeout(patience, asked).await.is_err(),
            "{kind:?}"
        );
        assert_eq!(client.cloud.with_journal(|journal| journal.in_flight), 0);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(client.cloud.snapshots().len(), made, "{kind:?}");
        let journal = client.cloud.journal();
        let entry = journal
            .of(Route::CreateSnapshot)
            .next()
            .expect("the request");
        assert!(entry.client_gone);
    }
}

#[tokio::test(start_paused = true)]
async fn delays_and_latency_take_their_time() {
    let client = client().await;
    client.cloud.configure(|config| {
        config.latency = simcloud::Latency::Fixed(Duration::from_millis(20));
    });
    let delay = Kind::DelayAfter(Duration::from_secs(1));
    client.cloud.inject(Fault::on(Route::ListVolumes, delay));
    let begun = tokio::time::Instant::now();
    client.get(LIST).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(1020));
    let begun = tokio::time::Instant::now();
    futures::future::join(client.get(LIST), client.get(LIST)).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(20));
    assert_eq!(
        client.cloud.with_journal(|journal| journal.max_in_flight),
        2
    );
}

#[tokio::test]
async fn log_normal_latency_has_its_median() {
    let client = client().await;
    let median = Duration::from_millis(50);
    client.cloud.configure(|config| {
        config.latency = simcloud::Latency::LogNormal { median, sigma: 0.5 };
    });
    tokio::time::pause();
    let mut taken = Vec::new();
    for _ in 0..501 {
        let begun = tokio::time::Instant::now();
        client.get(LIST).await;
        taken.push(begun.elapsed());
    }
    taken.sort();
    assert!(
        (45..=56).contains(&taken[250].as_millis()),
        "{:?}",
        taken[250]
    );
    assert!(taken[500] > 2 * median);
}
