//! `nslookup`: that of BIND (macOS has it too), of busybox, and of Windows in any language
//! ([`windows`]); interactive sessions and `-debug`.
//!
//! The address of the server and those of the answer look alike: the first belongs to `Server:`, the
//! others to a `Name:`. Records that `-debug` or a second question prints again are one.

pub mod windows;

use std::collections::{BTreeMap, BTreeSet};

use super::grammar::{address, asked, message};
use super::{Line, RunText, SavedFormat, Sink};
use crate::dns::{Answer, Question, Record, Section};
use crate::evidence::{Fact, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;

/// `nslookup`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "nslookup",
    made_by: "nslookup (BIND, macOS, busybox, Windows in any language)",
    is_command: |words| {
        words.first().is_some_and(|word| matches!(word.as_str(), "nslookup" | "nslookup.exe"))
            || matches!(words, [tool, applet, ..] if tool == "busybox" && applet == "nslookup")
    },
    opens,
    repeats: false,
    read,
};

fn opens(line: &str) -> bool {
    let value = |label: &str| line.strip_prefix(label).map(str::trim).filter(|value| !value.is_empty());
    // A web server names itself with one blank behind the colon.
    let is_spaced =
        |rest: &&str| rest.starts_with('\t') || rest.starts_with("  ") || address::server(rest.trim()).is_some();
    let server = line.strip_prefix("Server:").filter(is_spaced).filter(|rest| !rest.trim().is_empty());
    server.or_else(|| value("Default server:")).or_else(|| value("Default Server:")).is_some()
        || value("Address:").or_else(|| value("Addresses:")).is_some_and(|it| address::server(it).is_some())
        || line.trim_end() == "Non-authoritative answer:"
        || line.starts_with("** server can't find ")
        || line.contains("\tcanonical name = ")
        || line.contains("\trdata_65 = ")
        || is_reverse(line)
        || matches!(line.trim_end(), "DNS request timed out." | "Got answer:")
}

