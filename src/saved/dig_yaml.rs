//! `dig +yaml`: one document item per message. Its records are strings in the presentation form, so no
//! YAML is read beyond the layout that dig writes.

use super::grammar::{asked, message, rr};
use super::{Line, RunText, SavedFormat, Sink};
use crate::dns::{Answer, ExtendedError, Section, Transport};
use crate::evidence::{Fact, ServerName};
use crate::provenance::{Time, Zone};

/// `dig +yaml`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "dig_yaml",
    made_by: "dig +yaml",
    is_command: |words| words.first().is_some_and(|word| word == "dig") && words.iter().any(|word| word == "+yaml"),
    opens: |line| matches!(line.trim_end(), "- type: MESSAGE" | "-" | "- type: DIG_ERROR") && line.len() > 1,
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let query = asked::dig(&run.command);
    sink.observe(run.fact("dig", None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    let mut open = Open { answer: run.answer(), lines: Vec::new(), section: None, address: None };
    for line in run.lines {
        if line.text.starts_with("- type:") {
            close(
                std::mem::replace(
                    &mut open,
                    Open { answer: run.answer(), lines: Vec::new(), section: None, address: None },
                ),
                sink,
            );
        }
        if take(&mut open, line) {
            open.lines.push(line.number);
        }
    }
    close(open, sink);
}

struct Open {
    answer: Answer,
    lines: Vec<u32>,
    section: Option<Section>,
    address: Option<std::net::IpAddr>,
}

fn close(open: Open, sink: &mut Sink) {
    if open.answer.rcode.is_some() {
        sink.observe(Fact::DnsAnswer(open.answer), open.lines);
    }
}

/// Takes one line; whether it said something.
fn take(open: &mut Open, line: &Line) -> bool {
    let text = line.text.trim();
    if let Some(item) = text.strip_prefix("- ") {
        let item = item.trim_matches(['\'', '"']);
        let Some(section) = open.section else {
            open.answer.question = open.answer.question.take().or_else(|| message::question(item));
            return open.answer.question.is_some();
        };
        let record = rr::record(item, section);
        let is_record = record.is_some();
        open.answer.records.extend(record);
        return is_record;
    }
    let Some((key, value)) = text.split_once(':') else { return false };
    let value = value.trim().trim_matches('"');
    match key {
        "status" => open.answer.rcode = Some(value.into()),
        "id" => open.answer.id = value.parse().ok(),
        "flags" if open.answer.flags.is_none() => open.answer.flags = Some(message::read_flags(value)),
        "response_address" => open.address = value.parse().ok(),
        "response_port" => {
            let port = value.parse().ok();
            // dig names TCP alone for DNS over TLS (RFC 7858 section 3.1).
            if port == Some(853) && open.answer.carried == Some(Transport::Tcp) {
                open.answer.carried = Some(Transport::Dot);
            }
            open.answer.server = open.address.zip(port).map(|(address, port)| std::net::SocketAddr::new(address, port));
        }
        "socket_protocol" => open.answer.carried = message::transport(value),
        "INFO-CODE" => {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            open.answer.extended_errors.extend(code.map(|code| ExtendedError::new(code, None)));
        }
        "EXTRA-TEXT" => {
            if let Some(error) = open.answer.extended_errors.last_mut() {
                error.text = Some(value.to_owned()).filter(|text| !text.is_empty());
            }
        }
        "response_time" => open.answer.time = timestamp(value),
        "ANSWER_SECTION" => open.section = Some(Section::Answer),
        "AUTHORITY_SECTION" => open.section = Some(Section::Authority),
        "ADDITIONAL_SECTION" => open.section = Some(Section::Additional),
        _ => return false,
    }
    !key.ends_with("_SECTION")
}

/// `!!timestamp 2026-11-22T06:55:31.422Z`.
fn timestamp(value: &str) -> Option<Time> {
    Time::parse_rfc3339(value.strip_prefix("!!timestamp ")?, Zone::Stated)
}
