//! YAML as a tree, every scalar the text it is written as.
//!
//! An id that looks like a number stays what it was, and what is wrong with one entry of a document
//! does not keep the others from being read. Errors tell lines and keys and never quote the text
//! around them, for that is where the passwords are.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Spanned, budget, options};

/// One value, and the line that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Nothing, `~` or `null`.
    Null,
    /// A single value as it is written, and what it would be read as.
    Scalar(String, Scalar),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order; a key that comes twice is there twice.
    Mapping(Vec<(String, Node)>),
}

/// What a single value would be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// A text, also one that is a number in quotes.
    Text,
    /// A number.
    Number,
    /// A truth value.
    Boolean(bool),
}

/// The document cannot be read.
pub(super) struct NoYaml {
    /// Line and column, where they are known.
    pub(super) at: Option<(u64, u64)>,
}

/// Nobody nests deeper, and every level takes its room of the stack.
const DEEPEST: usize = 64;
/// Far more than the 64 KiB of a secret have: only aliases of aliases come near.
const MOST_NODES: usize = 100_000;

impl Node {
    /// Reads a whole document.
    pub(super) fn parse(text: &str) -> Result<Self, NoYaml> {
        // Without snippets: they would quote the lines around the fault.
        let options = options! {
            with_snippet: false,
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            // What aliases stand for counts as nodes, so that nothing has to be guessed from how many
            // there are: entries that share an anchor have at least one each.
            budget: budget! {
                max_depth: DEEPEST,
                max_nodes: MOST_NODES,
                enforce_alias_anchor_ratio: false,
            },
        };
        match serde_saphyr::from_str_with_options::<Spanned<Read>>(text, options) {
            Ok(read) => Ok(written(read, text)),
            Err(error) => Err(NoYaml {
                at: error.location().map(|at| (at.line(), at.column())),
            }),
        }
    }

    /// What sort of value it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Scalar(..) => "a single value",
            Content::List(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }
}

/// A value as the parser gives it.
enum Read {
    Null,
    Text(String),
    /// Not the text that it is written as, which is looked up afterwards.
    Plain(String, Scalar),
    List(Vec<Spanned<Read>>),
    Mapping(Vec<(Spanned<Read>, Spanned<Read>)>),
}

/// Puts in the text of what the parser has made a number of.
fn written(read: Spanned<Read>, text: &str) -> Node {
    let line = read.referenced.line();
    let content = match read.value {
        Read::Null => Content::Null,
        Read::Text(value) => Content::Scalar(value, Scalar::Text),
        Read::Plain(value, scalar) => {
            let span = read.defined.span();
            let as_written = || {
                let from = usize::try_from(span.byte_offset()?).ok()?;
                let length = usize::try_from(span.byte_len()?).ok()?;
                let written = text.get(from..from.checked_add(length)?)?.trim();
                (!written.is_empty()).then(|| written.to_owned())
            };
            Content::Scalar(as_written().unwrap_or(value), scalar)
        }
        Read::List(items) => {
            let items = items.into_iter().map(|item| written(item, text));
            Content::List(items.collect())
        }
        Read::Mapping(pairs) => {
            let pairs = pairs.into_iter().map(|(key, value)| {
                let key = match written(key, text).content {
                    Content::Scalar(key, _) => key,
                    _ => String::new(),
                };
                (key, written(value, text))
            });
            Content::Mapping(pairs.collect())
        }
    };
    Node { line, content }
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Ok(Read::Null)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Read, E> {
        Ok(Read::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Read, E> {
        Ok(Read::Text(value))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Read, E> {
        Ok(Read::Plain(value.to_string(), Scalar::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Read, E> {
        Ok(Read::Plain(value.to_string(), Scalar::Number))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Read, E> {
        Ok(Read::Plain(value.to_string(), Scalar::Number))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read, E> {
        Ok(Read::Plain(value.to_string(), Scalar::Number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Read::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Read::Mapping(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(text: &str) -> Vec<(String, Scalar)> {
        let Ok(Node {
            content: Content::List(items),
            ..
        }) = Node::parse(text)
        else {
            panic!("no list: {text}");
        };
        items
            .into_iter()
            .map(|item| match item.content {
                Content::Scalar(text, scalar) => (text, scalar),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_scalar_is_the_text_it_is_written_as() {
        let rows = [
            ("12e4", Scalar::Number),
            ("007", Scalar::Number),
            ("0x1F", Scalar::Number),
            ("-3", Scalar::Number),
            ("1_000", Scalar::Number),
            ("12345678901234567890123456789012", Scalar::Number),
            (".inf", Scalar::Number),
            ("1e999", Scalar::Number),
            ("yes", Scalar::Boolean(true)),
            ("False", Scalar::Boolean(false)),
            ("blue", Scalar::Text),
        ];
        for (text, scalar) in rows {
            for yaml in [
                format!("- {text}\n"),
                format!("- {text} # a remark"),
                format!("[ {text} ]"),
                format!("[{text}]"),
            ] {
                let read = scalars(&yaml);
                assert_eq!(read[0].0, text, "{yaml}");
                let kind = read[0].1;
                let is_text = text == "007" || text == "1_000";
                assert!(kind == scalar || is_text, "{yaml}: {kind:?}");
            }
            let quoted = scalars(&format!("- '{text}'\n- \"{text}\""));
            assert!(
                quoted
                    .iter()
                    .all(|one| one == &(text.to_owned(), Scalar::Text))
            );
        }
        let twice = scalars("- ü\n- &a 12e4\n- *a\n");
        assert_eq!(twice[1], ("12e4".to_owned(), Scalar::Number));
        assert_eq!(twice[2], twice[1], "an alias is what it stands for");
    }
}
