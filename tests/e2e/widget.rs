//! The dashboard's widget: a page about the same as a report, and nothing but a page.

mod gallery;

use scraper::{Html, Selector};
use serde_json::{Value, json};
use simcloud::{Route, VolumeSpec};

use crate::report::one_of_each;
use crate::world::{Run, World, daily, tagged};

/// The ARN that the local runtime says was invoked.
const ARN: &str = "arn:aws:lambda:";

fn page(run: &Run) -> String {
    run.answer().as_str().expect("a page is a text").to_owned()
}

fn widget(fields: Value, context: Value) -> Value {
    let mut event = fields;
    event["widgetContext"] = context;
    event
}

async fn shown(world: &World, event: Value) -> Html {
    Html::parse_fragment(&page(&world.run(event).await))
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).expect("a selector");
    let found = page.select(&selector);
    found
        .map(|one| one.text().collect::<String>().trim().to_owned())
        .collect()
}

fn count(page: &Html, selector: &str) -> usize {
    texts(page, selector).len()
}

fn names(page: &Html) -> Vec<String> {
    texts(page, "tbody td.volume b")
}

/// The events of the buttons with this text.
fn clicks(page: &Html, button: &str) -> Vec<Value> {
    let selector = Selector::parse("button + cwdb-action").expect("a selector");
    page.select(&selector)
        .filter(|one| {
            assert_eq!(one.attr("action"), Some("call"));
            assert_eq!(one.attr("display"), Some("widget"));
            assert!(one.attr("endpoint").expect("an endpoint").starts_with(ARN));
            let before = one.prev_siblings().find_map(scraper::ElementRef::wrap);
            before.expect("a button").text().collect::<String>() == button
        })
        .map(|one| {
            let event = one.text().collect::<String>();
            serde_json::from_str(&event).expect("an event is JSON")
        })
        .collect()
}

#[tokio::test]
async fn a_page_says_at_once_whether_all_is_well() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    world.taken(&volume, &policy);
    let well = shown(&world, widget(json!({}), json!({}))).await;
    assert_eq!(
        texts(&well, ".headline"),
        ["All is well: the one managed volume is protected"]
    );
    assert_eq!(count(&well, ".headline.good"), 1);
    world.volume(&[&policy]);
    let late = shown(&world, widget(json!({}), json!({}))).await;
    assert_eq!(
        texts(&late, ".headline"),
        ["1 of 2 volumes needs attention"]
    );
    assert_eq!(count(&late, ".headline.bad"), 1);
}

