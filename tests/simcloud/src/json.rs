//! Writes JSON straight into a string, spelt the way Python's `json.dumps` spells it: a page
//! of a thousand rows then costs well under a millisecond and has the size of a real one.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike, Utc};

/// An object being written; [`Object::end`] closes it.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// Writes the key and hands out the place for its value.
    pub(crate) fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.out.push_str(", ");
        }
        self.empty = false;
        string(self.out, key);
        self.out.push_str(": ");
        self.out
    }

    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.key(key).push_str(json);
    }

    pub(crate) fn string(&mut self, key: &str, value: &str) {
        string(self.key(key), value);
    }

    pub(crate) fn optional(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.string(key, value),
            None => self.raw(key, "null"),
        }
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        let out = self.key(key);
        write!(out, "{value}").expect("a string takes everything");
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.raw(key, if value { "true" } else { "false" });
    }

    pub(crate) fn time(&mut self, key: &str, value: Option<DateTime<Utc>>) {
        match value {
            Some(value) => {
                let out = self.key(key);
                out.push('"');
                time(out, value);
                out.push('"');
            }
            None => self.raw(key, "null"),
        }
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}

/// Appends a string with its quotes; everything outside ASCII is escaped, as Python does.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push_str(text);
    } else {
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                ' '..='~' => out.push(letter),
                _ => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}").expect("a string takes everything");
                    }
                }
            }
        }
    }
    out.push('"');
}

/// Appends a time as Cinder writes it: UTC, no zone, six digits of a second.
pub(crate) fn time(out: &mut String, at: DateTime<Utc>) {
    let parts = [
        (at.year().clamp(0, 9999) as u32, 4, '-'),
        (at.month(), 2, '-'),
        (at.day(), 2, 'T'),
        (at.hour(), 2, ':'),
        (at.minute(), 2, ':'),
        (at.second(), 2, '.'),
    ];
    for (value, width, separator) in parts {
        digits(out, value, width);
        out.push(separator);
    }
    digits(out, at.timestamp_subsec_micros() % 1_000_000, 6);
}

fn digits(out: &mut String, value: u32, width: u32) {
    for place in (0..width).rev() {
        out.push(char::from(b'0' + (value / 10_u32.pow(place) % 10) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back_as_they_were() {
        for text in [
            "",
            "plain",
            "it's \"so\"",
            "Ünïcode \u{1f600}",
            "a\\b\n\t\u{1}",
        ] {
            let mut out = String::new();
            string(&mut out, text);
            assert!(out.is_ascii());
            assert_eq!(serde_json::from_str::<String>(&out).expect(&out), text);
        }
    }

    #[test]
    fn times_have_no_zone_and_six_digits() {
        let mut out = String::new();
        let at: DateTime<Utc> = "2026-11-02T09:07:29.909351999Z".parse().expect("a time");
        time(&mut out, at);
        assert_eq!(out, "2026-11-02T09:07:29.909351");
    }
}
