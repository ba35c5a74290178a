//! Every body that the cloud sends, edited: a pass survives it, tells no secret and asks nobody
//! else. Three bytes say which call, from which answer on, and which phase; then come edits of the
//! real body.

#![no_main]

#[allow(dead_code)]
#[path = "../../properties/damage.rs"]
mod damage;
#[allow(dead_code)]
#[path = "../../properties/judge.rs"]
mod judge;
#[allow(dead_code)]
#[path = "../../properties/scene.rs"]
mod scene;
#[allow(dead_code)]
#[path = "../../properties/seam.rs"]
mod seam;

use std::sync::atomic::{AtomicUsize, Ordering};

use libfuzzer_sys::fuzz_target;
use scene::{Scene, play};
use seam::{Call, Spoil};
use serde_json::json;

/// Carries out a script of edits: two bytes of a place, a kind, a length, and perhaps a text.
fn edited(body: &[u8], mut script: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    while let [high, low, kind, length, rest @ ..] = script {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % body.len().max(1);
        let length = usize::from(*length % 24);
        let (text, further) = rest.split_at(length.min(rest.len()));
        let until = |length: usize| (at + length).min(body.len());
        match kind % 4 {
            0 => drop(body.splice(at..until(length), text.iter().copied())),
            1 => drop(body.splice(at..at, text.iter().copied())),
            2 => drop(body.drain(at..until(length))),
            _ => {
                let part = body[at..until(3 * length)].to_vec();
                drop(body.splice(at..at, part));
            }
        }
        script = further;
    }
    body
}

fuzz_target!(|data: &[u8]| {
    let [call, skip, phase, script @ ..] = data else {
        return;
    };
    let spoilt = Call::ALL[usize::from(*call) % Call::ALL.len()];
    let skip = usize::from(*skip % 4);
    let phase = ["snapshot", "expire"][usize::from(*phase % 2)];
    let (script, seen) = (script.to_vec(), AtomicUsize::new(0));
    let spoil: Spoil = Box::new(move |call, answer| {
        if call == spoilt && seen.fetch_add(1, Ordering::Relaxed) >= skip {
            *answer.body_mut() = edited(answer.body(), &script).into();
        }
    });
    play(async {
        let scene = Scene::full();
        let before = scene.snapshots();
        let ran = scene.run(&json!({ "phase": phase }), spoil).await;
        judge::is_sound(&scene, &before, &ran);
    });
});
