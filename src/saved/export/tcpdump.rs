//! tcpdump's text: DNS responses, with `-v` or without, and with `-X` or `-x` the TLS streams from the
//! bytes. Of `-A` only the server name of a ClientHello is left (`ascii`), and a gap asks for the bytes.
//!
//! Without `-v` a response shows its data and no owners: the question is that of the query with the
//! same id and ends, and the aliases stand in the order of the chain. Hosts that are printed by name
//! (without `-n`) leave the ends unknown. A time without a date is none.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ascii::Ascii;
use super::flows::{Certificates, Flow, From, time};
use super::splitter::Record;
use super::{Cite, Cut, Export, Records};
use crate::dns::{Answer, Flags, Question, Record as DnsRecord, Section, Transport as DnsTransport};
use crate::evidence::Fact;
use crate::flow::{Assembler, Origin};
use crate::limits::{DNS_RECORDS_MAX, LOG_SOURCES_MAX};
use crate::name::Name;
use crate::provenance::{FrameNumber, GapReason, Time, Zone};
use crate::saved::Sink;
use crate::tls::Transport;
use crate::tls::event::{Event, Seen};
use crate::tls::record::{Reader, is_start};

/// tcpdump's text.
pub static EXPORT: Export = Export {
    id: "tcpdump",
    made_by: "tcpdump, tcpdump -v, tcpdump -X, tcpdump -A",
    opens: |head| head.lines().next().is_some_and(opens),
    cut: Cut::Lines,
    reader: || Box::new(Packets::default()),
};

/// Whether a line is a packet's first.
pub fn opens(line: &str) -> bool {
    head(line).is_some_and(|head| {
        head.rest.contains(" > ") || head.rest.starts_with("(tos ") || head.rest.starts_with("(class ")
    })
}

/// `07:04:48.341613 IP `, `2026-11-22 07:04:48.341613 IP6 `, `1795331088.341613 IP `; an interface
/// and a direction can stand between (`-i any`).
struct Head<'t> {
    time: Option<Time>,
    rest: &'t str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let at = [" IP ", " IP6 "].iter().filter_map(|mark| line.find(mark).map(|at| (at, mark.len()))).min()?;
    let (stamp, rest) = (line.get(..at.0)?, line.get(at.0.checked_add(at.1)?..)?);
    let mut words = stamp.split_whitespace();
    let first = words.next()?;
    let is_clock = |word: &str| {
        let mut parts = word.split(':');
        parts.clone().count() == 3
            && parts.all(|part| part.chars().all(|c| c.is_ascii_digit() || c == '.') && !part.is_empty())
    };
    let second = words.next().unwrap_or_default();
    let time = if is_clock(first) {
        None
    } else if is_clock(second) && first.len() == DATE_CHARS {
        let civil: jiff::civil::DateTime = format!("{first}T{second}").parse().ok()?;
        Some(Time::from_civil(civil, Zone::Unknown))
    } else {
        Some(time(first).filter(|_| first.contains('.') && first.chars().all(|c| c.is_ascii_digit() || c == '.'))?)
    };
    Some(Head { time, rest })
}

/// Source and destination.
pub type Ends = (Option<SocketAddr>, Option<SocketAddr>);

#[derive(Default)]
struct Packets {
    time: Option<Time>,
    /// Questions that wait for their response, by ends as written and id.
    questions: BTreeMap<(String, String, u16), (Question, Cite)>,
    packet: Option<(u32, Vec<u8>)>,
    ascii: Ascii,
    streams: BTreeMap<(SocketAddr, SocketAddr), (Assembler, Reader)>,
    certificates: Certificates,
    lines: BTreeMap<u64, Cite>,
}

