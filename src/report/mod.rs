//! The report: [`Report`], one value from which every output is rendered, and [`RENDERERS`].
//!
//! The JSON of a report is its serialised form and the published contract (`whycert schema
//! report`). What is not serialised (`marks`, `quotes`) only helps to draw.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evidence::ObservationId;
use crate::provenance::Time;

pub mod build;
mod checked;
pub mod csv;
pub mod fact;
pub mod facts_csv;
pub mod html;
pub mod json;
pub mod markdown;
mod pasted;
pub mod sarif;
pub mod select;
pub mod seen;
mod shown;
pub mod text;
mod ways;
mod wireshark;
pub mod words;

pub use fact::FactEntry;
pub use seen::{AlertEntry, ChainEntry, ConnectionEntry, NameCheckEntry, ResolutionEntry, Step, TriedEntry};

pub use crate::case::HostSource;
use crate::rules::view::NoAddress;
pub use crate::rules::{AskFor, Mark, Outcome, RecordChange, Severity, Sign, Strength};

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// `whycert.report/1`.
    pub schema: &'static str,
    /// What made it.
    pub tool: Tool,
    /// The run was interrupted; what is here is what had been read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<bool>,
    /// The inputs.
    pub sources: Vec<SourceEntry>,
    /// One per host, worst first.
    pub cases: Vec<CaseEntry>,
    /// How many hosts were judged and have no finding among the rules that were selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<usize>,
    /// Everything that was observed, by number.
    pub observations: Vec<ObservationEntry>,
    /// Everything that could not be read.
    pub gaps: Vec<GapEntry>,
    /// What was counted.
    pub counters: Counters,
    /// Lines of text sources by source and line, to quote; empty when read from facts.
    #[serde(skip)]
    pub quotes: BTreeMap<(u32, u32), String>,
}

/// What made a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Tool {
    /// `whycert`.
    pub name: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// The version of the set of rules.
    pub rules: &'static str,
    /// The embedded data sets.
    pub data: Vec<DataSet>,
}

/// An embedded data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct DataSet {
    /// Its name.
    pub name: &'static str,
    /// Its date or version.
    pub as_of: String,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SourceEntry {
    /// What places call it.
    pub id: u32,
    /// Its name.
    pub path: String,
    /// Its kind.
    pub kind: String,
    /// How many bytes were read.
    pub bytes: u64,
    /// Their digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How many frames, for a capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// How many lines, for a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// How many gaps it has.
    pub gaps: u64,
    /// The first time in it, for the heading of a text report.
    #[serde(skip)]
    pub first: Option<Time>,
    /// The last time in it.
    #[serde(skip)]
    pub last: Option<Time>,
}

/// A place as the report writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum PlaceEntry {
    /// Frames of a capture, sorted.
    Frames {
        /// The source's id.
        source: u32,
        /// The frames; of a gap with many the first.
        frames: Vec<u64>,
        /// How many more there are.
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<u64>,
    },
    /// Lines of a text.
    Lines {
        /// The source's id.
        source: u32,
        /// First and last line.
        lines: [u32; 2],
        /// First and last column, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        columns: Option<[u32; 2]>,
    },
    /// The source as a whole.
    Whole {
        /// The source's id.
        source: u32,
    },
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ObservationEntry {
    /// Its number.
    pub id: ObservationId,
    /// Its kind.
    pub kind: &'static str,
    /// Its places.
    pub at: Vec<PlaceEntry>,
    /// The fact, as `whycert schema facts` describes the kind, without `der`.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub fact: FactEntry,
}

/// One gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct GapEntry {
    /// Its places.
    pub at: Vec<PlaceEntry>,
    /// What could not be read, and what to ask for.
    pub reason: String,
}

/// Everything about one host.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct CaseEntry {
    /// The name a client asked for.
    pub host: Option<String>,
    /// How it is known.
    pub host_source: Option<HostSource>,
    /// What came of it.
    pub outcome: Outcome,
    /// The causes that were found, best first.
    pub findings: Vec<FindingEntry>,
    /// Findings that are known and accepted, and so are none of `findings`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Ignored>,
    /// All errors of the host are among `ignored`; `outcome` still says what was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// The causes that evidence excludes.
    pub ruled_out: Vec<RuledOut>,
    /// The causes that cannot be told, with what would tell.
    pub undecided: Vec<Undecided>,
    /// What to ask for: the commands of `undecided`, each once, the one that decides most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ask_for: Vec<AskFor>,
    /// What is easily misread in the evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beware: Vec<ReasonEntry>,
    /// What DNS said.
    pub resolutions: Vec<ResolutionEntry>,
    /// What TLS did.
    pub connections: Vec<ConnectionEntry>,
    /// How to draw what was seen, whatever the cause.
    #[serde(skip)]
    pub marks: Vec<Mark>,
    /// Where certificates stand in the connections of the case that were first presented elsewhere.
    #[serde(skip)]
    pub(super) shown: BTreeMap<ObservationId, shown::Shown>,
    /// Certificates are here, but nothing shows that a server presented them, such as the output of
    /// `openssl x509 -in FILE`.
    #[serde(skip)]
    pub(super) is_unserved: bool,
    /// Why no answer gives an address of the host.
    #[serde(skip)]
    pub(super) no_address: Option<NoAddress>,
    /// Of a case that certificates of files alone make: whether one covers the host.
    #[serde(skip)]
    pub(super) covering: Option<bool>,
}

