//! `host`, `unbound-host` and `khost`: sentences, one record each; `host -v` prints messages as dig does.

use std::sync::LazyLock;

use super::grammar::phrases::Phrases;
use super::grammar::{address, asked, message};
use super::{RunText, SavedFormat, Sink};
use crate::dns::{Answer, Record, Section};
use crate::evidence::{Fact, Override, OverrideKind, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;

/// `host` and `unbound-host`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "host",
    made_by: "host, unbound-host",
    is_command: |words| {
        words.first().is_some_and(|word| matches!(word.as_str(), "host" | "unbound-host" | "khost")) && words.len() > 1
    },
    opens: |line| {
        sentence(line).is_some()
            || line.starts_with("Trying \"")
            || line == "Using domain server:"
            || not_found(line).is_some()
    },
    repeats: false,
    read,
};

/// Whether a run prints messages in dig's layout.
pub fn is_verbose(line: &str) -> bool {
    line.starts_with("Trying \"")
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let query = asked::host(&run.command);
    let tool = run.command.first().map_or("host", String::as_str).to_owned();
    sink.observe(run.fact(&tool, None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    if run.lines.iter().any(|line| is_verbose(&line.text)) {
        message::read(run, query.question().as_ref(), sink);
        return;
    }
    let mut answer = Answer { question: query.question(), ..run.answer() };
    let named = run.lines.iter().find(|line| line.text == "Using domain server:").map(|line| line.number);
    let mut lines = Vec::new();
    for line in run.lines {
        let text = line.text.trim();
        if let Some(record) = sentence(text) {
            answer.records.push(record);
        } else if let Some((name, rcode)) = not_found(text) {
            answer.rcode = Some(rcode.into());
            answer.question = answer.question.or(Some(crate::dns::Question { name, kind: "A".into() }));
        } else if let Some(server) = text.strip_prefix("Address: ").and_then(address::server) {
            answer.server = Some(server);
        } else if let Some(server) = text.strip_prefix("Name: ").filter(|_| named.is_some() && query.server.is_none()) {
            // Printed only where somebody named the server.
            let host = query.name.clone();
            let it = Override { by: OverrideKind::Server, host, to: Some(server.to_owned()), run: Some(run.number) };
            sink.observe(Fact::Override(it), named.into_iter().chain([line.number]));
            continue;
        } else {
            if let Some(why) = message::failure(text) {
                sink.gap(line.number, GapReason::Undecoded { what: "DNS answer".to_owned(), why });
            }
            continue;
        }
        lines.push(line.number);
    }
    if answer.rcode.is_some() || !answer.records.is_empty() {
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
}

/// `www.example.com is an alias for abc123.x.com.`, with what unbound-host adds behind it.
fn sentence(line: &str) -> Option<Record> {
    let line = line.trim();
    let bare = [" (secure)", " (insecure)", " (BOGUS (security failure))"];
    let line = bare.iter().find_map(|mark| line.strip_suffix(mark)).unwrap_or(line);
    let (words, kind) = SENTENCES.get(PHRASES.first_in(line)?)?;
    let (owner, data) = line.split_once(words)?;
    let owner = address::host(owner).filter(|_| !owner.contains('/'))?;
    let data = match *kind {
        "A" | "AAAA" => data.parse::<std::net::IpAddr>().ok()?.to_string(),
        "MX" => data.to_lowercase(),
        "TXT" => data.to_owned(),
        _ => format!("{}.", address::host(data)?),
    };
    Some(Record { section: Section::Answer, owner, kind: (*kind).into(), ttl: None, data: data.into() })
}

/// `Host nope.example.com not found: 3(NXDOMAIN)`.
fn not_found(line: &str) -> Option<(Name, String)> {
    let (name, rest) = line.strip_prefix("Host ")?.split_once(" not found: ")?;
    let (number, rcode) = rest.split_once('(')?;
    number.parse::<u16>().ok()?;
    Some((address::host(name)?, rcode.split(')').next()?.to_owned()))
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(SENTENCES.iter().map(|(words, _)| *words)));
const SENTENCES: &[(&str, &str)] = &[
    (" is an alias for ", "CNAME"),
    (" has address ", "A"),
    (" has IPv6 address ", "AAAA"),
    (" domain name pointer ", "PTR"),
    (" name server ", "NS"),
    (" mail is handled by ", "MX"),
    (" descriptive text ", "TXT"),
];