/// `10.113.0.203.in-addr.arpa\tname = www.example.com.`, with a tab or the blanks that a form made of it.
fn is_reverse(line: &str) -> bool {
    let owner = line.split_once("name = ").map(|(owner, _)| owner).filter(|owner| owner.ends_with([' ', '\t']));
    owner.is_some_and(|owner| owner.trim_end().rsplit('.').next() == Some("arpa"))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let words: &[String] = match run.command.as_slice() {
        [tool, rest @ ..] if tool == "busybox" => rest,
        words => words,
    };
    let query = asked::nslookup(words);
    sink.observe(run.fact("nslookup", None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    let mut lookup = Lookup::of(run, query.question());
    let mut blocks: BTreeMap<u32, windows::Block> =
        windows::answers(run.lines).into_iter().map(|block| (block.first, block)).collect();
    let in_block: BTreeSet<u32> = blocks.values().flat_map(|block| block.lines.iter().copied()).collect();
    for line in run.lines {
        if let Some(text) = line.text.strip_prefix("> ") {
            lookup.close(run, sink);
            lookup.typed(text);
        } else if is_head(&line.text) && lookup.has_said() {
            lookup.close(run, sink);
        }
        if let Some(block) = blocks.remove(&line.number) {
            lookup.answer.records.extend(block.records);
            lookup.lines.extend(block.lines);
        }
        if failure(line.text.trim()).is_some_and(|(name, _)| lookup.is_of_another(name.as_ref())) {
            let server = lookup.answer.server;
            lookup.close(run, sink);
            lookup.answer.server = server;
        }
        if !in_block.contains(&line.number) && lookup.take(line) {
            lookup.lines.push(line.number);
        }
        if let Some(why) = message::failure(line.text.trim_end()) {
            sink.gap(line.number, GapReason::Undecoded { what: "DNS answer".to_owned(), why });
        }
    }
    lookup.close(run, sink);
}

/// Where another lookup begins.
fn is_head(line: &str) -> bool {
    ["Server:", "Default server:", "Default Server:"].iter().any(|label| line.starts_with(label))
}

/// One lookup, as far as it is read.
struct Lookup {
    answer: Answer,
    lines: Vec<u32>,
    /// The name that addresses belong to.
    name: Option<Name>,
    /// The owner that `-debug` prints above its records.
    owner: Option<Name>,
    section: Section,
    kind: Option<String>,
    /// The name that stands alone above the fields of its SOA record.
    bare: Option<(Name, u32)>,
    /// The fields of that record, as far as they are read.
    fields: Vec<String>,
}

impl Lookup {
    fn of(run: &RunText<'_>, question: Option<Question>) -> Self {
        let answer = Answer { question, ..run.answer() };
        Self {
            answer,
            lines: Vec::new(),
            name: None,
            owner: None,
            section: Section::Answer,
            kind: None,
            bare: None,
            fields: Vec::new(),
        }
    }

    fn has_said(&self) -> bool {
        self.answer.rcode.is_some() || !self.answer.records.is_empty()
    }

    /// Ends this lookup and begins the next.
    fn close(&mut self, run: &RunText<'_>, sink: &mut Sink) {
        let kind = self.kind.clone();
        let next = Self { kind, ..Self::of(run, None) };
        let done = std::mem::replace(self, next);
        if done.has_said() {
            sink.observe(Fact::DnsAnswer(done.answer), done.lines);
        }
    }

    /// What was typed at the prompt of an interactive session.
    fn typed(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["set", option] => {
                let kind = ["type=", "q=", "querytype="].iter().find_map(|name| option.strip_prefix(name));
                self.kind = kind.map(str::to_ascii_uppercase).or(self.kind.take());
            }
            [name] | [name, _] if name.contains('.') && !name.starts_with('-') => {
                let kind = self.kind.clone().unwrap_or_else(|| "A".to_owned());
                self.answer.question = address::host(name).map(|name| Question { name, kind: kind.into() });
            }
            _ => {}
        }
    }

    /// Takes one line; whether it said something.
    fn take(&mut self, line: &Line) -> bool {
        let text = line.text.trim();
        if let Some(value) = field(text, "Address").or_else(|| field(text, "Addresses")) {
            return self.address(value);
        }
        if field(text, "Server").or_else(|| field(text, "Default server")).is_some() {
            self.name = None;
            return false;
        }
        if let Some(name) = field(text, "Name") {
            self.name = address::host(name);
            return self.name.is_some();
        }
        if is_alone(&line.text) {
            self.bare = address::host(text).map(|name| (name, line.number));
            return false;
        }
        self.authority(text) || self.debug(text) || self.record(text) || self.failed(text)
    }

    /// The server's address stands before any name, and only the server's has a port.
    fn address(&mut self, value: &str) -> bool {
        let Some(socket) = address::server(value) else { return false };
        if let Some(owner) = self.name.clone().filter(|_| value.parse::<std::net::IpAddr>().is_ok()) {
            let kind = if socket.is_ipv4() { "A" } else { "AAAA" };
            return self.push(owner, kind, socket.ip().to_string());
        }
        self.answer.server = Some(socket);
        true
    }

    /// The lines of `-debug`.
    fn debug(&mut self, text: &str) -> bool {
        if let Some(owner) = text.strip_prefix("->  ").or_else(|| text.strip_prefix("-> ")) {
            self.owner = address::host(owner.trim());
            return false;
        }
        if let Some(heading) = text.strip_suffix(':') {
            self.section = match heading {
                "AUTHORITY RECORDS" => Section::Authority,
                "ADDITIONAL RECORDS" => Section::Additional,
                "ANSWERS" | "Non-authoritative answer" => Section::Answer,
                _ => self.section,
            };
            return false;
        }
        if let Some((name, rest)) = text.split_once(", type = ") {
            let kind = rest.split(',').next().unwrap_or_default().to_owned();
            let question = address::host(name).map(|name| Question { name, kind: kind.into() });
            self.answer.question = self.answer.question.take().or(question);
            return true;
        }
        if let Some((_, rcode)) = text.split_once("rcode = ").filter(|_| text.starts_with("opcode = ")) {
            self.answer.rcode = Some(rcode.trim().into());
            return true;
        }
        if let Some(ttl) = text.strip_prefix("ttl = ") {
            let seconds = ttl.split_whitespace().next().and_then(|ttl| ttl.parse().ok());
            if let Some(last) = self.answer.records.last_mut().filter(|_| self.owner.is_some()) {
                last.ttl = last.ttl.or(seconds);
            }
            return seconds.is_some();
        }
        if let Some((_, address)) =
            text.split_once("internet address = ").or_else(|| text.split_once("AAAA address = "))
        {
            let owner = text.split_whitespace().next().filter(|word| word.contains('.')).and_then(address::host);
            let owner = owner.or_else(|| self.owner.clone());
            let address = address.trim().parse::<std::net::IpAddr>().ok();
            return owner.zip(address).is_some_and(|(owner, address)| {
                let kind = if address.is_ipv4() { "A" } else { "AAAA" };
                self.push(owner, kind, address.to_string())
            });
        }
        false
    }

    /// A field of a SOA record, in their order (RFC 1035 section 3.3.13); the last one makes the record whole.
    fn authority(&mut self, text: &str) -> bool {
        let Some((label, value)) = text.split_once('=') else { return false };
        let Some(at) = AUTHORITY.iter().position(|labels| labels.contains(&label.trim())) else { return false };
        if at == 0 {
            self.fields.clear();
        }
        if at != self.fields.len() {
            return false;
        }
        let Some(value) = value.split_whitespace().next() else { return false };
        self.fields.push(if at < 2 { format!("{}.", value.trim_end_matches('.')) } else { value.to_owned() });
        let bare = self.bare.clone();
        let owner = bare.as_ref().map(|it| it.0.clone()).or_else(|| self.owner.clone());
        if let Some(owner) = owner.filter(|_| self.fields.len() == AUTHORITY.len()) {
            self.lines.extend(bare.map(|it| it.1));
            let data = self.fields.join(" ");
            self.fields.clear();
            return self.push(owner, "SOA", data);
        }
        true
    }

    /// `www.example.com\tcanonical name = x.`.
    fn record(&mut self, text: &str) -> bool {
        let found = PHRASES.iter().find_map(|(words, kind)| {
            let (owner, data) = text.split_once(words)?;
            (owner.is_empty() || owner.ends_with(char::is_whitespace)).then_some((owner.trim(), *kind, data.trim()))
        });
        let Some((owner, kind, data)) = found else { return false };
        let owner = if owner.is_empty() { self.owner.clone() } else { address::host(owner) };
        let data = match kind {
            "MX" => data.to_lowercase(),
            "HTTPS" | "SVCB" => data.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => address::host(data).map(|name| format!("{name}.")).unwrap_or_default(),
        };
        owner.is_some_and(|owner| !data.is_empty() && self.push(owner, kind, data))
    }

    /// Takes a line that says why there is no answer.
    fn failed(&mut self, text: &str) -> bool {
        let Some((asked, rcode)) = failure(text) else { return false };
        if self.answer.records.is_empty() {
            self.answer.rcode = Some(rcode.into());
        }
        let kind = self.kind.clone().unwrap_or_else(|| "A".to_owned());
        let question = asked.map(|name| Question { name, kind: kind.into() });
        self.answer.question = self.answer.question.take().or(question);
        true
    }

    /// Whether a failure to find this name belongs to another lookup: the records here are not its.
    fn is_of_another(&self, failed: Option<&Name>) -> bool {
        let Some(name) = failed else { return false };
        let is_asked = self.answer.question.as_ref().is_some_and(|question| question.name == *name);
        !self.answer.records.is_empty() && !is_asked && self.answer.records.iter().all(|record| record.owner != *name)
    }

    /// Adds a record that is not there yet.
    fn push(&mut self, owner: Name, kind: &str, data: String) -> bool {
        let section = self.section;
        let known = self.answer.records.iter().any(|it| it.owner == owner && it.kind == kind && it.data == data);
        if !known {
            self.answer.records.push(Record { section, owner, kind: kind.into(), ttl: None, data: data.into() });
        }
        true
    }
}

/// `** server can't find nope.example.com: NXDOMAIN`, and Windows' words in any language: the name and the code.
fn failure(text: &str) -> Option<(Option<Name>, &str)> {
    let rest = text.strip_prefix("***").or_else(|| text.strip_prefix("**"))?;
    let (words, reason) = rest.rsplit_once(": ")?;
    let rcode = match reason.trim_end_matches('.') {
        "Non-existent domain" => "NXDOMAIN",
        "No answer" => "NOERROR",
        "Server failed" => "SERVFAIL",
        "Query refused" => "REFUSED",
        code if !code.is_empty() && code.chars().all(|c| c.is_ascii_uppercase()) => code,
        _ => return None,
    };
    Some((words.split_whitespace().rfind(|word| word.contains('.')).and_then(address::host), rcode))
}

/// A name and nothing else, at the begin of its line.
fn is_alone(line: &str) -> bool {
    !line.starts_with(char::is_whitespace)
        && line.trim_end().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && line.contains('.')
}

fn field<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    text.strip_prefix(label)?.trim_start().strip_prefix(':').map(str::trim)
}

