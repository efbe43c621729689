//! The same observations from saved output: [`SavedFormat`], one file per command.
//!
//! A text is decoded to lines ([`decode`]), cut into runs (one command each, by prompts and by
//! lines that open a known output), and each run is read by its format. A line that no format
//! knows is passed over; a fact stands only on the lines that say it.

mod binary;
pub mod browser;
pub mod certutil;
pub mod command;
pub mod connection;
pub mod curl;
pub mod decode;
pub mod delv;
pub mod dig;
pub mod dig_yaml;
pub mod displaydns;
pub mod drill;
pub mod export;
pub mod getent;
pub mod gnutls_cli;
pub mod grammar;
pub mod host;
pub mod hosts;
pub mod java_debug;
pub mod java_debug_8;
pub mod json;
pub mod kdig;
pub mod keytool;
pub mod language;
pub mod loops;
pub mod nmap;
pub mod nslookup;
pub mod openssl_s_client;
pub mod openssl_verify;
pub mod openssl_x509;
pub mod peer_certificate;
pub mod pem;
pub mod ping;
pub mod resolve_dnsname;
pub mod resolvectl;
pub mod resolver;
pub mod runs;
pub mod sslscan;
pub mod sslyze;
pub mod test_netconnection;
pub mod testssl;
pub mod unresolved;
pub mod version;
pub mod wget;
pub mod whois;
pub mod zone_file;

use std::collections::{BTreeMap, BTreeSet};

use binary::Binary;

use crate::dns::{Answer, Transport};
use crate::evidence::{Fact, Observation, Reading, Run, ServerName, Source};
use crate::name::Name;
use crate::provenance::{Gap, GapReason, Place, SourceId, Time};

/// One line of decoded text: as its tool printed it, whatever was put around it since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its number in the original file, from 1. A place on it covers all lines that it was wrapped over.
    pub number: u32,
    /// The last of the lines that it was wrapped over, its own number for most.
    pub last: u32,
    /// Its text.
    pub text: String,
}

impl Line {
    /// A line that stands on one line of the file.
    pub fn new(number: u32, text: String) -> Self {
        Self { number, last: number, text }
    }
}

/// One command and its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunText<'t> {
    /// Counted from 1 in the source; every fact of the run carries it.
    pub number: u32,
    /// The words of the command, without prompt, pipes and redirections; empty when there is none.
    pub command: Vec<String>,
    /// All stages of the pipeline that the command stands in.
    pub pipeline: Vec<Vec<String>>,
    /// The command line as it stands, with secrets removed.
    pub shown: Option<String>,
    /// The line of the command, when there is one.
    pub command_line: Option<&'t Line>,
    /// The prompt's `user@host`, when there is one.
    pub vantage: Option<String>,
    /// The version that the tool printed of itself at the same place (`openssl version`, `curl --version`).
    pub version: Option<String>,
    /// What `date` printed before it at the same place, where it states a zone.
    pub clock: Option<Time>,
    /// The output lines.
    pub lines: &'t [Line],
    /// The few lines above it.
    pub above: &'t [Line],
}

impl RunText<'_> {
    /// The line of the command, or the first line of the output.
    pub fn first_line(&self) -> u32 {
        self.command_line.or(self.lines.first()).map_or(1, |line| line.number)
    }

    /// The run itself as a fact.
    pub fn fact(&self, tool: &str, version: Option<String>, host: Option<Name>, server_name: ServerName) -> Fact {
        Fact::Run(Run {
            run: self.number,
            tool: tool.to_owned(),
            version,
            command: self.shown.clone(),
            vantage: self.vantage.clone(),
            time: None,
            host,
            server_name,
        })
    }

    /// An answer of which nothing is known yet but the run that printed it.
    pub fn answer(&self) -> Answer {
        Answer {
            time: None,
            client: None,
            server: None,
            transport: Transport::Text,
            id: None,
            rcode: None,
            flags: None,
            question: None,
            records: Vec::new(),
            extended_errors: Vec::new(),
            is_cut: false,
            carried: None,
            run: Some(self.number),
        }
    }
}

