//! Facts from frames that tshark has dissected: DNS answers, and TLS connections joined from their
//! messages.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::{Field, Frame, number};
use crate::dns::{self, Answer, Flags, Question, Record, Section};
use crate::evidence::Fact;
use crate::limits::DNS_RECORDS_MAX;
use crate::name::Name;
use crate::provenance::Time;
use crate::saved::Sink;
use crate::saved::export::Cite;
use crate::saved::export::flows::{self, Certificates, Flow, From};
use crate::tls::Transport;
use crate::tls::event::Event;
use crate::tls::handshake::{self, ClientHello, ServerHello};
use crate::x509::{Certificate, San};

/// Everything of one export.
#[derive(Default)]
pub struct Dissected {
    flows: BTreeMap<Key, (SocketAddr, Flow)>,
    certificates: Certificates,
    has_queries: bool,
}

/// The ends of a connection, the lower first, and tshark's number of the stream.
type Key = (SocketAddr, SocketAddr, Option<u64>);

/// What every frame says of itself.
struct Header {
    time: Option<Time>,
    source: Option<SocketAddr>,
    destination: Option<SocketAddr>,
    stream: Option<u64>,
    cites: Vec<Cite>,
}

impl Header {
    fn of(frame: &Frame) -> Self {
        let address = |v4: &str, v6: &str| {
            let field = frame.last(v4).or_else(|| frame.last(v6))?;
            Some((field.value.parse::<IpAddr>().ok()?, field.cite.clone()))
        };
        let port =
            |tcp: &str, udp: &str| frame.number(tcp).or_else(|| frame.number(udp)).and_then(|it| it.try_into().ok());
        let (source, destination) = (address("ip_src", "ipv6_src"), address("ip_dst", "ipv6_dst"));
        let number = frame.last("frame_number").map(|field| field.cite.clone());
        let ends = [&source, &destination].into_iter().flatten().map(|(_, cite)| cite.clone());
        // A proof quotes the names, not the numbers and addresses beside them.
        let cites = number.into_iter().chain(ends).map(|cite| Cite { quote: None, ..cite }).collect();
        let end = |ip: Option<(IpAddr, Cite)>, port: Option<u16>| Some(SocketAddr::new(ip?.0, port?));
        Self {
            time: frame.value("frame_time_epoch").or_else(|| frame.value("frame_time")).and_then(flows::time),
            source: end(source, port("tcp_srcport", "udp_srcport")),
            destination: end(destination, port("tcp_dstport", "udp_dstport")),
            stream: frame.number("tcp_stream").or_else(|| frame.number("udp_stream")),
            cites,
        }
    }

    fn with<'f>(&self, fields: impl IntoIterator<Item = &'f Field>) -> Vec<Cite> {
        let cite = |field: &Field| {
            let is_name = SHOWN.iter().any(|end| field.name.ends_with(end));
            Cite { line: field.cite.line, quote: field.cite.quote.clone().filter(|_| is_name) }
        };
        self.cites.iter().cloned().chain(fields.into_iter().map(cite)).collect()
    }
}

impl Dissected {
    /// Takes the next frame.
    pub fn frame(&mut self, frame: &Frame, sink: &mut Sink) {
        if frame.fields.is_empty() {
            return;
        }
        let header = Header::of(frame);
        for (layer, transport) in
            [("dns", dns::Transport::Udp), ("mdns", dns::Transport::Mdns), ("llmnr", dns::Transport::Llmnr)]
        {
            self.dns(frame, &header, layer, transport, sink);
        }
        if frame.fields.iter().any(|field| field.name.starts_with("tls_") || field.name.starts_with("x509")) {
            self.tls(frame, &header, sink);
        }
    }

    /// The frame holds this chain, known by local ids only.
    pub fn told_chain(&mut self, frame: &Frame, chain: Vec<String>) {
        let header = Header::of(frame);
        let (Some(source), Some(destination)) = (header.source, header.destination) else { return };
        let key = (source.min(destination), source.max(destination), header.stream);
        if let Some((_, flow)) = self.flows.get_mut(&key) {
            flow.told_chain(chain);
        }
    }

    /// The export is over: every connection goes to the sink.
    pub fn finish(&mut self, sink: &mut Sink) {
        for (_, (_, flow)) in std::mem::take(&mut self.flows) {
            flow.observe(&mut self.certificates, sink);
        }
    }

