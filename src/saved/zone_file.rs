//! Zone files in master format (RFC 1035 section 5): records with relative owners, from `$ORIGIN` or
//! `$TTL` on. No `$INCLUDE` is ever followed.

use super::grammar::{address, rr};
use super::{RunText, SavedFormat, Sink};
use crate::dns::{Record, Section};
use crate::evidence::{Fact, ServerName};

/// A zone file.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "zone_file",
    made_by: "a zone file, named-compilezone",
    is_command: |_| false,
    opens: |line| line.starts_with("$ORIGIN ") || line.starts_with("$TTL "),
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut origin: Option<String> = None;
    let mut owner: Option<String> = None;
    let mut answer = run.answer();
    let mut lines = Vec::new();
    for line in run.lines {
        let text = line.text.split(';').next().unwrap_or_default();
        if let Some(name) = text.strip_prefix("$ORIGIN ") {
            origin = Some(name.trim().trim_end_matches('.').to_owned());
            continue;
        }
        if text.trim().is_empty() || text.starts_with('$') {
            continue;
        }
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if !first.is_empty() {
            owner = absolute(first, origin.as_deref());
        }
        let record = owner.as_ref().and_then(|owner| record(owner, rest, origin.as_deref()));
        if let Some(record) = record {
            answer.records.push(record);
            lines.push(line.number);
        }
    }
    if !answer.records.is_empty() {
        sink.observe(run.fact("zone file", None, None, ServerName::Unknown), [run.first_line()]);
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
}

/// A name with the origin behind it, where it does not end in a dot.
fn absolute(name: &str, origin: Option<&str>) -> Option<String> {
    match (name, origin) {
        ("@", Some(origin)) => Some(format!("{origin}.")),
        (name, _) if name.ends_with('.') => Some(name.to_owned()),
        (name, Some(origin)) => Some(format!("{name}.{origin}.")),
        (_, None) => None,
    }
}

fn record(owner: &str, rest: &str, origin: Option<&str>) -> Option<Record> {
    let mut record = rr::record(&format!("{owner} {}", rest.trim()), Section::Answer)?;
    if matches!(record.kind.as_str(), "CNAME" | "DNAME" | "NS" | "PTR") {
        let written = rest.split_whitespace().last()?;
        record.data = format!("{}.", address::host(&absolute(written, origin)?)?).into();
    }
    Some(record)
}
