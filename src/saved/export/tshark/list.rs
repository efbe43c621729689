//! The list of packets that `tshark` prints by itself, and Wireshark exports as CSV or plain text: DNS answers and
//! server names, as far as the column Info tells them.
//!
//! A row names no port but in its Info, and a record there names no owner: it belongs to the name before it. What
//! stands behind the answers (NS, SOA, OPT) is no answer, and ends them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::dns::{Question, Record, Section};
use crate::evidence::{Fact, ServerName};
use crate::name::Name;
use crate::provenance::{Time, Zone};
use crate::saved::connection::Connection;
use crate::saved::grammar::{address, rr};
use crate::saved::{Line, RunText, SavedFormat, Sink};

/// The list of packets.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "tshark_list",
    made_by: "tshark without -T or -V; Wireshark, Export Packet Dissections as CSV",
    is_command: |words| {
        words.first().is_some_and(|word| word == "tshark")
            && !words.iter().any(|word| matches!(word.as_str(), "-T" | "-V"))
    },
    opens: |line| is_csv(line) || is_row(line),
    repeats: false,
    read,
};

/// Whether a line begins a row of the list.
pub fn is_row(line: &str) -> bool {
    Row::of(line).is_some_and(|row| row.is_telling())
}

/// `"No.","Time","Source","Destination","Protocol","Length","Info"`.
fn is_csv(line: &str) -> bool {
    line.starts_with("\"No.\",\"Time\"") && line.contains("\"Info\"")
}

/// One row.
struct Row<'l> {
    time: Option<Time>,
    source: IpAddr,
    destination: IpAddr,
    protocol: &'l str,
    info: &'l str,
}

impl<'l> Row<'l> {
    /// `    3 0.000502 192.0.2.53 → 192.0.2.9 DNS 178 Standard query response …`; Wireshark prints no arrow.
    fn of(line: &'l str) -> Option<Self> {
        let mut rest = line.trim_start();
        let mut word = || {
            let (word, behind) = rest.split_once(char::is_whitespace)?;
            rest = behind.trim_start();
            Some(word)
        };
        // The number and the time look like what logs and editors put before a line, and may be gone as such.
        let mut before = Vec::new();
        let source = loop {
            let next = word()?;
            if let Ok(address) = next.parse() {
                break address;
            }
            let is_column = next.bytes().all(|byte| byte.is_ascii_digit() || b".:-".contains(&byte));
            if !is_column || before.len() >= COLUMNS_BEFORE_MAX {
                return None;
            }
            before.push(next);
        };
        let time = match before.as_slice() {
            [.., date, clock] if date.contains('-') => civil(date, clock),
            _ => None,
        };
        let mut next = word()?;
        if matches!(next, "\u{2192}" | "->") {
            next = word()?;
        }
        let destination = next.parse().ok()?;
        let protocol = word()?;
        word()?.parse::<u32>().ok()?;
        Some(Self { time, source, destination, protocol, info: rest })
    }

    /// A row of the CSV.
    fn of_csv(cells: &'l csv::StringRecord, columns: &BTreeMap<String, usize>) -> Option<Self> {
        let cell = |name: &str| cells.get(*columns.get(name)?);
        let time = cell("Time").and_then(|text| text.split_once(' ')).and_then(|(date, clock)| civil(date, clock));
        Some(Self {
            time,
            source: cell("Source")?.parse().ok()?,
            destination: cell("Destination")?.parse().ok()?,
            protocol: cell("Protocol")?,
            info: cell("Info")?,
        })
    }

    /// Other lists of numbers and addresses name no protocol.
    fn is_telling(&self) -> bool {
        ["DNS", "MDNS", "TCP", "UDP", "ICMP", "ARP", "QUIC", "HTTP"].contains(&self.protocol)
            || self.protocol.starts_with("TLS")
            || self.protocol.starts_with("SSL")
    }
}

/// `-t ad`: the time of the machine that printed it, in its zone.
fn civil(date: &str, clock: &str) -> Option<Time> {
    let civil: jiff::civil::DateTime = format!("{date} {clock}").parse().ok()?;
    Some(Time::from_civil(civil, Zone::Unknown))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    sink.observe(run.fact("tshark", None, None, ServerName::Unknown), [run.first_line()]);
    let mut columns: Option<BTreeMap<String, usize>> = None;
    let mut servers = BTreeMap::new();
    for line in run.lines {
        if is_csv(&line.text) {
            let names = cells(&line.text).unwrap_or_default();
            columns = Some(names.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect());
        } else if let Some(columns) = &columns {
            let cells = cells(&line.text).unwrap_or_default();
            if let Some(row) = Row::of_csv(&cells, columns) {
                take(&row, line, run, &mut servers, sink);
            }
        } else if let Some(row) = Row::of(&line.text) {
            take(&row, line, run, &mut servers, sink);
        }
    }
}

fn cells(line: &str) -> Option<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    reader.records().next()?.ok()
}

/// The port that each pair of addresses speaks to, by the rows of TCP before.
type Servers = BTreeMap<(IpAddr, IpAddr), u16>;