/// A cause that was found.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FindingEntry {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How well it is supported.
    pub strength: Strength,
    /// The strength as a number, under the rule's cap.
    pub confidence: f64,
    /// The cause, in sentences.
    pub cause: String,
    /// What to do, in a sentence.
    pub remedy: String,
    /// The command that shows that it is done.
    pub verify: String,
    /// Why, each with what proves it; never empty.
    pub reasons: Vec<ReasonEntry>,
    /// How to draw the proof.
    #[serde(skip)]
    pub marks: Vec<Mark>,
    /// The records to change, old and new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<RecordChange>,
    /// What to expect of the `verify` command, in words.
    #[serde(skip)]
    pub expect: Option<String>,
    /// What would prove it where nothing does yet, behind `if`.
    #[serde(skip)]
    pub confirmed_if: Option<String>,
    /// The headline in plain words, without the rule's id: `HOST is served the certificate of NAME`.
    #[serde(skip)]
    pub headline: String,
}

/// A finding that is known and accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Ignored {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The headline it would have had.
    pub headline: String,
    /// Why it is accepted.
    pub reason: String,
    /// The day on which that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The evidence has no time, so nothing tells whether that day has come; it counts as not yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_undated: bool,
    /// What proved it.
    #[serde(skip)]
    pub cites: Vec<ObservationId>,
}

/// One reason of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ReasonEntry {
    /// The reason in words.
    pub text: String,
    /// The observations that prove it; never empty.
    pub cites: Vec<ObservationId>,
}

/// A cause that evidence excludes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RuledOut {
    /// The rule's id.
    pub rule: &'static str,
    /// The counter-evidence in words.
    pub because: String,
    /// The observations that hold it; never empty.
    pub cites: Vec<ObservationId>,
}

/// A cause that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Undecided {
    /// The rule's id, or an `insufficient.*` id.
    pub rule: &'static str,
    /// What is missing.
    pub missing: String,
    /// The command that would tell.
    pub ask: String,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Counters {
    /// Frames of all captures.
    pub frames: u64,
    /// DNS responses.
    pub dns_responses: u64,
    /// ClientHello messages.
    pub client_hellos: u64,
    /// ServerHello messages.
    pub server_hellos: u64,
    /// Certificates, once per source.
    pub certificates: u64,
    /// QUIC connections.
    pub quic_connections: u64,
    /// Gaps.
    pub gaps: u64,
}

impl Report {
    /// The observation of that number: they stand in order, from 0.
    pub fn observation(&self, id: ObservationId) -> Option<&ObservationEntry> {
        self.observations.get(usize::try_from(id.0).ok()?).filter(|it| it.id == id)
    }

    /// Where an observation stands for a case: a certificate in the connection that is judged.
    pub fn places_of<'r>(&'r self, case: &'r CaseEntry, id: ObservationId) -> &'r [PlaceEntry] {
        let shown = case.shown.get(&id).map(|(_, places)| places.as_slice());
        shown.or_else(|| Some(self.observation(id)?.at.as_slice())).unwrap_or_default()
    }

    /// The first frame or line that holds an observation for a case; `None` for a whole source.
    pub fn number_of(&self, case: &CaseEntry, id: ObservationId) -> Option<u64> {
        self.places_of(case, id).first().and_then(words::first_of)
    }
}

impl PlaceEntry {
    /// The id of the source that holds it.
    pub fn source(&self) -> u32 {
        match self {
            Self::Frames { source, .. } | Self::Lines { source, .. } | Self::Whole { source } => *source,
        }
    }
}

impl CaseEntry {
    /// The findings that head the case: the first, and those that the evidence cannot separate from it.
    pub fn headed_by(&self) -> &[FindingEntry] {
        let Some(first) = self.findings.first() else {
            return &[];
        };
        let is_tied = |it: &&FindingEntry| {
            first.strength == Strength::Consistent && (it.severity, it.strength) == (first.severity, first.strength)
        };
        let tied = self.findings.iter().skip(1).take_while(is_tied).count();
        self.findings.get(..=tied).unwrap_or_default()
    }
}

/// One way to write a report.
pub struct Renderer {
    /// Its id, the value of `--format`.
    pub id: &'static str,
    /// Writes it.
    pub render: fn(&Report, &Style) -> String,
}

/// How a report for people is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns, 40 to 100.
    pub width: usize,
    /// ANSI colours.
    pub colour: bool,
    /// Twins of all glyphs in ASCII.
    pub ascii: bool,
}

/// All ways to write a report.
pub static RENDERERS: &[&Renderer] =
    &[&text::RENDERER, &html::RENDERER, &markdown::RENDERER, &json::RENDERER, &sarif::RENDERER, &csv::RENDERER];