/// One format of saved output.
pub struct SavedFormat {
    /// Its id, the name of its file.
    pub id: &'static str,
    /// The commands that print it, for people.
    pub made_by: &'static str,
    /// Whether a command (first word `dig`, first words `openssl s_client`, …) prints it.
    pub is_command: fn(&[String]) -> bool,
    /// Whether this line, without any command before it, opens such an output.
    pub opens: fn(&str) -> bool,
    /// Whether such a line within an output of the same format opens the next one.
    pub repeats: bool,
    /// Reads a run.
    pub read: fn(&RunText<'_>, &mut Sink),
}

/// Where formats put what they read. All places name source 0; the evidence numbers it later.
#[derive(Debug, Default)]
pub struct Sink {
    /// The source's name: local ids of certificates begin with it.
    pub path: String,
    /// What was read.
    pub observations: Vec<Observation>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// The text of lines that records stand on, where it can be shown.
    pub quotes: BTreeMap<u32, String>,
    /// Lines that are not to be shown, whatever stands on them.
    unquoted: BTreeSet<u32>,
    /// The ids of the certificates among them.
    certificates: BTreeSet<String>,
    /// The digests of certificates that a configuration holds: in PEM they are nothing that was presented.
    configured: BTreeSet<String>,
    /// The last line of each line that was wrapped, by its first.
    wrapped: BTreeMap<u32, u32>,
}

impl Sink {
    /// Where the readings of these lines go.
    pub fn of(path: &str, lines: &[Line]) -> Self {
        let wrapped = lines.iter().filter(|line| line.last > line.number).map(|line| (line.number, line.last));
        Self { path: path.to_owned(), wrapped: wrapped.collect(), ..Self::default() }
    }

    /// Adds a fact that stands on exactly these lines.
    pub fn observe(&mut self, mut fact: Fact, lines: impl IntoIterator<Item = u32>) {
        hide(&mut fact);
        let mut lines: Vec<u32> = lines.into_iter().collect();
        lines.sort_unstable();
        lines.dedup();
        let mut at: Vec<Place> = Vec::new();
        for line in lines {
            let end = self.wrapped.get(&line).copied().unwrap_or(line);
            match at.last_mut() {
                Some(Place::Lines { last, .. }) if last.checked_add(1) == Some(line) => *last = end,
                _ => at.push(Place::on_lines(SourceId(0), line, end)),
            }
        }
        if let Fact::Certificate(certificate) = &fact {
            self.certificates.insert(certificate.id().to_owned());
        }
        self.observations.push(Observation { at, fact: Box::new(fact) });
    }

    /// Lines whose text is never shown.
    fn leave_unquoted(&mut self, lines: impl IntoIterator<Item = u32>) {
        self.unquoted.extend(lines);
    }

    /// The facts from this one on that stand on the first line stand on the second as well.
    fn cite_beside(&mut self, from: usize, line: u32, beside: u32) {
        for observation in self.observations.iter_mut().skip(from) {
            let spans = observation.at.iter().filter_map(|place| match place {
                Place::Lines { first, last, .. } => Some(*first..=*last),
                Place::Frames { .. } | Place::Whole { .. } => None,
            });
            let mut lines: BTreeSet<u32> = spans.flatten().collect();
            if lines.contains(&line) && lines.insert(beside) {
                observation.at = places(lines);
            }
        }
    }

    /// Lines that a format put together from several of the text.
    fn join(&mut self, lines: &[Line]) {
        for line in lines.iter().filter(|line| line.last > line.number) {
            let last = self.wrapped.entry(line.number).or_insert(line.last);
            *last = line.last.max(*last);
        }
    }

    /// Adds a gap on a line.
    pub fn gap(&mut self, line: u32, mut reason: GapReason) {
        if let GapReason::Undecoded { why, .. } = &mut reason {
            hide_in(why);
        }
        let end = self.wrapped.get(&line).copied().unwrap_or(line);
        self.gaps.push(Gap::new(Place::on_lines(SourceId(0), line, end), reason));
    }

