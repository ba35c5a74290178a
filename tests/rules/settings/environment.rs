//! Everything but the login, from the environment alone.

use std::time::Duration;

use secrecy::ExposeSecret;
use snapsentry::event::Phase;
use snapsentry::settings::{
    Environment, Files, Interface, LocalFiles, Settings, TimeBounds, VARIABLES, served_phases,
};

use crate::settings::world::{HOOK, WORD, World};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn webhook() -> World {
    World::credential().set(
        "SNAPSENTRY_WEBHOOK_URL",
        &format!("https://hook.example/{HOOK}?k=v"),
    )
}

#[test]
fn a_login_alone_gives_every_default() {
    let settings = World::credential().settings();
    assert_eq!(settings.region, None);
    assert_eq!(settings.interface, Interface::Public);
    assert!(settings.webhook.is_none());
    assert_eq!((settings.max_concurrency, settings.max_creating), (16, 64));
    assert_eq!(settings.retry.max_retries, 3);
    assert_eq!(settings.retry.base_delay, MS(500));
    assert_eq!(settings.retry.max_delay, MS(10_000));
    assert_eq!(settings.retry.operation_timeout, MS(30_000));
    assert_eq!(settings.poll_interval, MS(1_000));
    assert_eq!(settings.deadline_margin, MS(2_000));
    assert_eq!(settings.default_timeout, MS(60_000));
    assert_eq!(settings.keep_last, 1);
    assert_eq!(settings.stuck_after, MS(6 * 3_600_000));
}

#[test]
fn a_variable_that_is_set_but_empty_counts_as_unset() {
    let mut world = World::credential();
    let full = world.environment();
    let names = VARIABLES.iter().map(|variable| variable.name);
    for name in names.filter(|name| full.get(name).is_none()) {
        world = world.set(name, "");
    }
    let settings = world.settings();
    assert_eq!(settings.poll_interval, MS(1_000));
    assert_eq!(world.environment().get("OS_CLOUD"), None);
}

#[test]
fn a_foreign_variable_is_never_complained_about() {
    let world = World::credential()
        .set("OS_VOLUME_API_VERSION", "3")
        .set("OS_TYPO", "x")
        .set("SNAPSENTRY_TYPO", "x")
        .set("AWS_REGION", "eu-central-1");
    world.settings();
}

#[test]
fn a_time_to_work_in_cannot_be_nothing_and_a_time_to_wait_can() {
    for variable in ["SNAPSENTRY_OPERATION_TIMEOUT", "SNAPSENTRY_DEFAULT_TIMEOUT"] {
        World::credential()
            .set(variable, "0s")
            .fails(&[variable, "\"0s\"", "more than nothing"]);
    }
    for variable in [
        "SNAPSENTRY_BASE_DELAY",
        "SNAPSENTRY_MAX_DELAY",
        "SNAPSENTRY_DEADLINE_MARGIN",
    ] {
        World::credential().set(variable, "0s").settings();
    }
}

#[test]
fn each_duration_is_read_and_refused_by_its_own_name() {
    type Get = fn(&Settings) -> Duration;
    let rows: [(&str, Get); 7] = [
        ("SNAPSENTRY_BASE_DELAY", |s| s.retry.base_delay),
        ("SNAPSENTRY_MAX_DELAY", |s| s.retry.max_delay),
        ("SNAPSENTRY_OPERATION_TIMEOUT", |s| {
            s.retry.operation_timeout
        }),
        ("SNAPSENTRY_POLL_INTERVAL", |s| s.poll_interval),
        ("SNAPSENTRY_DEADLINE_MARGIN", |s| s.deadline_margin),
        ("SNAPSENTRY_DEFAULT_TIMEOUT", |s| s.default_timeout),
        ("SNAPSENTRY_STUCK_AFTER", |s| s.stuck_after),
    ];
    for (variable, get) in rows {
        for (text, milliseconds) in [
            ("750ms", 750),
            ("3s", 3_000),
            ("5m", 300_000),
            (" 7h ", 25_200_000),
        ] {
            let settings = World::credential().set(variable, text).settings();
            assert_eq!(get(&settings), MS(milliseconds), "{variable}={text}");
        }
        for text in [
            "5",
            "1.5s",
            "-1s",
            "1h30m",
            "2 minutes",
            "forever",
            "99999999999h",
        ] {
            let world = World::credential().set(variable, text);
            world.fails(&[variable, &format!("{text:?}"), "ms, s, m or h"]);
        }
    }
}

