//! The `metadata` filter's value: a Python dictionary literal, which Cinder reads with
//! `ast.literal_eval`. Only what such a filter can hold is read: text and whole numbers.

use std::iter::Peekable;
use std::str::Chars;

/// Reads a dictionary of text (and numbers, as text). `None` for everything else, which Cinder
/// does not call an error: it finds nothing.
pub(super) fn dictionary(text: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader(text.trim().chars().peekable());
    reader.expect('{')?;
    let mut pairs = Vec::new();
    loop {
        if reader.take('}') {
            break;
        }
        let key = reader.atom()?;
        reader.expect(':')?;
        let value = reader.atom()?;
        pairs.push((key, value));
        if !reader.take(',') {
            reader.expect('}')?;
            break;
        }
    }
    reader.at_end().then_some(pairs)
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        while self
            .0
            .next_if(|letter| letter.is_ascii_whitespace())
            .is_some()
        {}
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        self.0.next_if_eq(&wanted).is_some()
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.take(wanted).then_some(())
    }

    fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.0.peek().is_none()
    }

    fn atom(&mut self) -> Option<String> {
        self.skip_blanks();
        match self.0.peek()? {
            '\'' | '"' => self.text(),
            '0'..='9' | '-' => self.number(),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<String> {
        let mut digits = String::new();
        while let Some(letter) = self.0.next_if(|l| l.is_ascii_digit() || *l == '-') {
            digits.push(letter);
        }
        digits.parse::<i64>().ok().map(|number| number.to_string())
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.0.next()?;
        let mut text = String::new();
        loop {
            match self.0.next()? {
                letter if letter == quote => return Some(text),
                '\n' => return None,
                '\\' => text.extend(self.escape()?),
                letter => text.push(letter),
            }
        }
    }

    /// What an escape stands for; a line break stands for nothing.
    fn escape(&mut self) -> Option<Option<char>> {
        let letter = match self.0.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '\n' => return Some(None),
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            other => other,
        };
        Some(Some(letter))
    }

    fn code(&mut self, digits: u32) -> Option<char> {
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + self.0.next()?.to_digit(16)?;
        }
        char::from_u32(code)
    }
}

#[cfg(test)]
mod tests {
    use super::dictionary;

    fn pairs(text: &str) -> Option<Vec<(String, String)>> {
        dictionary(text)
    }

    #[test]
    fn python_and_json_dictionaries_are_the_same() {
        let expected = Some(vec![("k".to_owned(), "v".to_owned())]);
        for text in ["{'k':'v'}", "{\"k\": \"v\"}", " { 'k' : \"v\" , } "] {
            assert_eq!(pairs(text), expected, "{text}");
        }
        assert_eq!(pairs("{}"), Some(vec![]));
    }

    #[test]
    fn numbers_are_text_and_escapes_are_read() {
        assert_eq!(pairs("{'n': 1}"), Some(vec![("n".into(), "1".into())]));
        assert_eq!(
            pairs(r"{'k':'it\'s'}"),
            Some(vec![("k".into(), "it's".into())])
        );
        assert_eq!(
            pairs(r#"{"k":"\u00e4"}"#),
            Some(vec![("k".into(), "ä".into())])
        );
    }

    #[test]
    fn anything_else_is_no_dictionary() {
        for text in [
            "",
            "k=v",
            "{k:v}",
            "['k']",
            "{'k'}",
            "{'k':'v'",
            "{'k':true}",
            "{'k':'v'} x",
        ] {
            assert_eq!(pairs(text), None, "{text}");
        }
    }
}
