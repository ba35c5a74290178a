//! What a pass has looked at before it does anything: all there is.

use super::{Asked, Judge};
use crate::witness::{Purpose, Sent};

impl Judge {
    /// A pass that goes on to its work has listed volumes and snapshots to the end, and believes
    /// no filter that leaves nothing.
    pub(super) fn listings(&mut self, asked: &Asked<'_>) {
        let sent = &asked.pass.record.sent;
        let works = |one: &Sent| matches!(one.purpose, Purpose::Create | Purpose::Delete);
        let begun = sent.iter().position(works);
        if asked.answer.is_none() && begun.is_none() {
            return;
        }
        let looks = &sent[..begun.unwrap_or(sent.len())];
        for target in ["volumes", "snapshots"] {
            let mut pages = looks
                .iter()
                .filter(|one| one.target == target && one.query.split('&').all(is_of_discovery));
            let Some(last) = pages.rfind(|one| one.page.is_some()) else {
                continue;
            };
            let page = last.page.expect("it was filtered by that");
            self.check(
                !page.has_next,
                "what is listed is listed to the end",
                || format!("{}: {target}?{}", asked.pass.label, last.query),
            );
            let is_filtered = last.query.contains("metadata=");
            let is_first = !last.query.contains("marker=");
            self.check(
                page.has_rows || !is_filtered || !is_first,
                "a filter that leaves nothing is not believed",
                || format!("{}: {target}?{}", asked.pass.label, last.query),
            );
        }
    }
}

/// Looks at what is being made ask for a number of rows, and look-ups for a volume.
fn is_of_discovery(part: &str) -> bool {
    part.is_empty() || part.starts_with("metadata=") || part.starts_with("marker=")
}