#[test]
fn the_poll_interval_is_at_least_250_ms() {
    let poll = |text| World::credential().set("SNAPSENTRY_POLL_INTERVAL", text);
    assert_eq!(poll("250ms").settings().poll_interval, MS(250));
    poll("249ms").fails(&["SNAPSENTRY_POLL_INTERVAL", "249ms", "at least 250ms"]);
}

#[test]
fn each_number_is_read_and_refused_by_its_own_name() {
    type Get = fn(&Settings) -> usize;
    let rows: [(&str, Get, usize); 4] = [
        ("SNAPSENTRY_MAX_CONCURRENCY", |s| s.max_concurrency, 1),
        ("SNAPSENTRY_MAX_CREATING", |s| s.max_creating, 1),
        (
            "SNAPSENTRY_MAX_RETRIES",
            |s| s.retry.max_retries as usize,
            0,
        ),
        ("SNAPSENTRY_KEEP_LAST", |s| s.keep_last, 0),
    ];
    for (variable, get, least) in rows {
        for number in [least, 40] {
            let settings = World::credential()
                .set(variable, &number.to_string())
                .settings();
            assert_eq!(get(&settings), number, "{variable}");
        }
        let below = least.checked_sub(1).map(|number| number.to_string());
        for text in ["-1", "+1", "1.5", "many", "0x10", "99999999999"]
            .map(str::to_owned)
            .into_iter()
            .chain(below)
        {
            let world = World::credential().set(variable, &text);
            world.fails(&[variable, &format!("{text:?}"), &format!("from {least} to")]);
        }
    }
}

#[test]
fn the_identity_api_is_version_3_in_any_minor_version() {
    for version in ["3", "3.0", "3.14"] {
        World::credential()
            .set("OS_IDENTITY_API_VERSION", version)
            .settings();
    }
    for version in ["2", "2.0", "v3", "3.", "3.x", "30", "4"] {
        let world = World::credential().set("OS_IDENTITY_API_VERSION", version);
        world.fails(&["OS_IDENTITY_API_VERSION", &format!("{version:?}"), "3.x"]);
    }
}

#[test]
fn the_region_is_taken_as_it_is() {
    let world = World::credential().set("OS_REGION_NAME", "RegionOne");
    assert_eq!(world.settings().region.as_deref(), Some("RegionOne"));
}

#[test]
fn the_interface_has_three_names_two_spellings_and_two_variables() {
    let rows = [
        ("public", Interface::Public),
        ("internal", Interface::Internal),
        ("admin", Interface::Admin),
        ("publicURL", Interface::Public),
        ("internalURL", Interface::Internal),
        ("adminURL", Interface::Admin),
    ];
    for (text, interface) in rows {
        for variable in ["OS_INTERFACE", "OS_ENDPOINT_TYPE"] {
            let world = World::credential().set(variable, text);
            assert_eq!(world.settings().interface, interface, "{variable}={text}");
        }
    }
    for text in ["Public", "private", "URL", "publicurl", "internalURLURL"] {
        for variable in ["OS_INTERFACE", "OS_ENDPOINT_TYPE"] {
            let world = World::credential().set(variable, text);
            world.fails(&[variable, &format!("{text:?}"), "public, internal or admin"]);
        }
    }
}

