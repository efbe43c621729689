//! Suricata's `eve.json`: `dns` events of versions 1 to 3, and `tls` events with their certificate.
//!
//! A `tls` event without `sni` does not say that the client sent none: the log leaves out what it did
//! not see.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::flows::{self, Certificates};
use super::node::Node;
use super::splitter::Record;
use super::{Cite, Cut, Export, Records};
use crate::dns::{Answer, Question, Record as DnsRecord, Section, Transport as DnsTransport};
use crate::evidence::Fact;
use crate::limits::DNS_RECORDS_MAX;
use crate::name::Name;
use crate::provenance::{GapReason, Time};
use crate::saved::Sink;
use crate::saved::grammar::dn;
use crate::tls::{ChainState, Handshake, SniState, Transport};
use crate::x509::{self, Certificate, San};

/// `eve.json`.
pub static EXPORT: Export = Export {
    id: "suricata_eve",
    made_by: "Suricata, eve.json",
    opens: |head| {
        let line = head.lines().next().unwrap_or_default();
        line.starts_with('{') && line.contains("\"event_type\"") && line.contains("\"timestamp\"")
    },
    cut: Cut::Json(|_| false),
    reader: || Box::new(Events::default()),
};

#[derive(Default)]
struct Events {
    certificates: Certificates,
}

/// What every event says.
struct Header {
    time: Option<Time>,
    source: Option<SocketAddr>,
    destination: Option<SocketAddr>,
    is_tcp: bool,
}

impl Records for Events {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let Some(event) = Node::of(record) else {
            let reason = GapReason::Undecoded { what: "event".to_owned(), why: "no whole JSON".to_owned() };
            sink.gap(record.first_line(), reason);
            return;
        };
        let end = |ip: &str, port: &str| Some(SocketAddr::new(event.number_of(ip)?, event.number_of(port)?));
        let header = Header {
            time: event.text_of("timestamp").as_deref().and_then(flows::time),
            source: end("src_ip", "src_port"),
            destination: end("dest_ip", "dest_port"),
            is_tcp: event.text_of("proto").as_deref() == Some("TCP"),
        };
        match event.text_of("event_type").as_deref() {
            Some("dns") => dns(event, &header, sink),
            Some("tls") => self.tls(event, &header, sink),
            _ => {}
        }
    }

    fn finish(&mut self, _: &mut Sink) {}
}

fn dns(event: Node<'_>, header: &Header, sink: &mut Sink) {
    let Some(dns) = event.get("dns") else { return };
    if !matches!(dns.text_of("type").as_deref(), Some("answer" | "response")) {
        return;
    }
    let query = dns.get("queries").and_then(|it| it.items().into_iter().next());
    let asked = query.unwrap_or(dns);
    let question = asked
        .name_of("rrname")
        .map(|name| Question { name, kind: asked.text_of("rrtype").unwrap_or_else(|| "A".to_owned()).into() });
    let mut records: Vec<DnsRecord> = Vec::new();
    let sections =
        [("answers", Section::Answer), ("authorities", Section::Authority), ("additionals", Section::Additional)];
    for (key, section) in sections {
        let items = dns.get(key).map(|it| it.items()).unwrap_or_default();
        records.extend(items.into_iter().take(DNS_RECORDS_MAX).filter_map(|item| record(item, section)));
    }
    if records.is_empty() && dns.get("rdata").is_some() {
        records.extend(record(dns, Section::Answer));
    }
    let (client, server) = match (header.source, header.destination) {
        (Some(source), Some(destination)) if source.port() == DNS_PORT => (Some(destination), Some(source)),
        (source, destination) => (source, destination),
    };
    let answer = Answer {
        time: header.time,
        client,
        server,
        transport: if header.is_tcp { DnsTransport::Tcp } else { DnsTransport::Udp },
        id: dns.number_of("id"),
        rcode: dns.text_of("rcode").map(Into::into),
        flags: None,
        question,
        records,
        extended_errors: Vec::new(),
        is_cut: false,
        carried: None,
        run: None,
    };
    sink.observe_cited(Fact::DnsAnswer(answer), event.lines().map(|line| Cite { line, quote: None }));
}

