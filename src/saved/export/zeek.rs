//! Zeek's `dns.log`, `ssl.log` and `x509.log`, as tab-separated values and as JSON.
//!
//! Columns are known by `#fields` only. A certificate's fingerprint of 64 digits is its SHA-256, by
//! which `ssl.log` and `x509.log` find each other; older logs join by file ids. That no server name was
//! sent is known only when the log's history shows the ClientHello.

use std::net::SocketAddr;

use super::node::Node;
use super::splitter::Record;
use super::{Cite, Cut, Export, Records, flows};
use crate::dns::{Answer, Flags, Question, Record as DnsRecord, Section, Transport as DnsTransport};
use crate::evidence::{ClientVerdict, Fact, Says};
use crate::name::Name;
use crate::saved::Sink;
use crate::saved::grammar::dn;
use crate::tls::{Alert, ChainState, Handshake, Side, SniState, Transport};
use crate::x509::{Certificate, San};

/// Tab-separated logs.
pub static TSV: Export = Export {
    id: "zeek",
    made_by: "Zeek: dns.log, ssl.log, x509.log",
    opens: |head| {
        head.starts_with("#separator ")
            || head.lines().take(8).any(|line| line.starts_with("#path\t") || line.starts_with("#fields\tts"))
    },
    cut: Cut::Lines,
    reader: || Box::new(Tsv::default()),
};

/// Logs in JSON.
pub static JSON: Export = Export {
    id: "zeek_json",
    made_by: "Zeek with LogAscii::use_json",
    opens: |head| {
        let line = head.lines().next().unwrap_or_default();
        line.starts_with("{\"ts\":")
            && (line.contains("\"uid\"") || line.contains("\"fingerprint\"") || line.contains("\"id.orig_h\""))
            || line.starts_with("{\"_path\":")
    },
    cut: Cut::Json(|_| false),
    reader: || Box::new(Json),
};

/// A row as fields with their values; a list is joined by commas.
struct Row(Vec<(String, String)>);

impl Row {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn list(&self, name: &str) -> Vec<&str> {
        self.text(name).map(|text| text.split(',').filter(|item| !item.is_empty()).collect()).unwrap_or_default()
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("T" | "true"))
    }

    fn end(&self, address: &str, port: &str) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.number(address)?, self.number(port)?))
    }
}

struct Tsv {
    separator: char,
    fields: Vec<String>,
    unset: String,
    empty: String,
}

impl Default for Tsv {
    fn default() -> Self {
        Self { separator: '\t', fields: Vec::new(), unset: "-".to_owned(), empty: "(empty)".to_owned() }
    }
}

impl Records for Tsv {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let text = record.text;
        if let Some(header) = text.strip_prefix('#') {
            self.header(header);
            return;
        }
        let cells = text.split(self.separator);
        let is_set = |value: &&str| **value != *self.unset && **value != *self.empty;
        let row = self.fields.iter().zip(cells).filter(|(_, value)| is_set(value));
        let row = Row(row.map(|(name, value)| (name.clone(), unescaped(value))).collect());
        read(&row, record.first_line(), sink);
    }

    fn finish(&mut self, _: &mut Sink) {}
}

impl Tsv {
    fn header(&mut self, text: &str) {
        if let Some(separator) = text.strip_prefix("separator ") {
            let code = separator.strip_prefix("\\x").and_then(|digits| u8::from_str_radix(digits, 16).ok());
            self.separator = code.map_or('\t', char::from);
            return;
        }
        let mut parts = text.split(['\t', self.separator]);
        match parts.next() {
            Some("fields") => self.fields = parts.map(str::to_owned).collect(),
            Some("unset_field") => parts.next().unwrap_or("-").clone_into(&mut self.unset),
            Some("empty_field") => parts.next().unwrap_or("(empty)").clone_into(&mut self.empty),
            _ => {}
        }
    }
}

/// `\x2c` for a comma within a value.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(0x2c) => whole.push_str("\\,"),
            Some(byte) if byte.is_ascii() => whole.push(char::from(byte)),
            _ => whole.push_str("\\x"),
        }
        whole.push_str(part.get(2..).unwrap_or_default());
    }
    whole
}

struct Json;