    fn dns(&mut self, frame: &Frame, header: &Header, layer: &str, transport: dns::Transport, sink: &mut Sink) {
        let name = |field: &str| format!("{layer}_{field}");
        let response = frame.value(&name("flags_response"));
        self.has_queries |= response.is_some();
        let is_response = match response {
            Some(value) => is_true(value),
            None => !self.has_queries && ["a", "aaaa", "cname"].iter().any(|it| frame.last(&name(it)).is_some()),
        };
        if !is_response {
            return;
        }
        let flag = |field: &str| frame.value(&name(field)).is_some_and(is_true);
        let question = frame.last(&name("qry_name")).and_then(|field| Name::parse(&field.value));
        let kind = frame.number(&name("qry_type")).and_then(|kind| u16::try_from(kind).ok());
        let (mut records, cites) = records(frame, &name);
        if records.is_empty() {
            records = chained(frame, &name, question.as_ref());
        }
        let said = ["qry_name", "cname", "a", "aaaa"].map(name);
        let said = said.iter().flat_map(|name| frame.all(name));
        let is_tcp = frame.last("tcp_srcport").is_some();
        let answer = Answer {
            time: header.time,
            client: header.destination,
            server: header.source,
            transport: if is_tcp && transport == dns::Transport::Udp { dns::Transport::Tcp } else { transport },
            id: frame.number(&name("id")).and_then(|id| u16::try_from(id).ok()),
            rcode: frame.number(&name("flags_rcode")).and_then(|it| u16::try_from(it).ok()).map(dns::iana::rcode_name),
            flags: response.map(|_| Flags {
                qr: true,
                aa: flag("flags_authoritative"),
                tc: flag("flags_truncated"),
                rd: flag("flags_recdesired"),
                ra: flag("flags_recavail"),
                ad: flag("flags_authenticated"),
                cd: flag("flags_checkdisable"),
            }),
            question: question.map(|name| Question { name, kind: dns::iana::kind_name(kind.unwrap_or(1)) }),
            records,
            extended_errors: Vec::new(),
            is_cut: false,
            carried: None,
            run: None,
        };
        let lines = header.with(said).into_iter().chain(cites);
        sink.observe_cited(Fact::DnsAnswer(answer), lines);
    }

    fn tls(&mut self, frame: &Frame, header: &Header, sink: &mut Sink) {
        let (Some(source), Some(destination)) = (header.source, header.destination) else {
            self.without_ends(frame, header, sink);
            return;
        };
        let transport = if frame.last("quic_version").is_some() { Transport::Quic } else { Transport::Tcp };
        let key = (source.min(destination), source.max(destination), header.stream);
        let is_client = is_from_client(frame).unwrap_or_else(|| match self.flows.get(&key) {
            Some((client, _)) => *client == source,
            None => destination.port() < source.port(),
        });
        let (client, server) = if is_client { (source, destination) } else { (destination, source) };
        if self.flows.len() >= FLOWS_OPEN_MAX && !self.flows.contains_key(&key) {
            self.finish(sink);
        }
        let (_, flow) =
            self.flows.entry(key).or_insert_with(|| (client, Flow::between(Some(client), Some(server), transport)));
        let begins = frame.all("tls_handshake_type").any(|field| field.value == "1");
        if begins && is_client && flow.has_hello() {
            let old = std::mem::replace(flow, Flow::between(Some(client), Some(server), transport));
            old.observe(&mut self.certificates, sink);
        }
        let from = if is_client { From::Client } else { From::Server };
        for (event, cites) in events(frame, header) {
            flow.add(from, event, header.time, cites);
        }
        for field in frame.all("tls_handshake_certificate") {
            if let Some(der) = flows::from_hexadecimal(&field.value) {
                flow.own_line(der, field.cite.clone());
            }
        }
    }

    /// A ClientHello whose ends were not exported, and names of certificates without the certificates.
    fn without_ends(&mut self, frame: &Frame, header: &Header, sink: &mut Sink) {
        let known = &mut self.certificates;
        let mut flow = Flow::between(header.source, header.destination, Transport::Text);
        let sni = frame.last("tls_handshake_extensions_server_name");
        let is_hello = frame.last("tls_handshake_type").is_none() && sni.is_some();
        for (event, cites) in events(frame, header) {
            let from = if matches!(event, Event::ClientHello(_)) { From::Client } else { From::Server };
            flow.add(from, event, header.time, cites);
        }
        if is_hello {
            let hello = ClientHello { sni: sni.map(|it| it.value.to_lowercase()), ..ClientHello::default() };
            flow.add(From::Client, Event::ClientHello(Box::new(hello)), header.time, header.with(sni));
        }
        flow.observe(known, sink);
        let names: Vec<&Field> = frame.all("x509ce_dNSName").collect();
        if let (Some(first), true) = (names.first(), frame.last("tls_handshake_certificate").is_none()) {
            let san = San { dns: names.iter().map(|it| it.value.clone()).collect(), ip: Vec::new(), other: 0 };
            let certificate = Certificate {
                sha256: None,
                local_id: Some(sink.local_id(first.cite.line)),
                subject: None,
                issuer: None,
                san: Some(san),
                not_before: None,
                not_after: None,
                serial: None,
                run: None,
                der: None,
            };
            sink.observe_cited(Fact::Certificate(certificate), header.with(names));
        }
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "1" | "true" | "True")
}

