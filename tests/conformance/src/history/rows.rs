//! A history of years, put into Cinder's database: rows like those that Cinder has made itself,
//! with other ids, names and times.

use std::io;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveTime, SecondsFormat, TimeDelta, Timelike, Utc,
};
use http::Method;

use crate::api::Api;
use crate::real::{Real, RealProject};
use crate::tenancy::NewVolume;

/// Of eighteen snapshots a volume has so many of each policy.
const SHARES: [(&str, u32); 4] = [("daily", 7), ("express", 7), ("weekly", 2), ("monthly", 2)];

/// Fills a project up to so many volumes with so many snapshots each. What is there already is
/// thrown away.
pub(super) async fn fill(
    real: &Real,
    project: &RealProject,
    volumes: u32,
    snapshots: u32,
) -> io::Result<()> {
    let database = real.database();
    let owner = project.id();
    // Of an earlier history, also of one that another run has left.
    let theirs = "LIKE 'aaaaaaaa-%'";
    database
        .run(&format!(
            "DELETE FROM snapshot_metadata WHERE snapshot_id IN \
             (SELECT id FROM snapshots WHERE volume_id {theirs}); \
             DELETE FROM snapshots WHERE volume_id {theirs}; \
             DELETE FROM volume_metadata WHERE volume_id {theirs}; \
             DELETE FROM volumes WHERE id {theirs}"
        ))
        .await?;
    let (user, password, name) = project.login().into();
    let (token, _) = Api::log_in(&project.keystone(), &user, &password, &name).await;
    let api = Api::new(project.cinder(), token);
    let volume = project
        .add_volume(&api, &NewVolume::named("template"))
        .await;
    let untagged = Default::default();
    let snapshot = api.add_snapshot(&volume, "template", &untagged).await;

    let now = Utc::now();
    let long_ago = sql_time(now - TimeDelta::days(2_000));
    let columns = columns(real, "volumes").await?;
    let copied = select(
        &columns,
        &[
            (
                "id",
                "CONCAT('aaaaaaaa-0000-4000-8000-', LPAD(HEX(seq), 12, '0'))".into(),
            ),
            ("display_name", "CONCAT('volume-', seq)".into()),
            ("created_at", format!("'{long_ago}'")),
            ("updated_at", format!("'{long_ago}'")),
        ],
    );
    let list = columns.join(", ");
    database
        .run(&format!(
            "INSERT INTO volumes ({list}) SELECT {copied} FROM volumes, seq_1_to_{volumes} \
             WHERE id = '{volume}'"
        ))
        .await?;
    let mut tags = vec![("managed".to_owned(), "true".to_owned())];
    for (policy, _) in SHARES {
        tags.push((format!("{policy}-enabled"), "true".into()));
        tags.push((format!("{policy}-retention-days"), "4000".into()));
        tags.push((format!("{policy}-timezone"), "UTC".into()));
    }
    tags.push(("express-interval-hours".into(), "12".into()));
    let ids =
        format!("SELECT id FROM volumes WHERE project_id = '{owner}' AND id LIKE 'aaaaaaaa-%'");
    for (key, value) in tags {
        let sql = metadata("volume", &ids, &key, &value);
        database.run(&sql).await?;
    }
    let columns = self::columns(real, "snapshots").await?;
    for (at, (policy, share)) in SHARES.into_iter().enumerate() {
        for ago in 0..share * snapshots / 18 {
            let start = window_start(policy, now, ago);
            let row = Snapshot {
                policy,
                start,
                batch: (at as u32) << 16 | ago,
            };
            database
                .run(&row.insert(&columns, &snapshot, volumes, now))
                .await?;
        }
    }
    // The templates would be in nobody's way, but they are not part of the count.
    api.call(Method::DELETE, &format!("/snapshots/{snapshot}"), None)
        .await;
    api.wait_for_snapshot(&snapshot, "gone").await;
    api.call(Method::DELETE, &format!("/volumes/{volume}"), None)
        .await;
    // As a database of that age would know itself.
    database
        .run("ANALYZE TABLE volumes, volume_metadata, snapshots, snapshot_metadata")
        .await?;
    Ok(())
}