fn take(row: &Row<'_>, line: &Line, run: &RunText<'_>, servers: &mut Servers, sink: &mut Sink) {
    let info = row.info;
    if info.contains("[SYN]") {
        let port =
            info.split_once(['\u{2192}', '>']).and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
        servers.extend(port.map(|port| ((row.source, row.destination), port)));
    } else if let Some(rest) = info.strip_prefix("Standard query response ").filter(|_| row.protocol == "DNS") {
        answer(row, rest, line, run, sink);
    } else if let Some((_, rest)) = info.split_once("Client Hello (SNI=") {
        let Some(name) = rest.split(')').next().and_then(address::host) else { return };
        let port = servers.get(&(row.source, row.destination)).copied();
        let connection = Connection {
            time: row.time,
            server: port.map(|port| SocketAddr::new(row.destination, port)),
            server_name: ServerName::Yes(name.to_string()),
            lines: vec![line.number],
            ..Connection::default()
        };
        connection.observe(run, sink);
    }
}

/// `0x4cb6 No such name A nope.example.com SOA …`.
fn answer(row: &Row<'_>, text: &str, line: &Line, run: &RunText<'_>, sink: &mut Sink) {
    let Some((id, rest)) = text.split_once(' ') else { return };
    let known = RCODES.iter().find_map(|(words, name)| Some((rest.strip_prefix(words)?, *name)));
    let (rest, rcode) = known.unwrap_or((rest, "NOERROR"));
    let mut words = rest.split_whitespace();
    let (Some(kind), Some(name)) = (words.next().filter(|kind| rr::is_kind(kind)), words.next()) else { return };
    let Some(asked) = address::host(name) else { return };
    let records = records(words, &asked);
    let mut answer = run.answer();
    answer.time = row.time;
    answer.server = Some(SocketAddr::new(row.source, DNS_PORT));
    answer.id = id.strip_prefix("0x").and_then(|id| u16::from_str_radix(id, 16).ok());
    answer.rcode = Some(rcode.into());
    answer.question = Some(Question { name: asked, kind: kind.into() });
    answer.records = records;
    sink.observe(Fact::DnsAnswer(answer), [line.number]);
}

fn records<'t>(mut words: impl Iterator<Item = &'t str>, asked: &Name) -> Vec<Record> {
    let mut owner = asked.clone();
    let mut records = Vec::new();
    while let (Some(kind), Some(data)) = (words.next(), words.next()) {
        let (data, next) = match kind {
            "CNAME" => match address::alias(data) {
                Some(target) => (format!("{target}."), Some(target)),
                None => break,
            },
            "A" | "AAAA" if data.parse::<IpAddr>().is_ok() => (data.to_owned(), None),
            _ => break,
        };
        let owner_here = owner.clone();
        owner = next.unwrap_or(owner);
        let section = Section::Answer;
        records.push(Record { section, owner: owner_here, kind: kind.into(), ttl: None, data: data.into() });
    }
    records
}

/// Number, date and time.
const COLUMNS_BEFORE_MAX: usize = 3;
/// What Info says of a response code.
const RCODES: &[(&str, &str)] = &[
    ("No such name ", "NXDOMAIN"),
    ("Server failure ", "SERVFAIL"),
    ("Refused ", "REFUSED"),
    ("Format error ", "FORMERR"),
    ("Not implemented ", "NOTIMP"),
];
/// The rows name no port: what the dissector calls DNS is on this one, unless somebody told it otherwise.
const DNS_PORT: u16 = 53;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_layout() {
        for (line, expected) in [
            (
                "    3   0.000502   192.0.2.53 \u{2192} 192.0.2.9   DNS 178 Standard query response 0x47ce A a.example",
                Some(("DNS", "Standard query response 0x47ce A a.example")),
            ),
            (
                "    8 2026-11-25 11:56:38.948805 192.0.2.1 -> 192.0.2.9 TLSv1 583 Client Hello",
                Some(("TLSv1", "Client Hello")),
            ),
            (
                "      1 0.000000       192.0.2.53            192.0.2.9             TCP      66     1 2",
                Some(("TCP", "1 2")),
            ),
            ("    1 0.0 aa:bb:cc:dd:ee:ff \u{2192} Broadcast ARP 42 Who has 192.0.2.1?", None),
            (" 1  192.0.2.1  0.5 ms  0.4 ms  0.4 ms", None),
        ] {
            let found = Row::of(line);
            assert_eq!(found.as_ref().map(|row| (row.protocol, row.info)), expected, "{line}");
        }
    }

    #[test]
    fn records_follow_each_other() {
        let words = "CNAME b.example A 192.0.2.1 A 192.0.2.2 NS ns.example A 192.0.2.9".split(' ');
        let asked = Name::parse("a.example").unwrap();
        let found: Vec<String> =
            records(words, &asked).iter().map(|it| format!("{} {} {}", it.owner, it.kind, it.data)).collect();
        assert_eq!(found, ["a.example CNAME b.example.", "b.example A 192.0.2.1", "b.example A 192.0.2.2"]);
    }
}
