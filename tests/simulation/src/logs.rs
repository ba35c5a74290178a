//! The program's log lines, kept instead of printed.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tracing::Level;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Lines that were logged on this thread. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Logs(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    told: usize,
    begun: Option<Instant>,
}

impl Logs {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what this thread logs, at every level, until the guard is dropped.
    pub fn capture(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .with_target(false)
            .with_timer(self.clone())
            .with_writer(self.clone())
            .finish();
        set_default(subscriber)
    }

    /// The lines since the last call.
    pub fn lines(&self) -> Vec<String> {
        let mut kept = self.kept();
        let text = String::from_utf8_lossy(&kept.text[kept.told..]).into_owned();
        kept.told = kept.text.len();
        text.lines().map(str::to_owned).collect()
    }

    /// All of them.
    pub fn take(&self) -> String {
        String::from_utf8_lossy(&self.kept().text).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept().text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Time since the first line, by the paused clock.
impl FormatTime for Logs {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        let now = Instant::now();
        let begun = *self.kept().begun.get_or_insert(now);
        write!(w, "{:>9.3}", (now - begun).as_secs_f64())
    }
}
