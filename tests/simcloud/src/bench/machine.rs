//! The machine that is measured on, and how busy it is with other things.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    /// Of the last minute, before the first case.
    load_average: f64,
}

impl Machine {
    pub(super) fn look() -> Self {
        let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = cpu_info
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or_else(|| "unknown".into(), |(_, name)| name.to_owned());
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            load_average: load_average(),
        }
    }

    pub(super) fn told(&self) -> String {
        format!(
            "Machine: {} cores of {}, shared by function and cloud; load average {:.1} before.",
            self.cores, self.processor, self.load_average
        )
    }
}

/// Of the last minute; 0 where the kernel does not tell.
pub(super) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first
        .and_then(|first| first.parse().ok())
        .unwrap_or_default()
}

/// The executable's size in bytes, as it is and as `gzip -9` makes it: a zip file deflates in
/// the same way.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Size {
    pub(super) bytes: u64,
    pub(super) zipped: u64,
}

impl Size {
    /// The most that the zipped executable may have.
    pub(super) const GOAL: u64 = 3 * 1024 * 1024;

    pub(super) async fn of(binary: &Path) -> io::Result<Self> {
        let content = tokio::fs::read(binary).await?;
        let bytes = content.len() as u64;
        let mut gzip = Command::new("gzip")
            .args(["-9", "-c"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = gzip.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let feeding = tokio::spawn(async move { stdin.write_all(&content).await });
        let output = gzip.wait_with_output().await?;
        feeding.await??;
        Ok(Self {
            bytes,
            zipped: output.stdout.len() as u64,
        })
    }

    pub(super) fn told(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        let verdict = if self.zipped < Self::GOAL {
            "reached"
        } else {
            "NOT reached"
        };
        format!(
            "Executable: {:.2} MiB, {:.2} MiB zipped (goal: under 3 MiB, {verdict}).",
            mib(self.bytes),
            mib(self.zipped)
        )
    }
}
