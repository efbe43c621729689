//! DNS messages as dig prints them, and kdig, drill, delv and `host -v` after it: header, sections,
//! footer ([`read`]). One answer per message; records without a header are one answer too.
//!
//! `+trace` prints a block of records per server and no header: the name servers that a parent names
//! are its referral, never an answer to the question. A query that `+qr` prints is no answer.

use std::collections::BTreeSet;

use super::{address, rr, time};
use crate::dns::{Answer, ExtendedError, Flags, Question, Record, Section, Transport};
use crate::evidence::Fact;
use crate::name::Name;
use crate::provenance::GapReason;
use crate::saved::{RunText, Sink};

/// Reads all messages of a run.
pub fn read(run: &RunText<'_>, asked: Option<&Question>, sink: &mut Sink) {
    let mut open = Open::new(run);
    let cut = cut_record(run);
    for line in run.lines {
        let text = line.text.trim_end();
        if cut == Some(line.number) {
            sink.gap(line.number, undecoded("DNS record", "the text ends within it"));
            continue;
        }
        if text.contains("->>HEADER<<-") && (open.is_headed || !open.answer.records.is_empty()) {
            close(std::mem::replace(&mut open, Open::new(run)), asked, sink);
        }
        let is_used = open.unclosed(text) || open.comment(text) || open.record(text);
        if is_used {
            open.lines.push(line.number);
        }
        if let Some(why) = failure(text) {
            sink.gap(line.number, undecoded("DNS answer", &why));
        }
        if open.is_block {
            close(std::mem::replace(&mut open, Open::new(run)), asked, sink);
        }
    }
    close(open, asked, sink);
}

fn undecoded(what: &str, why: &str) -> GapReason {
    GapReason::Undecoded { what: what.to_owned(), why: why.to_owned() }
}

/// The last line of a text that ends within a record: dig prints a final dot behind every name.
fn cut_record(run: &RunText<'_>) -> Option<u32> {
    let last = run.lines.iter().rev().find(|line| !line.text.trim().is_empty())?;
    let is_headed = run.lines.iter().any(|line| line.text.contains("->>HEADER<<-"));
    let words: Vec<&str> = last.text.split_whitespace().collect();
    match words.as_slice() {
        [owner, .., "CNAME" | "NS" | "DNAME" | "PTR", target] if is_headed => {
            (owner.ends_with('.') && !owner.starts_with(';') && !target.ends_with('.')).then_some(last.number)
        }
        _ => None,
    }
}

/// What a tool says when no server answered.
pub fn failure(text: &str) -> Option<String> {
    let is_failure = FAILURES.iter().any(|words| text.contains(words));
    (is_failure && (text.starts_with([';', '*', 'D']) || text.contains(": "))).then(|| {
        let words = text.trim_start_matches([';', '*', ' ']);
        words.chars().take(FAILURE_CHARS_MAX).collect()
    })
}

/// The message that is being read.
struct Open {
    answer: Answer,
    lines: Vec<u32>,
    section: Section,
    is_headed: bool,
    in_question: bool,
    /// It is a block of `+trace`, which `;; Received …` closes.
    is_block: bool,
    /// A record whose brackets are open.
    partial: Option<String>,
    /// How many records the header counts in the answer section, and how many lines stand there.
    counted: Option<usize>,
    listed: usize,
}

impl Open {
    fn new(run: &RunText<'_>) -> Self {
        Self {
            answer: run.answer(),
            lines: Vec::new(),
            section: Section::Answer,
            is_headed: false,
            in_question: false,
            is_block: false,
            partial: None,
            counted: None,
            listed: 0,
        }
    }

    /// The lines of a record in brackets (RFC 1035 section 5.1), comments dropped.
    fn unclosed(&mut self, text: &str) -> bool {
        let bare = text.split(';').next().unwrap_or_default().trim();
        if let Some(partial) = &mut self.partial {
            if partial.len() > RECORD_CHARS_MAX || text.contains("->>HEADER<<-") {
                self.partial = None;
                return false;
            }
            partial.push(' ');
            partial.push_str(bare.trim_end_matches(')').trim_end());
            if bare.ends_with(')') {
                let whole = self.partial.take().unwrap_or_default();
                self.answer.records.extend(rr::record(&whole, self.section));
            }
            return true;
        }
        let is_open = bare.ends_with('(') && !text.starts_with(';');
        if is_open && rr::record(bare, self.section).is_some() {
            self.partial = Some(bare.trim_end_matches('(').trim_end().to_owned());
            self.count();
            return true;
        }
        false
    }