impl Records for Packets {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let text = record.text;
        let cite = Cite { line: record.first_line(), quote: record.quote_at(0) };
        if let Some(bytes) = dump(text) {
            if let Some((_, packet)) = &mut self.packet
                && packet.len() < PACKET_BYTES_MAX
            {
                packet.extend(bytes);
            }
            return;
        }
        if let Some(head) = head(text) {
            self.end_packet(sink);
            self.time = head.time;
            self.ascii.begin(head.rest, cite.line);
            self.packet = Some((cite.line, Vec::new()));
            if self.lines.len() < LINES_MAX {
                self.lines.insert(u64::from(cite.line), Cite { line: cite.line, quote: None });
            }
            self.message(head.rest, &cite, sink);
        } else if text.starts_with("    ") {
            self.message(text.trim(), &cite, sink);
        } else {
            self.ascii.take(text, cite.line);
        }
    }

    fn finish(&mut self, sink: &mut Sink) {
        self.end_packet(sink);
        self.ascii.finish(sink);
        let mut streams = std::mem::take(&mut self.streams);
        while let Some(((source, destination), one)) = streams.pop_first() {
            let other = streams.remove(&(destination, source));
            self.connection((source, one), other.map(|other| (destination, other)), sink);
        }
    }
}

impl Packets {
    /// `192.0.2.53.53 > 192.0.2.7.38549: 45529 q: A? www.example.com. 4/0/0 …`.
    fn message(&mut self, text: &str, cite: &Cite, sink: &mut Sink) {
        let Some((source, rest)) = text.split_once(" > ") else { return };
        let Some((destination, rest)) = rest.split_once(": ") else { return };
        let source = source.rsplit(' ').next().unwrap_or(source);
        let rest = match rest.strip_prefix('[').and_then(|it| it.split_once("] ")) {
            Some((_, rest)) => rest,
            None => rest,
        };
        let Some((id, marks, rest)) = message_id(rest) else { return };
        let ends = (end(source), end(destination));
        if let Some(question) = query(rest) {
            if self.questions.len() < LOG_SOURCES_MAX {
                let key = (source.to_owned(), destination.to_owned(), id);
                let cite = Cite { line: cite.line, quote: None };
                self.questions.insert(key, (question, cite));
            }
            return;
        }
        let Some(response) = Response::of(marks, rest) else { return };
        let asked = self.questions.remove(&(destination.to_owned(), source.to_owned(), id));
        let question = response.question.clone().or_else(|| asked.as_ref().map(|(question, _)| question.clone()));
        let cites = asked.into_iter().map(|(_, cite)| cite).chain([cite.clone()]);
        sink.observe_cited(Fact::DnsAnswer(response.answer(id, question, self.time, ends)), cites);
    }

    /// The bytes of the last packet go to their stream.
    fn end_packet(&mut self, sink: &mut Sink) {
        self.ascii.end(self.time, sink);
        let Some((line, bytes)) = self.packet.take() else { return };
        let Some(segment) = Segment::of(&bytes) else { return };
        if self.streams.len() >= LOG_SOURCES_MAX {
            return;
        }
        let (assembler, reader) = self.streams.entry((segment.source, segment.destination)).or_default();
        if segment.is_syn {
            assembler.syn(segment.sequence);
        }
        let origin = Origin { frame: FrameNumber(u64::from(line)), time: self.time };
        assembler.segment(segment.sequence, segment.payload, origin, reader);
    }

    fn connection(
        &mut self,
        one: (SocketAddr, (Assembler, Reader)),
        other: Option<(SocketAddr, (Assembler, Reader))>,
        sink: &mut Sink,
    ) {
        let mut cut: Vec<(u32, GapReason)> = Vec::new();
        let mut finished = |(end, (mut assembler, mut reader)): (SocketAddr, (Assembler, Reader))| {
            assembler.finish(&mut reader);
            let has_hello =
                reader.seen.iter().any(|it| matches!(it.event, Event::ClientHello(_) | Event::ServerHello(_)));
            let is_open = !reader.seen.iter().any(|it| it.event == Event::Encrypted);
            if has_hello && is_open && (reader.is_cut() || reader.trouble.is_some()) {
                let line = reader.last_frame.and_then(|frame| u32::try_from(frame.0).ok()).unwrap_or(1);
                let why = "its last message is not whole; ask for the capture itself (tcpdump -s 0 -w)".to_owned();
                cut.push((line, GapReason::Undecoded { what: "TLS stream".to_owned(), why }));
            }
            (end, reader.seen)
        };
        let one = finished(one);
        let other = other.map(finished);
        for (line, reason) in cut {
            sink.gap(line, reason);
        }
        let begins = |seen: &[Seen]| seen.iter().any(|it| matches!(it.event, Event::ClientHello(_)));
        let answers = |seen: &[Seen]| seen.iter().any(|it| matches!(it.event, Event::ServerHello(_)));
        let is_swapped = other.as_ref().is_some_and(|(_, seen)| begins(seen)) || answers(&one.1);
        let empty = (SocketAddr::new(one.0.ip(), 0), Vec::new());
        let (client, server) = match (is_swapped, other) {
            (true, Some(other)) => (other, one),
            (true, None) => (empty, one),
            (false, other) => (one, other.unwrap_or(empty)),
        };
        let known = |end: SocketAddr| Some(end).filter(|end| end.port() != 0);
        let mut flow = Flow::between(known(client.0), known(server.0), Transport::Tcp);
        for (from, seen) in [(From::Client, client.1), (From::Server, server.1)] {
            for it in seen {
                let cites = it.frames.iter().filter_map(|frame| self.lines.get(&frame.0)).cloned().collect();
                flow.add(from, it.event, it.time, cites);
            }
        }
        if flow.has_hello() {
            flow.observe(&mut self.certificates, sink);
        }
    }
}

