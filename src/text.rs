//! Texts from outside, as messages show them: anybody may have written them, of any length.

/// The beginning of a text that is not longer than this many characters, and what is to follow it:
/// an ellipsis where that is not all.
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