/// One snapshot of each volume, of one window.
struct Snapshot {
    policy: &'static str,
    start: DateTime<Utc>,
    /// Part of the ids.
    batch: u32,
}

impl Snapshot {
    fn insert(
        &self,
        columns: &[String],
        template: &str,
        volumes: u32,
        now: DateTime<Utc>,
    ) -> String {
        let Self {
            policy,
            start,
            batch,
        } = self;
        let window = start.to_rfc3339_opts(SecondsFormat::Secs, true);
        let made = sql_time((*start + TimeDelta::seconds(30)).min(now));
        let group = format!("{batch:08x}");
        let id = format!("CONCAT('{group}-0000-4000-8000-', LPAD(HEX(seq), 12, '0'))");
        let volume = "CONCAT('aaaaaaaa-0000-4000-8000-', LPAD(HEX(seq), 12, '0'))";
        let copied = select(
            columns,
            &[
                ("id", id),
                ("volume_id", volume.into()),
                (
                    "display_name",
                    format!("CONCAT('managed-{policy}-', {volume}, '-{window}')"),
                ),
                (
                    "display_description",
                    "'Created and managed by SnapSentry'".into(),
                ),
                ("created_at", format!("'{made}'")),
                ("updated_at", format!("'{made}'")),
            ],
        );
        let list = columns.join(", ");
        let mut sql = format!(
            "INSERT INTO snapshots ({list}) SELECT {copied} FROM snapshots, seq_1_to_{volumes} \
             WHERE id = '{template}';\n"
        );
        let ids = format!("SELECT id FROM snapshots WHERE id LIKE '{group}-0000-4000-8000-%'");
        let expiry = (*start + TimeDelta::days(4_000)).to_rfc3339_opts(SecondsFormat::Secs, true);
        for (key, value) in [
            ("managed", "true"),
            ("snapshot-policy-type", policy),
            ("snapshot-retention-days", "4000"),
            ("snapshot-expiry-date", &expiry),
            ("snapshot-expiry-date-user-tz", &expiry),
            ("snapshot-window-start", &window),
        ] {
            sql += &metadata("snapshot", &ids, key, value);
        }
        sql
    }
}

fn metadata(of: &str, ids: &str, key: &str, value: &str) -> String {
    format!(
        "INSERT INTO {of}_metadata (created_at, deleted, {of}_id, `key`, value) \
         SELECT UTC_TIMESTAMP(), 0, rows_.id, 'x-snapsentry-{key}', '{value}' \
         FROM ({ids}) AS rows_;\n"
    )
}

/// The columns of a table, quoted.
async fn columns(real: &Real, table: &str) -> io::Result<Vec<String>> {
    let sql = format!(
        "SELECT column_name FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = '{table}' AND extra = ''"
    );
    let told = real.database().run(&sql).await?;
    Ok(told.lines().map(|name| format!("`{name}`")).collect())
}

/// What a copied row has in each column.
fn select(columns: &[String], changed: &[(&str, String)]) -> String {
    let value = |column: &String| {
        let found = changed
            .iter()
            .find(|(name, _)| column.trim_matches('`') == *name);
        found.map_or_else(|| column.clone(), |(_, value)| value.clone())
    };
    columns.iter().map(value).collect::<Vec<_>>().join(", ")
}

fn sql_time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The start of a window in UTC with the default settings; express windows have 12 hours.
fn window_start(policy: &str, now: DateTime<Utc>, ago: u32) -> DateTime<Utc> {
    let (today, windows) = (now.date_naive(), u64::from(ago));
    let day = match policy {
        "express" => {
            let begun = i64::from(now.hour() / 12 * 12) - 12 * i64::from(ago);
            return today.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(begun);
        }
        "weekly" => {
            let since_sunday = u64::from(today.weekday().num_days_from_sunday());
            today - Days::new(since_sunday + 7 * windows)
        }
        "monthly" => today - Days::new(u64::from(today.day0())) - Months::new(ago),
        _ => today - Days::new(windows),
    };
    day.and_time(NaiveTime::MIN).and_utc()
}
