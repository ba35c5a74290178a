//! Telling the webhook what failed.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};

use crate::deadline::Deadline;
use crate::openstack::Client;
use crate::report::{Notification, Summary, Webhook, notify};
use crate::transport::Transport;

/// Notifications, with the names of VMs that they mention, take at most this long.
const TELLING: Duration = Duration::from_secs(5);
/// Names of VMs are looked up this many at a time.
const NAMES_AT_ONCE: usize = 8;

/// Sends what failed to the webhook.
pub(super) async fn tell(
    client: &Client,
    transport: &dyn Transport,
    deadline: Deadline,
    webhook: &Webhook,
    summary: &mut Summary,
) {
    if summary.notifications.is_empty() {
        return;
    }
    let deadline = deadline.within(TELLING);
    name_servers(client, deadline, &mut summary.notifications).await;
    let undelivered = notify(transport, deadline, webhook, &summary.notifications).await;
    if undelivered > 0 {
        tracing::warn!(undelivered, "notifications were not delivered");
        summary.warn(format!(
            "{undelivered} of {} notifications were not delivered to the webhook",
            summary.notifications.len()
        ));
    }
}

/// Puts the VMs' names into the notifications, as far as they can be had quickly: at most half
/// of the time for telling goes into it.
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