/// The fields of a SOA record, in BIND's words and in those of Windows.
const AUTHORITY: &[&[&str]] = &[
    &["origin", "primary name server"],
    &["mail addr", "responsible mail addr"],
    &["serial"],
    &["refresh"],
    &["retry"],
    &["expire"],
    &["minimum", "default TTL"],
];
const PHRASES: &[(&str, &str)] = &[
    ("canonical name = ", "CNAME"),
    ("nameserver = ", "NS"),
    ("mail exchanger = ", "MX"),
    ("rdata_65 = ", "HTTPS"),
    ("rdata_64 = ", "SVCB"),
    ("name = ", "PTR"),
];

#[cfg(test)]
mod tests {
    use crate::evidence::Fact;
    use crate::saved;

    #[test]
    fn the_fields_of_a_soa_record_are_one_record() {
        let bind = "Server:\t\t192.0.2.53\nAddress:\t192.0.2.53#53\n\nNon-authoritative answer:\nexample.com\n\torigin = \
                    ns-421.awsdns-52.com\n\tmail addr = mail.example.com\n\tserial = 1\n\trefresh = 7200\n\t\
                    retry = 900\n\texpire = 1209600\n\tminimum = 86400\n";
        let windows = "Server:  dns.example.net\nAddress:  192.0.2.53\n\nexample.com\n\tprimary name server = \
                       ns-421.awsdns-52.com\n\tresponsible mail addr = mail.example.com\n\tserial  = 1\n\trefresh = \
                       7200 (2 hours)\n\tretry   = 900 (15 mins)\n\texpire  = 1209600 (14 days)\n\tdefault TTL = 86400 (1 day)\n";
        for (text, last) in [(bind, 12), (windows, 11)] {
            let reading = saved::read("ticket.txt", format!("$ nslookup -type=SOA example.com\n{text}").as_bytes());
            let found = reading.observations.iter().find_map(|it| match &*it.fact {
                Fact::DnsAnswer(answer) => Some((answer, &it.at)),
                _ => None,
            });
            let (answer, at) = found.unwrap_or_else(|| panic!("{text}"));
            let record = answer.records.first().unwrap();
            assert_eq!(
                format!("{} {} {}", record.owner, record.kind, record.data),
                "example.com SOA ns-421.awsdns-52.com. mail.example.com. 1 7200 900 1209600 86400"
            );
            assert!(format!("{at:?}").contains(&format!("last: {}", last + 1)), "{at:?}");
        }
    }
}
