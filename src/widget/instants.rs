//! Instants, durations and counts in a person's words.

use std::time::Duration;

use chrono::{DateTime, Datelike, FixedOffset, Utc};

/// By which clock instants are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewerClock {
    /// The viewer's.
    pub(super) offset: FixedOffset,
    /// The instant by which everything is judged.
    pub(super) now: DateTime<Utc>,
}

impl ViewerClock {
    /// `24 Nov 17:00`, with its year where that is not this one.
    pub(super) fn short(&self, at: DateTime<Utc>) -> String {
        let (at, now) = (self.local(at), self.local(self.now));
        if at.year() == now.year() {
            at.format("%-d %b %H:%M").to_string()
        } else {
            at.format("%-d %b %Y %H:%M").to_string()
        }
    }

    /// `24 Nov`.
    pub(super) fn day(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%-d %b").to_string()
    }

    /// `24 Nov 2026 17:00:23 UTC`.
    pub(super) fn precise(&self, at: DateTime<Utc>) -> String {
        let shown = self.local(at).format("%-d %b %Y %H:%M:%S");
        match self.offset.local_minus_utc() {
            0 => format!("{shown} UTC"),
            _ => format!("{shown} UTC{}", self.offset),
        }
    }

    /// As the viewer's wall clock shows it.
    pub(super) fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        at.with_timezone(&self.offset)
    }
}

/// `3 d 4 h`, `2 h 5 min`, `7 min`, `12 s`.
pub(super) fn seconds(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let minutes = seconds / 60 % 60;
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// `1.2 s` or `340 ms`.
pub(super) fn took(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

/// `18,340`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 volume` or `3 volumes`.
pub(super) fn count(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
