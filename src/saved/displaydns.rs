//! `ipconfig /displaydns`: the records in Windows' resolver cache, by layout, since the labels are
//! translated: name, type, time to live, length, section, data, one under the other.

use super::{Line, RunText, SavedFormat, Sink};
use crate::dns::{Record, Section};
use crate::evidence::{Fact, ServerName};
use crate::saved::grammar::address;

/// `ipconfig /displaydns`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "displaydns",
    made_by: "ipconfig /displaydns",
    is_command: |words| {
        words.first().is_some_and(|word| word.to_ascii_lowercase().starts_with("ipconfig"))
            && words.iter().any(|word| word.eq_ignore_ascii_case("/displaydns"))
    },
    opens: |line| line.trim_start().starts_with("Record Name . . ."),
    repeats: false,
    read,
};

/// `    Record Name . . . . . : www.example.com`: the value behind dots and a colon.
fn value(line: &Line) -> Option<&str> {
    let (label, value) = line.text.split_once(": ")?;
    label.contains(". .").then_some(value.trim())
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    sink.observe(run.fact("ipconfig", None, None, ServerName::Unknown), [run.first_line()]);
    let mut answer = run.answer();
    let mut lines = Vec::new();
    let fields: Vec<&Line> = run.lines.iter().filter(|line| value(line).is_some()).collect();
    for six in fields.windows(6) {
        let values: Vec<&str> = six.iter().filter_map(|line| value(line)).collect();
        let [name, kind, ttl, length, _, data] = values.as_slice() else { continue };
        let (Ok(ttl), true) = (ttl.parse(), length.parse::<u32>().is_ok()) else { continue };
        let Some((kind, data)) = data_of(kind, data) else { continue };
        let Some(owner) = address::host(name) else { continue };
        answer.records.push(Record {
            section: Section::Answer,
            owner,
            kind: kind.into(),
            ttl: Some(ttl),
            data: data.into(),
        });
        lines.extend(six.iter().map(|line| line.number));
    }
    if !answer.records.is_empty() {
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
}

/// The type by its number, and the data that fits it.
fn data_of(number: &str, data: &str) -> Option<(&'static str, String)> {
    let name = || address::host(data).map(|name| format!("{name}."));
    let address = || data.parse::<std::net::IpAddr>().ok();
    match number {
        "1" => Some(("A", address().filter(std::net::IpAddr::is_ipv4)?.to_string())),
        "28" => Some(("AAAA", address().filter(std::net::IpAddr::is_ipv6)?.to_string())),
        "5" => Some(("CNAME", name()?)),
        "12" => Some(("PTR", name()?)),
        _ => None,
    }
}