impl Records for Json {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let Some(node) = Node::of(record) else { return };
        let mut row = Vec::new();
        for (key, value) in node.pairs() {
            let text = match value.text() {
                Some(text) => text.into_owned(),
                None => value.items().iter().filter_map(Node::text).collect::<Vec<_>>().join(","),
            };
            row.push((key.into_owned(), text));
        }
        read(&Row(row), record.first_line(), sink);
    }

    fn finish(&mut self, _: &mut Sink) {}
}

/// Which log a row is of is told by its fields.
fn read(row: &Row, line: u32, sink: &mut Sink) {
    let cite = [Cite { line, quote: None }];
    if row.text("query").is_some() && row.text("trans_id").is_some() {
        sink.observe_cited(Fact::DnsAnswer(answer(row)), cite);
    } else if row.text("certificate.subject").is_some() || row.text("certificate.serial").is_some() {
        sink.observe_cited(Fact::Certificate(certificate(row)), cite);
    } else if row.text("id.resp_p").is_some() && (row.text("cipher").is_some() || row.text("server_name").is_some()) {
        handshake(row, line, sink);
    }
}

fn answer(row: &Row) -> Answer {
    let asked = row.text("query").and_then(Name::parse);
    let ttls = row.list("TTLs");
    let mut owner = asked.clone().unwrap_or_else(Name::unstated);
    let mut records = Vec::new();
    for (at, item) in row.list("answers").iter().enumerate() {
        let ttl = ttls.get(at).and_then(|ttl| ttl.split('.').next()?.parse().ok());
        let mut add = |kind: &str, data: String| {
            records.push(DnsRecord {
                section: Section::Answer,
                owner: owner.clone(),
                kind: kind.into(),
                ttl,
                data: data.into(),
            });
        };
        if let Ok(address) = item.parse::<std::net::IpAddr>() {
            add(if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string());
        } else if let Some(target) = Name::parse(item).filter(|_| is_address_question(row)) {
            add("CNAME", format!("{target}."));
            owner = target;
        }
    }
    let transport = match (row.text("proto"), row.number::<u16>("id.resp_p")) {
        (_, Some(5353)) => DnsTransport::Mdns,
        (_, Some(5355)) => DnsTransport::Llmnr,
        (Some("tcp"), _) => DnsTransport::Tcp,
        _ => DnsTransport::Udp,
    };
    Answer {
        time: row.text("ts").and_then(flows::time),
        client: row.end("id.orig_h", "id.orig_p"),
        server: row.end("id.resp_h", "id.resp_p"),
        transport,
        id: row.number("trans_id"),
        rcode: row.text("rcode_name").map(Into::into),
        flags: Some(Flags {
            qr: row.text("rcode").is_some(),
            aa: row.flag("AA"),
            tc: row.flag("TC"),
            rd: row.flag("RD"),
            ra: row.flag("RA"),
            ad: false,
            cd: false,
        }),
        question: asked.map(|name| Question { name, kind: row.text("qtype_name").unwrap_or("A").into() }),
        records,
        extended_errors: Vec::new(),
        is_cut: false,
        carried: None,
        run: None,
    }
}

/// A name among the answers of an address question is an alias; of others it is data.
fn is_address_question(row: &Row) -> bool {
    matches!(row.text("qtype_name"), Some("A" | "AAAA" | "CNAME" | "HTTPS") | None)
}

fn certificate(row: &Row) -> Certificate {
    let digest = row.text("fingerprint").filter(|digest| digest.len() == SHA256_DIGITS);
    let file = row.text("id").or_else(|| row.text("fuid"));
    let names: Vec<String> = row.list("san.dns").into_iter().map(str::to_owned).collect();
    let addresses: Vec<String> = row.list("san.ip").into_iter().map(str::to_owned).collect();
    Certificate {
        sha256: digest.map(str::to_lowercase),
        local_id: if digest.is_some() { None } else { file.map(local_id) },
        subject: row.text("certificate.subject").map(dn::normal),
        issuer: row.text("certificate.issuer").map(dn::normal),
        san: Some(San { dns: names, ip: addresses, other: 0 }),
        not_before: row.text("certificate.not_valid_before").and_then(flows::time),
        not_after: row.text("certificate.not_valid_after").and_then(flows::time),
        serial: row.text("certificate.serial").map(|serial| serial.trim_start_matches("00").to_lowercase()),
        run: None,
        der: None,
    }
}

/// A file id is unique over all logs of a Zeek.
fn local_id(file: &str) -> String {
    format!("zeek file {file}")
}

