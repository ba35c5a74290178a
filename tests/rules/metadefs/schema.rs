//! The part of JSON Schema that Glance's own schema of a namespace is written in. A keyword that
//! is not known here is a mistake of its own, so that nothing is passed over in silence.

use serde_json::Value;

/// What Glance 33.0.0 answers to `GET /v2/schemas/metadefs/namespace`.
const SCHEMA: &str = include_str!("../../metadefs/glance-schema.json");

/// Everything in which a namespace does not fit Glance's schema.
pub(super) fn mistakes(namespace: &Value) -> Vec<String> {
    let root: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let mut check = Check {
        root: &root,
        mistakes: Vec::new(),
    };
    check.value(namespace, &root, "");
    check.mistakes
}

struct Check<'a> {
    root: &'a Value,
    mistakes: Vec<String>,
}

impl<'a> Check<'a> {
    fn value(&mut self, value: &Value, schema: &'a Value, at: &str) {
        for (keyword, rule) in schema.as_object().expect("a schema is an object") {
            let fits = match keyword.as_str() {
                "type" => is_of_type(value, text(rule)),
                "enum" => list(rule).contains(value),
                "minimum" => value.as_i64().is_none_or(|number| number >= whole(rule)),
                "maxLength" => value
                    .as_str()
                    .is_none_or(|text| text.chars().count() as i64 <= whole(rule)),
                "required" => {
                    let has = |name: &Value| value.get(text(name)).is_some();
                    !value.is_object() || list(rule).iter().all(has)
                }
                "uniqueItems" => {
                    let items = value.as_array().map_or(&[][..], Vec::as_slice);
                    let twice = |(n, item)| items[..n].contains(item);
                    *rule != Value::Bool(true) || !items.iter().enumerate().any(twice)
                }
                "$ref" => {
                    let place = text(rule)
                        .strip_prefix('#')
                        .expect("a place in this schema");
                    let target = self.root.pointer(place).expect("the place is there");
                    self.value(value, target, at);
                    true
                }
                "allOf" => {
                    for one in list(rule) {
                        self.value(value, one, at);
                    }
                    true
                }
                "properties" | "additionalProperties" | "items" => true,
                // These say nothing about what fits; Glance checks no formats.
                "name" | "description" | "default" | "definitions" | "format" | "readOnly" => true,
                other => panic!("the schema has the keyword {other}, which is not known here"),
            };
            if !fits {
                self.mistakes
                    .push(format!("{at}: {value} against {keyword}: {rule}"));
            }
        }
        self.members(value, schema, at);
        if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
            for (n, item) in items.iter().enumerate() {
                self.value(item, schema, &format!("{at}/{n}"));
            }
        }
    }

    fn members(&mut self, value: &Value, schema: &'a Value, at: &str) {
        for (name, member) in value.as_object().into_iter().flatten() {
            let known = schema.get("properties").and_then(|known| known.get(name));
            let at = format!("{at}/{name}");
            match (known, schema.get("additionalProperties")) {
                (Some(schema), _) => self.value(member, schema, &at),
                (None, Some(Value::Bool(false))) => {
                    self.mistakes.push(format!("{at}: no such property"));
                }
                (None, Some(schema)) if schema.is_object() => self.value(member, schema, &at),
                (None, _) => {}
            }
        }
    }
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the schema has the type {other}, which is not known here"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn whole(value: &Value) -> i64 {
    value.as_i64().expect("a whole number")
}
