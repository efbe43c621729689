//! A text cut into runs: one command and its output each, by prompts and by lines that open a known
//! output.
//!
//! A prompt that stood before a known command ends a run wherever it stands again, whatever is typed
//! behind it. A fence or a heading ends one too. What lies in no run is counted, not read. Each round of a shell
//! loop is a run of its own, with the loop's variable filled in where the text shows its value.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{self, Prompted};
use super::decode::markup;
use super::grammar::time;
use super::loops::{self, Rounds};
use super::{FORMATS, Line, RunText, SavedFormat, Sink, host, pem, version};
use crate::provenance::{Time, Zone};

#[derive(Default)]
struct Start {
    at: usize,
    format: Option<&'static SavedFormat>,
    prompted: Option<Prompted>,
    /// A fence or a heading, which belongs to no output.
    boundary: Option<markup::Boundary>,
    /// A line that opens its format stands in it already.
    is_opened: bool,
    /// The round of a loop that it is.
    round: Option<Round>,
}

/// A round of a loop.
struct Round {
    /// The line of the loop.
    command_at: usize,
    /// Whether it begins with a heading of its own.
    is_headed: bool,
}

/// What cutting a text into runs gave.
#[derive(Debug, Default)]
pub struct Found {
    /// How many runs a format has read.
    pub runs: u32,
    /// How many lines with text lie in no run.
    pub unknown_lines: u64,
}

/// Reads all runs.
pub fn read(lines: &[Line], sink: &mut Sink) -> Found {
    let unfolded = loops::unfold(lines);
    let lines = unfolded.as_ref();
    sink.join(lines);
    let starts = starts(lines);
    let mut clocks: BTreeMap<Option<String>, Time> = BTreeMap::new();
    let vantages = vantages(&starts);
    let versions = versions(&starts, &vantages, lines);
    let mut found =
        Found { unknown_lines: with_text(lines.get(..first_at(&starts, lines)).unwrap_or_default()), runs: 0 };
    for (nth, start) in starts.iter().enumerate() {
        let body = body(&starts, nth, lines);
        let vantage = vantages.get(nth).cloned().flatten();
        if let Some(time) = clock(start, body) {
            clocks.insert(vantage.clone(), time);
        }
        let Some(format) = start.format else {
            found.unknown_lines = found.unknown_lines.saturating_add(with_text(body));
            continue;
        };
        found.runs = found.runs.saturating_add(1);
        let tool = if format.id.starts_with("openssl") { "openssl" } else { format.id };
        let run = RunText {
            number: found.runs,
            command: start.prompted.as_ref().map(|it| chosen_stage(it, format)).unwrap_or_default(),
            pipeline: start.prompted.as_ref().map(|it| it.stages.clone()).unwrap_or_default(),
            shown: start.prompted.as_ref().map(|it| it.shown.clone()),
            command_line: start.prompted.as_ref().and_then(|_| lines.get(command_at(start))),
            version: version_at(&versions, nth, vantage.as_deref(), tool),
            clock: clocks.get(&vantage).copied(),
            vantage,
            lines: body,
            above: lines.get(start.at.saturating_sub(LINES_ABOVE)..start.at).unwrap_or_default(),
        };
        let before = sink.observations.len();
        (format.read)(&run, sink);
        if let (Some(command), Some(heading)) = (run.command_line, heading(start, lines)) {
            sink.cite_beside(before, command.number, heading);
        }
    }
    found
}

/// The line that the command of a start stands on.
fn command_at(start: &Start) -> usize {
    start.round.as_ref().map_or(start.at, |round| round.command_at)
}

/// The line of the heading that says which round of a loop it is.
fn heading(start: &Start, lines: &[Line]) -> Option<u32> {
    start.round.as_ref().filter(|round| round.is_headed)?;
    lines.get(start.at).map(|line| line.number)
}

fn first_at(starts: &[Start], lines: &[Line]) -> usize {
    starts.first().map_or(lines.len(), |start| start.at)
}

