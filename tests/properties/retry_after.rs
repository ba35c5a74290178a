//! `Retry-After`: seconds, dates and whatever else a proxy may write there.

use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;

use crate::cases;
use crate::exchange::{Call, set_header, set_status};
use crate::judge;
use crate::scene::{Ran, Scene, TIME, now, play};

/// An expire pass whose first answer to a call is a refusal with this header.
fn refused_once(call: Call, status: u16, value: Vec<u8>) -> Ran {
    play(async {
        let scene = Scene::full();
        let before = scene.snapshots();
        let struck = std::sync::atomic::AtomicBool::new(false);
        let spoil = move |this: Call, answer: &mut snapsentry::transport::Response| {
            if this == call && !struck.swap(true, std::sync::atomic::Ordering::Relaxed) {
                set_status(answer, status);
                set_header(answer, "retry-after", &value);
            }
        };
        let ran = scene
            .run(&json!({"phase": "expire"}), Box::new(spoil))
            .await;
        judge::is_sound(&scene, &before, &ran);
        judge::stays_at_home(&ran);
        judge::expiry_is_justified(&ran, 1);
        ran
    })
}

fn odd_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "-?[0-9]{0,40}".prop_map(String::into_bytes),
        "[0-9]{1,3}(\\.[0-9]{1,2})?".prop_map(String::into_bytes),
        "(Sun|Mon|Foo), [0-9]{1,2} (Nov|Feb|Bar) [0-9]{1,6} [0-9]{2}:[0-9]{2}:[0-9]{2} (GMT|[-+][0-9]{4}|XYZ)"
            .prop_map(String::into_bytes),
        "20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn no_value_panics_or_outlasts_the_deadline(
        call in prop::sample::select(vec![Call::Login, Call::Volumes, Call::Snapshots, Call::Delete]),
        status in prop::sample::select(vec![413_u16, 429, 500, 503]),
        value in odd_value(),
    ) {
        refused_once(call, status, value);
    }

    #[test]
    fn seconds_that_fit_are_waited_and_others_end_the_pass(
        seconds in prop_oneof![0_u64..70, any::<u64>()],
        is_date in any::<bool>(),
    ) {
        // A date further off cannot be written in four digits.
        let seconds = if is_date { seconds % 100_000_000_000 } else { seconds };
        let value = if is_date {
            (now() + TimeDelta::seconds(seconds as i64)).to_rfc2822()
        } else {
            seconds.to_string()
        };
        let ran = refused_once(Call::Snapshots, 429, value.into_bytes());
        // Two seconds of the time are kept free.
        if seconds < TIME.num_seconds() as u64 - 2 {
            prop_assert!(ran.end.is_ok(), "{:?}", ran);
            prop_assert!(ran.took >= Duration::from_secs(seconds), "{:?}", ran);
        } else {
            let error_type = ran.end.as_ref().err().map(|(error_type, _)| error_type.as_str());
            prop_assert_eq!(error_type, Some("DeadlineExceeded"), "{:?}", ran);
            prop_assert!(ran.took < Duration::from_secs(1), "waiting for nothing is billed");
        }
    }
}

#[test]
fn a_number_too_large_to_hold_asks_to_wait_all_the_same() {
    for status in [413, 429] {
        let ran = refused_once(Call::Snapshots, status, b"99999999999999999999999".to_vec());
        let error_type = ran
            .end
            .as_ref()
            .err()
            .map(|(error_type, _)| error_type.as_str());
        assert_eq!(error_type, Some("DeadlineExceeded"), "{ran:?}");
    }
}
