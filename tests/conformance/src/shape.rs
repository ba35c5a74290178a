//! What an answer looks like: its status, its headers, and its JSON fields with their types,
//! without the values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::HeaderMap;
use serde_json::Value;

use crate::recorder::Exchange;

/// Headers that the HTTP server writes, not the service.
const TRANSPORT: [&str; 5] = [
    "connection",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
];
/// Headers whose values matter; of others the name does.
const VALUES: [&str; 4] = [
    "content-type",
    "openstack-api-version",
    "retry-after",
    "vary",
];
/// Objects whose keys are data.
const MAPS: [&str; 1] = ["metadata"];
/// There only when a page is full, which depends on when somebody looks.
const LINKS: &str = "s_links";
/// Null or not by the moment of the look.
const TIMELY: [&str; 1] = ["updated_at"];

/// A call and the status of its answer: what answers are compared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Method, path with placeholders, and what a body of several meanings asks for. Without
    /// the query: which rows are asked for does not change what a row looks like, and which
    /// page somebody needs depends on the moment.
    pub call: String,
    /// HTTP status.
    pub status: u16,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.call, self.status)
    }
}

impl Key {
    /// The key of an exchange.
    pub fn of(exchange: &Exchange) -> Self {
        let path: Vec<&str> = exchange.path.split('/').map(placeholder).collect();
        let mut path = path.join("/");
        if let Some((before, _)) = path.split_once("/metadata/") {
            path = format!("{before}/metadata/{{key}}");
        }
        let mut call = format!("{} {path}", exchange.method);
        let body = exchange.request_json();
        if path.ends_with("/action") {
            let asked = body.as_object().and_then(|body| body.keys().next());
            call.extend(asked.map(|asked| format!(" ({asked})")));
        }
        if let Some(method) = body["auth"]["identity"]["methods"][0].as_str() {
            call = format!("{call} ({method})");
        }
        Self {
            call,
            status: exchange.status.as_u16(),
        }
    }
}

/// Ids of Cinder have dashes, those of Keystone have none.
fn placeholder(segment: &str) -> &str {
    let digits = segment.bytes().filter(u8::is_ascii_hexdigit).count();
    match (segment.len(), digits) {
        (32, 32) => "{project}",
        (36, 32) => "{id}",
        _ => segment,
    }
}

/// The shapes that the answers to one call had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    headers: BTreeSet<String>,
    /// Dotted path of each field, and the types its values had.
    fields: BTreeMap<String, BTreeSet<&'static str>>,
}

impl Shape {
    /// Adds an answer.
    pub fn add(&mut self, exchange: &Exchange) {
        self.headers.extend(headers(&exchange.headers));
        match serde_json::from_slice::<Value>(&exchange.body) {
            Ok(value) => self.add_value(String::new(), &value),
            Err(_) if exchange.body.is_empty() => self.note("", "nothing"),
            Err(_) => self.note("", "not JSON"),
        }
    }

    fn note(&mut self, path: &str, kind: &'static str) {
        self.fields.entry(path.to_owned()).or_default().insert(kind);
    }

    fn add_value(&mut self, path: String, value: &Value) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(rows) => {
                for row in rows {
                    self.add_value(format!("{path}[]"), row);
                }
                "array"
            }
            Value::Object(fields) => {
                let is_map = MAPS.iter().any(|map| path.ends_with(map));
                for (name, field) in fields {
                    let name = if is_map { "*" } else { name };
                    self.add_value(format!("{path}.{name}"), field);
                }
                "object"
            }
        };
        self.note(&path, kind);
    }

    /// How `other` differs from this one; empty where it does not.
    ///
    /// A field below an array or map that one of the two never filled is not compared: it says
    /// nothing about rows that were not there.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for header in self.headers.difference(&other.headers) {
            found.push(format!("header {header} is missing"));
        }
        for header in other.headers.difference(&self.headers) {
            found.push(format!("header {header} is too much"));
        }
        let paths: BTreeSet<&String> = self.fields.keys().chain(other.fields.keys()).collect();
        for path in paths {
            match (self.fields.get(path), other.fields.get(path)) {
                (Some(real), Some(embedded)) if !is_timely(path) && real != embedded => {
                    found.push(format!("{path} is {embedded:?}, not {real:?}"));
                }
                (Some(_), None) if other.could_have(path) => {
                    found.push(format!("{path} is missing"));
                }
                (None, Some(_)) if self.could_have(path) => {
                    found.push(format!("{path} is too much"));
                }
                _ => {}
            }
        }
        found
    }

    /// Whether the nearest array or map above a field had anything in it.
    fn could_have(&self, path: &str) -> bool {
        if path.ends_with(LINKS) {
            return false;
        }
        let row = path.rfind("[]").map(|at| &path[..at + 2]);
        let entry = path.strip_suffix(".*");
        match (row, entry) {
            (Some(row), _) if row != path => self.fields.contains_key(row),
            (Some(_), _) | (_, Some(_)) => false,
            (None, None) => true,
        }
    }
}

fn is_timely(path: &str) -> bool {
    TIMELY.iter().any(|timely| path.ends_with(timely))
}

fn headers(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .iter()
        .filter(|(name, _)| !TRANSPORT.contains(&name.as_str()))
        .map(|(name, value)| {
            if VALUES.contains(&name.as_str()) {
                let value = value.to_str().unwrap_or_default();
                format!("{name}: {}", value.to_ascii_lowercase())
            } else {
                name.to_string()
            }
        })
}
