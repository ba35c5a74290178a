//! Finding a run again on the cloud's side.

use serde_json::Value;

use crate::tenancy::{Log, NewVolume, Tenancy};

fn run_id(answer: &Value) -> &str {
    answer["run_id"].as_str().expect("a run id")
}

/// What was asked, and what was done for it, by the id in the answer.
pub async fn the_request_id_of_a_run_is_in_the_logs_of_cinder(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let mut function = t.function().await;
    let subscribed = function.subscribe(&volume, "daily").await;
    let taken = function.snapshot().await;
    let expired = function.expire().await;
    for answer in [&subscribed, &taken, &expired] {
        assert!(t.log_mentions(Log::Api, run_id(answer)) > 0, "{answer:#}");
    }
    assert!(t.log_mentions(Log::Volume, run_id(&taken)) > 0, "{taken:#}");
    assert_ne!(run_id(&taken), run_id(&expired));

    for exchange in t.exchanges() {
        let sent = exchange.request_headers.get("x-openstack-request-id");
        let sent = sent.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let known = [&subscribed, &taken, &expired]
            .iter()
            .any(|answer| run_id(answer) == sent);
        assert!(known, "{} {} with {sent:?}", exchange.method, exchange.path);
    }
}