fn is_from_client(frame: &Frame) -> Option<bool> {
    frame.all("tls_handshake_type").find_map(|field| match field.value.as_str() {
        "1" | "16" => Some(true),
        "2" | "12" | "14" => Some(false),
        _ => None,
    })
}

/// The records of a message: tshark lists each field of all records in their order.
fn records(frame: &Frame, name: &dyn Fn(&str) -> String) -> (Vec<Record>, Vec<Cite>) {
    let values = |field: &str| frame.all(&name(field)).map(|it| it.value.clone()).collect::<Vec<_>>();
    let owners: Vec<&Field> = frame.fields.iter().filter(|field| field.name == name("resp_name")).collect();
    let (kinds, ttls) = (values("resp_type"), values("resp_ttl"));
    let count = |field: &str| frame.number(&name(field)).and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    let answers = count("count_answers");
    let authority = answers.saturating_add(count("count_auth_rr"));
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut records = Vec::new();
    let mut cites = Vec::new();
    let mut ttls = ttls.into_iter();
    for (at, (owner, kind)) in owners.iter().zip(&kinds).enumerate().take(DNS_RECORDS_MAX) {
        let Some(kind) = number(kind).and_then(|it| u16::try_from(it).ok()) else { continue };
        if kind == OPT {
            continue;
        }
        let ttl = ttls.next().and_then(|ttl| ttl.parse().ok());
        let Some((_, field, is_name)) = DATA_FIELDS.iter().find(|(known, ..)| *known == kind) else { continue };
        let nth = taken.entry(field).or_default();
        let field_name = name(field);
        let data = frame.all(&field_name).nth(*nth);
        *nth = nth.saturating_add(1);
        let (Some(data), Some(owner_name)) = (data, Name::parse(&owner.value)) else { continue };
        cites.push(owner.cite.clone());
        cites.push(data.cite.clone());
        records.push(Record {
            section: match at {
                _ if at < answers => Section::Answer,
                _ if at < authority => Section::Authority,
                _ => Section::Additional,
            },
            owner: owner_name,
            kind: dns::iana::kind_name(kind),
            ttl,
            data: if *is_name { dotted(&data.value).into() } else { data.value.clone().into() },
        });
    }
    (records, cites)
}

/// The chain from the question, where `-e` left out the owners: aliases in order, then addresses of
/// the last.
fn chained(frame: &Frame, name: &dyn Fn(&str) -> String, question: Option<&Name>) -> Vec<Record> {
    let mut owner = question.cloned().unwrap_or_else(Name::unstated);
    let mut records = Vec::new();
    let record = |owner: &Name, kind: &str, data: String| Record {
        section: Section::Answer,
        owner: owner.clone(),
        kind: kind.into(),
        ttl: None,
        data: data.into(),
    };
    for field in frame.all(&name("cname")) {
        let Some(target) = Name::parse(&field.value) else { continue };
        records.push(record(&owner, "CNAME", format!("{target}.")));
        owner = target;
    }
    for (field, kind) in [("a", "A"), ("aaaa", "AAAA")] {
        records.extend(frame.all(&name(field)).map(|it| record(&owner, kind, it.value.clone())));
    }
    records
}

fn dotted(text: &str) -> String {
    Name::parse(text).map_or_else(|| text.to_owned(), |name| format!("{name}."))
}

/// The messages of a frame in the order of their types.
fn events(frame: &Frame, header: &Header) -> Vec<(Event, Vec<Cite>)> {
    let mut events = Vec::new();
    let mut has_chain = false;
    for kind in frame.all("tls_handshake_type") {
        match kind.value.as_str() {
            "1" => events.push(client_hello(frame, header, kind)),
            "2" => events.push(server_hello(frame, header, kind)),
            "11" if !has_chain => {
                has_chain = true;
                events.extend(chain(frame, header, kind));
            }
            "12" | "14" => events.push((Event::FlightDone, header.with([kind]))),
            _ => {}
        }
    }
    if !has_chain && frame.last("tls_handshake_type").is_none() {
        events.extend(frame.last("tls_handshake_certificate").and_then(|field| chain(frame, header, field)));
    }
    let levels: Vec<&Field> = frame.all("tls_alert_message_level").collect();
    for (level, description) in levels.iter().zip(frame.all("tls_alert_message_desc")) {
        let byte = |field: &Field| number(&field.value).and_then(|it| u8::try_from(it).ok());
        if let (Some(level_number), Some(number)) = (byte(level), byte(description)) {
            events.push((Event::Alert(level_number, number), header.with([*level, description])));
        }
    }
    for kind in frame.all("tls_record_content_type").chain(frame.all("tls_record_opaque_type")) {
        match kind.value.as_str() {
            "20" => events.push((Event::ChangeCipherSpec, header.with([kind]))),
            "21" if levels.is_empty() => events.push((Event::EncryptedAlert, header.with([kind]))),
            "23" => events.push((Event::Encrypted, header.with([kind]))),
            _ => {}
        }
    }
    events
}

