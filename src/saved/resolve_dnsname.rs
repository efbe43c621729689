//! PowerShell's `Resolve-DnsName`: its table and its records as lists, which stand in one output.
//!
//! The column of names is cut at its width and goes on in the next line. A value that PowerShell has
//! cut with dots is a gap, never a name.

use super::grammar::{address, rr};
use super::{Line, RunText, SavedFormat, Sink, command};
use crate::dns::{Answer, Question, Record, Section};
use crate::evidence::{Fact, Override, OverrideKind, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;

/// `Resolve-DnsName`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "resolve_dnsname",
    made_by: "Resolve-DnsName",
    is_command: |words| words.first().is_some_and(|word| word.eq_ignore_ascii_case("Resolve-DnsName")),
    opens: |line| is_heading(line) || failure(line).is_some() || line.starts_with("QueryType  "),
    repeats: false,
    read,
};

/// `Name   Type   TTL   Section    NameHost`.
fn is_heading(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words.as_slice(), ["Name", "Type", "TTL", "Section", ..])
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let question = asked(&run.command);
    let host = question.as_ref().map(|question| question.name.clone());
    sink.observe(run.fact("Resolve-DnsName", None, host.clone(), ServerName::Unknown), [run.first_line()]);
    if let Some(server) = option(&run.command, "-Server") {
        let it = Override { by: OverrideKind::Server, host, to: Some(server.to_owned()), run: Some(run.number) };
        sink.observe(Fact::Override(it), [run.first_line()]);
    }
    let mut answer = Answer { question, ..run.answer() };
    let mut lines = Vec::new();
    table(run.lines, &mut answer, &mut lines, sink);
    list(run.lines, &mut answer, &mut lines);
    for line in run.lines {
        let Some((name, rcode)) = failure(&line.text) else { continue };
        answer.rcode = Some(rcode.into());
        answer.question = answer.question.or_else(|| Some(Question { name: address::host(name)?, kind: "A".into() }));
        lines.push(line.number);
    }
    if answer.rcode.is_some() || !answer.records.is_empty() {
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
}

fn option<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    let at = words.iter().position(|word| word.eq_ignore_ascii_case(name))?;
    words.get(at + 1).map(String::as_str)
}

fn asked(words: &[String]) -> Option<Question> {
    let bare = words.get(1).filter(|word| !word.starts_with('-')).map(String::as_str);
    let name = option(words, "-Name").or(bare).or_else(|| command::value(words, &["-n"]))?;
    let second = words.get(2).map(|word| word.to_ascii_uppercase()).filter(|word| rr::is_kind(word));
    let kind = option(words, "-Type").map(str::to_ascii_uppercase).or(second);
    Some(Question { name: address::host(name)?, kind: kind.unwrap_or_else(|| "A".to_owned()).into() })
}

/// `Resolve-DnsName : nope.example.com : DNS name does not exist`.
fn failure(line: &str) -> Option<(&str, &'static str)> {
    let rest = line.trim_start().strip_prefix("Resolve-DnsName")?.trim_start().strip_prefix(':')?;
    let (name, words) = rest.trim().split_once(" : ")?;
    let rcode = if words.starts_with("DNS name does not exist") {
        "NXDOMAIN"
    } else if words.starts_with("No records found") {
        "NOERROR"
    } else if words.starts_with("DNS server failure") {
        "SERVFAIL"
    } else {
        return None;
    };
    Some((name, rcode))
}

fn section(word: &str) -> Section {
    match word {
        "Authority" => Section::Authority,
        "Additional" => Section::Additional,
        _ => Section::Answer,
    }
}

/// The data of a record in presentation form.
fn data(kind: &str, value: &str) -> Option<String> {
    match kind {
        "A" | "AAAA" => value.parse::<std::net::IpAddr>().ok().map(|address| address.to_string()),
        "CNAME" | "NS" | "PTR" => address::host(value).map(|name| format!("{name}.")),
        _ => None,
    }
}

/// The rows of the table.
fn table(lines: &[Line], answer: &mut Answer, used: &mut Vec<u32>, sink: &mut Sink) {
    let mut in_table = false;
    let mut rows: Vec<(Vec<String>, Vec<u32>)> = Vec::new();
    for line in lines {
        let text = line.text.as_str();
        if text.trim().is_empty() {
            in_table = in_table && rows.is_empty();
            continue;
        }
        if is_heading(text.trim_start()) {
            in_table = true;
            continue;
        }
        if !in_table || text.trim_start().starts_with("----") {
            continue;
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let is_row = words.get(1).is_some_and(|word| rr::is_kind(word));
        match (is_row, words.as_slice(), rows.last_mut()) {
            (true, _, _) => rows.push((words, vec![line.number])),
            (false, [rest], Some((row, numbers))) => {
                let at = if text.starts_with(' ') { row.len().saturating_sub(1) } else { 0 };
                if let Some(cell) = row.get_mut(at) {
                    cell.push_str(rest);
                    numbers.push(line.number);
                }
            }
            _ => in_table = false,
        }
    }
    for (row, numbers) in rows {
        let [name, kind, ttl, place, value, ..] = row.as_slice() else { continue };
        if value.ends_with("...") || value.ends_with('\u{2026}') {
            let why = "PowerShell cut it; ask for the output of Resolve-DnsName … | Format-List".to_owned();
            let reason = GapReason::Undecoded { what: "DNS record".to_owned(), why };
            sink.gap(numbers.first().copied().unwrap_or(1), reason);
            continue;
        }
        let Some((owner, data)) = address::host(name).zip(data(kind, value)) else { continue };
        let section = section(place);
        answer.records.push(Record {
            section,
            owner,
            kind: kind.clone().into(),
            ttl: ttl.parse().ok(),
            data: data.into(),
        });
        used.extend(numbers);
    }
}

/// The records that stand as lists.
fn list(lines: &[Line], answer: &mut Answer, used: &mut Vec<u32>) {
    let mut open = Open::default();
    for line in lines {
        let Some((key, value)) = line.text.split_once(" : ").or_else(|| line.text.split_once(": ")) else {
            if line.text.trim().is_empty() {
                std::mem::take(&mut open).close(answer, used);
            }
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "Name" => {
                std::mem::take(&mut open).close(answer, used);
                open.owner = address::host(value);
            }
            "QueryType" | "Type" => open.kind = Some(value.to_owned()),
            "TTL" => open.ttl = value.parse().ok(),
            "Section" => open.section = Some(section(value)),
            "IP4Address" | "IP6Address" | "IPAddress" | "NameHost" => open.value = Some(value.to_owned()),
            _ => continue,
        }
        open.lines.push(line.number);
    }
    open.close(answer, used);
}

/// A record of which some lines are read.
#[derive(Default)]
struct Open {
    owner: Option<Name>,
    kind: Option<String>,
    ttl: Option<u32>,
    section: Option<Section>,
    value: Option<String>,
    lines: Vec<u32>,
}

impl Open {
    fn close(self, answer: &mut Answer, used: &mut Vec<u32>) {
        let (Some(owner), Some(kind), Some(value)) = (self.owner, self.kind, self.value) else { return };
        let Some(data) = data(&kind, &value) else { return };
        let section = self.section.unwrap_or(Section::Answer);
        let record = Record { section, owner, kind: kind.into(), ttl: self.ttl, data: data.into() };
        if !answer.records.contains(&record) {
            answer.records.push(record);
        }
        used.extend(self.lines);
    }
}
