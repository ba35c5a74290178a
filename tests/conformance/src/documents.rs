//! The commands that the documents tell people to type, typed: every `openstack …` of every
//! Markdown file, with the real client, in the embedded cloud and in the real one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, FunctionSpec};
use simcloud::{Cloud, Config, Login as SimLogin, SnapshotSpec, VolumeSpec};
use tokio::process::Command;
use tokio::time::sleep;

use crate::api::Api;
use crate::runner::Tally;
use crate::stage::Stage;
use crate::tenancy::{Env, Login, NewVolume};

/// What is told and not typed here, and why.
const NOT_TYPED: [(&str, &str); 2] = [
    (
        "openstack server create",
        "it needs a flavor, a network and an image service that knows them",
    ),
    (
        "openstack volume backup create",
        "it needs cinder-backup, and the documents say what is dangerous about it",
    ),
];
/// What needs a Nova, which the real cloud of these tests does not have.
const NEEDS_NOVA: &str = "openstack server ";

/// Words that a reader replaces, and for which every scene has something.
#[cfg(test)]
const PLACEHOLDERS: [&str; 5] = ["VOLUME", "SNAPSHOT", "SERVER", "RESCUE", "SIZE"];

/// A command as it stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The document, below the repository.
    pub file: PathBuf,
    /// The command, with its placeholders.
    pub words: Vec<String>,
}

impl Told {
    fn text(&self) -> String {
        self.words.join(" ")
    }

    fn reason_not_to_type(&self) -> Option<&'static str> {
        let text = self.text();
        let found = NOT_TYPED.iter().find(|(begin, _)| text.starts_with(begin));
        found.map(|(_, why)| *why)
    }
}

/// Every command of every Markdown file below `repository`, each once, in their order.
///
/// # Errors
/// If a file could not be read.
pub fn told(repository: &Path) -> std::io::Result<Vec<Told>> {
    let mut files = Vec::new();
    markdown(repository, &mut files)?;
    files.sort();
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    for file in files {
        let text = fs::read_to_string(&file)?;
        for words in commands(&text) {
            if seen.insert(words.clone()) {
                let file = file.strip_prefix(repository).unwrap_or(&file).to_owned();
                all.push(Told { file, words });
            }
        }
    }
    Ok(all)
}

fn markdown(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !name.starts_with("target") && (!name.starts_with('.') || name == ".github") {
                markdown(&path, found)?;
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    Ok(())
}

/// The commands of a text: lines of a block, also such that go on in the next, and what stands
/// between backquotes.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut fenced = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            let line = line.strip_prefix("$ ").unwrap_or(line);
            if line.starts_with("openstack ") {
                let mut whole = line.to_owned();
                while let Some(begun) = whole.strip_suffix('\\') {
                    whole = format!("{begun} {}", lines.next().unwrap_or_default().trim());
                }
                found.push(words(&whole));
            }
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        let quoted = quoted.filter(|text| text.starts_with("openstack ") && text.contains("--"));
        found.extend(quoted.map(words));
    }
    found
}

/// A command's words, as a shell cuts them; a comment ends it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars().chain([' ']) {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), letter) => word.push(letter),
            (None, '\'' | '"') => quote = Some(letter),
            (None, ' ') => {
                if word == "#" {
                    return words;
                }
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, letter) => word.push(letter),
        }
    }
    words
}

