//! Nova's servers: only their names, for the people who read a notification.

use serde::Deserialize;

use super::client::Client;
use super::connection::RequestKind;
use super::request::{ApiRequest, Service, is_id};
use super::response::parse;
use crate::deadline::Deadline;

#[derive(Deserialize)]
struct ServerBody {
    server: Server,
}

#[derive(Deserialize)]
struct Server {
    name: String,
}

impl Client {
    /// A server's name, where the catalogue has Nova and the role may see the server.
    ///
    /// Best effort and one try: a name is a courtesy that no pass may wait for.
    pub(crate) async fn server_name(&self, deadline: Deadline, id: &str) -> Option<String> {
        if !self.connection.has_compute() || !is_id(id) {
            return None;
        }
        let path = format!("/servers/{id}");
        let call = ApiRequest {
            service: Service::Compute,
            ..ApiRequest::get(RequestKind::Read, &path)
        };
        let response = self.connection.call(deadline, &call, None).await;
        let body: ServerBody = response
            .and_then(|response| parse(&call.method, &path, &response))
            .inspect_err(|error| tracing::debug!(%error, "no name for the server"))
            .ok()?;
        Some(body.server.name)
    }
}
