//! What an invocation needs from outside the program: the network and standard output.

use std::sync::Arc;

use crate::transport::{Https, Transport, Trust};

/// What the handler needs from outside, so that a simulation can stand in for it.
pub trait Platform: Send + Sync {
    /// A way out for one invocation: its connections do not outlive it.
    ///
    /// # Errors
    /// The text of what is wrong with the configured certificates.
    fn transport(&self, trust: &Trust) -> Result<Arc<dyn Transport>, String>;
    /// A way to what runs beside the function on the same host.
    ///
    /// # Errors
    /// The text of what is wrong.
    fn local_transport(&self) -> Result<Arc<dyn Transport>, String>;
    /// Prints one line on standard output.
    fn print(&self, line: &str);
}

/// The real platform: sockets and standard output.
#[derive(Clone, Copy, Debug, Default)]
pub struct LambdaPlatform;

impl Platform for LambdaPlatform {
    fn transport(&self, trust: &Trust) -> Result<Arc<dyn Transport>, String> {
        let https = Https::new(trust).map_err(|error| error.to_string())?;
        Ok(Arc::new(https))
    }

    fn local_transport(&self) -> Result<Arc<dyn Transport>, String> {
        let trust = Trust::new(None, false).map_err(|error| error.to_string())?;
        let https = Https::direct(&trust).map_err(|error| error.to_string())?;
        Ok(Arc::new(https))
    }

    fn print(&self, line: &str) {
        println!("{line}");
    }
}
