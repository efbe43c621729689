//! `resolvectl query` and `systemd-resolve`: addresses of a name, the end of its chain in brackets, and
//! where systemd-resolved has them from.
//!
//! The links between the asked name and the end of the chain are not printed. What is synthesised
//! comes from the hosts file of the machine, and is an override, not DNS.

use std::net::IpAddr;

use super::grammar::{address, asked, rr};
use super::{RunText, SavedFormat, Sink};
use crate::dns::{Answer, Question, Record, Section};
use crate::evidence::{Fact, Override, OverrideKind, ServerName};
use crate::name::Name;

/// `resolvectl query`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "resolvectl",
    made_by: "resolvectl query, systemd-resolve",
    is_command: |words| words.first().is_some_and(|word| matches!(word.as_str(), "resolvectl" | "systemd-resolve")),
    opens: |line| {
        first(line).is_some()
            || pointer(line).is_some()
            || failure(line).is_some()
            || line.starts_with("-- Information acquired via protocol ")
            || line.starts_with("Current DNS Server: ")
    },
    repeats: false,
    read,
};

/// `www.example.com: 203.0.113.12   -- link: eth0`.
fn first(line: &str) -> Option<(Name, IpAddr)> {
    let (name, rest) = line.split_once(": ")?;
    let address = without_link(rest).parse().ok()?;
    let name = address::host(name).filter(|name| name.as_str().contains('.') && name.ip().is_none())?;
    Some((name, address))
}

/// `203.0.113.10: ec2-203-0-113-10.compute-1.amazonaws.com   -- link: eth0`: the name of an address.
fn pointer(line: &str) -> Option<(Name, Name)> {
    let (address, rest) = line.split_once(": ")?;
    let owner = asked::reverse(address.trim())?;
    let target = address::host(without_link(rest)).filter(|name| name.as_str().contains('.') && name.ip().is_none())?;
    rest.contains("-- link: ").then_some((owner, target))
}

fn without_link(text: &str) -> &str {
    text.split("-- ").next().unwrap_or(text).trim()
}

/// `nope.example.com: Name 'nope.example.com' not found`.
fn failure(line: &str) -> Option<(Name, &'static str)> {
    let (name, rest) = line.split_once(": ")?;
    let rcode = if rest.starts_with("Name '") && rest.trim_end().ends_with("not found") {
        "NXDOMAIN"
    } else if rest.starts_with("resolve call failed: ") && rest.contains("SERVFAIL") {
        "SERVFAIL"
    } else if rest.starts_with("resolve call failed: ") && rest.contains("NXDOMAIN") {
        "NXDOMAIN"
    } else {
        return None;
    };
    address::host(name).map(|name| (name, rcode))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let asked = run.command.iter().skip(1).rfind(|word| word.contains('.')).and_then(|word| address::host(word));
    sink.observe(run.fact("resolvectl", None, asked, ServerName::Unknown), [run.first_line()]);
    let mut seen = Seen::default();
    for line in run.lines {
        if let Some((owner, target)) = pointer(&line.text) {
            named(owner, &target, line.number, run, sink);
            continue;
        }
        let is_next = first(&line.text).is_some() || failure(&line.text).is_some();
        if is_next && seen.name.is_some() {
            std::mem::take(&mut seen).close(run, sink);
        }
        if seen.take(&line.text) {
            seen.lines.push(line.number);
        }
    }
    seen.close(run, sink);
}

/// The answer to a question for the name of an address.
fn named(owner: Name, target: &Name, line: u32, run: &RunText<'_>, sink: &mut Sink) {
    let mut answer = run.answer();
    answer.records.push(Record {
        section: Section::Answer,
        owner: owner.clone(),
        kind: "PTR".into(),
        ttl: None,
        data: format!("{target}.").into(),
    });
    answer.question = Some(Question { name: owner, kind: "PTR".into() });
    sink.observe(Fact::DnsAnswer(answer), [line]);
}

impl Seen {
    fn close(self, run: &RunText<'_>, sink: &mut Sink) {
        let seen = self;
        let host = seen.name.clone();
        if seen.is_synthetic {
            for address in &seen.addresses {
                let to = Some(address.to_string());
                let it = Override { by: OverrideKind::Hosts, host: host.clone(), to, run: Some(run.number) };
                sink.observe(Fact::Override(it), seen.lines.clone());
            }
            return;
        }
        let answer = seen.answer(run);
        if answer.rcode.is_some() || !answer.records.is_empty() {
            sink.observe(Fact::DnsAnswer(answer), seen.lines);
        }
    }
}

/// What one output says.
#[derive(Default)]
struct Seen {
    name: Option<Name>,
    addresses: Vec<IpAddr>,
    end: Option<Name>,
    records: Vec<Record>,
    rcode: Option<&'static str>,
    is_synthetic: bool,
    lines: Vec<u32>,
}

impl Seen {
    /// Takes one line; whether it said something.
    fn take(&mut self, line: &str) -> bool {
        let text = line.trim();
        if let Some((name, address)) = first(line) {
            self.name = Some(name);
            self.addresses.push(address);
        } else if let Some((name, rcode)) = failure(line) {
            self.name = Some(name);
            self.rcode = Some(rcode);
        } else if let Ok(address) = without_link(text).parse() {
            self.addresses.push(address);
        } else if let Some(end) = without_link(text).strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            self.end = address::host(end);
        } else if text.starts_with("-- Data from: ") {
            self.is_synthetic = text.contains("synthetic");
        } else if let Some(record) = rr::record(without_link(text), Section::Answer) {
            self.name = self.name.take().or_else(|| Some(record.owner.clone()));
            self.records.push(record);
        } else {
            return false;
        }
        true
    }

    fn answer(&self, run: &RunText<'_>) -> Answer {
        let record = |owner: &Name, kind: &str, data: String| Record {
            section: Section::Answer,
            owner: owner.clone(),
            kind: kind.into(),
            ttl: None,
            data: data.into(),
        };
        let mut answer = Answer { rcode: self.rcode.map(Into::into), ..run.answer() };
        answer.records.clone_from(&self.records);
        let Some(name) = &self.name else { return answer };
        let kind = self.records.first().map_or("A", |record| record.kind.as_str()).to_owned();
        answer.question = Some(Question { name: name.clone(), kind: kind.into() });
        if let Some(end) = &self.end {
            answer.records.push(record(name, "CNAME", format!("{end}.")));
        }
        let owner = self.end.as_ref().unwrap_or(name);
        for address in &self.addresses {
            answer.records.push(record(owner, if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string()));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name() {
        for (line, expected) in [
            (
                "203.0.113.10: ec2-203-0-113-10.compute-1.amazonaws.com      -- link: eth0",
                Some("10.113.0.203.in-addr.arpa ec2-203-0-113-10.compute-1.amazonaws.com"),
            ),
            ("203.0.113.10: resolve call failed: 'x' not found", None),
            ("www.example.com: 203.0.113.10 -- link: eth0", None),
        ] {
            let found = pointer(line).map(|(owner, target)| format!("{owner} {target}"));
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }
}
