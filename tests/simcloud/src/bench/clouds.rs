//! Many clouds from one deployment: what a sandbox holds of those that it serves, and what the list
//! of a tick's targets costs.

use std::io;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use simcloud::extension::{Extension, Reply};
use simcloud::lambda::{Deadline, Function, FunctionSpec};
use simcloud::{Cloud, Config, Login, Route, Server};

/// The case in which the most clouds that are kept are kept.
pub(super) const KEPT: &str = "clouds-64-kept";
/// The case in which targets are listed.
pub(super) const TARGETS: &str = "targets-150";

const CLOUDS: usize = 64;
const MOST_MEMORY: u64 = 24 * 1024 * 1024;
const ENTRIES: usize = 150;
const MOST_CPU: Duration = Duration::from_millis(50);
/// The kernel counts in hundredths of a second: so many lists are needed to tell one's time.
const LISTS: u32 = 100;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    /// Memory in bytes: before the first cloud, and with all of them kept.
    Kept { before: u64, with_all: u64 },
    /// Processor time of one list.
    Targets(Duration),
}

/// Serves clouds, each with a token and a catalogue of its own, and looks at what the idle process
/// holds then.
///
/// # Errors
/// If a pass failed, or a login was not kept.
pub(super) async fn kept(binary: &Path) -> io::Result<Figure> {
    let deployment = Deployment::of(binary, CLOUDS).await?;
    let Deployment {
        cloud,
        mut function,
        ..
    } = deployment;
    function.ready().await.map_err(failed)?;
    let before = function.memory().unwrap_or_default();
    // The second time nobody logs in: all of it was kept.
    for _ in 0..2 {
        for n in 0..CLOUDS {
            let event = json!({"phase": "snapshot", "cloud": name(n)});
            invoke(&mut function, event).await?;
        }
    }
    let logins = cloud.with_journal(|journal| journal.count(Route::Login));
    if logins != CLOUDS as u64 {
        return Err(io::Error::other(format!(
            "{logins} logins for {CLOUDS} clouds"
        )));
    }
    Ok(Figure::Kept {
        before,
        with_all: function.memory().unwrap_or_default(),
    })
}

/// Lists the targets of a tick again and again in a warm sandbox.
///
/// # Errors
/// If a list was not the one that was meant.
pub(super) async fn targets(binary: &Path) -> io::Result<Figure> {
    let deployment = Deployment::of(binary, ENTRIES).await?;
    let Deployment {
        mut function,
        extension,
        document,
        ..
    } = deployment;
    let event = json!({"phase": "targets", "for": "snapshot"});
    invoke(&mut function, event.clone()).await?;
    let before = function.cpu_time().unwrap_or_default();
    for n in 0..LISTS {
        // A secret that has changed is read anew, as in a new sandbox.
        extension.set([Reply::Secret(format!("# {n}\n{document}"))]);
        let answer = invoke(&mut function, event.clone()).await?;
        let listed = answer["targets"].as_array().map_or(0, Vec::len);
        if listed != ENTRIES {
            return Err(io::Error::other(format!(
                "{listed} targets of {ENTRIES}: {answer}"
            )));
        }
    }
    let took = function.cpu_time().unwrap_or_default() - before;
    Ok(Figure::Targets(took / LISTS))
}

/// A function with a secret of many entries.
struct Deployment {
    cloud: Cloud,
    /// It is served for as long as this is.
    _server: Server,
    extension: Extension,
    document: String,
    function: Function,
}

impl Deployment {
    async fn of(binary: &Path, entries: usize) -> io::Result<Self> {
        let cloud = Cloud::new(Config {
            now: Utc::now(),
            ..Config::default()
        });
        let server = cloud.serve().await?;
        let document = document(&cloud, &server, entries);
        let extension = Extension::start([Reply::Secret(document.clone())]).await?;
        let spec = FunctionSpec::new(binary)
            .env([("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/clouds")])
            .env([("AWS_LAMBDA_LOG_FORMAT", "JSON")])
            .env(extension.env());
        Ok(Self {
            function: Function::start(spec).await?,
            cloud,
            _server: server,
            extension,
            document,
        })
    }
}

fn name(n: usize) -> String {
    format!("project-{n}")
}

/// A `clouds.yaml` as people write one.
fn document(cloud: &Cloud, server: &Server, entries: usize) -> String {
    let variables = cloud.os_env(&server.url(), Login::AppCred);
    let of = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let entry = format!(
        ":\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: {}\n      \
         application_credential_id: {}\n      application_credential_secret: {}\n    \
         region_name: RegionOne\n    interface: public\n",
        of("OS_AUTH_URL"),
        of("OS_APPLICATION_CREDENTIAL_ID"),
        of("OS_APPLICATION_CREDENTIAL_SECRET"),
    );
    let entries = (0..entries).map(|n| format!("  {}{entry}", name(n)));
    format!("clouds:\n{}", entries.collect::<String>())
}

async fn invoke(function: &mut Function, event: Value) -> io::Result<Value> {
    let deadline = Deadline::After(Duration::from_secs(60));
    function
        .invoke(event, deadline)
        .await
        .result
        .map_err(failed)
}

fn failed(failure: impl std::fmt::Debug) -> io::Error {
    io::Error::other(format!("{failure:?}"))
}

impl Figure {
    pub(super) fn is_reached(&self) -> bool {
        match self {
            Self::Kept { with_all, .. } => *with_all <= MOST_MEMORY,
            Self::Targets(took) => *took <= MOST_CPU,
        }
    }

    pub(super) fn json(&self) -> Value {
        let mut figures = match self {
            Self::Kept { before, with_all } => json!({
                "case": KEPT,
                "memory_before_bytes": before,
                "memory_bytes": with_all,
            }),
            Self::Targets(took) => json!({
                "case": TARGETS,
                "cpu_seconds": took.as_secs_f64(),
            }),
        };
        figures["reached"] = self.is_reached().into();
        figures
    }

    pub(super) fn told(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        let verdict = if self.is_reached() {
            "reached"
        } else {
            "NOT reached"
        };
        match self {
            Self::Kept { before, with_all } => format!(
                "Clouds: a sandbox that keeps {CLOUDS} of them, with their tokens and catalogues, holds \
                 {:.1} MiB when idle, and {:.1} MiB before the first (at most {:.0}): {verdict}.",
                mib(*with_all),
                mib(*before),
                mib(MOST_MEMORY),
            ),
            Self::Targets(took) => format!(
                "Targets: a list of {ENTRIES} entries takes {:.1} ms of processor time, a changed secret \
                 read and the answer sent included (at most {}): {verdict}.",
                took.as_secs_f64() * 1e3,
                MOST_CPU.as_millis(),
            ),
        }
    }
}
