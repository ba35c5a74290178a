//! `clouds.yaml`, as the OpenStack client reads it: the first file found counts, `secure.yaml`
//! beside it is laid over it.
//!
//! It is read entry by entry: what is wrong with one concerns that one alone.

mod entry;
mod keys;
mod yaml;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::environment::Files;
use super::layers::quoted;
use super::sources::Wanted;
use crate::cloud_name::CloudName;
use entry::{CloudEntry, overlaid};
pub(super) use keys::key_of;
use yaml::{Content, Node};

/// The whole file, `secure.yaml` already laid over it.
pub(super) struct CloudsYaml {
    /// The path; `None` if it came out of the secret.
    file: Option<String>,
    /// In the order in which they stand there.
    entries: Vec<CloudEntry>,
    /// The keys beside `clouds`, which mean nothing here.
    other_keys: Vec<String>,
}

/// What to call a `clouds.yaml`.
fn file_name(file: Option<&str>) -> &str {
    file.unwrap_or("the secret's clouds.yaml")
}

/// Where an entry stands, as the end of a sentence.
pub(super) fn place(file: Option<&str>, entry: &str) -> String {
    format!("in the entry {} of {}", quoted(entry), file_name(file))
}

impl CloudsYaml {
    /// Reads the text of a `clouds.yaml`.
    pub(super) fn parse(text: &str, file: Option<String>) -> Result<Self, String> {
        let name = file_name(file.as_deref());
        let root = Node::parse(text).map_err(|error| {
            let at = match error.at {
                Some((line, column)) => format!(" at line {line}, column {column}"),
                None => String::new(),
            };
            format!("{name}: cannot be read as a clouds.yaml{at}; check the YAML")
        })?;
        let Content::Mapping(pairs) = root.content else {
            return Err(format!(
                "{name}: cannot be read as a clouds.yaml, since it is {}; it has to be a mapping \
                 with the key \"clouds\"",
                root.kind()
            ));
        };
        let (clouds, others): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(key, _)| key == "clouds");
        let mut clouds = clouds.into_iter();
        let clouds = match (clouds.next(), clouds.next()) {
            (Some((_, clouds)), None) => clouds,
            (None, _) => {
                return Err(format!(
                    "{name}: has no key \"clouds\" with the entries in it"
                ));
            }
            (Some(_), Some((_, second))) => {
                return Err(format!(
                    "{name}: cannot be read as a clouds.yaml, since the key \"clouds\" is there \
                     twice (line {}); put all entries under one",
                    second.line
                ));
            }
        };
        let (line, kind) = (clouds.line, clouds.kind());
        let entries = match clouds.content {
            Content::Mapping(entries) => entries,
            Content::Null => Vec::new(),
            _ => {
                return Err(format!(
                    "{name}: clouds: {kind} (line {line}); accepted is a mapping of names to \
                     entries"
                ));
            }
        };
        Ok(Self {
            file,
            entries: told_apart(entries),
            other_keys: others.into_iter().map(|(key, _)| key).collect(),
        })
    }

    /// The file that was named, or the first of the usual places that has one; with the
    /// `secure.yaml` of the same folder laid over it.
    pub(super) fn find(
        named: Option<&str>,
        home: Option<&str>,
        files: &dyn Files,
        wanted: Wanted<'_>,
    ) -> Result<Self, String> {
        let places = match named {
            Some(path) => vec![PathBuf::from(path)],
            None => usual_places(home),
        };
        for path in &places {
            let Some(text) = read(path, files)? else {
                continue;
            };
            let clouds = Self::parse(&text, Some(path.display().to_string()))?;
            let secure = path.with_file_name("secure.yaml");
            return match read(&secure, files)? {
                None => Ok(clouds),
                Some(text) => {
                    let secure = Self::parse(&text, Some(secure.display().to_string()))?;
                    Ok(clouds.overlaid(secure))
                }
            };
        }
        if let Some(path) = named {
            return Err(format!(
                "OS_CLIENT_CONFIG_FILE: there is no file {}; set it to the path of a clouds.yaml",
                quoted(path)
            ));
        }
        let places: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
        let asked = match wanted {
            Wanted::Configured => "OS_CLOUD: set".to_owned(),
            Wanted::Named(cloud) => format!("cloud: \"{cloud}\" is named by the event"),
            Wanted::All => "targets: every entry is wanted".to_owned(),
        };
        Err(format!(
            "{asked}, but there is no clouds.yaml (looked for {}); put one there, name it by \
             OS_CLIENT_CONFIG_FILE, or keep it in the secret of SNAPSENTRY_CREDENTIALS_SECRET",
            places.join(", ")
        ))
    }

    /// Lays another file (`secure.yaml`) over this one, key by key.
    fn overlaid(mut self, over: Self) -> Self {
        for entry in over.entries {
            match self.entries.iter_mut().find(|one| one.name == entry.name) {
                None => self.entries.push(entry),
                Some(below) => {
                    let fields = std::mem::replace(&mut below.fields, Ok(Vec::new()));
                    below.fields = fields.and_then(|below| Ok(overlaid(below, entry.fields?)));
                }
            }
        }
        self
    }

    /// What to call it.
    pub(super) fn name(&self) -> &str {
        file_name(self.file())
    }

    /// The path; `None` if it came out of the secret.
    pub(super) fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The keys that stand beside `clouds`.
    pub(super) fn other_keys(&self) -> &[String] {
        &self.other_keys
    }

    /// All entries, in the order in which they stand there.
    pub(super) fn entries(&self) -> &[CloudEntry] {
        &self.entries
    }

    /// The entry of that name, which whoever is named with it asks for; else the only one.
    pub(super) fn entry(&self, name: Option<(&str, &str)>) -> Result<&CloudEntry, String> {
        let place = self.name();
        let names = || match self.entries.is_empty() {
            true => "none".to_owned(),
            false => {
                let names: Vec<String> = self.entries.iter().map(|e| quoted(&e.name)).collect();
                names.join(", ")
            }
        };
        match (name, self.entries.as_slice()) {
            (Some((asker, name)), entries) => {
                let found = entries.iter().find(|entry| entry.name == name);
                found.ok_or_else(|| {
                    format!(
                        "{asker}: {} is no entry of {place}; its entries are: {}",
                        quoted(name),
                        names()
                    )
                })
            }
            (None, [only]) => Ok(only),
            (None, _) => Err(format!(
                "OS_CLOUD: missing, and {place} does not have just one entry; set it to one of: \
                 {}",
                names()
            )),
        }
    }
}