fn with_text(lines: &[Line]) -> u64 {
    let count = lines.iter().filter(|line| !line.text.trim().is_empty() && !pem::is_part(&line.text)).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Whether a line opens the output of a format.
pub fn opens(line: &str) -> bool {
    FORMATS.iter().any(|format| (format.opens)(line))
}

/// Whether an indented line begins a command or an output once it stands at the left.
pub fn opens_unindented(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty() && !text.starts_with(['{', '[']) && !opens(line) && (command::find(text).is_some() || opens(text))
}

fn starts(lines: &[Line]) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    let mut prompts = Prompts::default();
    let mut open_loop: Option<OpenLoop> = None;
    for (at, line) in lines.iter().enumerate() {
        if is_encoded(&line.text) {
            continue;
        }
        if open_loop.as_mut().is_some_and(|it| it.headed(at, line, &mut starts)) {
            continue;
        }
        if let Some(prompted) = command::find(&line.text) {
            prompts.add(prompted.prompt.as_deref());
            let format = format_of(&prompted);
            close(open_loop.take(), &mut starts);
            open_loop = OpenLoop::of(&prompted, at, starts.len(), format);
            starts.push(Start { at, format, prompted: Some(prompted), ..Start::default() });
            continue;
        }
        if prompts.begin(&line.text) {
            close(open_loop.take(), &mut starts);
            starts.push(Start { at, ..Start::default() });
            continue;
        }
        if let Some(boundary) = markup::boundary(&line.text) {
            close(open_loop.take(), &mut starts);
            starts.push(Start { at, boundary: Some(boundary), ..Start::default() });
            continue;
        }
        let opened = FORMATS.iter().copied().find(|format| (format.opens)(&line.text));
        let Some(format) = opened.filter(|format| format.id != "version" || !is_of_scanner(at, lines)) else {
            continue;
        };
        if open_loop.as_mut().is_some_and(|it| it.begins(format, at, lines, &mut starts)) {
            continue;
        }
        let is_within = starts.last().is_some_and(|open| is_within(open, format, lines) && !is_anew(open, at, lines));
        if !is_within {
            starts.push(Start { at, format: Some(format), ..Start::default() });
        }
        if let Some(open) = starts.last_mut() {
            open.is_opened |= open.format.is_some_and(|own| own.id == format.id);
        }
    }
    close(open_loop, &mut starts);
    starts
}

/// A loop whose output is being cut into its rounds.
struct OpenLoop {
    rounds: Rounds,
    format: &'static SavedFormat,
    command_at: usize,
    /// The starts of its rounds, its own first where no heading stands before each.
    starts: Vec<usize>,
    /// Each round knows its value.
    is_filled: bool,
}

impl OpenLoop {
    fn of(prompted: &Prompted, at: usize, start: usize, format: Option<&'static SavedFormat>) -> Option<Self> {
        let rounds = Rounds::of(prompted)?;
        Some(Self { rounds, format: format?, command_at: at, starts: vec![start], is_filled: false })
    }

    /// Whether a line is the heading of a round, which begins then.
    fn headed(&mut self, at: usize, line: &Line, starts: &mut Vec<Start>) -> bool {
        let Some((prompted, is_filled)) = self.rounds.headed(&line.text) else { return false };
        // The command line itself ran nothing before its first round.
        if let Some(own) = starts.get_mut(self.command_at_start()).filter(|own| own.at == self.command_at) {
            own.format = None;
            own.prompted = None;
            self.starts.clear();
        }
        self.is_filled = is_filled;
        self.push(at, prompted, true, starts);
        true
    }

    fn command_at_start(&self) -> usize {
        self.starts.first().copied().unwrap_or(usize::MAX)
    }

    /// Whether a line that opens a format begins the next round.
    fn begins(&mut self, format: &SavedFormat, at: usize, lines: &[Line], starts: &mut Vec<Start>) -> bool {
        let is_own = format.id == self.format.id && !self.rounds.has_heading();
        let is_open = starts.last().is_some_and(|open| open.format.is_some_and(|it| it.id == format.id));
        if !is_own || !is_open {
            return false;
        }
        let first = match format.id {
            "curl" => starts.last().filter(|open| is_anew(open, at, lines)).map(|_| at),
            _ => self.rounds.begins(format, at, lines),
        };
        let Some(first) = first else { return false };
        self.push(first, self.rounds.unfilled(), false, starts);
        true
    }

    fn push(&mut self, at: usize, prompted: Prompted, is_headed: bool, starts: &mut Vec<Start>) {
        self.starts.push(starts.len());
        let round = Some(Round { command_at: self.command_at, is_headed });
        let is_opened = !is_headed;
        let start =
            Start { at, format: Some(self.format), prompted: Some(prompted), round, is_opened, ..Start::default() };
        starts.push(start);
    }
}

/// A loop is over: as many rounds as it has values are those of its values, in their order.
fn close(open: Option<OpenLoop>, starts: &mut [Start]) {
    let Some(open) = open.filter(|open| !open.is_filled) else { return };
    for (at, prompted) in open.starts.iter().zip(open.rounds.all(open.starts.len()).into_iter().flatten()) {
        if let Some(start) = starts.get_mut(*at) {
            start.prompted = Some(prompted);
        }
    }
}

