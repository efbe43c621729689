//! `getent hosts` and `getent ahosts`, macOS' `dscacheutil`: the canonical name of a host, its aliases and
//! addresses, as the system's own resolver gives them.
//!
//! Only the ends of the chain are printed. A line of `getent hosts` without its command looks like one of
//! a hosts file, and says nothing.

use std::net::IpAddr;

use super::{RunText, SavedFormat, Sink};
use crate::dns::{Answer, Question, Record, Section};
use crate::evidence::{Fact, ServerName};
use crate::name::Name;
use crate::saved::grammar::address;

/// `getent hosts`, `getent ahosts`, `dscacheutil -q host`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "getent",
    made_by: "getent hosts, getent ahosts, dscacheutil -q host",
    is_command: |words| {
        matches!(words, [tool, base, ..] if tool == "getent" && matches!(base.as_str(), "hosts" | "ahosts" | "ahostsv4" | "ahostsv6"))
            || words.first().is_some_and(|word| word == "dscacheutil")
    },
    opens: |line| {
        stream(line).is_some_and(|(_, name)| name.is_some()) || cached(line).is_some_and(|(key, _)| key == "name")
    },
    repeats: false,
    read,
};

/// `203.0.113.10    STREAM abc123.execute-api.us-east-1.amazonaws.com`.
fn stream(line: &str) -> Option<(IpAddr, Option<Name>)> {
    let mut words = line.split_whitespace();
    let address = words.next()?.parse().ok()?;
    let is_socket = matches!(words.next()?, "STREAM" | "DGRAM" | "RAW");
    is_socket.then(|| (address, words.next().and_then(address::host)))
}

/// `ip_address: 203.0.113.10`.
fn cached(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(": ")?;
    let value = value.trim();
    let fits = match key {
        "name" | "alias" => value.contains('.') && !value.contains(['/', '"', ',']),
        "ip_address" | "ipv6_address" => value.parse::<IpAddr>().is_ok(),
        _ => false,
    };
    fits.then_some((key, value))
}

#[derive(Default)]
struct Seen {
    canonical: Option<Name>,
    aliases: Vec<Name>,
    addresses: Vec<IpAddr>,
    lines: Vec<u32>,
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let asked = run.command.iter().skip(2).rfind(|word| word.contains('.')).and_then(|word| address::host(word));
    let tool = run.command.first().map_or("getent", String::as_str).to_owned();
    sink.observe(run.fact(&tool, None, asked.clone(), ServerName::Unknown), [run.first_line()]);
    let mut seen = Seen::default();
    for line in run.lines {
        if seen.take(&line.text, !run.command.is_empty()) {
            seen.lines.push(line.number);
        }
    }
    let Some(canonical) = seen.canonical.clone().filter(|_| !seen.addresses.is_empty()) else { return };
    let mut answer = run.answer();
    answer.question = asked.clone().map(|name| Question { name, kind: "A".into() });
    let owners: Vec<Name> = if seen.aliases.is_empty() { asked.into_iter().collect() } else { seen.aliases.clone() };
    // `www` is short for `www.example.com`: a search domain, not an alias in DNS.
    let owners = owners.into_iter().filter(|owner| *owner != canonical && owner.as_str().contains('.'));
    let aliases = owners.map(|owner| record(owner, "CNAME", format!("{canonical}.")));
    let addresses = seen
        .addresses
        .iter()
        .map(|address| record(canonical.clone(), if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string()));
    answer.records = aliases.chain(addresses).collect();
    sink.observe(Fact::DnsAnswer(Answer { run: Some(run.number), ..answer }), seen.lines);
}

fn record(owner: Name, kind: &str, data: String) -> Record {
    Record { section: Section::Answer, owner, kind: kind.into(), ttl: None, data: data.into() }
}

impl Seen {
    /// Takes one line; whether it said something.
    fn take(&mut self, line: &str, has_command: bool) -> bool {
        if let Some((address, name)) = stream(line) {
            self.canonical = self.canonical.take().or(name);
            self.address(address);
            return true;
        }
        if let Some((key, value)) = cached(line) {
            match key {
                "name" => self.canonical = address::host(value),
                "alias" => self.aliases.extend(value.split_whitespace().filter_map(address::host)),
                _ => self.addresses.extend(value.parse::<IpAddr>().ok()),
            }
            return true;
        }
        let mut words = line.split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()).filter(|_| has_command) else {
            return false;
        };
        let Some(name) = words.next().and_then(address::host) else { return false };
        if self.canonical.is_none() {
            self.aliases.extend(words.filter_map(address::host));
        }
        self.canonical = self.canonical.take().or(Some(name));
        self.address(address);
        true
    }

    fn address(&mut self, address: IpAddr) {
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }
}
