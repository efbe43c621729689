//! Chrome's NetLog (`chrome://net-export`, `--log-net-log`): resolved names with their aliases, TLS
//! connections from the logged handshake messages, what Chrome made of the certificate.
//!
//! Event types and error codes are numbers that the log's own `constants` name; a log without them
//! cannot be read. The messages are logged in clear, the Certificate of TLS 1.3 included. Cookies,
//! headers and URLs' queries stand in events that are never read here.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::flows::{Certificates, Flow, From};
use super::node::Node;
use super::splitter::Record;
use super::{Cite, Cut, Export, Records};
use crate::dns::{Answer, Question, Record as DnsRecord, Section, Transport as DnsTransport};
use crate::evidence::{ClientVerdict, Fact, Says};
use crate::limits::{DNS_RECORDS_MAX, LOG_SOURCES_MAX};
use crate::name::Name;
use crate::provenance::{GapReason, Time};
use crate::saved::Sink;
use crate::tls::Transport;
use crate::tls::event::Event;

/// Chrome's NetLog.
pub static EXPORT: Export = Export {
    id: "netlog",
    made_by: "chrome://net-export, chromium --log-net-log",
    opens: is_constants,
    cut: Cut::Json(|path| path.is_empty() || path == ["events"]),
    reader: || Box::new(Log::default()),
};

/// `constants` is the first key, and what stands in it is Chrome's.
fn is_constants(head: &str) -> bool {
    let inner = head.strip_prefix('{').unwrap_or_default().trim_start();
    inner.starts_with("\"constants\"")
        && ["activeFieldTrialGroups", "addressFamily", "certStatusFlag", "clientInfo", "logEventTypes"]
            .iter()
            .any(|key| head.contains(key))
}

#[derive(Default)]
struct Log {
    types: BTreeMap<u64, String>,
    errors: BTreeMap<i64, String>,
    /// What event times count from, in milliseconds since 1970.
    origin: i64,
    sockets: BTreeMap<u64, Socket>,
    certificates: Certificates,
    has_constants: bool,
    told_limit: bool,
}

/// One socket with what was sent over it.
struct Socket {
    ends: (Option<SocketAddr>, Option<SocketAddr>),
    flow: Option<Flow>,
    cites: Vec<Cite>,
}

impl Records for Log {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let Some(node) = Node::of(record) else {
            let reason = GapReason::Undecoded { what: "event".to_owned(), why: "no whole JSON".to_owned() };
            sink.gap(record.first_line(), reason);
            return;
        };
        match record.path {
            [key] if key == "constants" => self.constants(node),
            [key, _] if key == "events" => self.event(node, sink),
            _ => {}
        }
    }

    fn finish(&mut self, sink: &mut Sink) {
        if !self.has_constants {
            let why = "its constants are missing; export it again from chrome://net-export".to_owned();
            sink.gap(1, GapReason::Undecoded { what: "NetLog".to_owned(), why });
        }
        for (_, socket) in std::mem::take(&mut self.sockets) {
            socket.observe(&mut self.certificates, sink);
        }
    }
}

impl Socket {
    fn observe(self, known: &mut Certificates, sink: &mut Sink) {
        if let Some(flow) = self.flow {
            flow.observe(known, sink);
        }
    }
}

impl Log {
    fn constants(&mut self, node: Node<'_>) {
        for (name, number) in node.get("logEventTypes").map(|types| types.pairs()).unwrap_or_default() {
            if let Some(number) = number.text().and_then(|text| text.parse().ok()) {
                self.types.insert(number, name.into_owned());
            }
        }
        for (name, number) in node.get("netError").map(|errors| errors.pairs()).unwrap_or_default() {
            if let Some(number) = number.text().and_then(|text| text.parse().ok()) {
                self.errors.insert(number, name.into_owned());
            }
        }
        self.origin = node.number_of("timeTickOffset").unwrap_or(0);
        self.has_constants = !self.types.is_empty();
    }

    fn event(&mut self, node: Node<'_>, sink: &mut Sink) {
        let mut kind = None;
        let mut source = None;
        let mut params = None;
        let mut time = None;
        let mut phase = 0_u64;
        for (key, value) in node.pairs() {
            match key.as_ref() {
                "type" => kind = value.text().and_then(|text| text.parse::<u64>().ok()),
                "source" => source = value.text_of("id").map(|id| id.bytes().fold(0_u64, hash)),
                "params" => params = Some(value),
                "time" => time = value.text().and_then(|text| text.parse::<i64>().ok()),
                "phase" => phase = value.text().and_then(|text| text.parse().ok()).unwrap_or(0),
                _ => {}
            }
        }
        let Some(name) = kind.and_then(|kind| self.types.get(&kind)) else { return };
        let Some((known, read)) = EVENTS.iter().find(|(known, _)| known == name) else { return };
        let at = At {
            name: known,
            source: source.unwrap_or(0),
            time: time.and_then(|time| milliseconds(self.origin.checked_add(time)?)),
            is_end: phase == PHASE_END,
            cite: Cite { quote: None, ..node.cite() },
        };
        match params {
            Some(params) => read(self, &at, params, sink),
            None if at.is_end => self.ended(&at, sink),
            None => {}
        }
    }

