//! The dashboard's page: whatever a tenant writes into a name or a value is text. No input changes the
//! tree of elements and attributes.

use proptest::prelude::*;
use scraper::{Html, Node};
use serde_json::{Value, json};
use simcloud::{Config, VolumeSpec};

use crate::cases;
use crate::exchange::Spoil;
use crate::scene::{Scene, play};

/// The id that the cloud knows the volume by.
const ID: &str = "7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b";

/// The name of its project.
const PROJECT: &str = "the-project-of-the-page";

/// What a page shows of what tenants have written.
#[derive(Clone, Debug)]
struct Texts {
    project: String,
    id: String,
    name: String,
    status: String,
    server: String,
    timezone: String,
}

impl Texts {
    fn all(text: &str) -> Self {
        Self {
            project: format!("a{text}"),
            id: format!("a{text}"),
            name: format!("a{text}"),
            status: format!("a{text}"),
            server: format!("a{text}"),
            timezone: format!("a{text}"),
        }
    }
}

/// Texts that mean something to a browser, and any others.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</style>",
        "</title>",
        "</td>",
        "</table>",
        "</svg>",
        "</cwdb-action>",
        "<!--",
        "-->",
        "]]>",
        "<![CDATA[",
        "\"",
        "'",
        "`",
        "=",
        "<",
        ">",
        "&",
        "&lt;",
        "&#60;",
        "&quot",
        "\\u003c",
        "\\",
        "/",
        "\u{0}",
        "\u{1}",
        "\r\n",
        "\t",
        " ",
        "<svg><use href=#a>",
        "<math><mi>",
        "<template>",
        "<plaintext>",
        "<!doctype html>",
        "javascript:",
        "{{",
        "}}",
        "%3c",
        "\u{202e}",
        "\u{2028}",
        "\u{feff}",
        "ü",
        "🦀",
    ]);
    let any_text = any::<String>();
    let piece = prop_oneof![4 => pieces.prop_map(str::to_owned), 1 => any_text];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn texts() -> impl Strategy<Value = Texts> {
    prop::array::uniform6(text()).prop_map(|texts| {
        // None is empty: where there is no name there is no element for it.
        let [project, id, name, status, server, timezone] = texts.map(|text| format!("a{text}"));
        Texts {
            project,
            id,
            name,
            status,
            server,
            timezone,
        }
    })
}

/// Cinder has no ids but UUIDs, and Keystone checks a project's name; who claims to be one of them may
/// say anything.
fn spoil(texts: &Texts) -> Spoil {
    let inside = |text: &str| {
        let json = Value::from(text).to_string();
        json[1..json.len() - 1].to_owned()
    };
    let (id, project) = (inside(&texts.id), inside(&texts.project));
    Box::new(move |_, response| {
        let body = String::from_utf8_lossy(response.body());
        let body = body.replace(ID, &id).replace(PROJECT, &project);
        *response.body_mut() = body.into();
    })
}

/// The page about a project in which a volume has these texts.
fn page(texts: &Texts, fields: &Value) -> String {
    play(async {
        let scene = Scene::empty(Config {
            project_name: PROJECT.to_owned(),
            ..Config::default()
        });
        scene.cloud.add_volume(VolumeSpec {
            id: Some(ID.to_owned()),
            name: Some(texts.name.clone()),
            status: Some(texts.status.clone()),
            ..VolumeSpec::default()
                .on(&texts.server)
                .meta("x-snapsentry-managed", "true")
                .meta("x-snapsentry-daily-enabled", "true")
                .meta("x-snapsentry-weekly-enabled", "true")
                .meta("x-snapsentry-weekly-timezone", &texts.timezone)
        });
        let mut event = fields.clone();
        event["widgetContext"] = json!({"theme": "light"});
        let ran = scene.run(&event, spoil(texts)).await;
        match ran.end {
            Ok(Value::String(page)) => page,
            other => panic!("no page: {other:?}"),
        }
    })
}

/// The elements of a page with their attributes, each with how deep it is.
fn tree(page: &str) -> Vec<String> {
    let parsed = Html::parse_fragment(page);
    let nodes = parsed.tree.root().descendants();
    nodes
        .filter_map(|node| match node.value() {
            Node::Element(element) => {
                let attributes: Vec<_> = element.attrs().collect();
                let name = element.name();
                Some(format!(
                    "{} {name} {attributes:?}",
                    node.ancestors().count()
                ))
            }
            Node::Text(_) => None,
            other => Some(format!("{other:?}")),
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn no_text_of_a_tenant_changes_the_tree(texts in texts()) {
        let (hostile, tame) = (page(&texts, &json!({})), page(&Texts::all(""), &json!({})));
        prop_assert_eq!(tree(&hostile), tree(&tame), "{}", hostile);
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    let texts = Texts::all("<b title=\"x\">'&amp;</b>");
    let parsed = Html::parse_fragment(&page(&texts, &json!({})));
    let read: String = parsed.root_element().text().collect();
    for text in [
        &texts.project,
        &texts.id,
        &texts.name,
        &texts.status,
        &texts.server,
        &texts.timezone,
    ] {
        assert!(read.contains(text.as_str()), "{text} is not in {read}");
    }
}

#[test]
fn the_tree_that_is_compared_is_not_empty_and_would_change() {
    let tame = page(&Texts::all(""), &json!({}));
    let spoilt = tame.replacen("late", "<i>late</i>", 1);
    assert!(tree(&tame).len() > 60, "{:#?}", tree(&tame));
    assert_ne!(tree(&tame), tree(&spoilt.replacen("<b>", "<b><i></i>", 1)));
}
