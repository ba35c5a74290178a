//! What the cloud alone can do, so that it is known not to be the bottleneck: a bare client
//! does the same requests and looks at nothing in the answers.

use std::io;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures::future::try_join_all;
use serde::Serialize;

use super::bare::Bare;
use super::fleet::{self, History, ONE};
use super::weather::Weather;

const SNAPSHOTS: usize = 20_000;
const CLIENTS: usize = 16;
const REQUESTS: usize = 500;
const NOMINAL: Duration = Duration::from_millis(20);

/// What the cloud alone takes, with the bare client beside it on the same processors.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Ceiling {
    /// Seconds for one page of a thousand snapshots, filtered, without latency.
    pub(super) page_seconds: f64,
    /// Small requests a second, 16 at a time, without latency.
    pub(super) requests_per_second: f64,
    /// Seconds by which the cloud's timer is late on average: they are taken off the latency.
    pub(super) late_seconds: f64,
    /// Seconds for one small request where the latency is 20 ms.
    pub(super) fixed_latency_seconds: f64,
    /// Small requests a second, 16 at a time, at 20 ms: 800 if nothing but the latency counted.
    pub(super) requests_per_second_at_20_ms: f64,
}

/// Measures the cloud alone.
pub(super) async fn measure() -> io::Result<Ceiling> {
    let cloud = fleet::cloud(Weather::Still.latency(Duration::ZERO), |_| {});
    let history = History {
        newest: 0,
        count: 10,
        expires_at: Utc::now() + TimeDelta::days(365),
    };
    for id in fleet::add_volumes(&cloud, SNAPSHOTS / 10, ONE, 2) {
        fleet::add_history(&cloud, &id, "daily", history);
    }
    let one = cloud
        .snapshots()
        .first()
        .map(|snapshot| snapshot.id.clone());
    let project = cloud.project_id();
    let small = format!("/volume/v3/{project}/snapshots/{}", one.unwrap_or_default());
    let listing = format!(
        "/volume/v3/{project}/snapshots/detail?metadata=%7B%27x-snapsentry-managed%27%3A%27true%27%7D"
    );
    let server = cloud.serve().await?;
    let mut bare = Bare::log_in(&cloud, &server).await?;

    let begun = Instant::now();
    let pages = bare.list(&listing).await?;
    let page_seconds = begun.elapsed().as_secs_f64() / f64::from(pages);

    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(bare.another(&server).await?);
    }
    let requests_per_second = rate(&mut clients, &small, REQUESTS).await?;
    let fixed = |late: Duration| {
        let latency = Weather::Fixed.latency(late);
        cloud.configure(|config| config.latency = latency);
    };
    fixed(Duration::ZERO);
    let late = bare.middle(&small).await?.saturating_sub(NOMINAL);
    fixed(late);
    Ok(Ceiling {
        page_seconds,
        requests_per_second,
        late_seconds: late.as_secs_f64(),
        fixed_latency_seconds: bare.middle(&small).await?.as_secs_f64(),
        requests_per_second_at_20_ms: rate(&mut clients, &small, REQUESTS / 10).await?,
    })
}

async fn rate(clients: &mut [Bare], path: &str, each: usize) -> io::Result<f64> {
    let begun = Instant::now();
    let count = clients.len() * each;
    try_join_all(clients.iter_mut().map(async |client| {
        for _ in 0..each {
            client.get(path).await?;
        }
        io::Result::Ok(())
    }))
    .await?;
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

impl Ceiling {
    pub(super) fn page(&self) -> Duration {
        Duration::from_secs_f64(self.page_seconds)
    }

    pub(super) fn late(&self) -> Duration {
        Duration::from_secs_f64(self.late_seconds)
    }

    pub(super) fn told(&self) -> String {
        format!(
            "The cloud alone, asked by a bare client: a page of 1,000 snapshots takes {:.1} ms; \
             {:.0} small requests a second, 16 at a time. Its timer is {:.1} ms late, which is \
             taken off the latency: at 20 ms a small request then takes {:.1} ms, and 16 at a \
             time make {:.0} a second of the 800 there could be.",
            self.page_seconds * 1e3,
            self.requests_per_second,
            self.late_seconds * 1e3,
            self.fixed_latency_seconds * 1e3,
            self.requests_per_second_at_20_ms,
        )
    }
}
