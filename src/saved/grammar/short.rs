//! The short form of an answer: targets and addresses without owners, as `dig +short`, `kdig +short`
//! and `drill -Q` print it ([`read`]).
//!
//! The chain begins at the name in the command line, and each target owns what comes next. Without
//! a command line the first owner is not stated ([`Name::unstated`]), and nothing is made up.

use std::net::IpAddr;

use super::address;
use crate::dns::{Answer, Question, Record, Section};
use crate::evidence::Fact;
use crate::name::Name;
use crate::saved::{RunText, Sink};

/// Whether a line is an alias's target alone.
pub fn is_target(line: &str) -> bool {
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

/// What one line says.
struct Said {
    kind: &'static str,
    data: String,
    /// The owner of the next line.
    next: Option<Name>,
}

fn said(text: &str, kind: &str) -> Option<Said> {
    if let Ok(address) = text.parse::<IpAddr>() {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        return Some(Said { kind, data: address.to_string(), next: None });
    }
    // Data of more than a name; an alias on the way to it is a name.
    if let Some(kind) = VALUED.iter().find(|known| **known == kind)
        && text.starts_with(|c: char| if *kind == "TXT" { c == '"' } else { c.is_ascii_digit() })
        && (*kind == "TXT" || text.contains(' '))
    {
        let data = text.split_whitespace().collect::<Vec<_>>().join(" ");
        return Some(Said { kind, data, next: None });
    }
    let is_name = text.ends_with('.') && !text.contains(char::is_whitespace) && !text.starts_with(';');
    let name = address::alias(text).filter(|_| is_name)?;
    let data = format!("{name}.");
    Some(match kind {
        "NS" => Said { kind: "NS", data, next: None },
        "PTR" => Said { kind: "PTR", data, next: None },
        _ => Said { kind: "CNAME", data, next: Some(name) },
    })
}

/// Reads the answer of a run.
pub fn read(run: &RunText<'_>, asked: Option<Question>, sink: &mut Sink) {
    let first_owner = asked.as_ref().map_or_else(Name::unstated, |question| question.name.clone());
    let asked_kind = asked.as_ref().map_or("A", |question| question.kind.as_str()).to_owned();
    let mut owner = first_owner.clone();
    let mut records: Vec<Record> = Vec::new();
    let mut lines = Vec::new();
    for line in run.lines {
        let text = without_server(line.text.trim());
        let is_next = is_target(text)
            && asked.is_none()
            && records.last().is_some_and(|record| matches!(record.kind.as_str(), "A" | "AAAA"));
        if is_next {
            let answer = Answer { records: std::mem::take(&mut records), ..run.answer() };
            sink.observe(Fact::DnsAnswer(answer), std::mem::take(&mut lines));
            owner = first_owner.clone();
        }
        let Some(said) = said(text, &asked_kind) else {
            if text.is_empty() || text.starts_with(';') {
                continue;
            }
            break;
        };
        let kind = said.kind.to_owned();
        records.push(Record {
            section: Section::Answer,
            owner: owner.clone(),
            kind: kind.into(),
            ttl: None,
            data: said.data.into(),
        });
        lines.push(line.number);
        owner = said.next.unwrap_or(owner);
    }
    if !records.is_empty() {
        lines.extend(run.command_line.map(|line| line.number));
        let answer = Answer { question: asked, records, ..run.answer() };
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
}

/// Types whose data is more than a name.
const VALUED: &[&str] = &["HTTPS", "SVCB", "CAA", "MX", "SRV", "TXT"];
