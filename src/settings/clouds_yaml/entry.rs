//! One entry of a `clouds.yaml`: its region, and how its passes are started.

use super::keys::{plain, shown_key};
use super::place;
use super::yaml::{Content, Node, Scalar};
use crate::settings::layers::{Layer, Origin, quoted};
use crate::settings::values::whole;

/// What this function alone reads of an entry.
const OWN: &str = "x-snapsentry";
/// The most shards of a cloud.
const MOST_SHARDS: u32 = 256;

/// Keys and values of a mapping.
pub(super) type Fields = Vec<(String, Node)>;

/// One entry as it is written.
pub(in crate::settings) struct CloudEntry {
    pub(in crate::settings) name: String,
    /// Its keys; or what is wrong with the entry as a whole, said of it.
    pub(super) fields: Result<Fields, String>,
}

/// How the passes of a cloud are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::settings) struct Starts {
    pub(in crate::settings) shards: u32,
    pub(in crate::settings) paused: bool,
}

/// Lays other fields over these, key by key, and those of `auth` likewise.
pub(super) fn overlaid(mut below: Fields, over: Fields) -> Fields {
    for (key, mut node) in over {
        let same = |(one, _): &(String, Node)| plain(one) == plain(&key);
        if matches!(node.content, Content::Null) {
            continue;
        }
        if let Some(at) = below.iter().position(same) {
            let (_, old) = below.remove(at);
            if let ("auth", Content::Mapping(old), Content::Mapping(new)) =
                (key.as_str(), old.content, &mut node.content)
            {
                *new = overlaid(old, std::mem::take(new));
            }
        }
        below.push((key, node));
    }
    below
}

impl CloudEntry {
    pub(super) fn of(name: String, node: Node) -> Self {
        let line = node.line;
        match node.content {
            Content::Null => Self {
                name,
                fields: Ok(Vec::new()),
            },
            Content::Mapping(fields) => Self {
                name,
                fields: Ok(fields),
            },
            Content::Scalar(..) | Content::List(_) => {
                let fault = format!("is {}; accepted is a mapping", node.kind());
                Self::faulty(name, line, fault)
            }
        }
    }

    pub(super) fn faulty(name: String, line: u64, fault: String) -> Self {
        Self {
            name,
            fields: Err(format!("(line {line}) {fault}")),
        }
    }

    /// The entry's variables, in the wanted region or else the first that it lists, and what is
    /// wrong with some of them; no variables where it is the entry as a whole that is wrong.
    pub(in crate::settings) fn layer(
        &self,
        file: Option<&str>,
        wanted: Option<&str>,
    ) -> (Option<Layer>, Vec<String>) {
        let mut reading = match EntryReader::begin(self, file) {
            Ok(reading) => reading,
            Err(faults) => return (None, faults),
        };
        let fields = reading.in_region(wanted);
        let mut layer = Layer::new(Origin::Cloud {
            file: file.map(str::to_owned),
            entry: self.name.clone(),
        });
        reading.fill(&mut layer, &fields);
        (Some(layer), reading.faults)
    }

    /// How passes of the cloud are to be started.
    pub(in crate::settings) fn starts(&self, file: Option<&str>) -> Result<Starts, Vec<String>> {
        let mut reading = EntryReader::begin(self, file)?;
        let starts = reading.starts();
        match reading.faults.is_empty() {
            true => Ok(starts),
            false => Err(reading.faults),
        }
    }
}

/// An entry while it is read.
pub(super) struct EntryReader<'a> {
    fields: &'a Fields,
    pub(super) place: String,
    may_show: bool,
    pub(super) faults: Vec<String>,
}

impl<'a> EntryReader<'a> {
    fn begin(entry: &'a CloudEntry, file: Option<&str>) -> Result<Self, Vec<String>> {
        match &entry.fields {
            Ok(fields) => Ok(Self {
                fields,
                place: place(file, &entry.name),
                may_show: file.is_some(),
                faults: Vec::new(),
            }),
            Err(fault) => {
                let subject = place(file, &entry.name);
                let subject = subject.strip_prefix("in ").unwrap_or(&subject);
                Err(vec![format!("{subject} {fault}")])
            }
        }
    }

