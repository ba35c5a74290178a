//! How the values of settings may be spelt.
//!
//! Many hands and several tools wrote these values, so all that they are known to write is read.
//! Whatever else there is has no meaning that could be trusted, and is refused rather than
//! guessed: `None` here is an invalid setting to the reader.

use chrono::{Month, NaiveTime, Weekday};

use super::keys::parse_bool;
use super::zone::Zone;

/// The most times of day that one policy can have.
const MOST_TIMES: usize = 24;

/// How the values of one setting are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// One of twelve spellings of true and false.
    Boolean,
    /// `time`, or `count` from older tools.
    RetentionType,
    /// A name of the IANA database, in any case.
    Timezone,
    /// `HH:MM` or `HH:MM:SS`.
    TimeOfDay,
    /// Several of those, separated by commas.
    TimesOfDay,
    /// An English name, or a number from Sunday.
    DayOfWeek,
    /// An English name, or a number from 1.
    Month,
    /// A whole number.
    Number(Number),
}

/// A whole number within limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The smallest that means itself.
    pub from: u32,
    /// The largest that means itself.
    pub to: u32,
    /// The only ones of those that do; empty where all do.
    pub only: &'static [u32],
    /// What a smaller one means.
    pub below: Outside,
    /// What a larger one means.
    pub above: Outside,
}

/// What a number outside its limits means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Nothing: it cannot be read.
    Invalid,
    /// What a missing value means.
    Default,
    /// The nearest number inside.
    Nearest,
}

/// What a number was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberRead {
    /// What a missing value means.
    Default,
    /// This number.
    Is(u32),
}

impl Grammar {
    /// Whether a value can be read.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Boolean => parse_bool(text).is_some(),
            Self::RetentionType => retention_type(text).is_some(),
            Self::Timezone => Zone::named(text).is_some(),
            Self::TimeOfDay => time_of_day(text).is_some(),
            Self::TimesOfDay => times_of_day(text).is_some(),
            Self::DayOfWeek => weekday(text).is_some(),
            Self::Month => month(text).is_some(),
            Self::Number(number) => number.read(text).is_some(),
        }
    }

    /// What can be read, in words for a person who wrote something else.
    pub fn accepted(&self) -> String {
        let words = match self {
            Self::Boolean => "1, t, T, TRUE, true, True, 0, f, F, FALSE, false or False",
            Self::RetentionType => "time (or count, which is treated as time)",
            Self::Timezone => "the name of an IANA time zone, such as Europe/Berlin or UTC",
            Self::TimeOfDay => "HH:MM or HH:MM:SS, from 00:00 to 23:59",
            Self::TimesOfDay => {
                "1 to 24 different times of day (HH:MM or HH:MM:SS, from 00:00 to 23:59), \
                 separated by commas"
            }
            Self::DayOfWeek => "an English day of the week (monday or mon), or 0 to 6 from Sunday",
            Self::Month => "an English month (january or jan), or 1 to 12",
            Self::Number(number) => return number.accepted(),
        };
        words.to_owned()
    }
}

impl Number {
    /// Whether this number means itself.
    pub(crate) fn contains(&self, number: u32) -> bool {
        (self.from..=self.to).contains(&number)
            && (self.only.is_empty() || self.only.contains(&number))
    }

    pub(super) fn read(&self, text: &str) -> Option<NumberRead> {
        let number = whole_number(text)?;
        let (outside, nearest) = if number < i64::from(self.from) {
            (self.below, self.from)
        } else if number > i64::from(self.to) {
            (self.above, self.to)
        } else {
            let number = u32::try_from(number).ok()?;
            return self.contains(number).then_some(NumberRead::Is(number));
        };
        match outside {
            Outside::Invalid => None,
            Outside::Default => Some(NumberRead::Default),
            Outside::Nearest => Some(NumberRead::Is(nearest)),
        }
    }

    fn accepted(&self) -> String {
        let Some((last, others)) = self.only.split_last() else {
            return format!("a whole number from {} to {}", self.from, self.to);
        };
        let others: Vec<String> = others.iter().map(u32::to_string).collect();
        format!("{} or {last}", others.join(", "))
    }
}

/// By what a snapshot's life is measured: time. Older tools also wrote `count`, without meaning
/// it, and it is read as time: a limit by number has a key of its own.
pub(super) fn retention_type(text: &str) -> Option<()> {
    matches!(text, "time" | "count").then_some(())
}

/// `HH:MM` or `HH:MM:SS`, the hour also with one digit. The seconds are checked and dropped.
pub(super) fn time_of_day(text: &str) -> Option<NaiveTime> {
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

/// Different times of day, separated by commas with or without blanks around them, in any order;
/// gives them sorted.
pub(super) fn times_of_day(text: &str) -> Option<Vec<NaiveTime>> {
    let mut times = text
        .split(',')
        .map(|time| time_of_day(time.trim_matches([' ', '\t'])))
        .collect::<Option<Vec<_>>>()?;
    times.sort_unstable();
    let different = times.windows(2).all(|pair| pair[0] != pair[1]);
    (different && times.len() <= MOST_TIMES).then_some(times)
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

/// An English name, in full or its first three letters, in any case; or a number from 1.
pub(super) fn month(text: &str) -> Option<Month> {
    match whole_number(text) {
        Some(number) => u8::try_from(number).ok().and_then(|n| n.try_into().ok()),
        None => text.parse().ok(),
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