fn handshake(row: &Row, line: u32, sink: &mut Sink) {
    let cite = || [Cite { line, quote: None }];
    let digests: Vec<String> = row.list("cert_chain_fps").into_iter().map(str::to_lowercase).collect();
    let files: Vec<String> = row.list("cert_chain_fuids").into_iter().map(local_id).collect();
    let mut chain = if digests.iter().any(|digest| digest.len() == SHA256_DIGITS) { digests } else { files };
    if let Some(subject) = row.text("subject").filter(|_| chain.is_empty()) {
        let told = Certificate {
            sha256: None,
            local_id: Some(sink.local_id(line)),
            subject: Some(dn::normal(subject)),
            issuer: row.text("issuer").or_else(|| row.text("issuer_subject")).map(dn::normal),
            san: None,
            not_before: row.text("not_valid_before").and_then(flows::time),
            not_after: row.text("not_valid_after").and_then(flows::time),
            serial: None,
            run: None,
            der: None,
        };
        chain.push(told.id().to_owned());
        sink.observe_cited(Fact::Certificate(told), cite());
    }
    let version = row.text("version").map(version);
    let history = row.text("ssl_history").unwrap_or_default();
    let sni = row.text("server_name").map(str::to_lowercase);
    let is_resumed = row.flag("resumed");
    let (client, server) = (row.end("id.orig_h", "id.orig_p"), row.end("id.resp_h", "id.resp_p"));
    let time = row.text("ts").and_then(flows::time);
    let transport = if version.as_deref() == Some("QUIC") { Transport::Quic } else { Transport::Tcp };
    let it = Handshake {
        time,
        client,
        server,
        sni_state: match &sni {
            Some(_) => SniState::Sent,
            None if history.contains('C') => SniState::Absent,
            None => SniState::Unknown,
        },
        sni,
        chain_state: match (version.as_deref(), chain.is_empty()) {
            (_, false) => ChainState::Seen,
            _ if is_resumed => ChainState::Resumed,
            (Some("TLS 1.3"), true) => ChainState::Encrypted,
            _ => ChainState::Missing,
        },
        version,
        cipher: row.text("cipher").map(str::to_owned),
        chain,
        resumed: is_resumed,
        hrr: history.contains('j'),
        ..Handshake::over(transport)
    };
    name_check(row, it.sni.as_deref(), cite(), sink);
    sink.observe_cited(Fact::TlsHandshake(it), cite());
    let from = match (history.contains('L'), history.contains('l')) {
        (true, false) => Some(Side::Client),
        (false, true) => Some(Side::Server),
        _ => None,
    };
    if let (Some(description), Some(from)) = (row.text("last_alert"), from) {
        let it = Alert {
            time,
            client,
            server,
            transport: Transport::Tcp,
            from,
            level: None,
            description: Some(description.to_lowercase()),
            encrypted: false,
            run: None,
        };
        sink.observe_cited(Fact::TlsAlert(it), cite());
    }
}

/// Whether the certificate covers the server name, as Zeek says (`sni_matches_cert`).
fn name_check(row: &Row, sni: Option<&str>, cite: [Cite; 1], sink: &mut Sink) {
    let says = match row.text("sni_matches_cert") {
        Some("T" | "true") => Says::NameMatches,
        Some("F" | "false") => Says::NameMismatch,
        _ => return,
    };
    let Some(host) = sni.and_then(Name::parse) else { return };
    let it = ClientVerdict {
        client: "zeek".to_owned(),
        says,
        words: format!("sni_matches_cert is {}", if says == Says::NameMatches { "true" } else { "false" }),
        host: Some(host),
        presented: Vec::new(),
        code: None,
        above: None,
        run: None,
    };
    sink.observe_cited(Fact::ClientVerdict(it), cite);
}

/// `TLSv12` is `TLS 1.2`.
fn version(text: &str) -> String {
    match text {
        "SSLv3" => "SSL 3.0".to_owned(),
        "TLSv10" => "TLS 1.0".to_owned(),
        "TLSv11" => "TLS 1.1".to_owned(),
        "TLSv12" => "TLS 1.2".to_owned(),
        "TLSv13" => "TLS 1.3".to_owned(),
        other => other.to_owned(),
    }
}

const SHA256_DIGITS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_values() {
        for (text, expected) in [
            ("O=Starfield Technologies\\x2c Inc.", "O=Starfield Technologies\\, Inc."),
            ("a\\x09b", "a\tb"),
            ("x", "x"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }
}