    /// A line that begins with a semicolon, and host's own footer.
    fn comment(&mut self, text: &str) -> bool {
        if let Some(rest) = text.strip_prefix("Received ") {
            self.received(rest);
            return self.is_headed;
        }
        let Some(rest) = text.strip_prefix(";;") else {
            let rest = text.strip_prefix(';');
            return rest.is_some_and(|rest| self.extended_error(rest.trim_start())) || self.question(rest);
        };
        let rest = rest.trim_start();
        if let Some(header) = rest.strip_prefix("->>HEADER<<-") {
            self.is_headed = true;
            let code = field(header, "status: ").or_else(|| field(header, "rcode: "));
            self.answer.rcode = code.map(Into::into);
            self.answer.id = field(header, "id: ").and_then(|id| id.parse().ok());
        } else if let Some(flags) = rest.strip_prefix("flags:").or_else(|| rest.strip_prefix("Flags:")) {
            self.answer.flags = Some(read_flags(flags.split(';').next().unwrap_or_default()));
            self.counted = field(flags, "ANSWER: ").and_then(|count| count.parse().ok());
        } else if let Some(server) = rest.strip_prefix("SERVER: ").or_else(|| rest.strip_prefix("From ")) {
            self.answer.server = address::server(server);
            self.answer.carried = self.answer.carried.or_else(|| carried(server));
        } else if let Some((what, _)) = rest.split_once(" session (").filter(|_| !self.is_headed) {
            self.answer.carried = transport(what).or(self.answer.carried);
            return false;
        } else if let Some(when) = rest.strip_prefix("WHEN: ") {
            self.answer.time = time::when(when);
        } else if let Some(when) = rest.strip_prefix("Time ") {
            self.answer.time = time::civil_utc(when);
        } else if let Some(received) = rest.strip_prefix("Received ") {
            self.received(received);
            return self.is_block;
        } else if let Some(section) = section(rest) {
            self.in_question = section.is_none();
            self.section = section.unwrap_or(self.section);
            return false;
        } else {
            return self.extended_error(rest) || self.question(Some(rest).filter(|_| self.in_question));
        }
        true
    }

    fn extended_error(&mut self, text: &str) -> bool {
        let error = extended_error(text);
        let is_error = error.is_some();
        self.answer.extended_errors.extend(error);
        is_error
    }

    /// `;; Received 97 bytes from 192.0.2.3#53(ns-936.awsdns-53.net) in 0 ms`.
    fn received(&mut self, text: &str) {
        if let Some((_, server)) = text.split_once(" bytes from ") {
            self.answer.server = address::server(server).or(self.answer.server);
            self.is_block = !self.is_headed && !self.answer.records.is_empty();
        }
    }

    /// `www.example.com. IN A`, without the semicolons before it.
    fn question(&mut self, text: Option<&str>) -> bool {
        let Some(question) = text.and_then(question) else {
            return false;
        };
        self.answer.question = self.answer.question.take().or(Some(question));
        true
    }

    /// Counts a line of the answer section.
    fn count(&mut self) {
        let is_listed = self.is_headed && self.section == Section::Answer;
        self.listed = self.listed.saturating_add(usize::from(is_listed));
    }

    fn record(&mut self, text: &str) -> bool {
        let record = rr::record(text, self.section);
        let is_record = record.is_some();
        if !text.is_empty() && !text.starts_with(';') {
            self.count();
        }
        self.answer.records.extend(record);
        is_record
    }
}

fn close(mut open: Open, asked: Option<&Question>, sink: &mut Sink) {
    let is_query = open.answer.flags.is_some_and(|flags| !flags.qr) && open.answer.records.is_empty();
    if is_query || (!open.is_headed && open.answer.records.is_empty()) {
        return;
    }
    if let (Some(counted), Some(last)) = (open.counted.filter(|counted| *counted > open.listed), open.lines.last()) {
        let stand = open.listed;
        open.answer.is_cut = true;
        let why = format!("its header counts {counted} records in the answer section, and {stand} stand here");
        sink.gap(*last, undecoded("DNS answer in full", &why));
    }
    if !open.is_headed {
        refer(&mut open.answer.records, asked);
        if open.is_block {
            open.answer.question = open.answer.question.take().or_else(|| asked.cloned());
        }
    }
    sink.observe(Fact::DnsAnswer(open.answer), open.lines);
}

/// Name servers of other owners than the asked name are a referral, addresses of theirs its glue.
fn refer(records: &mut [Record], asked: Option<&Question>) {
    let Some(asked) = asked else { return };
    let servers: BTreeSet<Name> =
        records.iter().filter(|record| record.kind == "NS").filter_map(|record| Name::parse(&record.data)).collect();
    for record in records {
        let is_referral = matches!(record.kind.as_str(), "NS" | "DS" | "NSEC" | "NSEC3" | "RRSIG" | "SOA");
        if is_referral && (record.owner != asked.name || record.kind != asked.kind) {
            record.section = Section::Authority;
        } else if servers.contains(&record.owner) && record.owner != asked.name {
            record.section = Section::Additional;
        }
    }
}

