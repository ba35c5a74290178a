//! Whatever a volume says, and whenever: an instant lies in exactly one window, and nothing expires
//! before its window ends. Eight bytes of an instant, then lines of `key=value`.

#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use snapsentry::plan::Volume;
use snapsentry::policy::{Metadata, PolicyKind, PolicyState, read};

/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;

fuzz_target!(|data: &[u8]| {
    let Some((now, keys)) = data.split_first_chunk() else {
        return;
    };
    let Some(now) = DateTime::from_timestamp(i64::from_le_bytes(*now) % LATEST, 0) else {
        return;
    };
    let metadata: Metadata = String::from_utf8_lossy(keys)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (format!("x-snapsentry-{key}"), value.to_owned()))
        .collect();
    for kind in PolicyKind::ALL {
        let PolicyState::Enabled(policy) = read(kind, &metadata) else {
            continue;
        };
        let window = policy.window_at(now);
        assert!(window.start <= now && now < window.end, "{policy:?} {now}");
        assert_eq!(policy.window_at(window.start), window, "{policy:?} {now}");
        let expires_at = policy.expires_at(&window);
        assert!(expires_at >= window.end, "{policy:?} {now}");
        let _ = policy.in_zone(expires_at);
    }
    let _ = Volume::new("v".into(), "available".into(), Vec::new(), &metadata);
});