    /// The id of a certificate that only text on this line describes.
    pub fn local_id(&self, line: u32) -> String {
        format!("{}#{line}", self.path)
    }
}

/// Ascending lines as places, those that follow each other as one.
fn places(lines: impl IntoIterator<Item = u32>) -> Vec<Place> {
    let mut at: Vec<Place> = Vec::new();
    for line in lines {
        match at.last_mut() {
            Some(Place::Lines { last, .. }) if last.checked_add(1) == Some(line) => *last = line,
            _ => at.push(Place::on_lines(SourceId(0), line, line)),
        }
    }
    at
}

/// All formats. A run is read by the format of its command, or by the one whose line opened it.
pub static FORMATS: &[&SavedFormat] = &[
    &dig_yaml::FORMAT,
    &kdig::FORMAT,
    &drill::FORMAT,
    &delv::FORMAT,
    &host::FORMAT,
    &nslookup::FORMAT,
    &resolve_dnsname::FORMAT,
    &resolvectl::FORMAT,
    &getent::FORMAT,
    &hosts::FORMAT,
    &resolver::FORMAT,
    &ping::FORMAT,
    &test_netconnection::FORMAT,
    &displaydns::FORMAT,
    &zone_file::FORMAT,
    &dig::FORMAT,
    &wget::FORMAT,
    &gnutls_cli::FORMAT,
    &keytool::FORMAT,
    &certutil::FORMAT,
    &nmap::FORMAT,
    &testssl::FORMAT,
    &sslyze::FORMAT,
    &sslscan::FORMAT,
    &openssl_verify::FORMAT,
    &openssl_s_client::FORMAT,
    &openssl_x509::FORMAT,
    &curl::FORMAT,
    &java_debug::FORMAT,
    &java_debug_8::FORMAT,
    &browser::FORMAT,
    &language::FORMAT,
    &unresolved::FORMAT,
    &peer_certificate::FORMAT,
    &whois::FORMAT,
    &version::FORMAT,
    &export::lines::PDML,
    &export::lines::VERBOSE,
    &export::lines::TCPDUMP,
    &export::lines::ZEEK,
    &export::tshark::fields::FORMAT,
    &export::tshark::list::FORMAT,
    &json::FORMAT,
];

/// Reads a text.
pub fn read(path: &str, bytes: &[u8]) -> Reading {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut reading = Reading::of(Source::named(path, "text", length));
    match binary::read(bytes) {
        Some(Binary::Certificate(certificate)) => {
            "der".clone_into(&mut reading.source.kind);
            let at = vec![Place::Whole { source: SourceId(0) }];
            reading.observations.push(Observation { at, fact: Box::new(Fact::Certificate(*certificate)) });
            return reading;
        }
        Some(Binary::Bundle(certificates)) => {
            "der".clone_into(&mut reading.source.kind);
            let at = vec![Place::Whole { source: SourceId(0) }];
            let facts = certificates.into_iter().map(|it| Box::new(Fact::Certificate(it)));
            reading.observations.extend(facts.map(|fact| Observation { at: at.clone(), fact }));
            if !reading.holds_evidence() {
                reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, GapReason::NoEvidence));
            }
            return reading;
        }
        Some(Binary::Store(what)) => {
            "unknown".clone_into(&mut reading.source.kind);
            let at = Place::Whole { source: SourceId(0) };
            reading.gaps.push(Gap::new(at, GapReason::Unrecognised(format!(" ({what})"))));
            return reading;
        }
        None => {}
    }
    let text = match decode::text(bytes) {
        Ok(text) => text,
        Err(why) => {
            "unknown".clone_into(&mut reading.source.kind);
            let at = Place::Whole { source: SourceId(0) };
            reading.gaps.push(Gap::new(at, GapReason::Unrecognised(format!(" ({why})"))));
            return reading;
        }
    };
    reading.source.lines = Some(u64::from(text.count));
    let mut sink = Sink::of(path, &text.lines);
    let found = runs::read(&text.lines, &mut sink);
    reading.source.unknown_lines = Some(found.unknown_lines).filter(|count| *count > 0);
    let is_pem = pem::read(&text.lines, &mut sink);
    let unquoted = std::mem::take(&mut sink.unquoted);
    reading.observations = sink.observations;
    reading.gaps = sink.gaps;
    let at = Place::Whole { source: SourceId(0) };
    if found.runs == 0 && !is_pem {
        reading.gaps.push(Gap::new(at, GapReason::Unrecognised(String::new())));
    } else if !reading.holds_evidence() {
        reading.gaps.push(Gap::new(at, GapReason::NoEvidence));
    }
    quote(&mut reading, &text, &unquoted);
    reading
}

/// Keeps the lines that observations stand on, without their secrets.
fn quote(reading: &mut Reading, text: &decode::Text, unquoted: &BTreeSet<u32>) {
    for observation in &reading.observations {
        for place in &observation.at {
            let Place::Lines { first, last, .. } = place else {
                continue;
            };
            let start = text.lines.partition_point(|line| line.last < *first);
            for line in text.lines.iter().skip(start).take_while(|line| line.number <= *last) {
                if unquoted.contains(&line.number) {
                    continue;
                }
                for number in line.number.max(*first)..=line.last.min(*last) {
                    let shown = text.parts.get(&number).unwrap_or(&line.text);
                    reading.quotes.insert(number, decode::secret::hidden(shown).into_owned());
                }
            }
        }
    }
}

/// Takes secrets off what a fact repeats in the words of its tool.
fn hide(fact: &mut Fact) {
    match fact {
        Fact::Run(it) => it.command.iter_mut().for_each(hide_in),
        Fact::ClientVerdict(it) => hide_in(&mut it.words),
        Fact::HttpExchange(it) => it.url.iter_mut().for_each(hide_in),
        Fact::Override(it) => it.to.iter_mut().for_each(hide_in),
        _ => {}
    }
}

fn hide_in(text: &mut String) {
    if let std::borrow::Cow::Owned(shown) = decode::secret::hidden(text) {
        *text = shown;
    }
}

/// The value of a response header that rules use; of `location` no more than the host.
fn kept_header(name: &str, value: &str) -> Option<String> {
    match name {
        "location" => crate::http::kept(name, value.as_bytes()),
        _ => HEADERS.contains(&name).then(|| value.trim().to_owned()),
    }
}

/// The response headers that rules use.
const HEADERS: &[&str] = &[
    "date",
    "server",
    "via",
    "x-cache",
    "x-amzn-errortype",
    "x-amz-apigw-id",
    "x-amzn-requestid",
    "x-amz-cf-id",
    "x-amz-cf-pop",
];
