//! What stands where the network is: requests of the program go straight into the embedded cloud,
//! in one process and under a paused clock. The simulation and the properties share it; what is
//! written down, spoilt or killed on the way is theirs.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use simcloud::Cloud;
use snapsentry::deadline::Deadline;
use snapsentry::platform::Platform;
use snapsentry::transport::{Request, Response, Transport, TransportError, Trust};

/// The way of one request.
pub trait Way: Clone + Send + Sync + 'static {
    /// Sends a request and gives its answer, as [`Transport::send`] does.
    fn send(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send;

    /// The way for the invocation that begins now.
    #[must_use]
    fn of_invocation(&self) -> Self {
        self.clone()
    }

    /// Takes a line that the program prints on standard output.
    fn print(&self, line: &str);
}

/// The platform of a sandbox whose requests all go one way.
pub struct Embedded<W>(pub W);

impl<W> fmt::Debug for Embedded<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

impl<W: Way> Platform for Embedded<W> {
    fn transport(&self, _: &Trust) -> Result<Arc<dyn Transport>, String> {
        self.local_transport()
    }

    fn local_transport(&self) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(Seam(self.0.of_invocation())))
    }

    fn print(&self, line: &str) {
        self.0.print(line);
    }
}

struct Seam<W>(W);

impl<W: Way> Transport for Seam<W> {
    fn send(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.0.send(deadline, request).boxed()
    }
}

/// Has the cloud answer a request before a deadline. A body above `largest` bytes is refused, as
/// the program's own transport refuses one above its limit.
///
/// # Errors
/// What the program's own transport makes of a lost, late or oversized answer.
pub async fn answered(
    cloud: &Cloud,
    deadline: Deadline,
    request: Request,
    largest: usize,
) -> Result<Response, TransportError> {
    let answer = deadline
        .bound(cloud.handle(request))
        .await
        .map_err(|_| TransportError::TimedOut)?
        .map_err(|lost| TransportError::Interrupted(lost.to_string()))?;
    if answer.body().len() > largest {
        return Err(TransportError::TooLarge { limit: largest });
    }
    Ok(answer)
}
