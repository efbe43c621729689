//! The first line of `ping`, `traceroute` and `tracert`: the end of the chain and the address that the
//! machine went to.
//!
//! It says something of DNS only where the command names another host than the line: then the line
//! shows the canonical name. The same name in both may have been copied from the command.

use std::net::IpAddr;

use super::{RunText, SavedFormat, Sink};
use crate::dns::{Question, Record, Section};
use crate::evidence::{Fact, ServerName};
use crate::name::Name;
use crate::saved::grammar::address;

/// `ping`, `traceroute`, `tracert`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "ping",
    made_by: "ping, traceroute, tracert, mtr",
    is_command: |words| words.first().is_some_and(|word| TOOLS.contains(&word.to_ascii_lowercase().as_str())),
    opens: |line| line.starts_with("PING ") && first(line).is_some(),
    repeats: true,
    read,
};

const TOOLS: &[&str] =
    &["ping", "ping6", "ping.exe", "traceroute", "traceroute6", "tracert", "tracepath", "tracert.exe"];

/// `PING x (203.0.113.10) 56(84) bytes of data.`, `Pinging x [203.0.113.10] with 32 bytes of data:`.
fn first(line: &str) -> Option<(Name, IpAddr)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).find_map(|pair| {
        let [name, address] = pair else { return None };
        let bare = address.trim_end_matches([':', ',']);
        let inner = bare.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let inner = inner.or_else(|| bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')))?;
        let address = inner.parse().ok()?;
        Some((address::host(name).filter(|name| name.as_str().contains('.') && name.ip().is_none())?, address))
    })
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let asked = run.command.iter().skip(1).rfind(|word| word.contains('.') && !word.starts_with('-'));
    let asked = asked.and_then(|word| address::host(word)).filter(|name| name.ip().is_none());
    let tool = run.command.first().map_or("ping", String::as_str).to_owned();
    sink.observe(run.fact(&tool, None, asked.clone(), ServerName::Unknown), [run.first_line()]);
    let Some(asked) = asked else { return };
    let line = run.lines.iter().take(LINES_LOOKED_AT).find_map(|line| Some((line.number, first(&line.text)?)));
    let Some((number, (end, address))) = line.filter(|(_, (end, _))| *end != asked) else { return };
    let record = |owner: &Name, kind: &str, data: String| Record {
        section: Section::Answer,
        owner: owner.clone(),
        kind: kind.into(),
        ttl: None,
        data: data.into(),
    };
    let mut answer = run.answer();
    answer.records.push(record(&asked, "CNAME", format!("{end}.")));
    answer.records.push(record(&end, if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string()));
    answer.question = Some(Question { name: asked, kind: "A".into() });
    sink.observe(Fact::DnsAnswer(answer), run.command_line.iter().map(|line| line.number).chain([number]));
}

const LINES_LOOKED_AT: usize = 4;
