//! The webhook: one POST for each creation and each deletion that failed.
//!
//! A courtesy to people, not a part of the work: it comes after the work, in little time, and
//! can never fail a pass. The address is a secret as a whole, since services put tokens into
//! its path.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use http::{HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::deadline::Deadline;
use crate::openstack::Client;
use crate::text::serialize_rfc3339;
use crate::transport::{Request, Transport};

/// One POST takes at most this long.
const ONE: Duration = Duration::from_secs(3);
/// All of them together, with the names of VMs that they mention, take at most this long.
const ALL: Duration = Duration::from_secs(5);
/// POSTs in flight at a time.
const AT_ONCE: usize = 8;
/// Names of VMs are looked up this many at a time.
const NAMES_AT_ONCE: usize = 8;

/// Where notifications go. Its path and query are a secret as well: many services have nothing
/// else to keep strangers out. Secrets stay out of `Debug`.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// An absolute `http` or `https` address without user information.
    pub url: SecretString,
    /// For basic authentication; never contains a colon.
    pub username: Option<SecretString>,
    /// For basic authentication; only together with a user name.
    pub password: Option<SecretString>,
}

/// One creation or deletion that failed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Notification {
    service: &'static str,
    /// The name of the VM, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_machine_name: Option<String>,
    /// The VM that the volume is attached to, where it is one; empty otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_machine_id: Option<String>,
    volume_id: String,
    snapshot_id: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_window: Option<NotifiedWindow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_metadata: Option<BTreeMap<String, String>>,
}

/// The window that a creation was for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NotifiedWindow {
    /// Its first instant.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub start_time: DateTime<Utc>,
    /// The first instant after it.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub end_time: DateTime<Utc>,
    /// The instant at which it was found to be due.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub validated_time: DateTime<Utc>,
}

impl Notification {
    /// About a creation that failed.
    pub(crate) fn of_creation(
        vm: Option<String>,
        volume_id: String,
        snapshot_id: Option<String>,
        message: String,
        window: NotifiedWindow,
    ) -> Self {
        Self {
            service: "snapsentry",
            virtual_machine_name: Some(String::new()),
            virtual_machine_id: Some(vm.unwrap_or_default()),
            volume_id,
            snapshot_id: snapshot_id.unwrap_or_default(),
            message,
            snapshot_window: Some(window),
            snapshot_metadata: None,
        }
    }

    /// About a deletion that failed.
    pub(crate) fn of_deletion(
        volume_id: String,
        snapshot_id: String,
        message: String,
        metadata: BTreeMap<String, String>,
    ) -> Self {
        Self {
            service: "snapsentry",
            virtual_machine_name: None,
            virtual_machine_id: None,
            volume_id,
            snapshot_id,
            message,
            snapshot_window: None,
            snapshot_metadata: Some(metadata),
        }
    }
}

impl Webhook {
    /// Sends the notifications, with the names of the VMs that they mention as far as those can
    /// be had quickly, and gives the number of those that were not delivered.
    pub(crate) async fn send(
        &self,
        client: &Client,
        transport: &dyn Transport,
        deadline: Deadline,
        mut notifications: Vec<Notification>,
    ) -> usize {
        if notifications.is_empty() {
            return 0;
        }
        let deadline = deadline.within(ALL);
        name_servers(client, deadline, &mut notifications).await;
        let deliveries = notifications
            .iter()
            .map(|notification| deliver(transport, deadline, self, notification));
        let delivered = stream::iter(deliveries)
            .buffer_unordered(AT_ONCE)
            .filter(|delivered| std::future::ready(*delivered))
            .count()
            .await;
        notifications.len() - delivered
    }
}

/// Puts the VMs' names into the notifications, as far as they can be had quickly: at most half
/// of the time for notifications goes into it.
async fn name_servers(client: &Client, deadline: Deadline, notifications: &mut [Notification]) {
    let deadline = deadline.within(deadline.remaining() / 2);
    let mut servers: Vec<String> = notifications
        .iter()
        .filter_map(|one| one.virtual_machine_id.clone())
        .filter(|id| !id.is_empty())
        .collect();
    servers.sort();
    servers.dedup();
    let names: BTreeMap<String, String> = stream::iter(servers)
        .map(async |id| Some((id.clone(), client.server_name(deadline, &id).await?)))
        .buffer_unordered(NAMES_AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    for notification in notifications {
        if let Some(name) = notification
            .virtual_machine_id
            .as_ref()
            .and_then(|id| names.get(id))
        {
            notification.virtual_machine_name = Some(name.clone());
        }
    }
}

async fn deliver(
    transport: &dyn Transport,
    deadline: Deadline,
    webhook: &Webhook,
    notification: &Notification,
) -> bool {
    let deadline = deadline.within(ONE);
    if deadline.remaining().is_zero() {
        return false;
    }
    let Some(request) = request(webhook, notification) else {
        tracing::warn!("the webhook's address or credentials cannot be used");
        return false;
    };
    match transport.send(deadline, request).await {
        Ok(response) if response.status().is_success() => true,
        Ok(response) => {
            tracing::warn!(status = response.status().as_u16(), "the webhook refused");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "the webhook could not be reached");
            false
        }
    }
}

fn request(webhook: &Webhook, notification: &Notification) -> Option<Request> {
    let body = serde_json::to_vec(notification).ok()?;
    let mut request = http::Request::post(webhook.url.expose_secret())
        .header(header::CONTENT_TYPE, "application/json");
    if webhook.username.is_some() || webhook.password.is_some() {
        let exposed = |secret: &Option<SecretString>| -> String {
            secret
                .as_ref()
                .map_or("", ExposeSecret::expose_secret)
                .to_owned()
        };
        let (username, password) = (exposed(&webhook.username), exposed(&webhook.password));
        let pair = BASE64_STANDARD.encode(format!("{username}:{password}"));
        let mut value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    request.body(body.into()).ok()
}