/// A line of PEM or of another encoding begins nothing; there are many of them.
fn is_encoded(text: &str) -> bool {
    text.len() >= ENCODED_CHARS_MIN
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// The prompts seen so far. Each can differ from the others, where a clock stands in it.
#[derive(Default)]
struct Prompts {
    known: BTreeSet<String>,
    lengths: BTreeSet<usize>,
}

impl Prompts {
    fn add(&mut self, prompt: Option<&str>) {
        self.lengths.extend(prompt.map(str::len));
        self.known.extend(prompt.map(str::to_owned));
    }

    /// Whether a line begins with one of them.
    fn begin(&self, line: &str) -> bool {
        self.lengths.iter().any(|length| line.get(..*length).is_some_and(|start| self.known.contains(start)))
    }
}

/// Whether a line that opens a format belongs to the run that is open.
fn is_within(open: &Start, format: &SavedFormat, lines: &[Line]) -> bool {
    let Some(opened) = open.format else { return false };
    let is_openssl = |id: &str| id.starts_with("openssl");
    let is_message = |id: &str| MESSAGES.contains(&id);
    match (opened.id, format.id) {
        (own, other) if own == other => !opened.repeats || !open.is_opened,
        (own, _) if EXPORTS.contains(&own) => true,
        ("curl", "json") => !asks_registry_or_dns(open.prompted.as_ref()),
        (own, other) if is_message(own) && is_message(other) => true,
        ("host", other) if is_message(other) => {
            let first = lines.get(open.at + usize::from(open.prompted.is_some()));
            first.is_some_and(|line| host::is_verbose(&line.text) || line.text.starts_with(';'))
        }
        // Many tools tell in their output what they are built with.
        (own, "version") => own != "version" && open.prompted.is_some() || own == "sslscan",
        (own, other) if HOLDS.contains(&(own, other)) => true,
        (own, other) if is_openssl(own) && is_openssl(other) => open.prompted.is_some() || own == "openssl_s_client",
        _ => false,
    }
}

/// Whether a version is that of the library which sslscan names below its own.
fn is_of_scanner(at: usize, lines: &[Line]) -> bool {
    let before = at.checked_sub(1).and_then(|at| lines.get(at));
    before.is_some_and(|line| line.text.starts_with("Version: "))
}

/// Whether a curl within a loop, or one that was given several URLs, begins anew: the one before has said how
/// it ended. A redirect goes on within one run.
fn is_anew(open: &Start, at: usize, lines: &[Line]) -> bool {
    if open.format.is_none_or(|format| format.id != "curl") {
        return false;
    }
    let is_loop =
        open.prompted.as_ref().is_some_and(|it| ["for ", "while "].iter().any(|word| it.shown.starts_with(word)));
    let from = at.saturating_sub(LAST_WORDS).max(open.at.saturating_add(1));
    let before = lines.get(from..at).unwrap_or_default();
    before.iter().any(|line| line.text.starts_with("curl: (") || (is_loop && line.text.ends_with(" left intact")))
}

/// The body of a response is nobody's configuration, except a registry's own answer and a resolver's.
fn asks_registry_or_dns(prompted: Option<&Prompted>) -> bool {
    let words = ["rdap", "dns-json", "/resolve?name=", "/dns-query?"];
    prompted.is_some_and(|it| it.stages.iter().flatten().any(|word| words.iter().any(|known| word.contains(known))))
}

/// The format of a pipeline is that of its last stage that has one.
fn format_of(prompted: &Prompted) -> Option<&'static SavedFormat> {
    prompted.stages.iter().rev().find_map(|stage| FORMATS.iter().copied().find(|format| (format.is_command)(stage)))
}

fn chosen_stage(prompted: &Prompted, format: &SavedFormat) -> Vec<String> {
    prompted.stages.iter().rev().find(|stage| (format.is_command)(stage)).cloned().unwrap_or_default()
}

/// What `date` says of the runs behind it, where it states its zone.
fn clock(start: &Start, body: &[Line]) -> Option<Time> {
    let is_date = |stage: &Vec<String>| stage.first().is_some_and(|tool| tool == "date");
    start.prompted.as_ref().filter(|it| it.stages.first().is_some_and(is_date))?;
    let text = body.iter().find(|line| !line.text.trim().is_empty())?.text.trim();
    time::when(text).filter(|time| time.zone == Zone::Stated)
}

/// What a start is followed by, up to the next one.
fn body<'l>(starts: &[Start], nth: usize, lines: &'l [Line]) -> &'l [Line] {
    let Some(start) = starts.get(nth) else { return &[] };
    let end = starts.get(nth.saturating_add(1)).map_or(lines.len(), |next| next.at);
    let has_head = match &start.round {
        Some(round) => round.is_headed,
        None => start.prompted.is_some() || start.boundary.is_some() || start.format.is_none(),
    };
    lines.get(start.at.saturating_add(usize::from(has_head))..end).unwrap_or_default()
}