#[test]
fn both_names_of_the_interface_have_to_agree() {
    let both = |other| {
        let world = World::credential().set("OS_INTERFACE", "internal");
        world.set("OS_ENDPOINT_TYPE", other)
    };
    assert_eq!(
        both("internalURL").settings().interface,
        Interface::Internal
    );
    both("publicURL").fails(&["OS_INTERFACE", "OS_ENDPOINT_TYPE", "contradict"]);
}

#[test]
fn the_phases_that_are_served_are_names_of_phases() {
    let world = |phases: &str| World::credential().set("SNAPSENTRY_PHASES", phases);
    for (text, served) in [
        ("snapshot", vec![Phase::Snapshot]),
        (" expire , targets", vec![Phase::Expire, Phase::Targets]),
        (
            "snapshot,expire,subscribe,targets",
            Phase::ALL[..4].to_vec(),
        ),
    ] {
        world(text).settings();
        assert_eq!(served_phases(text), Some(served), "{text}");
    }
    for text in [
        "snapshots",
        "snapshot,",
        "Snapshot",
        "snapshot;expire",
        "unknown",
    ] {
        world(text).fails(&["SNAPSENTRY_PHASES", text, "\"snapshot\"", "\"targets\""]);
        assert_eq!(served_phases(text), None, "{text}");
    }
    world("").settings();
}

#[test]
fn a_webhook_is_an_address_with_or_without_basic_authentication() {
    let bare = webhook().settings().webhook.unwrap();
    assert_eq!(
        bare.url.expose_secret(),
        format!("https://hook.example/{HOOK}?k=v")
    );
    assert!(bare.username.is_none() && bare.password.is_none());

    let with_user = webhook()
        .set("SNAPSENTRY_WEBHOOK_USERNAME", WORD)
        .set("SNAPSENTRY_WEBHOOK_PASSWORD", &format!(" {HOOK} "));
    let with_user = with_user.settings().webhook.unwrap();
    assert_eq!(with_user.username.unwrap().expose_secret(), WORD);
    assert_eq!(
        with_user.password.unwrap().expose_secret(),
        format!(" {HOOK} ")
    );
}

#[test]
fn a_webhooks_address_may_have_umlauts_and_blanks_and_is_kept_as_it_can_be_sent() {
    let text = format!("https://m\u{fc}ller.example/{HOOK}/f\u{fc}r uns?an=a b");
    let world = World::credential().set("SNAPSENTRY_WEBHOOK_URL", &text);
    let url = world.settings().webhook.unwrap().url;
    assert!(text.parse::<http::Uri>().is_err());
    assert!(url.expose_secret().parse::<http::Uri>().is_ok());
    assert_eq!(
        url.expose_secret(),
        format!("https://xn--mller-kva.example/{HOOK}/f%C3%BCr%20uns?an=a%20b")
    );
}

#[test]
fn a_webhook_that_cannot_work_is_refused_without_a_word_of_its_address() {
    let url = |text: &str| World::credential().set("SNAPSENTRY_WEBHOOK_URL", text);
    let name = "SNAPSENTRY_WEBHOOK_URL";
    url(&format!("hook.example/{HOOK}")).fails(&[name, "not a URL"]);
    url(&format!("ftp://hook.example/{HOOK}")).fails(&[name, "http"]);
    url(&format!("https://{WORD}:{HOOK}@hook.example/")).fails(&[name, "_USERNAME"]);
    url(&format!("https://hook.example:{HOOK}/")).fails(&[name, "not a URL"]);
    let text = url(&format!("https://{WORD}.example:99999/{HOOK}")).fails(&[name]);
    assert!(!text.contains("99999"), "{text}");
    let alone = World::credential().set("SNAPSENTRY_WEBHOOK_USERNAME", WORD);
    alone.fails(&["SNAPSENTRY_WEBHOOK_USERNAME", "without", name]);
    let alone = World::credential().set("SNAPSENTRY_WEBHOOK_PASSWORD", HOOK);
    alone.fails(&[
        "SNAPSENTRY_WEBHOOK_PASSWORD",
        "SNAPSENTRY_WEBHOOK_USERNAME",
        name,
    ]);
    let no_user = webhook().set("SNAPSENTRY_WEBHOOK_PASSWORD", HOOK);
    no_user.fails(&["SNAPSENTRY_WEBHOOK_PASSWORD", "SNAPSENTRY_WEBHOOK_USERNAME"]);
    let colon = webhook().set("SNAPSENTRY_WEBHOOK_USERNAME", &format!("a:{WORD}"));
    colon.fails(&["SNAPSENTRY_WEBHOOK_USERNAME", "colon"]);
}

