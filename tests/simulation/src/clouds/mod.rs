//! Several clouds behind one warm sandbox, as one deployment serves them.
//!
//! A seed is two to five clouds, one secret with a `clouds.yaml` in it that people edit between
//! invocations, and ticks of the schedules: `targets`, then the events that it answers, one after
//! the other through the same handler. Meanwhile some clouds misbehave in every way that is known.
//! Whatever leaves is looked at: nothing of one cloud may be in what is sent to, or said of,
//! another ([`judge`]). Then each cloud is played once more by itself, with a sandbox of its own and
//! the same events at the same instants: what was answered of it must be the same.

mod document;
mod draw;
mod judge;
mod stage;
mod way;

use simcloud::{Config, Login};

use crate::logs::Logs;
use crate::run::{self, Detail, Outcome};

pub use draw::clouds;

/// Everything that a seed decides about some clouds.
#[derive(Clone, Debug)]
pub struct Clouds {
    /// The seed it was drawn from.
    pub seed: u64,
    /// The clouds.
    pub clouds: Vec<CloudDraw>,
    /// Whether the secret is written as JSON, which is YAML too.
    pub as_json: bool,
    /// `SNAPSENTRY_OPERATION_TIMEOUT`.
    pub operation_timeout: &'static str,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
}

/// A cloud and its entry.
#[derive(Clone, Debug)]
pub struct CloudDraw {
    /// The entry's name.
    pub name: String,
    /// Scheme and host of all its services.
    pub address: String,
    /// The kind of cloud.
    pub config: Config,
    /// How its entry logs in.
    pub login: Login,
    /// UUIDs of its volumes.
    pub volumes: Vec<String>,
    /// How its entry is at the beginning.
    pub entry: Entry,
}

/// What the `clouds.yaml` says of a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Absent,
    /// All that is needed, and so many shards.
    Good(u32),
    /// All that is needed, and that its passes rest.
    Paused,
    /// All that is needed, and something under `x-snapsentry` that cannot be: no pass looks at it.
    Unstartable,
    /// Something that no pass can work with.
    Faulty(Fault),
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not say where Keystone is.
    NoAddress,
    /// It has no secret.
    NoSecret,
    /// It logs in in a way that is not known.
    UnknownLogin,
    /// It is no mapping.
    NoMapping,
}

/// What happens between two looks of the judge.
#[derive(Clone, Debug)]
pub struct Step {
    /// What people do to the secret, and to the clouds' credentials.
    pub edits: Vec<Edit>,
    /// How some clouds misbehave in this step.
    pub ills: Vec<(usize, Ill)>,
    /// Whether Lambda begins with a new sandbox.
    pub is_cold: bool,
    /// Whose tick it is: `snapshot` or `expire`.
    pub phase: &'static str,
    /// In which order the clouds' events arrive.
    pub order: Vec<usize>,
}

/// What people do.
#[derive(Clone, Debug)]
pub enum Edit {
    /// The entry of a cloud is this from now on.
    Write(usize, Entry),
    /// A cloud's credential is exchanged, and its entry with it.
    Rotate(usize),
    /// A cloud's credential is exchanged, and its entry is forgotten until it is rotated.
    RotateCloud(usize),
    /// The whole document is unreadable for this step.
    Scramble,
}

/// How a cloud misbehaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Ill {
    /// Cinder refuses every token.
    Unauthorized,
    /// Keystone refuses every login.
    LoginRefused,
    /// It redirects to the address of another.
    Redirects(usize),
    /// It answers with a page.
    Garbage,
    /// It never answers.
    Hangs,
    /// Its answers are longer than any that is read.
    Oversized,
    /// Its catalogue names an address without TLS.
    ClearText,
    /// Its catalogue names the address of another.
    Elsewhere(usize),
    /// Nobody is there.
    Dead,
    /// It answers 503 now and then.
    Flaky,
    /// Its tokens end.
    TokensEnd,
}

impl Ill {
    fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized => "sick: every token refused",
            Self::LoginRefused => "sick: every login refused",
            Self::Redirects(_) => "sick: redirects to another cloud",
            Self::Garbage => "sick: answers that are no JSON",
            Self::Hangs => "sick: no answer",
            Self::Oversized => "sick: answers without end",
            Self::ClearText => "sick: a catalogue without TLS",
            Self::Elsewhere(_) => "sick: a catalogue that names another cloud",
            Self::Dead => "sick: nobody there",
            Self::Flaky => "sick: 503 now and then",
            Self::TokensEnd => "sick: tokens end",
        }
    }
}

/// What has to happen in any thousand seeds.
pub const REQUIRED: &[&str] = &[
    "two clouds at one address",
    "an entry that came later",
    "an entry that was taken out",
    "an entry that is paused",
    "an entry in shards",
    "an entry at fault",
    "an entry at fault that is mended",
    "an entry with nothing wrong but how it is started",
    "a document that nobody can read",
    "a cloud that the document does not have",
    "a credential exchanged",
    "a credential exchanged in the cloud alone",
    "a new sandbox",
    "a warm sandbox",
    "a login kept from one tick to the next",
    "sick: every token refused",
    "sick: every login refused",
    "sick: redirects to another cloud",
    "sick: answers that are no JSON",
    "sick: no answer",
    "sick: answers without end",
    "sick: a catalogue without TLS",
    "sick: a catalogue that names another cloud",
    "sick: nobody there",
    "sick: 503 now and then",
    "sick: tokens end",
    "healthy beside a sick one",
    "AuthenticationFailed",
    "DiscoveryFailed",
    "InvalidConfiguration",
    "DeadlineExceeded",
    "as alone",
    "snapshots created",
];

/// Plays a case on a thread of its own clock, and then each cloud by itself.
pub fn run(case: &Clouds, detail: Detail) -> Outcome {
    let logs = Logs::new();
    let guard = (detail != Detail::None).then(|| logs.capture());
    let mut played = run::paused(async { stage::Stage::new(case, None).play(&logs).await });
    drop(guard);
    for n in 0..case.clouds.len() {
        let alone =
            run::paused(async { stage::Stage::new(case, Some(n)).play(&Logs::new()).await });
        played.compare(n, &alone);
    }
    played.conclude(detail)
}