/// `ANSWER SECTION:`; the question section gives no section of records.
#[expect(clippy::option_option, reason = "no heading, the question's heading, a heading of records")]
fn section(text: &str) -> Option<Option<Section>> {
    let (name, _) = text.split_once(" SECTION")?;
    match name {
        "QUESTION" => Some(None),
        "ANSWER" => Some(Some(Section::Answer)),
        "AUTHORITY" => Some(Some(Section::Authority)),
        "ADDITIONAL" => Some(Some(Section::Additional)),
        _ => None,
    }
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    Some(rest.split([',', ' ', ';']).next().unwrap_or(rest))
}

/// How an answer came, in the last brackets of `192.0.2.54#853(192.0.2.54) (TLS)` and `192.0.2.54@853(TLS) in 3 ms`.
fn carried(server: &str) -> Option<Transport> {
    let (_, word) = server.split(" in ").next()?.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    transport(word)
}

/// A transport in the words of dig and kdig.
pub fn transport(word: &str) -> Option<Transport> {
    Some(match word.split('-').next()? {
        "UDP" => Transport::Udp,
        "TCP" => Transport::Tcp,
        "TLS" | "DOT" => Transport::Dot,
        "HTTPS" | "HTTP" | "DOH" => Transport::Doh,
        "QUIC" | "DOQ" => Transport::Doq,
        _ => return None,
    })
}

/// `EDE: 18 (Prohibited)`, `EDE: 0 (Other): (max. restarts reached)`, and `OPT=15: 00 12 (..)` of tools that do not
/// know the option.
fn extended_error(text: &str) -> Option<ExtendedError> {
    if let Some(octets) = text.strip_prefix("OPT=15: ") {
        let octet = |word: &str| (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok())?;
        return ExtendedError::read(&octets.split(' ').map_while(octet).collect::<Vec<u8>>());
    }
    let rest = text.strip_prefix("EDE: ")?;
    let code = rest.split([' ', ':']).next()?.parse().ok()?;
    let text = rest.split_once("): ").map(|(_, text)| text.trim());
    let is_within = |text: &&str| text.starts_with(['(', '\'']) && text.ends_with([')', '\'']) && text.len() > 1;
    let text = text.map(|text| Some(text).filter(is_within).and_then(|it| it.get(1..it.len() - 1)).unwrap_or(text));
    Some(ExtendedError::new(code, text.map(str::to_owned)))
}

/// The words of a flags line.
pub fn read_flags(text: &str) -> Flags {
    let has = |flag: &str| text.split_whitespace().any(|word| word == flag);
    Flags { qr: has("qr"), aa: has("aa"), tc: has("tc"), rd: has("rd"), ra: has("ra"), ad: has("ad"), cd: has("cd") }
}

/// `www.example.com. IN A`.
pub fn question(text: &str) -> Option<Question> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (name, kind) = match words.as_slice() {
        [name, "IN" | "CLASS1", kind] => (name, kind),
        [name, kind] if rr::is_kind(kind) && name.ends_with('.') => (name, kind),
        _ => return None,
    };
    Some(Question { name: address::owner(name)?, kind: rr::known_kind(kind) })
}

const FAILURES: &[&str] = &[
    "timed out",
    "no servers could be reached",
    "connection refused",
    "response timeout",
    "failed to query server",
    "error sending query",
    "couldn't get address",
    "network unreachable",
    "timed-out",
    "host unreachable",
    "end of file",
    "resolution failed: ",
];
const FAILURE_CHARS_MAX: usize = 200;
const RECORD_CHARS_MAX: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footer_says_how_an_answer_came() {
        for (server, expected) in [
            ("192.0.2.53#53(192.0.2.53) (UDP)", Some(Transport::Udp)),
            ("192.0.2.54#853(192.0.2.54) (TLS)", Some(Transport::Dot)),
            ("192.0.2.54#443(192.0.2.54) (HTTPS)", Some(Transport::Doh)),
            ("192.0.2.53@53(TCP) in 0.2 ms", Some(Transport::Tcp)),
            ("192.0.2.3#53(ns-421.awsdns-52.com)", None),
            ("192.0.2.53#53", None),
        ] {
            assert_eq!(carried(server), expected, "{server}");
        }
    }

    #[test]
    fn extended_errors_of_every_layout() {
        for (line, expected) in [
            ("EDE: 18 (Prohibited)", Some((18, None))),
            ("EDE: 0 (Other): (max. restarts reached)", Some((0, Some("max. restarts reached")))),
            ("EDE: 22 (No Reachable Authority): 'at delegation'", Some((22, Some("at delegation")))),
            ("OPT=15: 00 12 68 69 (\"..hi\")", Some((18, Some("hi")))),
            ("EDE: none", None),
            ("EDNS: version: 0", None),
        ] {
            let found = extended_error(line);
            assert_eq!(found.as_ref().map(|it| (it.code, it.text.as_deref())), expected, "{line}");
        }
    }
}
