//! What is said while it runs: one line an event, on standard output.
//!
//! The variables are those of `lambda_runtime`, and so are their meanings; its own set-up is
//! not used for two reasons. Its JSON lines carry no timestamp, without which CloudWatch takes
//! every line for INFO. And it lets `RUST_LOG` open up every library, some of which print
//! headers, bodies and events below INFO: with them tokens and passwords.

mod json_lines;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;

use crate::settings::Environment;
use json_lines::JsonLines;

/// Sends log lines to standard output for the rest of the process.
///
/// `AWS_LAMBDA_LOG_FORMAT=JSON` gives JSON lines, anything else text; `RUST_LOG`, else
/// `AWS_LAMBDA_LOG_LEVEL`, else `info` says how much. Whatever they say, no library is heard
/// below `info`. A second call does nothing.
pub fn init(environment: &Environment) {
    let subscriber = subscriber(environment, std::io::stdout);
    // Fails only where one was set before, which then goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn subscriber<W>(environment: &Environment, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry()
        .with(wanted(environment))
        .with(filter_fn(is_heard));
    let json = environment
        .get("AWS_LAMBDA_LOG_FORMAT")
        .is_some_and(|format| format.trim().eq_ignore_ascii_case("json"));
    if json {
        let lines = layer()
            .event_format(JsonLines)
            .fmt_fields(JsonFields::new());
        Box::new(registry.with(lines.with_writer(writer)))
    } else {
        let lines = layer().with_target(false).with_ansi(false);
        Box::new(registry.with(lines.with_writer(writer)))
    }
}

fn wanted(environment: &Environment) -> EnvFilter {
    let level = match environment.get("AWS_LAMBDA_LOG_LEVEL").map(str::trim) {
        // Lambda's highest level has no counterpart here.
        Some(level) if level.eq_ignore_ascii_case("fatal") => LevelFilter::ERROR,
        Some(level) => level.parse().unwrap_or(LevelFilter::INFO),
        None => LevelFilter::INFO,
    };
    EnvFilter::builder()
        .with_default_directive(level.into())
        .parse_lossy(environment.get("RUST_LOG").unwrap_or_default())
}

/// Below `info` only the program itself is heard: it knows what is a secret. No line stands in
/// another's span: the runtime's says again what the program's own does.
fn is_heard(metadata: &Metadata<'_>) -> bool {
    let own = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    own || metadata.is_event() && *metadata.level() <= Level::INFO
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(variables: &[(&str, &str)], say: impl FnOnce()) -> Vec<String> {
        let captured = Captured::default();
        let writer = captured.clone();
        let environment: Environment = variables.iter().copied().collect();
        let subscriber = subscriber(&environment, move || writer.clone());
        tracing::subscriber::with_default(subscriber, say);
        let bytes = captured.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn say_something_at_every_level() {
        tracing::error!("own error");
        tracing::warn!("own warn");
        tracing::info!("own info");
        tracing::debug!("own debug");
        tracing::trace!("own trace");
        tracing::info!(target: "hyper::client", "foreign info");
        tracing::debug!(target: "lambda_runtime", "foreign debug");
        tracing::trace!(target: "hyper::client", "foreign trace");
        tracing::debug!(target: "snapsentry_like", "foreign debug");
        tracing::debug!(target: "snapsentry::pass", "own debug in a module");
    }

    #[test]
    fn a_json_line_has_what_cloudwatch_looks_for_and_all_fields_at_the_top() {
        let json = [("AWS_LAMBDA_LOG_FORMAT", "JSON")];
        let lines = lines(&json, || {
            let outer = tracing::info_span!("invocation", run_id = "req-1", phase = "snapshot");
            let _outer = outer.enter();
            let inner = tracing::info_span!("volume", volume_id = "v", phase = "inner");
            let _inner = inner.enter();
            let reason = "served \"by\" another";
            tracing::warn!(count = 3, ok = true, %reason, level = "odd", "two\nlines");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("{\"timestamp\":\""), "{}", lines[0]);
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(
            chrono::DateTime::parse_from_rfc3339(timestamp).is_ok(),
            "{timestamp}"
        );
        assert!(timestamp.ends_with('Z'), "{timestamp}");
        let expected = [
            ("level", Value::from("WARN")),
            ("message", "two\nlines".into()),
            ("run_id", "req-1".into()),
            ("phase", "inner".into()),
            ("volume_id", "v".into()),
            ("count", 3.into()),
            ("ok", true.into()),
            ("reason", "served \"by\" another".into()),
            ("field_level", "odd".into()),
        ];
        for (key, value) in &expected {
            assert_eq!(&line[key], value, "{key}");
        }
        assert_eq!(line.as_object().unwrap().len(), expected.len() + 1);
    }

    #[test]
    fn without_the_json_format_a_line_is_text_without_escapes() {
        let lines = lines(&[], || tracing::info!(run_id = "req-1", "hello"));
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].contains("INFO") && lines[0].contains("hello"),
            "{}",
            lines[0]
        );
        assert!(lines[0].contains("run_id=\"req-1\""), "{}", lines[0]);
        assert!(!lines[0].contains('\u{1b}'), "{}", lines[0]);
    }

    #[test]
    fn the_level_comes_from_rust_log_then_from_lambda_and_is_info_otherwise() {
        let rows: [(&[(&str, &str)], usize); 9] = [
            (&[], 4),
            (&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")], 1),
            (&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")], 1),
            (&[("AWS_LAMBDA_LOG_LEVEL", "WARN")], 2),
            (&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")], 6),
            (&[("AWS_LAMBDA_LOG_LEVEL", "nonsense")], 4),
            (
                &[("AWS_LAMBDA_LOG_LEVEL", "ERROR"), ("RUST_LOG", "debug")],
                6,
            ),
            (&[("RUST_LOG", "snapsentry=debug")], 5),
            (
                &[("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ("RUST_LOG", "warn")],
                2,
            ),
        ];
        for (variables, expected) in rows {
            let lines = lines(variables, say_something_at_every_level);
            assert_eq!(lines.len(), expected, "{variables:?}: {lines:#?}");
        }
    }

    #[test]
    fn no_library_is_heard_below_info_whatever_rust_log_says() {
        for filter in ["trace", "hyper=trace,lambda_runtime=debug,snapsentry=trace"] {
            let lines = lines(&[("RUST_LOG", filter)], say_something_at_every_level);
            assert!(
                lines.iter().any(|line| line.contains("own trace")),
                "{filter}"
            );
            assert!(
                lines
                    .iter()
                    .any(|line| line.contains("own debug in a module")),
                "{filter}"
            );
            for foreign in ["foreign debug", "foreign trace"] {
                assert!(
                    !lines.iter().any(|line| line.contains(foreign)),
                    "{filter}: {lines:?}"
                );
            }
        }
    }

    #[test]
    fn a_line_stands_in_no_span_of_a_library() {
        let lines = lines(&[], || {
            let outer = tracing::info_span!(target: "lambda_runtime", "invoke", requestId = "1");
            let _outer = outer.enter();
            let own = tracing::info_span!("run", run_id = "req-1");
            let _own = own.enter();
            tracing::info!("said");
        });
        assert!(lines[0].contains("INFO run{run_id="), "{lines:?}");
    }

    #[test]
    fn a_value_that_is_an_error_is_said_in_its_own_words() {
        let json = [("AWS_LAMBDA_LOG_FORMAT", "json")];
        let lines = lines(&json, || {
            let error = io::Error::other("the reason");
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "failed");
        });
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(line["error"], "the reason");
    }
}
