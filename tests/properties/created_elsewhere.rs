//! The answer to a creation says which snapshot was made. Whatever it says, no other one is
//! deleted for it.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cases;
use crate::exchange::Call;
use crate::judge;
use crate::scene::{Scene, play};

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn an_answer_that_names_another_snapshot_has_none_deleted(
        other in any::<prop::sample::Index>(),
        whole in any::<bool>(),
        status in prop::sample::select(vec!["creating", "available", "error", "deleting"]),
    ) {
        play(async {
            let scene = Scene::full();
            let before = scene.snapshots();
            let others: Vec<_> = before.values().cloned().collect();
            let other = others[other.index(others.len())].clone();
            let spoil = move |call: Call, answer: &mut snapsentry::transport::Response| {
                let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
                if let (Call::Create, Some(mut body)) = (call, body) {
                    body["snapshot"]["id"] = other.id.clone().into();
                    body["snapshot"]["status"] = status.into();
                    if whole {
                        body["snapshot"]["volume_id"] = other.volume_id.clone().into();
                        body["snapshot"]["metadata"] = json!(other.metadata);
                    }
                    *answer.body_mut() = body.to_string().into();
                }
            };
            let ran = scene.run(&json!({"phase": "snapshot"}), Box::new(spoil)).await;
            judge::is_sound(&scene, &before, &ran);
            judge::nothing_is_lost(&before, &scene.snapshots(), &ran);
            // What the pass had to clean up all the same: broken, stuck or a twin of today's.
            let after = scene.snapshots();
            for one in before.values().filter(|one| !after.contains_key(&one.id)) {
                let start = one.metadata.get("x-snapsentry-snapshot-window-start");
                prop_assert!(start.is_some(), "{:?} in {:?}", one, ran);
            }
            Ok(())
        })?;
    }
}