#[test]
fn every_fault_is_named_at_once() {
    let world = World::empty()
        .set("OS_AUTH_URL", "ftp://cloud.example")
        .set("OS_AUTH_TYPE", "v2password")
        .set("OS_IDENTITY_API_VERSION", "2")
        .set("OS_INTERFACE", "private")
        .set("OS_CACERT", "/missing.pem")
        .set("OS_INSECURE", "maybe")
        .set("SNAPSENTRY_WEBHOOK_URL", "hook")
        .set("SNAPSENTRY_MAX_CONCURRENCY", "0")
        .set("SNAPSENTRY_MAX_CREATING", "0")
        .set("SNAPSENTRY_MAX_RETRIES", "x")
        .set("SNAPSENTRY_BASE_DELAY", "x")
        .set("SNAPSENTRY_MAX_DELAY", "x")
        .set("SNAPSENTRY_OPERATION_TIMEOUT", "x")
        .set("SNAPSENTRY_POLL_INTERVAL", "x")
        .set("SNAPSENTRY_DEADLINE_MARGIN", "x")
        .set("SNAPSENTRY_DEFAULT_TIMEOUT", "x")
        .set("SNAPSENTRY_KEEP_LAST", "x")
        .set("SNAPSENTRY_PHASES", "x")
        .set("SNAPSENTRY_STUCK_AFTER", "x");
    let environment = world.environment();
    let all: Vec<&str> = VARIABLES
        .iter()
        .map(|variable| variable.name)
        .filter(|name| environment.get(name).is_some())
        .collect();
    assert_eq!(all.len(), 19);
    world.fails(&all);
}

#[test]
fn the_bounds_of_time_are_known_before_the_rest_can_be() {
    let of = |pairs: &[(&str, &str)]| TimeBounds::of(&pairs.iter().copied().collect());
    let defaults = of(&[]);
    assert_eq!(defaults.deadline_margin, MS(2_000));
    assert_eq!(defaults.default_timeout, MS(60_000));
    let set = of(&[
        ("SNAPSENTRY_DEADLINE_MARGIN", "300ms"),
        ("SNAPSENTRY_DEFAULT_TIMEOUT", "5m"),
    ]);
    assert_eq!(
        (set.deadline_margin, set.default_timeout),
        (MS(300), MS(300_000))
    );
    assert_eq!(of(&[("SNAPSENTRY_DEADLINE_MARGIN", "soon")]), defaults);
}

#[test]
fn the_environment_shows_names_and_never_values() {
    let environment: Environment = [("OS_PASSWORD", WORD), ("EMPTY", "")].into_iter().collect();
    let debug = format!("{environment:?}");
    assert!(debug.contains("OS_PASSWORD") && !debug.contains(WORD) && !debug.contains("EMPTY"));
    assert_eq!(environment.get("OS_PASSWORD"), Some(WORD));
    assert!(Environment::from_process().get("PATH").is_some());
}

#[test]
fn local_files_are_those_of_the_file_system() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = LocalFiles.read(&folder.join("Cargo.toml")).unwrap();
    assert!(manifest.starts_with(b"[workspace]"));
    let missing = LocalFiles.read(&folder.join("missing.toml")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}