fn client_hello(frame: &Frame, header: &Header, kind: &Field) -> (Event, Vec<Cite>) {
    let sni = frame.last("tls_handshake_extensions_server_name");
    let mut versions: Vec<u16> = frame
        .all("tls_handshake_extensions_supported_version")
        .filter_map(|field| u16::try_from(number(&field.value)?).ok())
        .filter(|version| version & 0x0f0f != 0x0a0a)
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.dedup();
    if versions.is_empty() {
        versions.extend(frame.number("tls_handshake_version").and_then(|it| u16::try_from(it).ok()));
    }
    let alpn = frame.all("tls_handshake_extensions_alpn_str").map(|field| field.value.clone());
    let ech = frame.all("tls_handshake_extension_type").any(|field| number(&field.value) == Some(0xfe0d));
    let hello = ClientHello {
        sni: sni.map(|field| field.value.to_lowercase()),
        alpn: alpn.filter(|name| name.is_ascii() && !name.is_empty()).collect(),
        versions: versions.into_iter().map(handshake::version_name).collect(),
        ech,
        session_id: session_id(frame),
        ..ClientHello::default()
    };
    (Event::ClientHello(Box::new(hello)), header.with([kind].into_iter().chain(sni)))
}

fn session_id(frame: &Frame) -> Vec<u8> {
    frame.value("tls_handshake_session_id").and_then(flows::from_hexadecimal).unwrap_or_default()
}

fn server_hello(frame: &Frame, header: &Header, kind: &Field) -> (Event, Vec<Cite>) {
    let version = frame
        .last("tls_handshake_extensions_supported_version")
        .or_else(|| frame.last("tls_handshake_version"))
        .and_then(|field| number(&field.value)?.try_into().ok());
    let cipher = frame.number("tls_handshake_ciphersuite").and_then(|it| u16::try_from(it).ok());
    let random = frame.value("tls_handshake_random").unwrap_or_default();
    let hello = ServerHello {
        version: version.map_or_else(String::new, handshake::version_name),
        cipher: cipher.map_or_else(String::new, handshake::cipher_name),
        is_retry: random.replace(':', "").starts_with(RETRY_RANDOM),
        session_id: session_id(frame),
        is_tls13: version == Some(TLS_1_3),
        cipher_id: cipher.unwrap_or(0),
        ..ServerHello::default()
    };
    let said = [frame.last("tls_handshake_version"), frame.last("tls_handshake_ciphersuite")];
    (Event::ServerHello(Box::new(hello)), header.with([kind].into_iter().chain(said.into_iter().flatten())))
}

fn chain(frame: &Frame, header: &Header, kind: &Field) -> Option<(Event, Vec<Cite>)> {
    let certificates: Vec<&Field> = frame.all("tls_handshake_certificate").collect();
    let chain: Vec<Vec<u8>> = certificates.iter().filter_map(|field| flows::from_hexadecimal(&field.value)).collect();
    (!chain.is_empty()).then(|| (Event::Certificates(chain), header.with([kind].into_iter().chain(certificates))))
}

/// The record types that matter, the field with their data, and whether it is a name.
const DATA_FIELDS: &[(u16, &str, bool)] = &[
    (1, "a", false),
    (28, "aaaa", false),
    (5, "cname", true),
    (2, "ns", true),
    (12, "ptr_domain_name", true),
    (6, "soa_mname", true),
    (39, "dname", true),
];
/// The fields that a proof quotes.
const SHOWN: &[&str] = &["_cname", "_a", "_aaaa", "_extensions_server_name", "_certificate", "_dNSName", "_desc"];
const OPT: u16 = 41;
const TLS_1_3: u16 = 0x0304;
/// The first bytes of the random of a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY_RANDOM: &str = "cf21ad74e59a6111be1d8c021e65b891";
/// Connections that wait for more; beyond it all are joined as they are.
const FLOWS_OPEN_MAX: usize = 65_536;
