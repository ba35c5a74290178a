//! Cold start: logging, and the runtime's loop.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use snapsentry::handler::{Handler, Invocation, fresh_seed};
use snapsentry::logging;
use snapsentry::platform::LambdaPlatform;
use snapsentry::policy::zone_rules_version;
use snapsentry::settings::{Environment, LocalFiles};

// One thread: a pass waits for the cloud most of the time, and a second one costs start-up.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::from_process();
    logging::init(&environment);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        zone_rules = zone_rules_version(),
        "cold start"
    );
    let handler = Handler::new(environment, Box::new(LocalFiles), Box::new(LambdaPlatform));
    let handler = &handler;
    let serve = service_fn(move |event: LambdaEvent<Value>| async move {
        let invocation = Invocation {
            deadline: instant(event.context.deadline()),
            now: Utc::now(),
            seed: fresh_seed(),
            request_id: event.context.request_id,
            invoked_function_arn: event.context.invoked_function_arn,
        };
        handler.handle(&event.payload, &invocation).await
    });
    let whole = MapRequestLayer::new(one_value_or_nothing);
    let runtime = Runtime::new(serve).layer(TracingLayer::new()).layer(whole);
    runtime.run().await
}

/// The runtime library reads one value, and nothing of what follows it: of
/// `{"phase": "expire"}, "dry_run": true}` a pass that deletes. A payload that is not JSON as a whole
/// goes on as an empty one, which the library refuses.
fn one_value_or_nothing(mut invocation: LambdaInvocation) -> LambdaInvocation {
    let mut payload = Deserializer::from_slice(&invocation.body);
    if IgnoredAny::deserialize(&mut payload).is_ok()
        && let Err(error) = payload.end()
    {
        let lambda_request_id = &invocation.context.request_id;
        tracing::error!(lambda_request_id, %error, "the payload is not JSON");
        invocation.body.clear();
    }
    invocation
}

/// The instant, or the last there is where no calendar goes as far.
fn instant(at: SystemTime) -> DateTime<Utc> {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis())
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
