//! The cloud on a loopback port.

use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
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

    /// Ends all connections and refuses new ones, until [`Self::accept_again`].
    pub async fn refuse(&mut self) {
        self.0.refuse().await;
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// If somebody else has taken the port meanwhile.
    pub async fn accept_again(&mut self) -> io::Result<()> {
        self.0.accept_again().await
    }

    /// Serves something that stands in front of a cloud, on a free loopback port: it sees each
    /// request when it comes, and asks the cloud or answers itself.
    ///
    /// # Errors
    /// If no port could be had.
    pub async fn in_front<F>(front: F) -> io::Result<Self>
    where
        F: Fn(Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Interrupted>>
            + Send
            + Sync
            + 'static,
    {
        Listener::bind(0, Front(front)).await.map(Self)
    }
}

struct Front<F>(F);

impl<F> Handler for Front<F>
where
    F: Fn(Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Interrupted>>
        + Send
        + Sync
        + 'static,
{
    async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Interrupted> {
        (self.0)(request).await
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
