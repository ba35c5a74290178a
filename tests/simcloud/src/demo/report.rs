//! A report's answer as a table for people, and the dashboard's page in a file.

use std::fmt::Write;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// The table of a report's answer; `None` where the answer is no report.
pub(super) fn table(answer: &Value) -> Option<String> {
    let volumes = answer["volumes"].as_array()?;
    if answer["phase"] != "report" {
        return None;
    }
    let mut text = String::new();
    row(
        &mut text,
        [
            "volume", "state", "policy", "state", "behind", "newest", "has",
        ],
    );
    for volume in volumes {
        let name = words(&volume["name"], &volume["volume_id"]);
        let state = words(&volume["state"], &Value::Null);
        let policies = volume["policies"].as_array().map_or(&[][..], Vec::as_slice);
        if policies.is_empty() {
            row(&mut text, [&name, &state, "–", "", "", "", ""]);
        }
        for (at, policy) in policies.iter().enumerate() {
            let first = if at == 0 { [&*name, &*state] } else { ["", ""] };
            let newest = policy["newest"]["created_at"].as_str().unwrap_or("–");
            let has = format!(
                "{} available, {} creating, {} left over",
                policy["available"], policy["creating"], policy["leftovers"]
            );
            let behind = policy["behind_seconds"]
                .as_u64()
                .map_or(String::new(), span);
            row(
                &mut text,
                [
                    first[0],
                    first[1],
                    &words(&policy["policy"], &Value::Null),
                    &words(&policy["state"], &Value::Null),
                    &behind,
                    newest,
                    &has,
                ],
            );
        }
    }
    let totals = answer["totals"].as_object().into_iter().flatten();
    let totals: Vec<String> = totals
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    writeln!(text, "\n{}", totals.join(", ")).expect("a string takes everything");
    Some(text)
}

fn words(value: &Value, otherwise: &Value) -> String {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.or(otherwise.as_str()).unwrap_or("–").to_owned()
}

/// Seconds as days, hours or minutes.
fn span(seconds: u64) -> String {
    match seconds {
        0 => String::new(),
        1..3_600 => format!("{} min", seconds.div_ceil(60)),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn row(text: &mut String, [volume, state, policy, policy_state, behind, newest, has]: [&str; 7]) {
    let line = format!(
        "  {volume:<14} {state:<10} {policy:<8} {policy_state:<10} {behind:>7}  {newest:<21} {has}"
    );
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}

/// The event that a dashboard's widget sends.
pub(super) fn widget_event() -> Value {
    json!({
        "phase": "report",
        "widgetContext": {
            "dashboardName": "snapsentry", "widgetId": "widget-1", "accountId": "123456789012",
            "locale": "en", "timezone": { "label": "UTC", "offsetISO": "+00:00", "offsetInMinutes": 0 },
            "theme": "light", "title": "Recovery points", "forms": { "all": {} }, "params": {},
            "width": 1200, "height": 800,
        },
    })
}

/// Writes what the widget was answered with as a page of its own.
pub(super) fn write_page(path: &Path, html: &str) -> io::Result<()> {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>SnapSentry</title>\n\
         <style>body {{ max-width: 1200px; margin: 2em auto; font-family: sans-serif }}</style>\n\
         {html}\n</html>\n"
    );
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_table_and_other_answers_are_not() {
        let answer = json!({
            "phase": "report",
            "totals": { "volumes": 1, "late": 1 },
            "volumes": [{ "volume_id": "v", "name": "db-data", "state": "late", "policies": [
                { "policy": "daily", "state": "late", "behind_seconds": 10_980, "available": 7,
                  "creating": 0, "leftovers": 1,
                  "newest": { "created_at": "2026-11-22T09:10:00Z" } },
                { "policy": "weekly", "state": "protected", "behind_seconds": 0, "available": 1,
                  "creating": 0, "leftovers": 0, "newest": null }] }],
        });
        let table = table(&answer).expect("a report");
        let lines: Vec<&str> = table.lines().collect();
        assert!(
            lines[1].contains("db-data") && lines[1].contains("3 h"),
            "{table}"
        );
        assert!(
            lines[1].contains("7 available, 0 creating, 1 left over"),
            "{table}"
        );
        assert!(lines[2].trim_start().starts_with("weekly"), "{table}");
        assert!(table.ends_with("1 late, 1 volumes\n"), "{table}");
        assert_eq!(
            super::table(&json!({ "phase": "snapshot", "volumes": {} })),
            None
        );
    }
}
