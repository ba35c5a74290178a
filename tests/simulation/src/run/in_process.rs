//! Passes in this process, under the paused clock: the handler itself, with the embedded cloud
//! where the network is.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use simcloud::Cloud;
use snapsentry::handler::{Handler, Invocation};
use snapsentry::settings::LocalFiles;
use tokio::time::{Instant, sleep, timeout};

use super::environment::variables;
use super::{End, PassRun, allowed, receiver};
use crate::case::{Case, PassDraw};
use crate::sandbox::{Sandbox, WEBHOOK_HOST};
use crate::witness::{Current, Watch, put};
use crate::world::World;

/// A sandbox that is kept.
pub(crate) struct Warm {
    handler: Handler,
    current: Current,
    served: bool,
}

/// Runs one pass, in a warm sandbox or a new one, and kills it where that was drawn.
pub(crate) async fn pass(
    case: &Case,
    cloud: &Cloud,
    world: &World,
    (step, number): (usize, usize),
    draw: &PassDraw,
    warm: &mut Option<Warm>,
) -> PassRun {
    sleep(draw.delay).await;
    if draw.cold {
        *warm = None;
    }
    let sandbox = warm.get_or_insert_with(|| {
        let (platform, current) = Sandbox::platform(cloud.clone(), world.clone());
        let receiver = format!("http://{WEBHOOK_HOST}");
        let environment = variables(case, cloud, "http://cloud.example", &receiver);
        Warm {
            handler: Handler::new(
                environment.into_iter().collect(),
                Box::new(LocalFiles),
                Box::new(platform),
            ),
            current,
            served: false,
        }
    });
    let was_warm = std::mem::replace(&mut sandbox.served, true);
    let receiver = receiver(draw);
    let watch = Watch::new(draw.kill, receiver);
    put(&sandbox.current, watch.clone());
    let first_copy = world.remember(cloud);
    let now = cloud.now() + draw.skew;
    let request_id = format!("{step:08x}-{number:04x}-4000-8000-{:012x}", case.seed);
    let invocation = Invocation {
        request_id: request_id.clone(),
        deadline: super::deadline(now, draw),
        now,
        seed: draw.seed,
        invoked_function_arn: String::new(),
    };
    let begun = Instant::now();
    let (own, lambdas) = allowed(case, draw);
    let end = invoke(
        &sandbox.handler,
        &draw.event,
        &invocation,
        lambdas,
        watch.dies(),
    )
    .await;
    if matches!(end, End::Killed | End::Overran) {
        // Lambda throws the sandbox away.
        *warm = None;
    }
    let record = std::mem::take(&mut *watch.record());
    PassRun {
        draw: draw.clone(),
        label: format!("p{step}.{number}"),
        run_id: format!("req-{request_id}"),
        now,
        read_within: TimeDelta::zero(),
        begun,
        ended: Instant::now(),
        deadline: begun + own,
        end,
        record,
        first_copy,
        receiver,
        was_warm,
        log: String::new(),
    }
}

/// Invokes the handler as Lambda does: for no longer than it has time, and a second; `dies` ends it
/// before.
pub(crate) async fn invoke(
    handler: &Handler,
    event: &Value,
    invocation: &Invocation,
    time: Duration,
    dies: impl Future<Output = ()>,
) -> End {
    let work = handler.handle(event, invocation);
    tokio::select! {
        biased;
        () = dies => End::Killed,
        ended = timeout(time + Duration::from_secs(1), work) => match ended {
            Err(_) => End::Overran,
            Ok(Ok(answer)) => End::Answered(
                serde_json::from_str(answer.get()).expect("an answer is JSON"),
            ),
            Ok(Err(failure)) => End::Failed(failure.error_type, failure.error_message),
        },
    }
}