/// Where each was typed: the prompt's `user@host`, else the heading above it.
fn vantages(starts: &[Start]) -> Vec<Option<String>> {
    let mut heading = None;
    let of = starts.iter().map(|start| {
        if let Some(label) = start.boundary.as_ref().and_then(|it| it.label.clone()) {
            heading = Some(label);
        }
        start.prompted.as_ref().and_then(|it| it.vantage.clone()).or_else(|| heading.clone())
    });
    of.collect()
}

/// A version that a tool printed of itself: at which start, at which place, of which tool.
struct Version {
    nth: usize,
    vantage: Option<String>,
    tool: String,
    words: String,
}

fn versions(starts: &[Start], vantages: &[Option<String>], lines: &[Line]) -> Vec<Version> {
    let all = starts.iter().zip(vantages).enumerate().filter_map(|(nth, (start, vantage))| {
        let (tool, words) = version_of(start, body(starts, nth, lines))?;
        Some(Version { nth, vantage: vantage.clone(), tool, words })
    });
    all.collect()
}

/// The version of a run: the last one printed before it at the same place, else the first one behind it.
fn version_at(versions: &[Version], nth: usize, vantage: Option<&str>, tool: &str) -> Option<String> {
    let own = || versions.iter().filter(|it| it.vantage.as_deref() == vantage && it.tool == tool);
    let before = own().take_while(|it| it.nth <= nth).last();
    before.or_else(|| own().next()).map(|it| it.words.clone())
}

/// What `openssl version` and `curl --version` print first.
fn version_of(start: &Start, body: &[Line]) -> Option<(String, String)> {
    if start.prompted.is_none() && start.format.is_some_and(|format| format.id == "version") {
        return body.first().and_then(|line| version::told(&line.text)).map(|(tool, words)| (tool.to_owned(), words));
    }
    let prompted = start.prompted.as_ref()?;
    let asks = prompted
        .stages
        .iter()
        .any(|stage| stage.iter().any(|word| matches!(word.as_str(), "version" | "--version" | "-V")));
    let tool = prompted
        .stages
        .iter()
        .filter_map(|stage| stage.first())
        .find(|word| matches!(word.as_str(), "openssl" | "curl"));
    let line = body.iter().find(|line| asks && !line.text.trim().is_empty())?;
    let words: Vec<&str> = line.text.split_whitespace().take(2).collect();
    Some((tool?.clone(), words.join(" ")))
}

/// How many lines curl prints at most between its error and its next connection: where to read more of it.
const LAST_WORDS: usize = 12;
/// Shorter words are names.
const ENCODED_CHARS_MIN: usize = 48;
/// A browser's sentence stands a few lines above its code.
const LINES_ABOVE: usize = 8;

/// The formats that one line machine reads: one's lines within another's are its own.
const MESSAGES: &[&str] = &["dig", "kdig", "drill", "delv"];

/// Exports of lines: nothing but a command ends them, whatever their lines resemble.
const EXPORTS: &[&str] = &["tshark_pdml", "tshark_verbose", "tshark_fields", "tshark_list", "tcpdump", "zeek"];
/// Outputs that hold lines which open another format elsewhere.
const HOLDS: &[(&str, &str)] = &[
    ("wget", "openssl_s_client"),
    ("wget", "unresolved"),
    ("curl", "unresolved"),
    ("wget", "openssl_x509"),
    ("zone_file", "dig"),
    ("resolvectl", "dig"),
    ("dig", "resolvectl"),
    ("nslookup", "dig"),
    ("host", "nslookup"),
    ("hosts", "getent"),
    ("sslscan", "openssl_x509"),
    ("sslyze", "openssl_x509"),
    ("testssl", "openssl_x509"),
    ("nmap", "openssl_x509"),
    ("keytool", "openssl_x509"),
    ("keytool", "json"),
    ("gnutls_cli", "openssl_x509"),
    ("certutil", "openssl_x509"),
    ("json", "browser"),
    ("openssl_s_client", "json"),
    ("openssl_s_client", "nslookup"),
    ("openssl_verify", "openssl_s_client"),
    ("language", "peer_certificate"),
    ("peer_certificate", "json"),
    ("java_debug_8", "language"),
    ("java_debug_8", "openssl_x509"),
    ("java_debug_8", "json"),
    ("java_debug", "language"),
    ("java_debug", "json"),
];
