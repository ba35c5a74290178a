//! Links to the next page: followed for their query only, never to another host, never for ever.

use proptest::prelude::*;
use serde_json::{Value, json};
use simcloud::Config;

use crate::cases;
use crate::damage::odd_text;
use crate::exchange::Call;
use crate::judge;
use crate::scene::{Scene, play};

/// Where a link leads.
#[derive(Clone, Debug)]
enum Link {
    /// To this address, with the query that it had.
    At(String),
    /// To this, whatever it is.
    Odd(String),
    /// To the beginning.
    Back,
    /// To a marker that there is not.
    Missing,
    /// Nowhere: something that is no link.
    No(Value),
    /// Twice, and the first is this.
    Before(Value),
}

impl Link {
    /// Whether it may make a part of the listing look like all of it. Nobody could know.
    fn is_a_lie(&self) -> bool {
        matches!(self, Self::Odd(_) | Self::No(Value::Null))
    }
}

fn link() -> impl Strategy<Value = Link> {
    prop_oneof![
        prop::sample::select(vec![
            "http://elsewhere.example/v3/snapshots/detail",
            "//elsewhere.example",
            "https://user:word@elsewhere.example",
            "/relative",
            "",
            "javascript:",
        ])
        .prop_map(|base| Link::At(base.into())),
        odd_text().prop_map(Link::Odd),
        odd_text().prop_map(|text| Link::Odd(format!("http://elsewhere.example/?{text}"))),
        Just(Link::Back),
        Just(Link::Missing),
        prop::sample::select(vec![
            json!(null),
            json!(7),
            json!([null]),
            json!([{"rel": 1}])
        ])
        .prop_map(Link::No),
        prop::sample::select(vec![
            json!({"rel": "self", "href": "x"}),
            json!({"rel": "next"})
        ])
        .prop_map(Link::Before),
    ]
}

fn bend(links: &mut Value, link: &Link) {
    let Some(href) = links[0]["href"].as_str().map(str::to_owned) else {
        return;
    };
    let (_, query) = href.split_once('?').unwrap_or_default();
    match link {
        Link::At(base) => links[0]["href"] = format!("{base}?{query}").into(),
        Link::Odd(text) => links[0]["href"] = text.clone().into(),
        Link::Back => links[0]["href"] = "http://cloud.example/?limit=2".into(),
        Link::Missing => {
            let missing = "http://cloud.example/?marker=4b1c2d3e-0000-4000-8000-000000000099";
            links[0]["href"] = missing.into();
        }
        Link::No(other) => *links = other.clone(),
        Link::Before(other) => *links = json!([other, links[0]]),
    }
}

fn runs(phase: &str, pages: &[Link], from: usize) {
    play(async {
        let config = Config {
            osapi_max_limit: 2,
            ..Config::default()
        };
        let scene = Scene::empty(config);
        for n in 0..4 {
            let volume = scene.volume(&["daily-enabled=true"], None);
            for days in 3..6 + n {
                scene.expired(&volume, "daily", days);
            }
        }
        let before = scene.snapshots();
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let bent = pages.to_vec();
        let spoil = move |call: Call, answer: &mut snapsentry::transport::Response| {
            let key = match call {
                Call::Volumes => "volumes_links",
                Call::Snapshots => "snapshots_links",
                _ => return,
            };
            let nth = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
            if let (Some(mut body), true) = (body, nth >= from) {
                bend(&mut body[key], &bent[nth % bent.len()]);
                *answer.body_mut() = body.to_string().into();
            }
        };
        let ran = scene.run(&json!({ "phase": phase }), Box::new(spoil)).await;
        judge::is_sound(&scene, &before, &ran);
        judge::stays_at_home(&ran);
        // A link that cannot be followed is the cloud's fault, not the credential's.
        if let Err((error_type, _)) = &ran.end {
            assert_eq!(*error_type, "DiscoveryFailed", "{ran:?}");
        }
        if pages.iter().any(Link::is_a_lie) {
            return;
        }
        // However the pages came: the newest of each volume stays.
        let after = scene.snapshots();
        for volume in scene.cloud.volumes() {
            let newest = |all: &std::collections::BTreeMap<String, simcloud::Snapshot>| {
                let of_volume = all.values().filter(|one| one.volume_id == volume.id);
                of_volume.map(|one| (one.created_at, one.id.clone())).max()
            };
            assert!(newest(&after) >= newest(&before), "{ran:?}");
        }
    });
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn no_link_leads_astray_or_round_in_circles(
        phase in prop::sample::select(vec!["expire", "snapshot"]),
        pages in prop::collection::vec(link(), 1..4),
        from in 0_usize..4,
    ) {
        runs(phase, &pages, from);
    }
}

#[test]
fn pages_that_lead_round_in_a_circle_are_refused() {
    // The third page links to the first, and nothing in any page repeats at once.
    runs(
        "expire",
        &[
            Link::At("http://elsewhere.example".into()),
            Link::At(String::new()),
            Link::Back,
        ],
        0,
    );
}
