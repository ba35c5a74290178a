//! Clicks: what CloudWatch sends back when one of the page's buttons is pressed.

use maud::{Markup, html};
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug)]
pub(super) enum Click<'a> {
    First,
    /// The page after this volume.
    Next(&'a str),
    All,
    Attention,
    Volumes,
}

/// What all clicks of a page have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clicks<'a> {
    /// The ARN that is invoked.
    pub(super) endpoint: &'a str,
    /// What was asked for so far.
    pub(super) fields: &'a Map<String, Value>,
}

impl Clicks<'_> {
    /// A button; what it does stands in the element after it, as CloudWatch wants it.
    pub(super) fn button(&self, text: &str, click: Click<'_>) -> Markup {
        html! {
            button type="button" class="btn" { (text) }
            cwdb-action action="call" endpoint=(self.endpoint) display="widget" {
                (self.event(click).to_string())
            }
        }
    }

    /// The event of a click: what was asked for so far, and what it changes. A null takes back what
    /// the dashboard has configured.
    fn event(&self, click: Click<'_>) -> Value {
        let mut event = self.fields.clone();
        let mut set = |field: &str, value: Value| event.insert(field.to_owned(), value);
        set(
            "after",
            match click {
                Click::Next(id) => id.into(),
                _ => Value::Null,
            },
        );
        match click {
            Click::First | Click::Next(_) => {}
            Click::All => _ = set("only", Value::Null),
            Click::Attention => _ = set("only", "attention".into()),
            Click::Volumes => _ = set("volume_ids", Value::Null),
        }
        Value::Object(event)
    }
}
