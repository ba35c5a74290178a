//! The way into the embedded cloud under the paused clock: what a pass sends and prints is written
//! down, and a pass that has to die dies.

use bytes::Bytes;
use seam::{Embedded, Way};
use simcloud::Cloud;
use snapsentry::deadline::Deadline;
use snapsentry::transport::{Request, Response, TransportError};
use std::sync::Arc;

use crate::witness::{Current, Watch, Witness, under_way};
use crate::world::World;

/// The largest body that this seam lets through. The real one takes more; a smaller one is the
/// same rule, and cheaper.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// Where notifications go under the paused clock.
pub const WEBHOOK_HOST: &str = "hooks.example";

/// The way out of one sandbox.
#[derive(Clone)]
pub struct Sandbox {
    cloud: Cloud,
    world: World,
    current: Current,
    /// The watch of an invocation's own transport, which outlives no other.
    watch: Option<Arc<Watch>>,
}

impl Sandbox {
    /// Platform, and where to put the watch of the next pass.
    pub fn platform(cloud: Cloud, world: World) -> (Embedded<Self>, Current) {
        let current = Watch::idle();
        let sandbox = Self {
            cloud,
            world,
            current: current.clone(),
            watch: None,
        };
        (Embedded(sandbox), current)
    }

    fn witness(&self) -> Witness {
        Witness {
            cloud: self.cloud.clone(),
            world: self.world.clone(),
            watch: match &self.watch {
                Some(watch) => watch.clone(),
                None => under_way(&self.current),
            },
        }
    }
}

impl Way for Sandbox {
    async fn send(&self, deadline: Deadline, request: Request) -> Result<Response, TransportError> {
        let witness = self.witness();
        if request.uri().host() == Some(WEBHOOK_HOST) {
            return notify(&witness.watch, deadline, request.into_body()).await;
        }
        let number = witness.leaves(&request).await;
        let answer = seam::answered(&self.cloud, deadline, request, LARGEST_BODY).await;
        let answer = answer.map(|answer| witness.with_nulls(answer));
        if matches!(answer, Err(TransportError::TimedOut)) {
            witness.timed_out(number);
        }
        witness.came_back(number, answer.as_ref().ok()).await;
        answer
    }

    fn of_invocation(&self) -> Self {
        Self {
            watch: Some(under_way(&self.current)),
            ..self.clone()
        }
    }

    fn print(&self, line: &str) {
        under_way(&self.current)
            .record()
            .lines
            .push(line.to_owned());
    }
}

async fn notify(
    watch: &Watch,
    deadline: Deadline,
    body: Bytes,
) -> Result<Response, TransportError> {
    match watch.notified(body) {
        Some(answer) => Ok(answer),
        None => deadline
            .bound(std::future::pending())
            .await
            .unwrap_or(Err(TransportError::TimedOut)),
    }
}
