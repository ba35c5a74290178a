//! How many requests a pass sends, and how many at a time.
//!
//! A pass that nothing disturbs and that changes nothing reads the pages of volumes and snapshots, and
//! at most eight more answers: it lists, and is done.

use std::time::Duration;

use simcloud::Route;

use super::{Asked, Judge};
use crate::run::End;
use crate::witness::Purpose;

impl Judge {
    pub(super) fn requests(&mut self, asked: &Asked<'_>) {
        let pass = asked.pass;
        let of_pass = asked
            .step
            .entries
            .iter()
            .filter(|entry| entry.request_id.as_ref() == Some(&pass.run_id));
        let arrived = of_pass.clone().count() as u64;
        if asked.answer.is_some() && asked.phase != "report" {
            let sent = asked.number("/requests/sent");
            // What is cut off on its way to a real port never arrives.
            let counts =
                sent == arrived || !asked.is_exact() && !asked.is_quiet() && sent > arrived;
            self.check(counts, "the answer counts every request", || {
                format!("{}: says {sent}, and {arrived} arrived", pass.label)
            });
        }
        let limit = self.case.config.osapi_max_limit as u64;
        let rows = |of: &dyn Fn(&crate::world::VolumeCopy) -> usize| {
            let most = asked
                .copies()
                .iter()
                .map(|copy| copy.volumes.values().map(of).sum::<usize>())
                .max();
            most.unwrap_or(0) as u64
        };
        let volume_pages = rows(&|copy| usize::from(copy.volume.is_some())) / limit + 1;
        let snapshot_pages = rows(&|copy| copy.snapshots.len()) / limit + 1;
        let count = |purpose: Purpose| {
            pass.record
                .sent
                .iter()
                .filter(|sent| sent.purpose == purpose)
                .count() as u64
        };
        let (created, deleted) = (count(Purpose::Create), count(Purpose::Delete));
        if asked.is_quiet() && created + deleted == 0 && !matches!(pass.end, End::Killed) {
            // What is refused, a filter or a token that has ended, is asked for once more.
            let answered = of_pass.clone().filter(|one| one.status() == Some(200));
            let (answered, bound) = (answered.count() as u64, volume_pages + snapshot_pages + 8);
            self.check(
                answered <= bound,
                "a pass that changes nothing lists and is done",
                || format!("{}: {answered} answers, at most {bound}", pass.label),
            );
        }
        let tries = u64::from(asked.knobs.max_retries + 1) * 3;
        let telling = of_pass
            .filter(|entry| entry.route == Route::GetServer)
            .count() as u64;
        self.check(
            telling <= tries * 32,
            "only the names of VMs that failed are looked up",
            || format!("{}: {telling}", pass.label),
        );
        self.at_a_time(asked);
        self.looks_with_breaks(asked);
    }

    /// What is being made is looked at four times a second at most, and once more for twins.
    fn looks_with_breaks(&mut self, asked: &Asked<'_>) {
        // What went wrong with a look is tried again, however soon that is.
        if asked.step.struck.iter().any(|(_, times)| *times > 0) {
            return;
        }
        let is_look = |query: &str| {
            let others = ["marker=", "policy-type", "volume_id="];
            query.contains("metadata=")
                && query.contains("limit=")
                && !others.iter().any(|part| query.contains(part))
        };
        let sent = asked.pass.record.sent.iter();
        let looks = sent.filter(|one| one.purpose == Purpose::List && one.target == "snapshots");
        let looks = looks.filter(|one| one.status == Some(200) && is_look(&one.query));
        let looks: Vec<_> = looks.map(|one| one.at).collect();
        let second = Duration::from_secs(1) - asked.pace.slack();
        let hasty = looks.windows(6).find(|six| six[5] - six[0] < second);
        self.coverage
            .hit_if(looks.len() > 8, "looked at several times");
        self.check(
            hasty.is_none(),
            "what is being made is looked at four times a second at most",
            || format!("{}: {} looks", asked.pass.label, looks.len()),
        );
    }

    fn at_a_time(&mut self, asked: &Asked<'_>) {
        let mut turns: Vec<(tokio::time::Instant, i64)> = Vec::new();
        // A cloud behind a real port learns of a time-out a little later.
        let longest = if asked.is_exact() {
            asked.knobs.operation_timeout
        } else {
            asked.knobs.operation_timeout / 2
        };
        for sent in &asked.pass.record.sent {
            // A request without an answer has ended at some time or other.
            let took = sent.took.filter(|took| *took <= longest);
            if let Some(took) = took.filter(|took| !took.is_zero()) {
                turns.push((sent.at, 1));
                turns.push((sent.at + took, -1));
            }
        }
        turns.sort();
        let (mut now, mut most) = (0, 0);
        for (_, turn) in turns {
            now += turn;
            most = most.max(now);
        }
        let allowed = asked.knobs.max_concurrency as i64;
        self.check(
            most <= allowed,
            "no more requests are in flight than allowed",
            || format!("{}: {most} of {allowed}", asked.pass.label),
        );
    }
}
