//! What a process prints, line by line, without losing or guessing any.
//!
//! The pipes are ours, so marks can be written into them: a pipe is a queue, and when a mark
//! comes out, everything that the process had written before it has come out too.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::id::Id;

/// A printed line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// On standard output rather than standard error.
    pub(super) stdout: bool,
    pub(super) text: String,
}

/// The reading ends of a process's two streams.
#[derive(Debug)]
pub(super) struct Output {
    mark: Vec<u8>,
    marks: u64,
    lines: Arc<Mutex<Vec<Line>>>,
    writers: [PipeWriter; 2],
    seen: [watch::Receiver<u64>; 2],
}

impl Output {
    /// Makes the pipes: this end, and the process's standard output and error.
    pub(super) fn pipes() -> io::Result<(Self, Stdio, Stdio)> {
        let mark = format!("\0mark {}\0", Id::random(&mut rand::rng())).into_bytes();
        let lines = Arc::default();
        let open = |stdout: bool| -> io::Result<(PipeWriter, watch::Receiver<u64>)> {
            let (reader, writer) = io::pipe()?;
            let (send, seen) = watch::channel(0);
            let (mark, lines) = (mark.clone(), Arc::clone(&lines));
            thread::spawn(move || read(reader, stdout, &mark, &lines, &send));
            Ok((writer, seen))
        };
        let (out, out_seen) = open(true)?;
        let (err, err_seen) = open(false)?;
        let (stdout, stderr) = (out.try_clone()?.into(), err.try_clone()?.into());
        let (writers, seen) = ([out, err], [out_seen, err_seen]);
        Ok((
            Self {
                mark,
                marks: 0,
                lines,
                writers,
                seen,
            },
            stdout,
            stderr,
        ))
    }

    /// Takes every line written up to now. A last line without its end is a line too.
    pub(super) async fn take(&mut self, patience: Duration) -> Vec<Line> {
        self.marks += 1;
        for (writer, seen) in self.writers.iter_mut().zip(&mut self.seen) {
            let marks = self.marks;
            if writer.write_all(&self.mark).is_ok() {
                // Its reader does nothing but read; the limit is for a machine that stands still.
                let _ = timeout(patience, seen.wait_for(|seen| *seen >= marks)).await;
            }
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lines)
    }
}

fn read(
    mut reader: PipeReader,
    stdout: bool,
    mark: &[u8],
    lines: &Mutex<Vec<Line>>,
    seen: &watch::Sender<u64>,
) {
    let mut chunk = [0; 1 << 16];
    let mut pending = Vec::new();
    let emit = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Line { stdout, text });
    };
    while let Ok(count @ 1..) = reader.read(&mut chunk) {
        pending.extend_from_slice(&chunk[..count]);
        let mut done = 0;
        loop {
            let rest = &pending[done..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            let within = &rest[..end.unwrap_or(rest.len())];
            let marked = within.windows(mark.len()).position(|window| window == mark);
            match (marked, end) {
                (Some(at), _) => {
                    if at > 0 {
                        emit(&rest[..at]);
                    }
                    done += at + mark.len();
                    seen.send_modify(|seen| *seen += 1);
                }
                (None, Some(end)) => {
                    emit(&rest[..end]);
                    done += end + 1;
                }
                (None, None) => break,
            }
        }
        pending.drain(..done);
    }
    if !pending.is_empty() {
        emit(&pending);
    }
}
