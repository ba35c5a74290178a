//! Any JSON is a request, or is refused by a message that says what is wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;
use snapsentry::event::{Event, EventLabels};

fuzz_target!(|payload: &[u8]| {
    let Ok(payload) = serde_json::from_slice(payload) else {
        return;
    };
    let _ = EventLabels::of(&payload);
    if let Err(error) = Event::parse(&payload) {
        let length = error.to_string().len();
        assert!((11..3_000).contains(&length), "{error}");
    }
});