/// `45529`, `39485*-`, `42224+`: the id, its marks, and what follows.
fn message_id(text: &str) -> Option<(u16, &str, &str)> {
    let (word, rest) = text.split_once(' ')?;
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (id, marks) = word.split_at_checked(digits)?;
    marks.chars().all(|c| "*-|+%$".contains(c)).then_some(())?;
    Some((id.parse().ok()?, marks, rest))
}

/// `[1au] A? www.example.com. (38)`.
fn query(text: &str) -> Option<Question> {
    let mut words = text.split_whitespace().skip_while(|word| word.starts_with('['));
    let kind = words.next()?.strip_suffix('?')?;
    // A name without its final dot was cut.
    let name = words.next().filter(|name| name.ends_with('.'))?;
    Some(Question { name: Name::parse(name)?, kind: kind.into() })
}

/// `203.0.113.11.443`, `2001:db8::1.443`; a name is no address.
pub fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once('.')?;
    Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, port.parse().ok()?))
}

/// What follows the id of a response.
struct Response<'t> {
    question: Option<Question>,
    rcode: &'static str,
    flags: Flags,
    answers: usize,
    records: Vec<&'t str>,
}

impl<'t> Response<'t> {
    fn of(marks: &str, text: &'t str) -> Option<Self> {
        let mut rest = text;
        let mut rcode = "NOERROR";
        for (word, name) in RCODES {
            if let Some(after) = rest.strip_prefix(word) {
                rcode = name;
                rest = after.trim_start_matches([' ', '*', '-', '|', '$', '%']);
            }
        }
        let question = rest.strip_prefix("q: ").and_then(|rest| {
            let (kind, rest) = rest.split_once("? ")?;
            Some((Question { name: Name::parse(rest.split(' ').next()?)?, kind: kind.into() }, rest.split_once(' ')?.1))
        });
        let (question, rest) = match question {
            Some((question, rest)) => (Some(question), rest),
            None => (None, rest),
        };
        let rest = rest.trim_start_matches("[1q] ");
        let (counts, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut counts = counts.split('/').map(|count| count.parse::<usize>().ok());
        let (answers, _, _) = (counts.next()??, counts.next()??, counts.next()??);
        let rest = rest.split(" ns: ").next().unwrap_or(rest).split(" ar: ").next().unwrap_or(rest);
        let mut records: Vec<&str> = rest.split(", ").take(answers.min(DNS_RECORDS_MAX)).collect();
        // A whole line ends with the length of the message; of one that was cut the last record is not whole.
        if !text.trim_end().ends_with(')') && rest.split(", ").count() <= answers && text.ends_with(rest) {
            records.pop();
        }
        let flags = Flags {
            qr: true,
            aa: marks.contains('*'),
            tc: marks.contains('|'),
            ra: !marks.contains('-'),
            ad: marks.contains('$'),
            ..Flags::default()
        };
        Some(Self { question, rcode, flags, answers, records })
    }

    fn answer(&self, id: u16, question: Option<Question>, time: Option<Time>, ends: Ends) -> Answer {
        let mut owner = question.as_ref().map_or_else(Name::unstated, |question| question.name.clone());
        let mut records = Vec::new();
        for text in self.records.iter().take(self.answers) {
            let words: Vec<&str> = text.split_whitespace().filter(|word| !word.starts_with('[')).collect();
            let (stated, kind, data) = match words.as_slice() {
                [kind, data, ..] if KINDS.contains(kind) => (None, *kind, *data),
                [name, kind, data, ..] if KINDS.contains(kind) => (Name::parse(name), *kind, *data),
                _ => continue,
            };
            let owner_here = stated.unwrap_or_else(|| owner.clone());
            let data = match kind {
                "CNAME" | "NS" | "PTR" | "DNAME" => {
                    let Some(target) = Name::parse(data) else { continue };
                    if kind == "CNAME" {
                        owner = target.clone();
                    }
                    format!("{target}.")
                }
                _ => data.to_owned(),
            };
            let record = DnsRecord {
                section: Section::Answer,
                owner: owner_here,
                kind: kind.into(),
                ttl: None,
                data: data.into(),
            };
            records.push(record);
        }
        Answer {
            time,
            client: ends.1,
            server: ends.0,
            transport: DnsTransport::Udp,
            id: Some(id),
            rcode: Some(self.rcode.into()),
            flags: Some(self.flags),
            question,
            records,
            extended_errors: Vec::new(),
            is_cut: false,
            carried: None,
            run: None,
        }
    }
}

/// `0x0000:  4500 003c 163e …  E..<.>`: the bytes of a line.
fn dump(text: &str) -> Option<Vec<u8>> {
    let (offset, rest) = text.trim_start().strip_prefix("0x")?.split_once(":  ")?;
    u32::from_str_radix(offset, 16).ok()?;
    let columns = rest.split("  ").next()?;
    let digits: String = columns.chars().filter(char::is_ascii_hexdigit).collect();
    super::flows::from_hexadecimal(&digits)
}

/// The IP packet in a dump. With `-XX` the header of the link stands before: Ethernet, with a tag or without, or what
/// `-i any` makes of every link (`LINUX_SLL`, `LINUX_SLL2`).
fn ip_packet(bytes: &[u8]) -> Option<&[u8]> {
    let kind_at = |at: usize| matches!(bytes.get(at..at.checked_add(2)?)?, [0x08, 0x00] | [0x86, 0xdd]).then_some(());
    let is_tagged = matches!(bytes.get(12..14), Some([0x81, 0x00]));
    let offsets = [
        kind_at(12).map(|()| 14),
        kind_at(16).filter(|()| is_tagged).map(|()| 18),
        kind_at(14).filter(|()| bytes.starts_with(&[0])).map(|()| 16),
        kind_at(0).map(|()| 20),
        Some(0),
    ];
    offsets.into_iter().flatten().filter_map(|at| bytes.get(at..)).find(|packet| is_ip(packet))
}

/// Whether the header of an IP packet begins here.
fn is_ip(packet: &[u8]) -> bool {
    match packet.first().map(|first| (first >> 4, first & 15)) {
        Some((4, 5..)) => array(packet, 2).map(u16::from_be_bytes).is_some_and(|length| length == 0 || length >= 20),
        Some((version, _)) => version == 6,
        None => false,
    }
}

/// A TCP segment in the bytes of an IP packet.
struct Segment<'p> {
    source: SocketAddr,
    destination: SocketAddr,
    sequence: u32,
    is_syn: bool,
    payload: &'p [u8],
}

