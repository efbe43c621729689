//! `dig`: full output, `+short`, and bare record lines.
//!
//! `+short` prints targets and addresses without owners: the chain begins at the name in the command
//! line, and each target owns what comes next. Without a command line the first owner is not
//! stated ([`Name::unstated`]), and nothing is made up.

use std::net::{IpAddr, SocketAddr};

use super::grammar::{rr, time};
use super::{Line, RunText, SavedFormat, Sink};
use crate::dns::{Answer, Flags, Question, Record, Section, Transport};
use crate::evidence::{Fact, Override, OverrideKind, Run, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;

/// `dig`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "dig",
    made_by: "dig, dig +short, dig +noall +answer",
    is_command: |words| words.first().is_some_and(|word| word == "dig"),
    opens: |line| {
        line.starts_with("; <<>> DiG")
            || line.starts_with(";; ->>HEADER<<-")
            || is_short_target(line)
            || rr::record(line, Section::Answer).is_some_and(|it| it.owner.as_str().contains('.') && it.kind != "TXT")
    },
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let words: Vec<String> = if run.command.is_empty() { banner_words(run) } else { run.command.clone() };
    let asked = asked(&words);
    let version = run
        .lines
        .iter()
        .find_map(|line| line.text.strip_prefix("; <<>> DiG ")?.split_whitespace().next().map(|v| format!("DiG {v}")));
    let first = run.first_line();
    sink.observe(
        Fact::Run(Run {
            run: run.number,
            tool: "dig".to_owned(),
            version,
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: asked.as_ref().map(|question| question.name.clone()),
            server_name: ServerName::Unknown,
        }),
        [first],
    );
    if let Some(server) = words.iter().find_map(|word| word.strip_prefix('@')) {
        let host = asked.as_ref().map(|question| question.name.clone());
        let it = Override { by: OverrideKind::Server, host, to: Some(server.to_owned()), run: Some(run.number) };
        sink.observe(Fact::Override(it), [first]);
    }
    let is_bare = words.is_empty() && run.lines.first().is_some_and(|line| is_short_target(&line.text));
    if is_bare || words.iter().any(|word| word == "+short") {
        short(run, asked, sink);
    } else {
        full(run, sink);
    }
}