    fn socket(&mut self, id: u64, sink: &mut Sink) -> Option<&mut Socket> {
        if self.sockets.len() >= LOG_SOURCES_MAX && !self.sockets.contains_key(&id) {
            if !std::mem::replace(&mut self.told_limit, true) {
                let limit = u64::try_from(LOG_SOURCES_MAX).unwrap_or(u64::MAX);
                sink.gap(1, GapReason::Limit { what: "sockets open at once".to_owned(), limit });
            }
            return None;
        }
        let new = || Socket { ends: (None, None), flow: None, cites: Vec::new() };
        Some(self.sockets.entry(id).or_insert_with(new))
    }

    fn ended(&mut self, at: &At, sink: &mut Sink) {
        if at.name == "SOCKET_ALIVE"
            && let Some(socket) = self.sockets.remove(&at.source)
        {
            socket.observe(&mut self.certificates, sink);
        }
    }
}

/// Where and when an event is.
struct At {
    name: &'static str,
    source: u64,
    time: Option<Time>,
    is_end: bool,
    cite: Cite,
}

type ReadEvent = fn(&mut Log, &At, Node<'_>, &mut Sink);

/// The events that say something, and what reads each.
const EVENTS: &[(&str, ReadEvent)] = &[
    ("TCP_CONNECT", connected),
    ("TCP_CONNECT_ATTEMPT", connected),
    ("SSL_HANDSHAKE_MESSAGE_SENT", |log, at, params, sink| message(log, at, params, From::Client, sink)),
    ("SSL_HANDSHAKE_MESSAGE_RECEIVED", |log, at, params, sink| message(log, at, params, From::Server, sink)),
    ("SSL_ALERT_SENT", |log, at, params, sink| alert(log, at, params, From::Client, sink)),
    ("SSL_ALERT_RECEIVED", |log, at, params, sink| alert(log, at, params, From::Server, sink)),
    ("SSL_CONNECT", verdict),
    ("SOCKET_ALIVE", |log, at, _, sink| {
        if at.is_end {
            log.ended(at, sink);
        }
    }),
    ("HOST_RESOLVER_DNS_TASK_EXTRACTION_RESULTS", resolved),
    ("HOST_RESOLVER_SYSTEM_TASK", resolved_by_system),
    ("HOST_RESOLVER_IMPL_JOB", resolved_by_system),
];

fn connected(log: &mut Log, at: &At, params: Node<'_>, sink: &mut Sink) {
    let end = |key: &str| params.text_of(key).and_then(|text| text.parse::<SocketAddr>().ok());
    let ends =
        (end("local_address").or_else(|| end("source_address")), end("remote_address").or_else(|| end("address")));
    let cite = at.cite.clone();
    if let Some(socket) = log.socket(at.source, sink) {
        socket.ends = (ends.0.or(socket.ends.0), ends.1.or(socket.ends.1));
        if socket.cites.len() < CONNECT_LINES_MAX {
            socket.cites.push(cite);
        }
    }
}

fn flow<'l>(log: &'l mut Log, at: &At, sink: &mut Sink) -> Option<(&'l mut Flow, Vec<Cite>)> {
    let cite = at.cite.clone();
    let socket = log.socket(at.source, sink)?;
    let (client, server) = socket.ends;
    let cites = if socket.flow.is_none() { std::mem::take(&mut socket.cites) } else { Vec::new() };
    let flow = socket.flow.get_or_insert_with(|| Flow::between(client, server, Transport::Tcp));
    Some((flow, cites.into_iter().chain([cite]).collect()))
}

fn bytes_of(params: Node<'_>) -> Option<Vec<u8>> {
    STANDARD.decode(params.text_of("bytes")?.as_bytes()).ok()
}

fn message(log: &mut Log, at: &At, params: Node<'_>, from: From, sink: &mut Sink) {
    let Some(bytes) = bytes_of(params) else { return };
    if let Some((flow, cites)) = flow(log, at, sink) {
        flow.add_message(from, &bytes, at.time, &cites);
    }
}

fn alert(log: &mut Log, at: &At, params: Node<'_>, from: From, sink: &mut Sink) {
    let Some([level, description]) = bytes_of(params).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()) else { return };
    if let Some((flow, cites)) = flow(log, at, sink) {
        flow.add(from, Event::Alert(level, description), at.time, cites);
    }
}

