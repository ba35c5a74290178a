//! Ways in which a JSON body can be other than it should be.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A number that no type can hold.
pub(crate) const HUGE: &str = "1e999999";

/// What is done to one body.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    /// To its parts, each by a number that names one.
    edits: Vec<(prop::sample::Index, Edit)>,
    /// To its text.
    text: Text,
}

/// What is done to one part.
#[derive(Clone, Debug)]
enum Edit {
    Remove,
    Twice,
    Becomes(Value),
    InArray,
    InObject(String),
    Nested(usize),
}

/// What is done to the text.
#[derive(Clone, Debug)]
enum Text {
    Whole,
    Cut(prop::sample::Index),
    Inserted(prop::sample::Index, Vec<u8>),
    Becomes(Vec<u8>),
    Utf16,
    /// The field stands there twice.
    Doubled(&'static str),
    /// A number that no type can hold.
    HugeNumber(prop::sample::Index),
}

impl Damage {
    /// Spoils a body; one that is no JSON only in its text.
    pub(crate) fn spoil(&self, body: &[u8]) -> Bytes {
        let text = match serde_json::from_slice::<Value>(body) {
            Err(_) => body.to_vec(),
            Ok(mut tree) => {
                for (at, edit) in &self.edits {
                    let nodes = count(&tree);
                    apply(&mut tree, &mut at.index(nodes), edit);
                }
                tree.to_string().into_bytes()
            }
        };
        self.text.spoil(text).into()
    }
}

impl Text {
    fn spoil(&self, mut text: Vec<u8>) -> Vec<u8> {
        let place = |at: &prop::sample::Index| at.index(text.len() + 1);
        match self {
            Self::Whole => {}
            Self::Cut(at) => text.truncate(place(at)),
            Self::Inserted(at, bytes) => {
                let at = place(at);
                text.splice(at..at, bytes.iter().copied());
            }
            Self::Becomes(other) => text.clone_from(other),
            Self::Utf16 => {
                let readable = String::from_utf8_lossy(&text).into_owned();
                text = readable.encode_utf16().flat_map(u16::to_le_bytes).collect();
            }
            Self::Doubled(field) => {
                let readable = String::from_utf8_lossy(&text).into_owned();
                let name = format!("\"{field}\":");
                text = readable
                    .replace(&name, &format!("{name}null,{name}"))
                    .into();
            }
            Self::HugeNumber(at) => {
                let readable = String::from_utf8_lossy(&text).into_owned();
                let colons: Vec<usize> = readable.match_indices(':').map(|(at, _)| at).collect();
                if !colons.is_empty() {
                    let at = colons[at.index(colons.len())] + 1;
                    text.splice(at..at, format!("{HUGE},\"x\":").into_bytes());
                }
            }
        }
        text
    }
}

fn count(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(parts) => parts.iter().map(count).sum(),
        Value::Object(parts) => parts.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Applies an edit to the part that `left` counts down to; whether it was in here.
fn apply(tree: &mut Value, left: &mut usize, edit: &Edit) -> bool {
    if *left == 0 {
        let whole = tree.take();
        *tree = match edit {
            Edit::Remove | Edit::Twice => json!([whole.clone(), whole]),
            Edit::Becomes(other) => other.clone(),
            Edit::InArray => json!([whole]),
            Edit::InObject(key) => json!({ key: whole }),
            Edit::Nested(depth) => (0..*depth).fold(whole, |inner, _| json!([inner])),
        };
        return true;
    }
    *left -= 1;
    match tree {
        Value::Array(parts) => {
            for at in 0..parts.len() {
                match (*left, edit) {
                    (0, Edit::Remove) => {
                        parts.remove(at);
                        return true;
                    }
                    (0, Edit::Twice) => {
                        parts.insert(at, parts[at].clone());
                        return true;
                    }
                    _ if apply(&mut parts[at], left, edit) => return true,
                    _ => {}
                }
            }
        }
        Value::Object(parts) => {
            for key in parts.keys().cloned().collect::<Vec<_>>() {
                if *left == 0 && matches!(edit, Edit::Remove) {
                    parts.remove(&key);
                    return true;
                }
                if parts
                    .get_mut(&key)
                    .is_some_and(|part| apply(part, left, edit))
                {
                    return true;
                }
            }
        }
        _ => {}
    }
    false
}

/// Texts that somebody may have to read who did not expect them.
pub(crate) fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            " ",
            ".",
            "..",
            "../volumes",
            "a/b",
            "%2e%2e",
            "?x=1",
            "#",
            "\u{0}",
            "\r\nX: y",
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "𝕏🦀",
            "\u{202e}abc",
            "\u{feff}",
            "{}",
            "[]",
            "http://elsewhere.example/",
            "//elsewhere.example",
            "1970-01-01T00:00:00",
            "-262143-01-01T00:00:00",
            "+262142-12-31T23:59:59.999999999",
            "2016-12-31T23:59:60",
            "2026-13-45T99:99:99",
            "2026-11-22",
            "2026-11-22T09:10:00+99:99",
            "x-snapsentry-",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        "[-+0-9TZ:. ]{0,40}",
        (1_usize..200_000).prop_map(|length| "x".repeat(length)),
    ]
}

/// Values of every type and size.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => odd_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => Just(json!({"message": "odd", "code": -1})),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => Just(Edit::Remove),
        1 => Just(Edit::Twice),
        6 => odd_value().prop_map(Edit::Becomes),
        1 => Just(Edit::InArray),
        1 => odd_text().prop_map(Edit::InObject),
        1 => (1_usize..100).prop_map(Edit::Nested),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        12 => Just(Text::Whole),
        2 => index().prop_map(Text::Cut),
        2 => (index(), prop::collection::vec(any::<u8>(), 1..4))
            .prop_map(|(at, bytes)| Text::Inserted(at, bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Text::Becomes),
        1 => Just(Text::Becomes(b"<html><body>504</body></html>".to_vec())),
        1 => Just(Text::Becomes("[".repeat(100_000).into_bytes())),
        1 => Just(Text::Utf16),
        1 => prop::sample::select(vec!["id", "status", "metadata", "token", "snapshot"])
            .prop_map(Text::Doubled),
        1 => index().prop_map(Text::HugeNumber),
    ]
}

/// Any damage.
pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), edit()), 0..4);
    (edits, text()).prop_map(|(edits, text)| Damage { edits, text })
}