fn record(item: Node<'_>, section: Section) -> Option<DnsRecord> {
    let kind = item.text_of("rrtype")?;
    let data = item.text_of("rdata")?;
    let data = match kind.as_str() {
        "CNAME" | "NS" | "PTR" | "DNAME" => format!("{}.", Name::parse(&data)?),
        _ => data,
    };
    Some(DnsRecord {
        section,
        owner: item.name_of("rrname")?,
        kind: kind.into(),
        ttl: item.number_of("ttl"),
        data: data.into(),
    })
}

impl Events {
    fn tls(&mut self, event: Node<'_>, header: &Header, sink: &mut Sink) {
        let Some(tls) = event.get("tls") else { return };
        let cites: Vec<Cite> = event.lines().map(|line| Cite { line, quote: None }).collect();
        let chain = self.chain(tls, &cites, sink);
        let sni = tls.text_of("sni").map(|name| name.to_lowercase());
        let version = tls.text_of("version").filter(|version| version != "UNDETERMINED");
        let version = version.map(|it| it.replace("TLSv", "TLS "));
        let is_resumed = tls.text_of("session_resumed").as_deref() == Some("true");
        let it = Handshake {
            time: header.time,
            client: header.source,
            server: header.destination,
            sni_state: if sni.is_some() { SniState::Sent } else { SniState::Unknown },
            sni,
            chain_state: match (&version, chain.is_empty()) {
                (_, false) => ChainState::Seen,
                _ if is_resumed => ChainState::Resumed,
                (Some(version), true) if version == "TLS 1.3" => ChainState::Encrypted,
                _ => ChainState::Missing,
            },
            version,
            chain,
            resumed: is_resumed,
            ..Handshake::over(Transport::Tcp)
        };
        sink.observe_cited(Fact::TlsHandshake(it), cites);
    }

    /// The certificates themselves where the log holds them, else what it says of the first.
    fn chain(&mut self, tls: Node<'_>, cites: &[Cite], sink: &mut Sink) -> Vec<String> {
        let chain = tls.get("chain").map(|it| it.items()).unwrap_or_default();
        let shown = chain
            .into_iter()
            .chain(tls.get("certificate"))
            .filter_map(|it| STANDARD.decode(it.text()?.as_bytes()).ok());
        let mut ids = Vec::new();
        for der in shown {
            let (certificate, _) = x509::der::read(&der);
            ids.push(certificate.id().to_owned());
            if self.certificates.is_new(certificate.id()) {
                sink.observe_cited(Fact::Certificate(certificate), cites.to_vec());
            }
        }
        ids.dedup();
        let Some(subject) = tls.text_of("subject").filter(|_| ids.is_empty()) else { return ids };
        let names = tls.get("subjectaltname").map(|it| it.items()).unwrap_or_default();
        let names: Vec<String> = names.iter().filter_map(|it| it.text().map(std::borrow::Cow::into_owned)).collect();
        let line = cites.first().map_or(1, |cite| cite.line);
        let certificate = Certificate {
            sha256: None,
            local_id: Some(sink.local_id(line)),
            subject: Some(dn::normal(&subject)),
            issuer: tls.text_of("issuerdn").map(|issuer| dn::normal(&issuer)),
            san: (!names.is_empty()).then_some(San { dns: names, ip: Vec::new(), other: 0 }),
            not_before: tls.text_of("notbefore").as_deref().and_then(date),
            not_after: tls.text_of("notafter").as_deref().and_then(date),
            serial: tls.text_of("serial").map(|serial| serial.replace(':', "").to_lowercase()),
            run: None,
            der: None,
        };
        ids.push(certificate.id().to_owned());
        sink.observe_cited(Fact::Certificate(certificate), cites.to_vec());
        ids
    }
}

/// `2026-06-12T00:00:00`, in UTC as RFC 5280 has it.
fn date(text: &str) -> Option<Time> {
    let civil: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    Some(Time::from_civil(civil, crate::provenance::Zone::Stated))
}

const DNS_PORT: u16 = 53;
