//! Looking: the report, and the dashboard's widget.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use super::invocation::{Done, Work, limits};
use super::json;
use crate::error::InvocationError;
use crate::event::{ReportRequest, WidgetRequest};
use crate::lock::lock;
use crate::pass::report::{self, ReportInventory};
use crate::report::{Figures, Report};
use crate::widget::{self, Page};

/// For this long a dashboard that asks again is shown the same listings.
const REUSED_FOR: TimeDelta = TimeDelta::seconds(60);

/// The listings of a cloud that a dashboard was last shown.
#[derive(Debug, Default)]
pub(super) struct Listings(Mutex<Option<Arc<ReportInventory>>>);

impl Listings {
    /// Forgets them where they are too old to be shown again.
    pub(super) fn forget_stale(&self, now: DateTime<Utc>) {
        lock(&self.0).take_if(|one| !is_fresh(one.now, now));
    }

    fn fresh(&self, now: DateTime<Utc>) -> Option<Arc<ReportInventory>> {
        self.forget_stale(now);
        lock(&self.0).clone()
    }

    fn keep(&self, inventory: Arc<ReportInventory>) {
        *lock(&self.0) = Some(inventory);
    }
}

/// Whether listings of then are good enough now. A clock that was put back makes none of them fresh.
fn is_fresh(listed_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (TimeDelta::zero()..REUSED_FOR).contains(&(now - listed_at))
}

impl Work<'_> {
    /// Looks at the cloud and answers one page of how the volumes stand.
    pub(super) async fn report(&self, request: &ReportRequest) -> Result<Done, InvocationError> {
        let inventory = self.look(None).await?;
        let mut report = inventory.report(request)?;
        report.fit_json();
        let project = self.project();
        let (run_id, cloud) = (self.context.run_id, self.context.cloud);
        tell(&report);
        Ok(Done {
            answer: json(&report.answer(run_id, cloud, project.as_ref())),
            figures: Figures::Nothing,
        })
    }

    /// Shows the same as a page. Listings of less than a minute ago are good enough for it.
    pub(super) async fn widget(&self, request: &WidgetRequest) -> Result<Done, InvocationError> {
        let now = self.context.clock.started_at();
        let inventory = match self.warm.listings.fresh(now) {
            Some(inventory) => inventory,
            None => {
                let since = widget::first_instant(now);
                let inventory = Arc::new(self.look(Some(since)).await?);
                self.warm.listings.keep(inventory.clone());
                inventory
            }
        };
        let report = inventory.report(&request.report)?;
        tell(&report);
        let project = self.project();
        let page = Page {
            report: &report,
            request,
            project: project.as_ref().and_then(|project| project.name.as_deref()),
            cloud: self.context.cloud,
            endpoint: self.context.invoked_function_arn,
            now,
            took: inventory.took,
        };
        Ok(Done {
            answer: json(&page.html()),
            figures: Figures::Nothing,
        })
    }

    async fn look(
        &self,
        points_since: Option<DateTime<Utc>>,
    ) -> Result<ReportInventory, InvocationError> {
        let (client, context) = (&self.client, self.context);
        let now = context.clock.started_at();
        let limits = limits(&self.warm.settings);
        report::look(client, context.deadline, now, points_since, limits)
            .await
            .map_err(InvocationError::of_discovery)
    }
}

fn tell(report: &Report<'_>) {
    tracing::info!(
        totals = %json(&report.totals),
        rows = report.rows.len(),
        listed_at = %report.at,
        "report finished"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_reused_for_a_minute() {
        let listed_at = DateTime::UNIX_EPOCH;
        let after = |millis| is_fresh(listed_at, listed_at + TimeDelta::milliseconds(millis));
        assert_eq!([0, 1, 59_999].map(after), [true; 3]);
        assert_eq!([60_000, 3_600_000, -1].map(after), [false; 3]);
    }
}
