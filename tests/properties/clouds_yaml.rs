//! A `clouds.yaml`: whatever it is, it is read or refused, and no secret in it is told.

use proptest::prelude::*;
use snapsentry::settings::{Environment, Secret, Settings};

use crate::cases;
use crate::damage::odd_text;
use crate::only_file::Only;

const SECRETS: [&str; 2] = ["not-a-secret-password", "not-a-secret-credential"];
const LINES: [&str; 17] = [
    "clouds:",
    "  demo:",
    "    auth:",
    "      auth_url: https://cloud.example:5000/v3",
    "      username: demo",
    "      password: not-a-secret-password",
    "      project_name: demo-project",
    "      user_domain_name: Default",
    "      project_domain_name: Default",
    "    region_name: north",
    "    verify: true",
    "  other:",
    "    auth_type: v3applicationcredential",
    "    auth:",
    "      auth_url: https://cloud.example:5000/v3",
    "      application_credential_id: some-id",
    "      application_credential_secret: not-a-secret-credential",
];

/// What is done to a line.
#[derive(Clone, Debug)]
enum Slip {
    Removed,
    Twice,
    Indented(usize),
    Outdented(usize),
    WithTab,
    WithoutSpace,
    WithoutColon,
    Quoted(&'static str),
    Prefixed(&'static str),
    Suffixed(&'static str),
    Before(String),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        Just(Slip::Removed),
        Just(Slip::Twice),
        (1_usize..5).prop_map(Slip::Indented),
        (1_usize..5).prop_map(Slip::Outdented),
        Just(Slip::WithTab),
        Just(Slip::WithoutSpace),
        Just(Slip::WithoutColon),
        prop::sample::select(vec!["\"", "'", "[", "{", "|", ">"]).prop_map(Slip::Quoted),
        prop::sample::select(vec![
            "- ",
            "? ",
            "&a ",
            "*a ",
            "!!binary ",
            "!!int ",
            "<<: ",
            "# ",
            "---\n"
        ])
        .prop_map(Slip::Prefixed),
        prop::sample::select(vec![
            "\"", " &a", " *a", "\u{0}", "\r", " ]", " : x", "\n..."
        ])
        .prop_map(Slip::Suffixed),
        odd_text().prop_map(Slip::Before),
    ]
}

impl Slip {
    fn made(&self, line: &str) -> String {
        match self {
            Self::Removed => String::new(),
            Self::Twice => format!("{line}\n{line}"),
            Self::Indented(by) => format!("{}{line}", " ".repeat(*by)),
            Self::Outdented(by) => line
                .strip_prefix(&" ".repeat(*by))
                .unwrap_or(line)
                .to_owned(),
            Self::WithTab => line.replacen("  ", "\t", 1),
            Self::WithoutSpace => line.replacen(": ", ":", 1),
            Self::WithoutColon => line.replacen(':', "", 1),
            Self::Quoted(mark) => line.replacen(": ", &format!(": {mark}"), 1),
            Self::Prefixed(mark) => {
                let text = line.trim_start();
                format!("{}{mark}{text}", &line[..line.len() - text.len()])
            }
            Self::Suffixed(mark) => format!("{line}{mark}"),
            Self::Before(text) => format!("{text}\n{line}"),
        }
    }
}

/// Reads the text as a file and as a secret; the texts of what came of it keep the secrets.
fn is_read_or_refused(text: &[u8], cloud: &str) -> bool {
    let file: Environment = [("OS_CLOUD", cloud)].into_iter().collect();
    let secret: Environment = [
        ("OS_CLOUD", cloud),
        ("SNAPSENTRY_CREDENTIALS_SECRET", "snapsentry/cloud"),
    ]
    .into_iter()
    .collect();
    let in_secret = Secret::read(String::from_utf8_lossy(text).into_owned());
    let read = [
        Settings::resolve(&file, None, &Only(text), None),
        Settings::resolve(&secret, Some(&in_secret), &Only(b""), None),
    ];
    for result in &read {
        let told = match result {
            Ok(settings) => format!("{settings:?}"),
            Err(error) => {
                assert!(
                    error.to_string().len() > 10 && error.faults().len() < 50,
                    "{error}"
                );
                format!("{error} {error:?}")
            }
        };
        for secret in SECRETS {
            let text = String::from_utf8_lossy(text);
            assert!(!told.contains(secret), "{told}\nof\n{text}");
        }
    }
    read.iter().all(Result::is_ok)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn slips_of_the_finger_are_read_or_refused_and_tell_no_secret(
        slips in prop::collection::vec((0_usize..LINES.len(), slip()), 1..4),
        cloud in prop::sample::select(vec!["demo", "other"]),
    ) {
        let mut lines = LINES.map(str::to_owned);
        for (at, slip) in slips {
            lines[at] = slip.made(&lines[at]);
        }
        is_read_or_refused(lines.join("\n").as_bytes(), cloud);
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        is_read_or_refused(&bytes, "demo");
    }

    #[test]
    fn no_text_is_too_odd(text in "(clouds:\n  demo: )?[-\\[\\]{}&*!|>'\"%@#,?: \n\ta-z0-9]{0,80}") {
        is_read_or_refused(text.as_bytes(), "demo");
    }
}

#[test]
fn the_text_that_is_spoilt_is_a_good_one() {
    let text = LINES.join("\n");
    for cloud in ["demo", "other"] {
        let file: Environment = [("OS_CLOUD", cloud)].into_iter().collect();
        let read = Settings::resolve(&file, None, &Only(text.as_bytes()), None);
        assert!(read.is_ok(), "{cloud}: {:?}", read.err());
        assert!(is_read_or_refused(text.as_bytes(), cloud), "{cloud}");
    }
}

#[test]
fn a_few_lines_that_stand_for_billions_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let inner = format!("*a{},", n - 1).repeat(10);
        text.push_str(&format!("a{n}: &a{n} [{inner}]\n"));
    }
    text.push_str("clouds: *a11\n");
    assert!(!is_read_or_refused(text.as_bytes(), "demo"));
    assert!(!is_read_or_refused("[".repeat(100_000).as_bytes(), "demo"));
    assert!(!is_read_or_refused(
        "clouds: {demo: ".repeat(50_000).as_bytes(),
        "demo"
    ));
}
