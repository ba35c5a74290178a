//! How single values may be spelt.
//!
//! Many hands and several tools wrote these values, so all that they are known to write is read.
//! Whatever else there is has no meaning that could be trusted, and is refused rather than
//! guessed: `None` here is an invalid setting to the reader.

use chrono::{NaiveTime, Weekday};

/// A hundred years. More is a slip of the finger, and would be found out too late.
const MAX_RETENTION_DAYS: i64 = 36_500;

/// A number of days; `Some(None)` where it is zero or less and means the default.
pub(super) fn retention_days(text: &str) -> Option<Option<u32>> {
    match whole_number(text)? {
        ..=0 => Some(None),
        days if days <= MAX_RETENTION_DAYS => Some(u32::try_from(days).ok()),
        _ => None,
    }
}

/// By what a snapshot's life is measured: time. Older tools also wrote `count`, and it is read
/// as time, because a count of snapshots has no meaning beside a retention in days.
pub(super) fn retention_type(text: &str) -> Option<()> {
    matches!(text, "time" | "count").then_some(())
}

/// `HH:MM` or `HH:MM:SS`, the hour also with one digit. The seconds are checked and dropped.
pub(super) fn start_time(text: &str) -> Option<NaiveTime> {
    let mut fields = text.split(':');
    let hour = fields.next()?;
    let hour = digits(hour, 1).or_else(|| digits(hour, 2))?;
    let minute = digits(fields.next()?, 2)?;
    let second = fields.next().map_or(Some(0), |second| digits(second, 2))?;
    match fields.next() {
        Some(_) => None,
        None if second > 59 => None,
        None => NaiveTime::from_hms_opt(hour, minute, 0),
    }
}

/// An English name, in full or its first three letters, in any case; or days from Sunday.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    match whole_number(text) {
        Some(number) => {
            let from_sunday = usize::try_from(number).ok()?;
            [Sun, Mon, Tue, Wed, Thu, Fri, Sat]
                .get(from_sunday)
                .copied()
        }
        None => text.parse().ok(),
    }
}

/// A day of the month; what no month has means the nearest that one has.
pub(super) fn day_of_month(text: &str) -> Option<u32> {
    u32::try_from(whole_number(text)?.clamp(1, 31)).ok()
}

/// One of the intervals that divide the day; `Some(None)` where it is zero or less and means
/// the default.
pub(super) fn interval_hours(text: &str) -> Option<Option<u32>> {
    match whole_number(text)? {
        ..=0 => Some(None),
        6 => Some(Some(6)),
        8 => Some(Some(8)),
        12 => Some(Some(12)),
        _ => None,
    }
}

/// Decimal digits after at most one sign. Numbers too large to hold become the largest, for the
/// rules on small and large numbers ask only on which side of a limit they are.
fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.bytes().fold(0_i64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    Some(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let all_digits = text.len() == count && text.bytes().all(|digit| digit.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}
