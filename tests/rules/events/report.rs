//! What a report is asked for, and what a dashboard's widget makes of three places.

use serde_json::{Value, json};
use snapsentry::event::{Event, EventLabels, Phase, ReportRequest, Request, WidgetRequest};

use super::requests::{VOLUME, accepted, all_refused, read, refused, with};

const OTHER: &str = "0ca57b62-34bb-43f0-acfa-cf846e3bd6a2";

fn report(fields: Value) -> ReportRequest {
    match accepted(&with(json!({"phase": "report"}), fields)) {
        Request::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

fn widget(event: Value, typed: Value, configured: Value) -> WidgetRequest {
    let context = json!({"forms": {"all": typed}, "params": configured});
    match accepted(&with(event, json!({"widgetContext": context}))) {
        Request::Widget(widget) => widget,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_report_asks_for_the_first_two_hundred_rows_of_everything() {
    let all = ReportRequest {
        volume_ids: None,
        shard: None,
        limit: 200,
        after: None,
        only_attention: false,
    };
    assert_eq!(report(json!({})), all);
    assert_eq!(report(json!({"limit": 1})).limit, 1);
    assert_eq!(report(json!({"limit": 1000})).limit, 1000);
    assert!(report(json!({"only": "attention"})).only_attention);
    let after = report(json!({"after": VOLUME.to_uppercase()})).after;
    assert_eq!(after.as_deref(), Some(VOLUME));
    let some = report(json!({"volume_ids": [VOLUME], "shard": {"index": 1, "count": 2}}));
    assert_eq!(some.scope().volume_ids.map(|ids| ids.len()), Some(1));
    assert_eq!(some.scope().shard.map(|shard| shard.index), Some(1));
}

#[test]
fn a_bad_field_of_a_report_is_named_with_what_is_accepted() {
    let with_field =
        |field: &str, value: Value| with(json!({"phase": "report"}), json!({field: value}));
    all_refused(vec![
        (with_field("limit", json!(0)), &["limit", "0", "1 to 1000"]),
        (with_field("limit", json!(1001)), &["limit", "1001"]),
        (with_field("limit", json!("50")), &["limit", "\"50\""]),
        (with_field("limit", json!(1.5)), &["limit", "1.5"]),
        (
            with_field("limit", Value::Null),
            &["limit", "leave the field out"],
        ),
        (
            with_field("only", json!("late")),
            &["only", "late", "attention"],
        ),
        (with_field("only", json!(["attention"])), &["only"]),
        (
            with_field("after", json!("db-data")),
            &["after", "db-data", "UUID"],
        ),
        (with_field("after", json!("")), &["after"]),
        (with_field("volume_ids", json!([])), &["volume_ids"]),
        (
            with_field("shard", json!({"index": 2, "count": 2})),
            &["shard.index"],
        ),
        (
            with_field("dry_run", json!(true)),
            &["dry_run", "no such field", "limit"],
        ),
        (
            with_field("as_of", json!("2026-11-22T09:10:00Z")),
            &["as_of", "no such field"],
        ),
        (
            with_field("describe", json!(false)),
            &["describe", "no such field"],
        ),
    ]);
}

#[test]
fn typed_wins_over_the_event_and_that_over_what_is_configured() {
    let limit = |event: Value, typed: Value, configured: Value| {
        let of = |value: Value| match value {
            Value::Null => json!({}),
            value => json!({"limit": value}),
        };
        widget(of(event), of(typed), of(configured)).report.limit
    };
    let none = || Value::Null;
    assert_eq!(limit(none(), none(), none()), 200);
    assert_eq!(limit(none(), none(), json!(3)), 3);
    assert_eq!(limit(json!(2), none(), json!(3)), 2);
    assert_eq!(limit(json!(2), json!("1"), json!(3)), 1);
    assert_eq!(
        limit(json!(2), json!(" "), json!(3)),
        2,
        "empty counts as not typed"
    );
    assert_eq!(limit(json!(""), json!(""), json!("3")), 3);
}

#[test]
fn text_is_read_as_what_the_field_wants() {
    let typed = |fields: Value| widget(json!({}), fields, json!({})).report;
    let both = || Some([VOLUME, OTHER].map(str::to_owned).into());
    for ids in [
        json!(format!("{VOLUME},{OTHER}")),
        json!(format!(" {OTHER} , {VOLUME} ")),
        json!(format!("{VOLUME}\n{OTHER}")),
        json!(format!("[\"{VOLUME}\", \"{OTHER}\"]")),
        json!([VOLUME, OTHER]),
    ] {
        assert_eq!(
            typed(json!({"volume_ids": ids})).volume_ids,
            both(),
            "{ids}"
        );
    }
    let shard = typed(json!({"shard": "{\"index\": 1, \"count\": 3}"})).shard;
    assert_eq!(shard.map(|shard| (shard.index, shard.count)), Some((1, 3)));
    assert_eq!(
        typed(json!({"after": format!(" {VOLUME} ")}))
            .after
            .as_deref(),
        Some(VOLUME)
    );
    assert!(typed(json!({"only": " attention "})).only_attention);
}

#[test]
fn a_click_takes_back_with_null_what_is_configured() {
    let configured = json!({"only": "attention", "limit": 5});
    let taken_back = widget(json!({"only": null}), json!({}), configured.clone());
    assert!(!taken_back.report.only_attention);
    assert_eq!(taken_back.report.limit, 5);
    assert!(!taken_back.fields.contains_key("only"));
    assert!(
        widget(json!({}), json!({}), configured)
            .report
            .only_attention
    );
}

#[test]
fn a_widget_is_of_the_phase_report_whatever_it_names() {
    for phase in [
        json!("snapshot"),
        json!("expire"),
        json!("nonsense"),
        json!(7),
        Value::Null,
    ] {
        let event = json!({"phase": phase, "widgetContext": {}});
        let labels = EventLabels::of(&event);
        assert_eq!(labels.phase, Some(Phase::Report), "{event}");
    }
    for context in [
        json!({}),
        Value::Null,
        json!("odd"),
        json!([1]),
        json!({"forms": 1, "params": []}),
    ] {
        let event = json!({"phase": "expire", "widgetContext": context});
        assert!(matches!(accepted(&event), Request::Widget(_)), "{event}");
    }
}

#[test]
fn a_widget_may_name_a_cloud() {
    let event = json!({"widgetContext": {"params": {"cloud": "blue"}}});
    assert_eq!(
        read(&event).cloud().map(|cloud| cloud.to_string()),
        Some("blue".to_owned())
    );
    let odd = json!({"widgetContext": {"forms": {"all": {"cloud": "a/b"}}}});
    assert!(refused(&odd).contains("cloud"));
}

#[test]
fn documentation_is_asked_for_with_or_without_a_context() {
    for event in [
        json!({"describe": true}),
        json!({"describe": true, "widgetContext": {"params": {"limit": "odd"}}}),
        json!({"describe": true, "phase": "snapshot"}),
    ] {
        assert_eq!(read(&event), Event::Describe, "{event}");
        assert_eq!(
            EventLabels::of(&event).phase,
            Some(Phase::Report),
            "{event}"
        );
    }
    let undescribed = json!({"describe": false, "widgetContext": {}});
    assert!(matches!(accepted(&undescribed), Request::Widget(_)));
    for event in [json!({"describe": 1}), json!({"describe": "true"})] {
        assert!(refused(&event).contains("phase"), "{event}");
    }
}

#[test]
fn an_odd_theme_or_time_zone_is_the_usual_one() {
    let viewer = |context: Value| match accepted(&json!({"widgetContext": context})) {
        Request::Widget(widget) => widget.viewer,
        other => panic!("{other:?}"),
    };
    assert!(viewer(json!({"theme": "dark"})).dark);
    assert!(!viewer(json!({"theme": "sepia"})).dark);
    let offset = |iso: Value| {
        viewer(json!({"timezone": {"offsetISO": iso}}))
            .offset
            .local_minus_utc()
    };
    assert_eq!(offset(json!("+05:30")), 19_800);
    assert_eq!(offset(json!("-08:00")), -28_800);
    for odd in [json!("+99:99"), json!(7), Value::Null, json!("Z?")] {
        assert_eq!(offset(odd.clone()), 0, "{odd}");
    }
}
