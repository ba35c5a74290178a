//! How single values are written.

use std::time::Duration;

pub(super) const ACCEPTED_BOOLEAN: &str = "true or false";
pub(super) const ACCEPTED_DURATION: &str =
    "a whole number and ms, s, m or h, such as 500ms, 2s, 5m or 6h";

/// Ten years: longer than anything meant, and far from where clocks overflow.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A whole number and one unit: `500ms`, `2s`, `5m`, `6h`. At most ten years.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    let duration = Duration::from_millis(number.checked_mul(milliseconds)?);
    (duration <= LONGEST).then_some(duration)
}

/// A decimal number without sign.
pub(super) fn whole(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// `true` or `false` in the spellings that OpenStack's tools and YAML use.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Some(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_with_one_of_four_units() {
        let rows = [
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("5m", Some(300_000)),
            ("6h", Some(21_600_000)),
            ("87600h", Some(315_360_000_000)),
            ("87601h", None),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("+1s", None),
            ("1h30m", None),
            ("2 s", None),
            ("2S", None),
            ("1d", None),
            ("99999999999999999999h", None),
            ("18446744073709551615h", None),
        ];
        for (text, milliseconds) in rows {
            assert_eq!(
                duration(text),
                milliseconds.map(Duration::from_millis),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_whole_number_is_decimal_and_has_no_sign() {
        assert_eq!(whole("16"), Some(16));
        assert_eq!(whole("0"), Some(0));
        for text in ["", "-1", "+1", "1.0", "0x10", "1e3", " 1", "4294967296"] {
            assert_eq!(whole(text), None, "{text:?}");
        }
    }
}
