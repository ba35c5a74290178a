//! The cloud on a loopback port.

use std::io;

use bytes::Bytes;
use http::{Request, Response};

use crate::Cloud;
use crate::cloud::Interrupted;
use crate::wire::{Handler, Listener};

/// A cloud that is served on a port. It ends when it is dropped; the cloud itself stays.
#[derive(Debug)]
pub struct Server(Listener);

impl Server {
    /// The address, `http://127.0.0.1:PORT`, without a slash at its end. Keystone is below
    /// `/identity`, Cinder below `/volume` and Nova below `/compute`.
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.address().port()
    }
}

impl Cloud {
    /// Serves the cloud on a free loopback port.
    ///
    /// # Errors
    /// If no port could be had.
    pub async fn serve(&self) -> io::Result<Server> {
        self.serve_on(0).await
    }

    /// Serves the cloud on this loopback port; 0 takes a free one.
    ///
    /// # Errors
    /// If the port could not be had.
    pub async fn serve_on(&self, port: u16) -> io::Result<Server> {
        Listener::bind(port, self.clone()).await.map(Server)
    }
}

impl Handler for Cloud {
    async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Interrupted> {
        Cloud::handle(self, request).await
    }
}