/// Whether a word is to be replaced by who reads it.
fn is_placeholder(word: &str) -> bool {
    word.len() > 2
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// What the placeholders stand for in a scene.
type Meanings = BTreeMap<&'static str, String>;

/// Types all of it in the embedded cloud and in the real one, with the client at `client`.
///
/// # Errors
/// What could not be read or started.
pub async fn type_all(
    repository: &Path,
    client: &Path,
    binary: &Path,
    real: &Stage,
    tally: &mut Tally,
) -> Result<(), String> {
    let told = told(repository).map_err(|error| error.to_string())?;
    let rules = access_rules(repository)?;
    embedded(&told, client, &rules, tally).await;
    after_a_restore(client, binary, tally).await?;
    on_the_real_one(&told, client, &rules, real, tally).await;
    Ok(())
}

/// The access rules that the documents print, in a file.
fn access_rules(repository: &Path) -> Result<String, String> {
    let mut files = Vec::new();
    markdown(repository, &mut files).map_err(|error| error.to_string())?;
    let rules = files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        text.split("```")
            .map(|block| block.trim_start_matches("json").trim().to_owned())
            .find(|block| {
                serde_json::from_str::<Vec<serde_json::Value>>(block)
                    .is_ok_and(|rules| rules.iter().any(|rule| rule["service"] == "block-storage"))
            })
    });
    let rules = rules.ok_or("no document prints the access rules")?;
    let file = std::env::temp_dir().join(format!("access-rules-{}.json", std::process::id()));
    fs::write(&file, rules).map_err(|error| error.to_string())?;
    Ok(file.to_string_lossy().into_owned())
}

async fn embedded(told: &[Told], client: &Path, rules: &str, tally: &mut Tally) {
    let cloud = Cloud::new(Config {
        now: Utc::now(),
        ..Config::default()
    });
    let server = cloud.serve().await.expect("a loopback port");
    let (web, rescue) = (cloud.new_uuid(), cloud.new_uuid());
    cloud.add_server(&web, "web-1");
    cloud.add_server(&rescue, "rescue");
    let volume = cloud.add_volume(VolumeSpec::named("web-1-data").on(&web));
    let snapshot = cloud.add_snapshot(SnapshotSpec::of(&volume).named("recovery-point"));
    let meanings = [
        ("VOLUME", volume),
        ("SNAPSHOT", snapshot),
        ("SERVER", web),
        ("RESCUE", rescue),
        ("SIZE", "1".into()),
        ("access-rules.json", rules.into()),
    ]
    .into();
    let env = cloud.os_env(&server.url(), SimLogin::Password);
    for one in told {
        play("embedded", one, client, &env, &meanings, tally).await;
    }
}

/// A restore ends with the commands to type next. They are typed, and the server has its data
/// back.
async fn after_a_restore(client: &Path, binary: &Path, tally: &mut Tally) -> Result<(), String> {
    let cloud = Cloud::new(Config {
        now: Utc::now(),
        ..Config::default()
    });
    let server = cloud.serve().await.expect("a loopback port");
    let web = cloud.new_uuid();
    cloud.add_server(&web, "web-1");
    let mut originals = Vec::new();
    for (name, device) in [("data", "/dev/vdb"), ("it's log", "/dev/vdc")] {
        let volume = VolumeSpec::named(name)
            .meta("x-snapsentry-managed", "true")
            .meta("x-snapsentry-daily-enabled", "true")
            .on(&web);
        originals.push(cloud.add_volume(VolumeSpec {
            device: Some(device.into()),
            ..volume
        }));
    }
    let env = cloud.os_env(&server.url(), SimLogin::Password);
    let spec = FunctionSpec::new(binary).env(env.clone());
    let mut function = Function::start(spec)
        .await
        .map_err(|error| error.to_string())?;
    let mut answer = Value::Null;
    for event in [
        json!({ "phase": "snapshot" }),
        json!({ "phase": "restore", "restore_id": "documents", "server_id": web }),
    ] {
        let deadline = Deadline::After(Duration::from_secs(60));
        answer = function.invoke(event, deadline).await.answer().clone();
    }
    for command in answer["next"].as_array().into_iter().flatten() {
        let words = words(command.as_str().unwrap_or_default());
        let file = PathBuf::from("the answer of a restore");
        let told = Told { file, words };
        play("embedded", &told, client, &env, &Meanings::new(), tally).await;
    }
    let attached = cloud
        .volumes()
        .into_iter()
        .filter(|volume| volume.servers == [web.clone()]);
    let attached: BTreeSet<String> = attached.map(|volume| volume.id).collect();
    let copies = answer["volumes"].as_array().into_iter().flatten();
    let copies: BTreeSet<String> = copies
        .filter_map(|volume| volume["restored_volume_id"].as_str().map(str::to_owned))
        .collect();
    let swapped = copies.len() == originals.len() && attached == copies;
    tally.count(
        swapped,
        "embedded  after them the server has the restored volumes",
    );
    Ok(())
}