/// The end of `SSL_CONNECT` says why Chrome gave up.
fn verdict(log: &mut Log, at: &At, params: Node<'_>, sink: &mut Sink) {
    let Some(error) = params.number_of::<i64>("net_error").filter(|error| *error != 0 && at.is_end) else { return };
    let Some((_, says)) = NET_ERRORS.iter().find(|(number, _)| *number == error) else { return };
    let name = log.errors.get(&error).cloned().unwrap_or_else(|| error.to_string());
    let host = log.sockets.get(&at.source).and_then(|socket| socket.flow.as_ref()?.server_name());
    let it = ClientVerdict {
        client: "chrome".to_owned(),
        says: *says,
        host,
        presented: Vec::new(),
        code: Some(format!("net::{name}")),
        words: format!("SSL_CONNECT ended with net::{name} ({error})"),
        above: None,
        run: None,
    };
    sink.observe_cited(Fact::ClientVerdict(it), [at.cite.clone()]);
}

/// What Chrome's own resolver took from one response.
fn resolved(_: &mut Log, at: &At, params: Node<'_>, sink: &mut Sink) {
    let mut records = Vec::new();
    let mut kind = None;
    for result in params.get("results").map(|it| it.items()).unwrap_or_default().into_iter().take(DNS_RECORDS_MAX) {
        let Some(owner) = result.name_of("domain_name") else { continue };
        kind = kind.or_else(|| result.text_of("query_type"));
        let mut add = |kind: &str, data: String| {
            let owner = owner.clone();
            records.push(DnsRecord {
                section: Section::Answer,
                owner,
                kind: kind.into(),
                ttl: None,
                data: data.into(),
            });
        };
        if let Some(target) = result.name_of("alias_target") {
            add("CNAME", format!("{target}."));
        }
        for endpoint in result.get("endpoints").map(|it| it.items()).unwrap_or_default() {
            let address = endpoint.text_of("address").and_then(|text| text.parse::<std::net::IpAddr>().ok());
            if let Some(address) = address {
                add(if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string());
            }
        }
    }
    // Service records are logged without their data: nothing follows from what is not there.
    if kind.as_deref().is_none_or(|kind| matches!(kind, "A" | "AAAA")) {
        answer(at, records, kind.unwrap_or_else(|| "A".to_owned()), sink);
    }
}

fn answer(at: &At, records: Vec<DnsRecord>, kind: String, sink: &mut Sink) {
    let is_target = |owner: &Name| records.iter().any(|record| record.target().as_ref() == Some(owner));
    let asked = records.iter().map(|record| &record.owner).find(|owner| !is_target(owner)).cloned();
    let Some(name) = asked else { return };
    let it = Answer {
        time: at.time,
        client: None,
        server: None,
        transport: DnsTransport::Text,
        id: None,
        rcode: None,
        flags: None,
        question: Some(Question { name, kind: kind.into() }),
        records,
        extended_errors: Vec::new(),
        is_cut: false,
        carried: None,
        run: None,
    };
    sink.observe_cited(Fact::DnsAnswer(it), [at.cite.clone()]);
}

/// What the system's resolver gave: addresses, and the last name of the chain.
fn resolved_by_system(_: &mut Log, at: &At, params: Node<'_>, sink: &mut Sink) {
    let (Some(asked), Some(last)) = (params.name_of("host"), params.name_of("canonical_name")) else { return };
    if last == asked || !at.is_end {
        return;
    }
    let record = |owner: &Name, kind: &str, data: String| DnsRecord {
        section: Section::Answer,
        owner: owner.clone(),
        kind: kind.into(),
        ttl: None,
        data: data.into(),
    };
    let mut records = vec![record(&asked, "CNAME", format!("{last}."))];
    for item in params.get("address_list").map(|it| it.items()).unwrap_or_default() {
        let address = item.text().and_then(|text| text.parse::<SocketAddr>().ok());
        if let Some(address) = address.map(|address| address.ip()) {
            records.push(record(&last, if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string()));
        }
    }
    answer(at, records, "A".to_owned(), sink);
}

fn milliseconds(count: i64) -> Option<Time> {
    let nanos = u32::try_from(count.rem_euclid(1000)).ok()?.checked_mul(1_000_000)?;
    Some(Time::stated(count.div_euclid(1000), nanos))
}

/// Source ids can be negative; a text of digits becomes one number.
fn hash(sum: u64, byte: u8) -> u64 {
    sum.wrapping_mul(257).wrapping_add(u64::from(byte))
}

/// Chrome's errors that say something of a certificate (net/base/net_error_list.h).
const NET_ERRORS: &[(i64, Says)] = &[
    (-200, Says::NameMismatch),
    (-201, Says::DateInvalid),
    (-202, Says::ChainUntrusted),
    (-203, Says::Refused),
    (-206, Says::Refused),
    (-207, Says::Refused),
    (-208, Says::Refused),
    (-210, Says::Refused),
    (-211, Says::Refused),
    (-213, Says::Refused),
    (-214, Says::Refused),
    (-107, Says::HandshakeFailed),
    (-113, Says::HandshakeFailed),
    (-141, Says::HandshakeFailed),
    (-159, Says::HandshakeFailed),
];
const PHASE_END: u64 = 2;
const CONNECT_LINES_MAX: usize = 8;
