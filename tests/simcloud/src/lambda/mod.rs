//! Lambda around a built function: its process, the Runtime API it polls, and what it prints.
//!
//! The process gets an environment of its own, so nothing of the machine's leaks into a test.
//! What it prints is cut into invocations without guessing: a function polls for the next
//! event only after it has written everything about the last one, and a mark put into its own
//! pipes at that moment comes out behind all of it.

mod build;
mod invocation;
mod output;
mod runtime_api;
mod spec;
mod usage;

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::wire::Listener;
use output::Output;
use runtime_api::{Event, Progress, RuntimeApi};

pub use build::build;
pub use invocation::{Deadline, Failure, Invocation};
pub use spec::FunctionSpec;

/// A running function: a sandbox that stays warm until it is stopped or dropped.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    output: Output,
    progress: watch::Receiver<Progress>,
    pid: Option<u32>,
    kill: Option<oneshot::Sender<()>>,
    watching: JoinHandle<()>,
    started: Instant,
    patience: Duration,
    _listener: Listener,
}

impl Function {
    /// Starts the process. It need not have polled yet when this returns.
    ///
    /// # Errors
    /// If the executable cannot be started or no port or pipe could be had.
    pub async fn start(spec: FunctionSpec) -> io::Result<Self> {
        let api = RuntimeApi::new();
        let listener = Listener::bind(0, api.clone()).await?;
        let (output, stdout, stderr) = Output::pipes()?;
        let mut command = Command::new(&spec.binary);
        command
            .args(&spec.args)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", listener.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &spec.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                spec.memory_mb.to_string(),
            )
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true);
        // The second one is for measuring coverage.
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(format) = &spec.log_format {
            command.env("AWS_LAMBDA_LOG_FORMAT", format);
        }
        if let Some(directory) = &spec.directory {
            command.current_dir(directory);
        }
        command.envs(spec.env);
        let started = Instant::now();
        let child = command.spawn()?;
        // The command holds writing ends of the pipes too.
        drop(command);
        let pid = child.id();
        let (kill, killed) = oneshot::channel();
        let watching = tokio::spawn(watch_exit(child, killed, api.clone()));
        Ok(Self {
            progress: api.progress(),
            api,
            output,
            pid,
            kill: Some(kill),
            watching,
            started,
            patience: spec.patience,
            _listener: listener,
        })
    }

    /// Invokes the function with an event and waits until it is ready for the next one.
    pub async fn invoke(&mut self, event: Value, deadline: Deadline) -> Invocation {
        self.invoke_raw(event.to_string().into(), deadline).await
    }

    /// Invokes the function with any payload.
    pub async fn invoke_raw(&mut self, payload: Bytes, deadline: Deadline) -> Invocation {
        let request_id = crate::id::Id::random(&mut rand::rng()).to_string();
        if let Err(failure) = self.ready().await {
            return self
                .finish(request_id, Err(failure), Duration::ZERO, false)
                .await;
        }
        let polls = self.progress.borrow().polls;
        let (deadline, left) = deadline.resolve();
        // A deadline that has passed already means that there is none; the program then takes
        // one of its own, which is not known here.
        let base = left.unwrap_or(Duration::from_secs(90));
        let handed = Instant::now();
        self.api.hand_out(Event {
            id: request_id.clone(),
            deadline,
            payload,
        });
        let give_up = handed.checked_add(base.saturating_add(self.patience));
        let over = self
            .wait(give_up, |progress| progress.posted(&request_id))
            .await;
        let elapsed = handed.elapsed();
        let late = left.is_some_and(|left| elapsed > left);
        let result = match over {
            Some(Some(posted)) => {
                // It polls again only after it has written everything.
                let again = Instant::now().checked_add(self.patience);
                self.wait(again, |progress| (progress.polls > polls).then_some(()))
                    .await;
                posted
            }
            Some(None) => Err(self.exit_failure()),
            None => {
                self.kill().await;
                let seconds = elapsed.as_secs_f64();
                let text = format!("no answer {seconds:.1} s after the event was handed out");
                Err(Failure::timed_out(text))
            }
        };
        self.finish(request_id, result, elapsed, late).await
    }

    /// Waits until the process has polled for its first event.
    ///
    /// # Errors
    /// The failure that it posted, its exit, or its silence.
    pub async fn ready(&mut self) -> Result<(), Failure> {
        let until = Instant::now().checked_add(self.patience);
        let polled = self
            .wait(until, |progress| {
                let failed = progress.init_failure.clone().map(Err);
                failed.or_else(|| (progress.polls > 0).then_some(Ok(())))
            })
            .await;
        match polled {
            // It may have polled and ended since.
            Some(Some(Ok(()))) if self.exited().is_some() => Err(self.exit_failure()),
            Some(Some(result)) => result,
            Some(None) => Err(self.exit_failure()),
            None => Err(Failure::timed_out(
                "the process never asked for an event".into(),
            )),
        }
    }

    /// Waits for progress: `Some(Some(_))` what was looked for, `Some(None)` the process has
    /// exited without it, `None` time has run out.
    async fn wait<T>(
        &mut self,
        until: Option<Instant>,
        look: impl Fn(&Progress) -> Option<T>,
    ) -> Option<Option<T>> {
        let changed = self
            .progress
            .wait_for(|now| now.exit.is_some() || look(now).is_some());
        let left = until.map_or(Duration::MAX, |until| until - Instant::now());
        let now = timeout(left, changed).await.ok()?.ok()?;
        Some(look(&now))
    }

    async fn finish(
        &mut self,
        request_id: String,
        result: Result<Value, Failure>,
        elapsed: Duration,
        deadline_missed: bool,
    ) -> Invocation {
        let lines = self.output.take(self.patience).await;
        let stdout = lines
            .iter()
            .filter(|line| line.stdout)
            .map(|line| line.text.clone());
        Invocation {
            request_id,
            result,
            elapsed,
            deadline_missed,
            stdout: stdout.collect(),
            log: lines.into_iter().map(|line| line.text).collect(),
        }
    }

    fn exit_failure(&self) -> Failure {
        let how = self
            .exited()
            .map_or_else(|| "exited".into(), |status| status.to_string());
        Failure {
            error_type: "Runtime.ExitError".into(),
            error_message: format!("the process ended: {how}"),
        }
    }

    /// How the process ended, if it has.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.progress.borrow().exit
    }

    /// When the process was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The process's id.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The most memory the process ever held (`VmHWM`), in bytes; `None` once it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        usage::peak_memory(self.pid?)
    }

    /// Bytes of memory that its process holds now; none where the kernel does not say.
    pub fn memory(&self) -> Option<u64> {
        usage::memory(self.pid?)
    }

    /// Processor time of the process so far, user and system; `None` once it has ended.
    pub fn cpu_time(&self) -> Option<Duration> {
        usage::cpu_time(self.pid?)
    }

    /// Ends the process as Lambda does, without asking, and gives the lines printed since the
    /// last invocation.
    pub async fn stop(mut self) -> Vec<String> {
        self.kill().await;
        let lines = self.output.take(self.patience).await;
        lines.into_iter().map(|line| line.text).collect()
    }

    async fn kill(&mut self) {
        if let Some(kill) = self.kill.take() {
            // Nobody listens where the process has ended by itself.
            let _ = kill.send(());
        }
        let until = Instant::now().checked_add(self.patience);
        self.wait(until, |progress| progress.exit).await;
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Drops the child, which is killed by that.
        self.watching.abort();
    }
}

async fn watch_exit(mut child: Child, killed: oneshot::Receiver<()>, api: RuntimeApi) {
    let status = tokio::select! {
        status = child.wait() => status,
        Ok(()) = killed => match child.start_kill() {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    if let Ok(status) = status {
        api.exited(status);
    }
}
