//! Every body that the cloud sends, and every status: a pass survives it, deletes nothing that
//! must stay, and says what went wrong.

use proptest::prelude::*;
use serde_json::json;

use crate::cases;
use crate::damage::{Damage, damage, odd_text};
use crate::exchange::{Call, Spoil, set_header, set_status};
use crate::judge;
use crate::scene::{Scene, play};

/// Which answers are spoilt, and how.
#[derive(Clone, Debug)]
struct Weather {
    call: Call,
    skip: usize,
    times: usize,
    damage: Damage,
    status: Option<u16>,
    location: Option<String>,
}

fn weather() -> impl Strategy<Value = Weather> {
    let status = prop_oneof![
        5 => Just(None),
        1 => (200_u16..600).prop_map(Some),
        1 => prop::sample::select(vec![201, 204, 206, 301, 307, 400, 401, 403, 404, 413, 429, 503])
            .prop_map(Some),
    ];
    (
        prop::sample::select(Call::ALL.to_vec()),
        0_usize..4,
        prop_oneof![Just(1), Just(3), Just(usize::MAX)],
        damage(),
        status,
        prop::option::of(odd_text()),
    )
        .prop_map(|(call, skip, times, damage, status, location)| Weather {
            call,
            skip,
            times,
            damage,
            status,
            location,
        })
}

impl Weather {
    fn spoil(&self) -> Spoil {
        let weather = self.clone();
        let seen = std::sync::atomic::AtomicUsize::new(0);
        Box::new(move |call, answer| {
            if call != weather.call {
                return;
            }
            let nth = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if nth < weather.skip || nth - weather.skip >= weather.times {
                return;
            }
            *answer.body_mut() = weather.damage.spoil(answer.body());
            if let Some(status) = weather.status {
                set_status(answer, status);
            }
            if let Some(location) = &weather.location {
                set_header(answer, "location", location.as_bytes());
            }
        })
    }
}

fn runs(phase: &str, weather: &Weather) {
    play(async {
        let scene = Scene::full();
        let before = scene.snapshots();
        let volumes = scene.cloud.volumes();
        let ran = scene.run(&json!({ "phase": phase }), weather.spoil()).await;
        judge::is_sound(&scene, &before, &ran);
        // A token goes where the catalogue says.
        if weather.call != Call::Login {
            judge::stays_at_home(&ran);
        }
        assert_eq!(scene.cloud.volumes(), volumes, "passes tag no volumes");
        if phase == "expire" {
            judge::expiry_is_justified(&ran, 1);
        } else {
            judge::cleaning_is_justified(&ran);
            judge::nothing_is_lost(&before, &scene.snapshots(), &ran);
        }
    });
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn an_expire_pass_survives_every_answer(weather in weather()) {
        runs("expire", &weather);
    }
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn a_snapshot_pass_survives_every_answer(weather in weather()) {
        runs("snapshot", &weather);
    }
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn a_subscription_survives_every_answer(weather in weather()) {
        play(async {
            let scene = Scene::full();
            let before = scene.snapshots();
            let volumes = scene.cloud.volumes();
            let volume = &volumes[0];
            let event = json!({"phase": "subscribe", "volume_id": volume.id, "policy": "weekly"});
            let ran = scene.run(&event, weather.spoil()).await;
            judge::is_sound(&scene, &before, &ran);
            if weather.call != Call::Login {
                judge::stays_at_home(&ran);
            }
            let now = scene.cloud.volumes();
            assert_eq!(now[1..], volumes[1..], "other volumes are not touched");
            for (key, value) in &volume.metadata {
                if !key.contains("-weekly-") && key != "x-snapsentry-managed" {
                    assert_eq!(now[0].metadata.get(key), Some(value), "{ran:?}");
                }
            }
        });
    }
}

/// What the properties above are about does happen.
#[test]
fn in_good_weather_both_passes_have_much_to_delete() {
    play(async {
        for (phase, least) in [("expire", 7), ("snapshot", 3)] {
            let scene = Scene::full();
            let ran = scene
                .run(&json!({ "phase": phase }), Box::new(|_, _| {}))
                .await;
            let deletions = ran
                .exchanges
                .iter()
                .filter(|one| one.call == Call::Delete)
                .count();
            assert!(ran.end.is_ok() && deletions >= least, "{ran:?}");
        }
    });
}
