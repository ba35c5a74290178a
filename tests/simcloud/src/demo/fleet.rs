//! Three clouds and one function: what a tick of the schedule asks for, and what comes of it.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, FunctionSpec};
use simcloud::{Cloud, Config, Health, Login, Server};

use super::{TIMEOUT, build, is_setting, tenancy};

/// The clouds, by the names that their entries have.
const NAMES: [&str; 3] = ["amber", "blue", "green"];
/// The one whose storage is down.
const SICK: &str = "amber";

/// Plays one tick of the snapshot schedule, and one of the expire schedule.
pub(crate) async fn run() -> io::Result<ExitCode> {
    let binary = build(&[]).await?;
    let mut clouds = Vec::new();
    for name in NAMES {
        let cloud = tenancy::cloud();
        // What is mistyped would be a failure of all three, and hide which one is sick.
        for volume in cloud.volumes() {
            if volume.name.as_deref() == Some("mistyped") {
                cloud.remove_volume(&volume.id);
            }
        }
        cloud.configure(|config| config.service_down_time = std::time::Duration::ZERO);
        if name == SICK {
            let backend = Config::default().default_volume_type.unwrap_or_default();
            cloud.set_health(&backend, Health::Dead);
        }
        let server = cloud.serve().await?;
        clouds.push((name, cloud, server));
    }
    let file = Document::write(&clouds)?;
    let spec = FunctionSpec::new(binary)
        .env([(
            "OS_CLIENT_CONFIG_FILE",
            file.0.to_string_lossy().into_owned(),
        )])
        .env(std::env::vars().filter(|(name, _)| is_setting(name)));
    let mut function = Function::start(spec).await?;
    println!(
        "\nThree clouds: {}. The storage of {SICK} is down.\n",
        NAMES.join(", ")
    );
    let mut code = ExitCode::SUCCESS;
    for phase in ["snapshot", "expire"] {
        if !tick(&mut function, phase).await {
            code = ExitCode::FAILURE;
        }
    }
    function.stop().await;
    Ok(code)
}

/// Asks for the targets of a phase and hands each its event, as the state machine does but
/// without waiting for its instant; whether all were answered.
async fn tick(function: &mut Function, phase: &str) -> bool {
    println!("━━ targets for {phase} ━━\n");
    let event = json!({ "phase": "targets", "for": phase });
    let asked = function.invoke(event, Deadline::After(TIMEOUT)).await;
    let told = match &asked.result {
        Ok(told) => told,
        Err(failure) => {
            println!("{}: {}\n", failure.error_type, failure.error_message);
            return false;
        }
    };
    println!(
        "{}",
        line([
            "cloud", "after", "outcome", "created", "deleted", "deferred", "failed", "took"
        ])
    );
    let mut all = true;
    let mut remarks = Vec::new();
    for target in told["targets"].as_array().into_iter().flatten() {
        let cloud = target["event"]["cloud"].as_str().unwrap_or_default();
        let after = format!("{} s", target["delay_seconds"]);
        let pass = function
            .invoke(target["event"].clone(), Deadline::After(TIMEOUT))
            .await;
        let took = format!("{} ms", pass.elapsed.as_millis());
        match &pass.result {
            Ok(answer) => {
                let count = |name: &str| answer["snapshots"][name].to_string();
                let outcome = answer["outcome"].as_str().unwrap_or_default();
                let counts = ["created", "deleted", "deferred", "failed"].map(count);
                let [created, deleted, deferred, failed] = counts.each_ref().map(String::as_str);
                println!(
                    "{}",
                    line([
                        cloud, &after, outcome, created, deleted, deferred, failed, &took
                    ])
                );
                let first = answer["failures"].as_array().and_then(|all| all.first());
                remarks.extend(first.map(|failure| format!("{cloud}: {}", failure["error"])));
            }
            Err(failure) => {
                all = false;
                println!(
                    "{}",
                    line([cloud, &after, &failure.error_type, "", "", "", "", &took])
                );
                remarks.push(format!("{cloud}: {}", failure.error_message));
            }
        }
    }
    for fault in told["faults"].as_array().into_iter().flatten() {
        all = false;
        remarks.push(format!("{}: {}", fault["cloud"], fault["error"]));
    }
    println!();
    for remark in remarks {
        println!("  {remark}");
    }
    println!();
    all
}

fn line(
    [
        cloud,
        after,
        outcome,
        created,
        deleted,
        deferred,
        failed,
        took,
    ]: [&str; 8],
) -> String {
    format!(
        "  {cloud:<8} {after:>6}  {outcome:<10} {created:>8} {deleted:>8} {deferred:>9} {failed:>7} {took:>9}"
    )
}

/// A `clouds.yaml` that is there for as long as this is.
struct Document(PathBuf);

impl Document {
    /// JSON is YAML too.
    fn write(clouds: &[(&str, Cloud, Server)]) -> io::Result<Self> {
        let entries: Value = clouds
            .iter()
            .map(|(name, cloud, server)| {
                let env = cloud.os_env(&server.url(), Login::AppCred);
                let of = |wanted: &str| {
                    let found = env.iter().find(|(name, _)| name == wanted);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                let entry = json!({
                    "auth_type": of("OS_AUTH_TYPE"),
                    "auth": {
                        "auth_url": of("OS_AUTH_URL"),
                        "application_credential_id": of("OS_APPLICATION_CREDENTIAL_ID"),
                        "application_credential_secret": of("OS_APPLICATION_CREDENTIAL_SECRET"),
                    },
                });
                ((*name).to_owned(), entry)
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let path = std::env::temp_dir().join(format!("clouds-{}.yaml", std::process::id()));
        std::fs::write(&path, json!({ "clouds": entries }).to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // Somebody may have tidied up before.
        let _ = std::fs::remove_file(&self.0);
    }
}