impl<'p> Segment<'p> {
    fn of(bytes: &'p [u8]) -> Option<Self> {
        let packet = ip_packet(bytes)?;
        let (source, destination, segment) = match packet.first()? >> 4 {
            4 => {
                let header = usize::from(packet.first()? & 15).checked_mul(4)?;
                let total = usize::from(u16::from_be_bytes(array(packet, 2)?));
                let end = if total >= header { total.min(packet.len()) } else { packet.len() };
                let is_tcp = *packet.get(9)? == TCP;
                let ends = (Ipv4Addr::from(array::<4>(packet, 12)?), Ipv4Addr::from(array::<4>(packet, 16)?));
                is_tcp.then_some((IpAddr::V4(ends.0), IpAddr::V4(ends.1), packet.get(header..end)?))?
            }
            6 => {
                let is_tcp = *packet.get(6)? == TCP;
                let ends = (Ipv6Addr::from(array::<16>(packet, 8)?), Ipv6Addr::from(array::<16>(packet, 24)?));
                is_tcp.then_some((IpAddr::V6(ends.0), IpAddr::V6(ends.1), packet.get(40..)?))?
            }
            _ => return None,
        };
        let offset = usize::from(*segment.get(12)? >> 4).checked_mul(4)?;
        let payload = segment.get(offset..)?;
        let is_syn = segment.get(13)? & 2 != 0;
        let is_tls = payload.is_empty() || is_start(payload) != Some(false) || offset > 0;
        is_tls.then_some(Self {
            source: SocketAddr::new(source, u16::from_be_bytes(array(segment, 0)?)),
            destination: SocketAddr::new(destination, u16::from_be_bytes(array(segment, 2)?)),
            sequence: u32::from_be_bytes(array(segment, 4)?),
            is_syn,
            payload,
        })
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

const KINDS: &[&str] = &["A", "AAAA", "CNAME", "DNAME", "NS", "PTR", "SOA", "MX", "TXT", "HTTPS", "SVCB"];
const RCODES: &[(&str, &str)] = &[
    ("NXDomain", "NXDOMAIN"),
    ("ServFail", "SERVFAIL"),
    ("Refused", "REFUSED"),
    ("FormErr", "FORMERR"),
    ("NotImp", "NOTIMP"),
];
const TCP: u8 = 6;
const DATE_CHARS: usize = 10;
/// A packet's bytes that are put together from a dump.
const PACKET_BYTES_MAX: usize = 1 << 17;
/// First lines that are kept to be quoted.
const LINES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_every_time_format() {
        for (line, expected) in [
            ("07:04:48.341613 IP 192.0.2.53.53 > 192.0.2.7.4: 1 0/1/0 (120)", Some(None)),
            ("2026-11-22 07:04:48.341613 IP a > b: 1", Some(Some(1_795_331_088))),
            ("1795331088.341613 IP a > b: 1", Some(Some(1_795_331_088))),
            ("07:04:48.341613 eth0  In  IP a.53 > b.4: 1", Some(None)),
            ("My IP is > yours", None),
        ] {
            assert_eq!(head(line).map(|it| it.time.map(|time| time.seconds)), expected, "{line}");
        }
    }

    #[test]
    fn responses_with_and_without_owners() {
        for (text, expected) in [
            (
                "10014 3/0/0 CNAME t.x.com., A 192.0.2.1, A 192.0.2.2 (127)",
                "? CNAME t.x.com. t.x.com A 192.0.2.1 t.x.com A 192.0.2.2",
            ),
            (
                "45529 q: A? h.x.com. 2/0/0 h.x.com. CNAME t.x.com., t.x.com. A 192.0.2.1 (137)",
                "h.x.com CNAME t.x.com. t.x.com A 192.0.2.1",
            ),
            (
                "45529 q: A? h.x.com. 1/1/0 h.x.com. [1m] CNAME t.x.com. ns: x.com. SOA a. b. 1 2 3 4 5 (173)",
                "h.x.com CNAME t.x.com.",
            ),
            ("7 NXDomain 0/1/0 (94)", ""),
            ("10014 3/0/0 CNAME t.x.com., A 192.0.2.1, A 192.0", "? CNAME t.x.com. t.x.com A 192.0.2.1"),
            ("10014 3/0/0 CNAME t.x", ""),
        ] {
            let (id, marks, rest) = message_id(text).unwrap();
            let response = Response::of(marks, rest).unwrap();
            let answer = response.answer(id, response.question.clone(), None, (None, None));
            let records: Vec<String> =
                answer.records.iter().map(|it| format!("{} {} {}", it.owner, it.kind, it.data)).collect();
            assert_eq!(records.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn packets_behind_every_header_of_a_link() {
        let packet: Vec<u8> =
            [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 7, 192, 0, 2, 53][..], &[0; 20]].concat();
        for (what, header) in [
            ("none", &[][..]),
            ("Ethernet", &[0x45, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 0]),
            ("Ethernet with a tag", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x81, 0, 0, 7, 8, 0]),
            ("LINUX_SLL", &[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]),
            ("LINUX_SLL2", &[8, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(ip_packet(&[header, &packet].concat()), Some(packet.as_slice()), "{what}");
        }
        assert_eq!(ip_packet(&[0xff; 40]), None);
    }
}
