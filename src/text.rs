//! How texts from outside and instants are written, wherever they are shown.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// An instant in RFC 3339, UTC, whole seconds.
pub(crate) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The same, in answers and notifications.
pub(crate) fn serialize_rfc3339<S: Serializer>(
    at: &DateTime<Utc>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_str(&rfc3339(*at))
}

/// The same where there may be none.
pub(crate) fn serialize_optional_rfc3339<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serialize_rfc3339(at, to),
        None => to.serialize_none(),
    }
}

/// Whether it is 1 to 64 of `A-Z a-z 0-9 . _ -`: what needs no quoting in a dimension, a dashboard, a
/// filter or a shell.
pub(crate) fn is_plain_name(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The beginning of a text from outside that anybody may have written, of any length: where it is
/// longer than this many characters, so much of it, and what is to follow it, an ellipsis.
pub(crate) fn cut(text: &str, longest: usize) -> (&str, &'static str) {
    match text.char_indices().nth(longest) {
        None => (text, ""),
        Some((end, _)) => (&text[..end], "…"),
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_text_is_cut_after_so_many_characters_and_never_within_one() {
        for (text, cut_to) in [
            ("", ("", "")),
            ("abc", ("abc", "")),
            ("abcd", ("abc", "…")),
            ("üöä", ("üöä", "")),
            ("üöä€", ("üöä", "…")),
        ] {
            assert_eq!(cut(text, 3), cut_to);
        }
        assert_eq!(cut("abc", 0), ("", "…"));
    }
}