/// The entries by their names. Where several have one name it is not known which is meant, and
/// where names differ in nothing but case somebody will take one for the other: the first stays.
fn told_apart(pairs: Vec<(String, Node)>) -> Vec<CloudEntry> {
    let mut entries: Vec<CloudEntry> = Vec::with_capacity(pairs.len());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (name, node) in pairs {
        let line = node.line;
        let first = seen.get(&name.to_ascii_lowercase()).copied();
        match first.map(|at| &mut entries[at]) {
            Some(first) if first.name == name => {
                first.fields = Err(format!(
                    "is there more than once, again at line {line}; remove all but one"
                ));
                continue;
            }
            Some(first) => {
                let fault = format!(
                    "differs from the entry {} in nothing but upper and lower case; give one of \
                     them another name",
                    quoted(&first.name)
                );
                entries.push(CloudEntry::faulty(name, line, fault));
            }
            None if name.parse::<CloudName>().is_err() => {
                let fault = "has a name that no event could carry; accepted are 1 to 64 of A-Z \
                    a-z 0-9 . _ -";
                entries.push(CloudEntry::faulty(name, line, fault.to_owned()));
            }
            None => {
                seen.insert(name.to_ascii_lowercase(), entries.len());
                entries.push(CloudEntry::of(name, node));
            }
        }
    }
    entries
}

fn usual_places(home: Option<&str>) -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("clouds.yaml")];
    places.extend(home.map(|home| Path::new(home).join(".config/openstack/clouds.yaml")));
    places.push(PathBuf::from("/etc/openstack/clouds.yaml"));
    places
}

/// The file's text; `None` where there is none.
fn read(path: &Path, files: &dyn Files) -> Result<Option<String>, String> {
    let problem = match files.read(path) {
        Ok(content) => match String::from_utf8(content) {
            Ok(text) => return Ok(Some(text)),
            Err(_) => "it is not UTF-8".to_owned(),
        },
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(None);
        }
        Err(error) => error.to_string(),
    };
    Err(format!("{}: cannot be read ({problem})", path.display()))
}