fn banner_words(run: &RunText<'_>) -> Vec<String> {
    let banner = run.lines.iter().find_map(|line| line.text.strip_prefix("; <<>> DiG "));
    let words = banner.and_then(|rest| rest.split_once("<<>> ")).map(|(_, words)| words);
    words.map(|words| words.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

/// The question that a command line asks.
fn asked(words: &[String]) -> Option<Question> {
    let mut kind = "A".to_owned();
    let mut name = None;
    let mut skip = false;
    for word in words {
        let upper = word.to_ascii_uppercase();
        if std::mem::take(&mut skip) || word == "dig" || word.starts_with(['@', '+']) {
            continue;
        }
        if matches!(word.as_str(), "-t" | "-c" | "-b" | "-p" | "-k" | "-y" | "-f" | "-q") {
            skip = word != "-t" && word != "-q";
        } else if TYPES.contains(&upper.as_str()) {
            kind = upper;
        } else if !word.starts_with('-') && upper != "IN" {
            name = name.or_else(|| Name::parse(word));
        }
    }
    name.map(|name| Question { name, kind })
}

/// Whether a line is an alias's target alone, as `+short` prints it.
fn is_short_target(line: &str) -> bool {
    let text = without_server(line.trim());
    text.ends_with('.')
        && text.matches('.').count() > 2
        && !text.contains("..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// What `+identify` adds to each line.
fn without_server(text: &str) -> &str {
    text.split_once(" from server ").map_or(text, |(data, _)| data)
}

fn short(run: &RunText<'_>, asked: Option<Question>, sink: &mut Sink) {
    let first_owner = asked.as_ref().map_or_else(Name::unstated, |question| question.name.clone());
    let mut owner = first_owner.clone();
    let mut records: Vec<Record> = Vec::new();
    let mut lines = Vec::new();
    for line in run.lines {
        let text = without_server(line.text.trim());
        let is_next = is_short_target(text)
            && asked.is_none()
            && records.last().is_some_and(|record| matches!(record.kind.as_str(), "A" | "AAAA"));
        if is_next {
            let answer = Answer { records: std::mem::take(&mut records), ..empty(run) };
            sink.observe(Fact::DnsAnswer(answer), std::mem::take(&mut lines));
            owner = first_owner.clone();
        }
        let record = if let Ok(address) = text.parse::<IpAddr>() {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            Some((kind, address.to_string(), owner.clone()))
        } else if text.ends_with('.') && !text.contains(char::is_whitespace) && !text.starts_with(';') {
            Name::parse(text).map(|target| ("CNAME", format!("{target}."), target))
        } else {
            None
        };
        let Some((kind, data, next)) = record else {
            if text.is_empty() {
                continue;
            }
            break;
        };
        let record = Record { section: Section::Answer, owner: owner.clone(), kind: kind.to_owned(), ttl: None, data };
        records.push(record);
        lines.push(line.number);
        if kind == "CNAME" {
            owner = next;
        }
    }
    if !records.is_empty() {
        lines.extend(run.command_line.map(|line| line.number));
        let answer = Answer { question: asked, records, ..empty(run) };
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
}

fn empty(run: &RunText<'_>) -> Answer {
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
        run: Some(run.number),
    }
}

/// What is known of the answer that is being read.
struct Open {
    answer: Answer,
    lines: Vec<u32>,
    section: Section,
    is_headed: bool,
}

fn full(run: &RunText<'_>, sink: &mut Sink) {
    let fresh = || Open { answer: empty(run), lines: Vec::new(), section: Section::Answer, is_headed: false };
    let mut open = fresh();
    for line in run.lines {
        if line.text.contains("->>HEADER<<-") && open.is_headed {
            close(std::mem::replace(&mut open, fresh()), sink);
        }
        take(&mut open, line, sink);
    }
    close(open, sink);
}

fn close(open: Open, sink: &mut Sink) {
    if open.is_headed || !open.answer.records.is_empty() {
        sink.observe(Fact::DnsAnswer(open.answer), open.lines);
    }
}

fn take(open: &mut Open, line: &Line, sink: &mut Sink) {
    let text = line.text.trim_end();
    let answer = &mut open.answer;
    let mut is_used = true;
    if let Some(rest) = text.strip_prefix(";; ->>HEADER<<-") {
        open.is_headed = true;
        answer.rcode = field(rest, "status: ").map(str::to_owned);
        answer.id = field(rest, "id: ").and_then(|id| id.parse().ok());
    } else if let Some(rest) = text.strip_prefix(";; flags:") {
        answer.flags = Some(flags(rest.split(';').next().unwrap_or_default()));
    } else if let Some(rest) = text.strip_prefix(";; SERVER: ") {
        answer.server = server(rest);
    } else if let Some(rest) = text.strip_prefix(";; WHEN: ") {
        answer.time = time::when(rest);
    } else if text.starts_with(";; AUTHORITY SECTION") {
        open.section = Section::Authority;
        is_used = false;
    } else if text.starts_with(";; ADDITIONAL SECTION") {
        open.section = Section::Additional;
        is_used = false;
    } else if text.starts_with(";; ANSWER SECTION") {
        open.section = Section::Answer;
        is_used = false;
    } else if text.contains("timed out") || text.contains("no servers could be reached") {
        sink.gap(
            line.number,
            GapReason::Undecoded { what: "DNS answer".to_owned(), why: text.trim_start_matches([';', ' ']).to_owned() },
        );
        is_used = false;
    } else if let Some(question) = question(text) {
        answer.question = answer.question.take().or(Some(question));
    } else if let Some(record) = rr::record(text, open.section) {
        answer.records.push(record);
    } else {
        is_used = false;
    }
    if is_used {
        open.lines.push(line.number);
    }
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    Some(rest.split([',', ' ', ';']).next().unwrap_or(rest))
}

fn flags(text: &str) -> Flags {
    let has = |flag: &str| text.split_whitespace().any(|word| word == flag);
    Flags { qr: has("qr"), aa: has("aa"), tc: has("tc"), rd: has("rd"), ra: has("ra"), ad: has("ad"), cd: has("cd") }
}

/// `192.0.2.53#53(192.0.2.53) (UDP)`.
fn server(text: &str) -> Option<SocketAddr> {
    let (address, rest) = text.split_once('#')?;
    let port = rest.split(['(', ' ']).next()?.parse().ok()?;
    Some(SocketAddr::new(address.parse().ok()?, port))
}

/// `;www.example.com. IN A`.
fn question(text: &str) -> Option<Question> {
    let rest = text.strip_prefix(';').filter(|rest| !rest.starts_with([';', ' ']))?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [name, "IN", kind] = words.as_slice() else {
        return None;
    };
    Some(Question { name: Name::parse(name)?, kind: (*kind).to_owned() })
}

const TYPES: &[&str] =
    &["A", "AAAA", "CNAME", "NS", "SOA", "MX", "TXT", "PTR", "SRV", "CAA", "HTTPS", "SVCB", "ANY", "DS", "DNSKEY"];
