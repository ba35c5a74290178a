//! Volumes and their snapshots as a table for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use simcloud::{Cloud, Snapshot, Volume};

const POLICIES: [&str; 5] = ["express", "daily", "weekly", "monthly", "yearly"];

/// What was in the cloud at one moment.
#[derive(PartialEq)]
pub(super) struct Picture {
    volumes: Vec<(Volume, String)>,
    snapshots: BTreeMap<String, Vec<Snapshot>>,
}

impl Picture {
    /// Looks at the cloud.
    pub(super) fn of(cloud: &Cloud) -> Self {
        let mut snapshots: BTreeMap<String, Vec<Snapshot>> = BTreeMap::new();
        for snapshot in cloud.snapshots().into_iter().rev() {
            snapshots
                .entry(snapshot.volume_id.clone())
                .or_default()
                .push(snapshot);
        }
        let mut volumes = cloud.volumes();
        volumes.sort_by(|one, other| one.name.cmp(&other.name));
        let named = volumes.into_iter().map(|volume| {
            let servers = volume.servers.iter().map(|id| cloud.server_name(id));
            let mut names: Vec<String> = servers.map(Option::unwrap_or_default).collect();
            names.sort();
            (volume, names.join(" "))
        });
        Self {
            volumes: named.collect(),
            snapshots,
        }
    }

    /// Writes the table; with an earlier picture, what is new and what is gone is marked.
    pub(super) fn show(&self, earlier: Option<&Self>) -> String {
        let mut text = String::new();
        row(&mut text, ["  volume", "machines", "policies", "snapshots"]);
        for (volume, machines) in &self.volumes {
            let fresh = earlier.is_some_and(|earlier| !earlier.has(&volume.id));
            let mark = if fresh { "+" } else { " " };
            let name = volume.name.as_deref().unwrap_or("-");
            let usual = matches!(&*volume.status, "available" | "in-use");
            let status = if usual { "" } else { &*volume.status };
            let name = format!("{mark} {name} {status}");
            let policies = policies(volume);
            let mut lines = self.lines(volume, earlier);
            if lines.is_empty() {
                lines.push("–".into());
            }
            for (at, line) in lines.iter().enumerate() {
                let (name, machines, policies) = if at == 0 {
                    (&*name, &**machines, &*policies)
                } else {
                    ("", "", "")
                };
                row(&mut text, [name, machines, policies, line]);
            }
        }
        text
    }

    fn has(&self, id: &str) -> bool {
        self.volumes.iter().any(|(volume, _)| volume.id == id)
    }

    fn lines(&self, volume: &Volume, earlier: Option<&Self>) -> Vec<String> {
        let none = Vec::new();
        let now = self.snapshots.get(&volume.id).unwrap_or(&none);
        let then = earlier.map(|earlier| earlier.snapshots.get(&volume.id).unwrap_or(&none));
        let has = |list: &[Snapshot], id: &str| list.iter().any(|snapshot| snapshot.id == id);
        let gone = then
            .into_iter()
            .flatten()
            .filter(|snapshot| !has(now, &snapshot.id));
        let kept = now.iter().map(|snapshot| {
            let fresh = then.is_some_and(|then| !has(then, &snapshot.id));
            (if fresh { "+" } else { " " }, snapshot)
        });
        let mut all: Vec<_> = gone.map(|snapshot| ("−", snapshot)).chain(kept).collect();
        all.sort_by_key(|(_, snapshot)| snapshot.created_at);
        all.into_iter()
            .map(|(mark, snapshot)| format!("{mark} {}", describe(snapshot)))
            .collect()
    }
}

fn row(text: &mut String, [name, machines, policies, snapshot]: [&str; 4]) {
    let line = format!("{name:<20} {machines:<11} {policies:<15} {snapshot}");
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}

fn policies(volume: &Volume) -> String {
    let enabled = |policy: &&&str| {
        let key = format!("x-snapsentry-{policy}-enabled");
        volume
            .metadata
            .get(&key)
            .is_some_and(|value| value == "true")
    };
    let names: Vec<&str> = POLICIES.iter().filter(enabled).copied().collect();
    if names.is_empty() {
        "–".into()
    } else {
        names.join(" ")
    }
}

fn describe(snapshot: &Snapshot) -> String {
    let value = |key: &str| snapshot.metadata.get(key).map(String::as_str);
    let Some(policy) = value("x-snapsentry-snapshot-policy-type") else {
        let name = snapshot.name.as_deref().unwrap_or("without a name");
        return format!("{:<8} {:<10} \"{name}\"", "by hand", snapshot.status);
    };
    let expiry = value("x-snapsentry-snapshot-expiry-date");
    let until = expiry.map_or_else(
        || "no expiry date".into(),
        |expiry| format!("until {expiry}"),
    );
    let held = value("x-snapsentry-hold").is_some_and(|value| value != "false");
    let until = if held {
        format!("{until}, held")
    } else {
        until
    };
    let taken = snapshot.created_at.format("%Y-%m-%d %H:%M");
    format!("{policy:<8} {:<10} taken {taken}  {until}", snapshot.status)
}

#[cfg(test)]
mod tests {
    use simcloud::{Config, SnapshotSpec, VolumeSpec};

    use super::*;

    #[test]
    fn new_and_gone_snapshots_are_marked() {
        let cloud = Cloud::new(Config::default());
        cloud.add_server("vm", "web-1");
        let spec = VolumeSpec::named("root")
            .on("vm")
            .meta("x-snapsentry-daily-enabled", "true");
        let volume = cloud.add_volume(spec);
        let old = cloud.add_snapshot(SnapshotSpec::of(&volume).named("old"));
        let before = Picture::of(&cloud);
        assert!(
            before.show(None).contains("by hand  available  \"old\""),
            "{}",
            before.show(None)
        );
        cloud.remove_snapshot(&old);
        let new = SnapshotSpec::of(&volume)
            .meta("x-snapsentry-snapshot-policy-type", "daily")
            .meta("x-snapsentry-snapshot-expiry-date", "2026-11-24T00:00:00Z");
        cloud.add_snapshot(new);
        let table = Picture::of(&cloud).show(Some(&before));
        assert!(table.contains("− by hand"), "{table}");
        assert!(table.contains("+ daily    available  taken 2026-11-22 09:10  until 2026-11-24"));
        assert!(
            table.contains("root               web-1       daily"),
            "{table}"
        );
    }
}
