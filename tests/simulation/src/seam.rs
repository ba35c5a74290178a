//! What stands where the network is, under the paused clock: requests go straight into the
//! embedded cloud.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use simcloud::{Cloud, Interrupted};
use snapsentry::deadline::Deadline;
use snapsentry::platform::Platform;
use snapsentry::transport::{Request, Response, Transport, TransportError, Trust};

use crate::witness::{Current, Watch, Witness, under_way};
use crate::world::World;

/// The largest body that this seam lets through. The real one takes more; a smaller one is the
/// same rule, and cheaper.
pub const LARGEST_BODY: usize = 256 * 1024;
/// Where notifications go under the paused clock.
pub const WEBHOOK_HOST: &str = "hooks.example";

/// The platform of one sandbox.
pub struct Sandbox {
    cloud: Cloud,
    world: World,
    current: Current,
}

impl Sandbox {
    /// Platform, and where to put the watch of the next pass.
    pub fn new(cloud: Cloud, world: World) -> (Self, Current) {
        let current = Watch::idle();
        let sandbox = Self {
            cloud,
            world,
            current: current.clone(),
        };
        (sandbox, current)
    }
}

impl Platform for Sandbox {
    fn transport(&self, _: &Trust) -> Result<Arc<dyn Transport>, String> {
        self.local_transport()
    }

    fn local_transport(&self) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(Seam(Witness {
            cloud: self.cloud.clone(),
            world: self.world.clone(),
            watch: under_way(&self.current),
        })))
    }

    fn print(&self, line: &str) {
        under_way(&self.current)
            .record()
            .lines
            .push(line.to_owned());
    }
}

/// The way into the cloud for one pass.
struct Seam(Witness);

impl Transport for Seam {
    fn send(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            if request.uri().host() == Some(WEBHOOK_HOST) {
                return self.notify(deadline, request.into_body()).await;
            }
            let number = self.0.leaves(&request).await;
            let answer = deadline
                .bound(self.0.cloud.handle(request))
                .await
                .map_err(|_| {
                    self.0.timed_out(number);
                    TransportError::TimedOut
                })
                .and_then(whole);
            self.0.came_back(number, answer.as_ref().ok()).await;
            answer
        }
        .boxed()
    }
}

fn whole(answer: Result<Response, Interrupted>) -> Result<Response, TransportError> {
    let answer = answer.map_err(|lost| TransportError::Interrupted(lost.to_string()))?;
    if answer.body().len() > LARGEST_BODY {
        return Err(TransportError::TooLarge {
            limit: LARGEST_BODY,
        });
    }
    Ok(answer)
}

impl Seam {
    async fn notify(&self, deadline: Deadline, body: Bytes) -> Result<Response, TransportError> {
        match self.0.watch.notified(body) {
            Some(answer) => Ok(answer),
            None => deadline
                .bound(std::future::pending())
                .await
                .unwrap_or(Err(TransportError::TimedOut)),
        }
    }
}