#[tokio::test]
async fn a_page_shows_every_volume_the_worst_first_and_a_strip_of_its_policies() {
    let (world, all) = one_of_each().await;
    let page = shown(&world, widget(json!({}), json!({"theme": "dark"}))).await;
    assert_eq!(names(&page), all);
    assert_eq!(texts(&page, "tbody td.state .badge"), all);
    // The wiped one does not say what it wanted.
    assert_eq!(count(&page, "tbody svg"), 5);
    assert_eq!(
        count(
            &page,
            "tbody svg[aria-label='daily late'] rect.missing title"
        ),
        1
    );
    assert_eq!(
        count(
            &page,
            "tbody svg[aria-label='daily protected'] rect.covered title"
        ),
        1
    );
    assert_eq!(
        count(
            &page,
            "tbody svg[aria-label='daily creating'] rect.creating title"
        ),
        1
    );
    assert_eq!(
        count(
            &page,
            "tbody svg[aria-label='daily blocked'] rect.blocked title"
        ),
        1
    );
    assert_eq!(count(&page, ".snapsentry.dark"), 1);
    for forbidden in [
        "script",
        "iframe",
        "use",
        "link",
        "img",
        "[href]",
        "[src]",
        "[onclick]",
    ] {
        assert_eq!(count(&page, forbidden), 0, "{forbidden}");
    }
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_style_does_not_come_first() {
    let world = World::new().await;
    let page = page(&world.run(widget(json!({}), json!({}))).await);
    assert!(page.starts_with("<div"), "{}", &page[..40]);
    assert!(page.contains("<style>"));
}

#[tokio::test]
async fn a_widget_runs_no_other_phase_whatever_it_names() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    for phase in ["snapshot", "expire", "subscribe", "none"] {
        let run = world.run(widget(json!({"phase": phase}), json!({}))).await;
        assert!(page(&run).contains("needs attention"), "{phase}");
    }
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn what_is_typed_wins_over_the_event_and_that_over_what_is_configured() {
    let (world, all) = one_of_each().await;
    let all_rows = shown(&world, widget(json!({}), json!({}))).await;
    let ids = texts(&all_rows, "tbody td.volume .sub.id");
    let context = |typed: Value, params: Value| json!({"forms": {"all": typed}, "params": params});
    let rows = [
        (
            json!({}),
            context(json!({}), json!({"limit": 2})),
            &all[..2],
        ),
        (
            json!({"limit": 3}),
            context(json!({}), json!({"limit": 2})),
            &all[..3],
        ),
        (
            json!({"limit": 3}),
            context(json!({"limit": "4"}), json!({"limit": 2})),
            &all[..4],
        ),
        (
            json!({"limit": 3}),
            context(json!({"limit": ""}), json!({"limit": 2})),
            &all[..3],
        ),
        (
            json!({"only": null}),
            context(json!({}), json!({"only": "attention"})),
            &all[..],
        ),
        (
            json!({}),
            context(json!({"only": "attention"}), json!({})),
            &all[..5],
        ),
        (
            json!({}),
            context(
                json!({"volume_ids": format!(" {}, {}", ids[3], ids[1])}),
                json!({}),
            ),
            &["invalid", "blocked"],
        ),
        (
            json!({"after": ids[5]}),
            context(json!({}), json!({})),
            &all[6..],
        ),
    ];
    let mut function = world.function().await;
    for (event, context, expected) in rows {
        let event = widget(event, context);
        let page = page(&function.run(event.clone()).await);
        assert_eq!(names(&Html::parse_fragment(&page)), *expected, "{event}");
    }
}

#[tokio::test]
async fn what_a_widget_cannot_read_is_refused_by_its_name() {
    let world = World::new().await;
    let typed = |fields: Value| widget(json!({}), json!({"forms": {"all": fields}}));
    for (event, words) in [
        (
            typed(json!({"limit": "many"})),
            ["limit", "many", "1 to 1000"],
        ),
        (
            typed(json!({"volume_ids": "db-data"})),
            ["volume_ids", "db-data", "UUID"],
        ),
        (
            widget(json!({"onyl": "attention"}), json!({})),
            ["onyl", "no such field", "only"],
        ),
    ] {
        world.run(event).await.fails_with("InvalidEvent", &words);
    }
}

#[tokio::test]
async fn buttons_lead_to_the_next_page_and_keep_what_was_asked_for() {
    let (world, all) = one_of_each().await;
    let event = widget(json!({"limit": 3}), json!({"params": {"limit": 2}}));
    let mut function = world.function().await;
    let first = Html::parse_fragment(&page(&function.run(event).await));
    assert!(clicks(&first, "First page").is_empty());
    let next = clicks(&first, "Next page").remove(0);
    assert_eq!(next["limit"], 3);
    let second = function
        .run(widget(next, json!({"params": {"limit": 2}})))
        .await;
    let second = Html::parse_fragment(&page(&second));
    assert_eq!(names(&second), all[3..6]);
    let back = clicks(&second, "First page").remove(0);
    let back = function.run(widget(back, json!({}))).await;
    assert_eq!(names(&Html::parse_fragment(&page(&back))), all[..3]);
    let attention = clicks(&second, "Only what needs attention").remove(0);
    let few = function
        .run(widget(attention, json!({"params": {"limit": 2}})))
        .await;
    let few = Html::parse_fragment(&page(&few));
    assert_eq!(names(&few), all[..3]);
    assert_eq!(
        clicks(&few, "Show all volumes").remove(0)["only"],
        Value::Null
    );
}

#[tokio::test]
async fn listings_are_reused_for_a_while_and_the_page_says_of_when_they_are() {
    let world = World::new().await;
    let mut function = world.function().await;
    let event = widget(json!({}), json!({}));
    function.run(event.clone()).await;
    world.volume(&[&daily()]);
    let again = page(&function.run(event).await);
    assert_eq!(world.count(Route::ListVolumes), 1);
    assert!(
        again.contains("Looked at") && again.contains("There is no volume"),
        "{again}"
    );
    // A report always looks.
    let report = function.run(json!({"phase": "report"})).await;
    assert_eq!(report.figure("/totals/volumes"), 1);
    assert_eq!(world.count(Route::ListVolumes), 2);
}

#[tokio::test]
async fn documentation_is_given_without_asking_any_cloud() {
    let world = World::new().await.without_login();
    for event in [
        json!({"describe": true}),
        json!({"describe": true, "widgetContext": {"theme": "light"}}),
        json!({"describe": true, "phase": "snapshot"}),
    ] {
        let run = world.run(event).await;
        let text = page(&run);
        assert!(
            text.contains("```yaml") && text.contains("volume_ids"),
            "{text}"
        );
    }
    assert_eq!(world.cloud.with_journal(|journal| journal.entries.len()), 0);
}

#[tokio::test]
async fn times_are_shown_by_the_viewers_clock() {
    let world = World::new().await;
    let zone = json!({"timezone": {"label": "Local", "offsetISO": "+05:30"}});
    let page = page(&world.run(widget(json!({}), zone)).await);
    assert!(page.contains("UTC+05:30"), "{page}");
}

#[tokio::test]
async fn a_name_is_text() {
    let world = World::new().await;
    let hostile = "<img src=x onerror=alert(1)>\"'&</td><script>alert(2)</script>";
    world.cloud.add_volume(VolumeSpec {
        name: Some(hostile.to_owned()),
        ..tagged(&[&daily().with("timezone", "</style><b>")])
    });
    let page = shown(&world, widget(json!({}), json!({}))).await;
    assert_eq!(names(&page), [hostile]);
    assert_eq!(count(&page, "img, script"), 0);
    assert!(texts(&page, ".error")[0].contains("</style><b>"));
}

#[tokio::test]
async fn a_function_that_only_looks_serves_nothing_else_and_one_that_does_not_serves_no_page() {
    let world = World::new().await.set("SNAPSENTRY_PHASES", "report");
    world.volume(&[&daily()]);
    let looks = [
        widget(json!({"phase": "snapshot"}), json!({})),
        json!({"describe": true}),
        json!({"phase": "report"}),
    ];
    for event in &looks {
        world.run(event.clone()).await.answer();
    }
    for phase in ["snapshot", "expire"] {
        let run = world.run(json!({"phase": phase})).await;
        run.fails_with("InvalidEvent", &[phase, "report", "SNAPSENTRY_PHASES"]);
    }
    let world = world.set("SNAPSENTRY_PHASES", "snapshot, expire");
    for event in looks {
        let run = world.run(event).await;
        run.fails_with("InvalidEvent", &["report", "SNAPSENTRY_PHASES"]);
    }
    assert_eq!(world.writes(), 0);
}