async fn on_the_real_one(
    told: &[Told],
    client: &Path,
    rules: &str,
    real: &Stage,
    tally: &mut Tally,
) {
    let tenancy = real.tenancy().await;
    let volume = tenancy.add_volume(NewVolume::named("web-1-data")).await;
    let untagged = Default::default();
    let snapshot = tenancy
        .api
        .add_snapshot(&volume, "recovery-point", &untagged);
    let meanings = [
        ("VOLUME", volume.clone()),
        ("SNAPSHOT", snapshot.await),
        ("SIZE", "1".into()),
        ("access-rules.json", rules.into()),
    ]
    .into();
    let env = tenancy.env(Login::Password);
    let told = told.iter();
    for one in told.filter(|one| !one.text().starts_with(NEEDS_NOVA)) {
        play("real", one, client, &env, &meanings, tally).await;
        settled(&tenancy.api).await;
    }
}

/// Waits until nothing is being made or deleted any more: people look before they go on.
async fn settled(api: &Api) {
    for _ in 0..300 {
        let volumes = api.call(http::Method::GET, "/volumes/detail", None).await;
        let rows = volumes["volumes"].as_array().into_iter().flatten();
        let moving = |status: &serde_json::Value| {
            let status = status.as_str().unwrap_or_default();
            matches!(status, "creating" | "deleting" | "downloading")
        };
        if !rows.map(|row| &row["status"]).any(moving) {
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn play(
    cloud: &str,
    told: &Told,
    client: &Path,
    env: &Env,
    meanings: &Meanings,
    tally: &mut Tally,
) {
    let line = format!("{cloud:8}  {}: {}", told.file.display(), told.text());
    if let Some(why) = told.reason_not_to_type() {
        println!("        {line}: not typed: {why}");
        return;
    }
    let mut typed = Vec::new();
    for word in &told.words[1..] {
        match meanings.get(word.as_str()) {
            Some(meaning) => typed.push(meaning.clone()),
            None if is_placeholder(word) => {
                tally.count(
                    false,
                    &format!("{line}: nobody knows what {word} stands for"),
                );
                return;
            }
            None => typed.push(word.clone()),
        }
    }
    let done = Command::new(client)
        .args(&typed)
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| !name.starts_with("OS_")))
        .env("OS_IDENTITY_API_VERSION", "3")
        .envs(env.iter().map(|(name, value)| (name, value)))
        .output()
        .await;
    match done {
        Ok(done) => {
            tally.count(done.status.success(), &line);
            if !done.status.success() {
                println!("          {}", String::from_utf8_lossy(&done.stderr).trim());
            }
        }
        Err(error) => tally.count(false, &format!("{line}: {}: {error}", client.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_blocks_and_between_backquotes() {
        let text = "Type `openstack volume show --long X` or\n```console\n$ openstack volume set \\\n  \
                    --property 'a b=c' VOLUME   # then\n$ ls\n```\nand the `openstack` client.\n";
        let found = commands(text);
        assert_eq!(
            found,
            [
                vec!["openstack", "volume", "show", "--long", "X"],
                vec![
                    "openstack",
                    "volume",
                    "set",
                    "--property",
                    "a b=c",
                    "VOLUME"
                ],
            ]
        );
    }

    #[test]
    fn the_documents_of_this_repository_tell_some_and_every_placeholder_is_known() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let told = told(&repository).expect("files");
        assert!(told.len() >= 8, "{told:?}");
        access_rules(&repository).expect("they are printed");
        for one in told.iter().filter(|one| one.reason_not_to_type().is_none()) {
            for word in one.words.iter().filter(|word| is_placeholder(word)) {
                let known = PLACEHOLDERS.contains(&word.as_str());
                assert!(known, "{}: {word} in {}", one.file.display(), one.text());
            }
        }
    }
}
