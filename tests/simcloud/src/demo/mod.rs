//! The demonstration: the real function, in a process of its own, on a small cloud.

pub(crate) mod fleet;
mod picture;
mod report;
pub(crate) mod tenancy;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, FunctionSpec, Invocation};
use simcloud::{Cloud, Login};

use picture::Picture;
pub(crate) use simcloud::lambda::build;

/// Where the dashboard's page goes unless somebody says otherwise.
pub(crate) const DEFAULT_PAGE: &str = "target/report.html";
/// What Lambda would allow an invocation.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the function on each event in turn, all on one cloud; fails if one of them did.
pub(crate) async fn run(events: &[PathBuf]) -> io::Result<ExitCode> {
    // Read before anything is built: a mistyped name should not cost minutes.
    let events: Vec<(String, Vec<u8>)> = events
        .iter()
        .map(|path| Ok((path.display().to_string(), read(path)?)))
        .collect::<io::Result<_>>()?;
    play(&events, Path::new(DEFAULT_PAGE)).await
}

/// Reports how the demonstration's volumes stand, as a table, and as the dashboard's page in a
/// file.
pub(crate) async fn report(page: &Path) -> io::Result<ExitCode> {
    let bytes = |event: &Value| event.to_string().into_bytes();
    let events = [
        ("a report".to_owned(), bytes(&json!({ "phase": "report" }))),
        (
            "the dashboard's widget".to_owned(),
            bytes(&report::widget_event()),
        ),
    ];
    play(&events, page).await
}

async fn play(events: &[(String, Vec<u8>)], page: &Path) -> io::Result<ExitCode> {
    let binary = build(&[]).await?;
    let cloud = tenancy::cloud();
    let server = cloud.serve().await?;
    let spec = FunctionSpec::new(binary)
        .env(cloud.os_env(&server.url(), Login::AppCred))
        .env(std::env::vars().filter(|(name, _)| is_setting(name)));
    let mut function = Function::start(spec).await?;

    let mut before = Picture::of(&cloud);
    println!(
        "\nThe cloud at {}\n\n{}",
        cloud.now().format("%Y-%m-%d %H:%M UTC"),
        before.show(None)
    );
    let mut code = ExitCode::SUCCESS;
    for (name, payload) in events {
        cloud.clear_journal();
        println!("━━ {name} ━━\n");
        let deadline = Deadline::After(TIMEOUT);
        let invocation = function.invoke_raw(payload.clone().into(), deadline).await;
        if invocation.result.is_err() {
            code = ExitCode::FAILURE;
        }
        print(&cloud, &invocation, page)?;
        let after = Picture::of(&cloud);
        if after == before {
            println!("The cloud is as it was.\n");
        } else {
            println!("The cloud afterwards\n\n{}", after.show(Some(&before)));
        }
        before = after;
    }
    for line in function.stop().await {
        println!("  │ {line}");
    }
    Ok(code)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Settings of the function that are taken from the environment of the demonstration, so that
/// one can try them.
fn is_setting(name: &str) -> bool {
    name.starts_with("SNAPSENTRY_") || matches!(name, "RUST_LOG" | "AWS_LAMBDA_LOG_LEVEL")
}

fn print(cloud: &Cloud, invocation: &Invocation, page: &Path) -> io::Result<()> {
    println!("The function's log");
    for line in &invocation.log {
        println!("  │ {line}");
    }
    match &invocation.result {
        Ok(answer) => {
            println!("\nIts answer after {} ms", invocation.elapsed.as_millis());
            match (report::table(answer), answer.as_str()) {
                (Some(table), _) => println!("\n{table}"),
                (None, Some(html)) if html.trim_start().starts_with('<') => {
                    report::write_page(page, html)?;
                    println!(
                        "{} bytes of HTML, written to {}\n",
                        html.len(),
                        page.display()
                    );
                }
                _ => println!("{answer:#}\n"),
            }
        }
        Err(failure) => {
            println!(
                "\nIt failed: {}\n{}\n",
                failure.error_type, failure.error_message
            );
        }
    }
    let counts: BTreeMap<String, u64> = cloud.with_journal(|journal| {
        journal
            .counts
            .iter()
            .map(|(route, count)| (format!("{route:?}"), *count))
            .collect()
    });
    let total: u64 = counts.values().sum();
    let each: Vec<String> = counts
        .iter()
        .map(|(route, count)| format!("{count} × {route}"))
        .collect();
    println!("Requests the cloud saw: {total} ({})\n", each.join(", "));
    Ok(())
}
