//! Log lines as JSON, in the shape that Lambda and CloudWatch understand.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// One JSON object a line, with the fields of the event and of the spans around it at the top
/// level, where queries find them without knowing the spans. The innermost wins.
pub(super) struct JsonLines;

struct Line {
    level: Level,
    fields: Fields,
}

#[derive(Default)]
struct Fields(BTreeMap<String, Value>);

/// The keys that CloudWatch and Lambda look at.
const RESERVED: [&str; 2] = ["timestamp", "level"];

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(formatted) = span.extensions().get::<FormattedFields<N>>()
                && let Ok(Value::Object(of_span)) = serde_json::from_str(formatted)
            {
                fields.0.extend(of_span);
            }
        }
        event.record(&mut fields);
        let line = Line {
            level: *event.metadata().level(),
            fields,
        };
        let json = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{json}")
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        map.serialize_entry("timestamp", &now)?;
        map.serialize_entry("level", self.level.as_str())?;
        if let Some(message) = self.fields.0.get("message") {
            map.serialize_entry("message", message)?;
        }
        for (name, value) in &self.fields.0 {
            if RESERVED.contains(&name.as_str()) {
                map.serialize_entry(&format!("field_{name}"), value)?;
            } else if name != "message" {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string does not fail; a Debug of its own that does leaves what it wrote.
        let _ = write!(text, "{value:?}");
        self.put(field, text);
    }
}