    /// The value of a key; nothing where there is none, or null.
    fn one<'f>(&mut self, fields: &'f Fields, path: &str, key: &str) -> Option<&'f Node> {
        let mut found = fields.iter().filter(|(one, _)| plain(one) == key);
        let (_, first) = found.next()?;
        if let Some((_, second)) = found.next() {
            self.fault(path, second, "there more than once; remove all but one");
            return None;
        }
        (!matches!(first.content, Content::Null)).then_some(first)
    }

    /// The single value of a key.
    pub(super) fn text<'f>(
        &mut self,
        fields: &'f Fields,
        path: &str,
        key: &str,
    ) -> Option<&'f str> {
        let node = self.one(fields, path, key)?;
        match &node.content {
            Content::Scalar(text, _) => Some(text),
            _ => {
                let fault = format!("{}; accepted is a single value", node.kind());
                self.fault(path, node, &fault);
                None
            }
        }
    }

    /// The mapping of a key.
    pub(super) fn mapping<'f>(&mut self, fields: &'f Fields, key: &str) -> Option<&'f Fields> {
        let node = self.one(fields, key, &plain(key))?;
        match &node.content {
            Content::Mapping(fields) => Some(fields),
            _ => {
                let fault = format!("{}; accepted is a mapping", node.kind());
                self.fault(key, node, &fault);
                None
            }
        }
    }

    fn fault(&mut self, path: &str, node: &Node, fault: &str) {
        let place = &self.place;
        let line = node.line;
        self.faults
            .push(format!("{path} {place} (line {line}): {fault}"));
    }
}

impl EntryReader<'_> {
    /// The fields with what the region changes in them: the wanted one, else the first.
    fn in_region(&mut self, wanted: Option<&str>) -> Fields {
        let fields = self.fields.clone();
        let regions = match self.one(self.fields, "regions", "regions") {
            None => return fields,
            Some(Node {
                content: Content::List(regions),
                ..
            }) => regions,
            Some(node) => {
                let fault = format!("{}; accepted is a list of regions", node.kind());
                self.fault("regions", node, &fault);
                return fields;
            }
        };
        let regions: Vec<(&str, Option<&Fields>)> = regions
            .iter()
            .filter_map(|node| self.region(node))
            .collect();
        let chosen = match wanted {
            Some(wanted) if !regions.is_empty() => {
                let found = regions.iter().find(|(name, _)| *name == wanted);
                if found.is_none() {
                    let names: Vec<String> = regions.iter().map(|(name, _)| quoted(name)).collect();
                    self.faults.push(format!(
                        "OS_REGION_NAME: {} is not among the regions ({}) {}",
                        quoted(wanted),
                        names.join(", "),
                        self.place
                    ));
                }
                found
            }
            _ => regions.first(),
        };
        let Some((name, values)) = chosen else {
            return fields;
        };
        let changed = overlaid(fields, values.cloned().unwrap_or_default());
        let name = Node {
            line: 0,
            content: Content::Scalar((*name).to_owned(), Scalar::Text),
        };
        overlaid(changed, vec![("region_name".to_owned(), name)])
    }

    /// A region's name, and what it changes.
    fn region<'f>(&mut self, node: &'f Node) -> Option<(&'f str, Option<&'f Fields>)> {
        let fields = match &node.content {
            Content::Scalar(name, _) => return Some((name, None)),
            Content::Mapping(fields) => fields,
            _ => {
                let fault = format!("{}; accepted are names and mappings", node.kind());
                self.fault("regions", node, &fault);
                return None;
            }
        };
        for (key, node) in fields {
            if !["name", "values"].contains(&key.as_str()) {
                let path = format!("regions.{}", quoted(key));
                self.fault(&path, node, "no such key; accepted are name and values");
            }
        }
        let name = self.text(fields, "regions.name", "name");
        if name.is_none() {
            self.fault("regions", node, "name is missing");
        }
        Some((name?, self.mapping(fields, "values")))
    }

    /// What stands under our own key; what cannot be read may have been meant to pause the cloud.
    fn starts(&mut self) -> Starts {
        let mut starts = Starts {
            shards: 1,
            paused: false,
        };
        let Some(own) = self.mapping(self.fields, OWN) else {
            return starts;
        };
        for (key, node) in own {
            let path = format!("{OWN}.{}", shown_key(key));
            let accepted = match (key.as_str(), &node.content) {
                ("shards" | "paused", Content::Null) => continue,
                ("shards", Content::Scalar(text, Scalar::Number)) => match whole(text) {
                    Some(shards @ 1..=MOST_SHARDS) => {
                        starts.shards = shards;
                        continue;
                    }
                    _ => ACCEPTED_SHARDS,
                },
                ("shards", _) => ACCEPTED_SHARDS,
                ("paused", Content::Scalar(_, Scalar::Boolean(paused))) => {
                    starts.paused = *paused;
                    continue;
                }
                ("paused", _) => "true or false, without quotes",
                _ => {
                    self.fault(&path, node, "no such key; accepted are shards and paused");
                    continue;
                }
            };
            let value = match &node.content {
                Content::Scalar(text, _) if self.may_show => quoted(text),
                Content::Scalar(..) => "its value (not shown)".to_owned(),
                _ => node.kind().to_owned(),
            };
            let fault = format!("{value} is not accepted; accepted is {accepted}");
            self.fault(&path, node, &fault);
        }
        for key in ["shards", "paused"] {
            self.one(own, &format!("{OWN}.{key}"), key);
        }
        starts
    }
}

const ACCEPTED_SHARDS: &str = "a whole number from 1 to 256, without quotes";
