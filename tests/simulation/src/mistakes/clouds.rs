//! Mistakes that several clouds behind one sandbox show.

use super::{Change, Mistake};

/// Each of them is found by some seed of clouds.
pub const OF_CLOUDS: &[Mistake] = &[
    Mistake {
        name: "what-is-warm-is-everybodys",
        says: "What is kept of the last cloud is taken for the next.",
        changes: &[Change {
            file: "src/handler/warm.rs",
            find: "let at = self.0.iter().position(|(one, _)| one.as_ref() == cloud)?;",
            put: "let at = self.0.iter().position(|(one, _)| one.is_some() == cloud.is_some())?;",
        }],
    },
    Mistake {
        name: "one-session-for-all",
        says: "All clouds share one token.",
        changes: &[Change {
            file: "src/handler/warm.rs",
            find: "session: Arc::default(),",
            put: "session: {
                static SHARED: std::sync::OnceLock<Arc<Session>> = std::sync::OnceLock::new();
                SHARED.get_or_init(Arc::default).clone()
            },",
        }],
    },
    Mistake {
        name: "an-entry-is-read-once",
        says: "What changes in an entry does not reach the session.",
        changes: &[Change {
            file: "src/handler/warm.rs",
            find: "Some(kept) if *kept.sources == sources => WarmState { version, ..kept },",
            put: "Some(kept) if kept.version > 0 => WarmState { version, ..kept },",
        }],
    },
    Mistake {
        name: "the-secret-is-read-once",
        says: "What changes in the secret is not seen.",
        changes: &[Change {
            file: "src/handler/warm.rs",
            find: "if !self.secret.as_ref().is_some_and(|known| known.says(&text)) {",
            put: "if self.secret.is_none() {",
        }],
    },
    Mistake {
        name: "one-fault-stops-the-tick",
        says: "An entry at fault leaves the others without their events.",
        changes: &[Change {
            file: "src/settings/sources.rs",
            find: "list.faults.sort();",
            put: "list.faults.sort();
            if !list.faults.is_empty() {
                list.clouds.clear();
            }",
        }],
    },
    Mistake {
        name: "paused-ones-are-served",
        says: "An entry that is paused is served like any other.",
        changes: &[Change {
            file: "src/settings/sources.rs",
            find: "if !starts.paused {",
            put: "if !starts.paused || starts.shards > 0 {",
        }],
    },
    Mistake {
        name: "any-catalogue-will-do",
        says: "The token goes to an address without TLS.",
        changes: &[Change {
            file: "src/handler/invocation.rs",
            find: "https_only: settings.auth.auth_url.scheme() == \"https\" && !settings.tls.insecure,",
            put: "https_only: false,",
        }],
    },
    Mistake {
        name: "the-document-is-logged",
        says: "The secret is in a log line.",
        changes: &[Change {
            file: "src/handler/warm.rs",
            find: "self.secret = Some(Arc::new(Secret::read(text)));",
            put: "tracing::debug!(text = secrecy::ExposeSecret::expose_secret(&text), \"secret read\");
            self.secret = Some(Arc::new(Secret::read(text)));",
        }],
    },
];
