//! `tshark -V` and Wireshark's "Export Packet Dissections as Plain Text": the packet tree, indented.
//!
//! Certificates are cut in it, so that they are known by their names and dates only.

use super::dissected::Dissected;
use super::{Cite, Frame};
use crate::evidence::Fact;
use crate::provenance::{Time, Zone};
use crate::saved::Sink;
use crate::saved::export::splitter::Record;
use crate::saved::export::{Cut, Export, Records};
use crate::saved::grammar::dn;
use crate::x509::{Certificate, San};

/// `-V`.
pub static EXPORT: Export =
    Export { id: "tshark_verbose", made_by: "tshark -V", opens, cut: Cut::Lines, reader: || Box::new(Tree::default()) };

/// `Frame 2: 218 bytes on wire (1744 bits), …`.
fn opens(head: &str) -> bool {
    head.lines().next().is_some_and(is_frame)
}

fn is_frame(line: &str) -> bool {
    let rest = line.strip_prefix("Frame ").and_then(|rest| rest.split_once(": "));
    rest.is_some_and(|(number, rest)| number.parse::<u64>().is_ok() && rest.contains(" bytes on wire"))
}

#[derive(Default)]
struct Tree {
    frame: Frame,
    dissected: Dissected,
    layer: &'static str,
    certificates: Vec<(Certificate, Vec<Cite>)>,
    part: Part,
    date: Option<&'static str>,
    is_question: bool,
}

/// Where in a certificate a line stands.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    None,
    Issuer,
    Subject,
}

impl Records for Tree {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let line = record.text;
        if is_frame(line) {
            self.end_frame(sink);
        }
        if !line.starts_with(' ') {
            self.layer = LAYERS.iter().find(|(title, _)| line.starts_with(title)).map_or("", |(_, layer)| layer);
        }
        let text = line.trim().trim_start_matches('[').trim_end_matches(']');
        let cite = || Cite { line: record.first_line(), quote: record.quote_at(0) };
        if self.layer == "tls" {
            self.certificate(text, &cite, sink);
        }
        if self.layer == "dns" && SECTIONS.contains(&text) {
            self.is_question = text == "Queries";
        }
        let Some((label, value)) = labelled(text) else { return };
        let known = LABELS.iter().find(|(layer, known, ..)| *layer == self.layer && *known == label);
        if let Some((_, _, name, form)) = known {
            let name = match (*name, self.is_question) {
                ("dns_resp_name", true) => "dns_qry_name",
                ("dns_resp_type", true) => "dns_qry_type",
                (name, _) => name,
            };
            self.frame.add(name, &form.of(value), cite);
        }
    }

    fn finish(&mut self, sink: &mut Sink) {
        self.end_frame(sink);
        self.dissected.finish(sink);
    }
}

impl Tree {
    fn end_frame(&mut self, sink: &mut Sink) {
        let frame = std::mem::take(&mut self.frame);
        self.dissected.frame(&frame, sink);
        let chain: Vec<String> = self.certificates.iter().map(|(it, _)| it.id().to_owned()).collect();
        if !chain.is_empty() {
            self.dissected.told_chain(&frame, chain);
        }
        for (certificate, cites) in std::mem::take(&mut self.certificates) {
            sink.observe_cited(Fact::Certificate(certificate), cites);
        }
        self.part = Part::None;
    }

    fn certificate(&mut self, text: &str, cite: &dyn Fn() -> Cite, sink: &Sink) {
        if text.starts_with("Certificate: ") && text.contains('…') || text.starts_with("Certificate: 30") {
            let local_id = Some(sink.local_id(cite().line));
            let certificate = Certificate {
                sha256: None,
                local_id,
                subject: None,
                issuer: None,
                san: None,
                not_before: None,
                not_after: None,
                serial: None,
                run: None,
                der: None,
            };
            self.certificates.push((certificate, vec![cite()]));
            return;
        }
        let Some((certificate, cites)) = self.certificates.last_mut() else { return };
        if text.starts_with("issuer: ") {
            self.part = Part::Issuer;
        } else if text.starts_with("subject: ") {
            self.part = Part::Subject;
        } else if let Some(name) = text.strip_prefix("rdnSequence: ").and_then(distinguished_name) {
            match self.part {
                Part::Issuer => certificate.issuer = certificate.issuer.take().or(Some(name)),
                Part::Subject => certificate.subject = certificate.subject.take().or(Some(name)),
                Part::None => return,
            }
            cites.push(cite());
        } else if text.starts_with("notBefore: ") {
            self.date = Some("notBefore");
        } else if text.starts_with("notAfter: ") {
            self.date = Some("notAfter");
        } else if let Some(time) = text.strip_prefix("utcTime: ").or_else(|| text.strip_prefix("generalizedTime: ")) {
            match self.date.take() {
                Some("notBefore") => certificate.not_before = date(time),
                Some(_) => certificate.not_after = date(time),
                None => return,
            }
            cites.push(cite());
        } else if let Some(name) = text.strip_prefix("dNSName: ") {
            certificate.san.get_or_insert_with(San::default).dns.push(name.to_owned());
            cites.push(cite());
        } else if let Some(serial) = text.strip_prefix("serialNumber: 0x") {
            certificate.serial = Some(serial.trim_start_matches("00").to_lowercase());
        }
    }
}

/// `1 item (id-at-commonName=*.example.com,id-at-countryName=US)`, the most specific part first.
fn distinguished_name(text: &str) -> Option<String> {
    let (_, list) = text.split_once('(')?;
    let list = list.strip_suffix(')')?;
    let mut parts: Vec<String> = list
        .split(",id-at-")
        .map(|part| part.trim_start_matches("id-at-"))
        .filter_map(|part| part.split_once('='))
        .map(|(kind, value)| {
            let short = KINDS.iter().find(|(long, _)| *long == kind).map_or(kind, |(_, short)| short);
            dn::type_and_value(short, value)
        })
        .collect();
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `2026-06-12 00:00:00 (UTC)`.
fn date(text: &str) -> Option<Time> {
    let civil: jiff::civil::DateTime = text.trim_end_matches(" (UTC)").trim().parse().ok()?;
    Some(Time::from_civil(civil, Zone::Stated))
}

/// `Name: www.example.com`; a bit field stands before `=`.
fn labelled(text: &str) -> Option<(&str, &str)> {
    let text =
        text.split_once(" = ").filter(|(bits, _)| bits.contains('.') && !bits.contains(':')).map_or(text, |it| it.1);
    text.split_once(": ")
}

/// How a value is written in the tree.
#[derive(Clone, Copy)]
enum Form {
    /// As it is.
    Plain,
    /// The number in the last brackets.
    Bracketed,
    /// The first word.
    First,
    /// Whether a flag is set, by the begin of its words.
    Flag(&'static str),
}

impl Form {
    fn of(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::First => value.split_whitespace().next().unwrap_or_default().to_owned(),
            Self::Bracketed => value.rsplit_once('(').map_or(value, |(_, rest)| rest.trim_end_matches(')')).to_owned(),
            Self::Flag(set) => String::from(if value.starts_with(set) { "1" } else { "0" }),
        }
    }
}

/// The titles of the layers.
const LAYERS: &[(&str, &str)] = &[
    ("Frame ", "frame"),
    ("Internet Protocol Version 4", "ip"),
    ("Internet Protocol Version 6", "ipv6"),
    ("User Datagram Protocol", "udp"),
    ("Transmission Control Protocol", "tcp"),
    ("Domain Name System", "dns"),
    ("Multicast Domain Name System", "dns"),
    ("Transport Layer Security", "tls"),
    ("Secure Sockets Layer", "tls"),
];
/// The lines that hold a field: layer, label, field, form.
const LABELS: &[(&str, &str, &str, Form)] = &[
    ("frame", "Frame Number", "frame_number", Form::Plain),
    ("frame", "Epoch Time", "frame_time_epoch", Form::First),
    ("frame", "Epoch Arrival Time", "frame_time_epoch", Form::First),
    ("ip", "Source Address", "ip_src", Form::First),
    ("ip", "Destination Address", "ip_dst", Form::First),
    ("ip", "Source", "ip_src", Form::First),
    ("ip", "Destination", "ip_dst", Form::First),
    ("ipv6", "Source Address", "ipv6_src", Form::First),
    ("ipv6", "Destination Address", "ipv6_dst", Form::First),
    ("ipv6", "Source", "ipv6_src", Form::First),
    ("ipv6", "Destination", "ipv6_dst", Form::First),
    ("udp", "Source Port", "udp_srcport", Form::First),
    ("udp", "Destination Port", "udp_dstport", Form::First),
    ("tcp", "Source Port", "tcp_srcport", Form::First),
    ("tcp", "Destination Port", "tcp_dstport", Form::First),
    ("tcp", "Stream index", "tcp_stream", Form::First),
    ("dns", "Transaction ID", "dns_id", Form::First),
    ("dns", "Response", "dns_flags_response", Form::Flag("Message is a response")),
    ("dns", "Authoritative", "dns_flags_authoritative", Form::Flag("Server is an authority")),
    ("dns", "Truncated", "dns_flags_truncated", Form::Flag("Message is truncated")),
    ("dns", "Recursion desired", "dns_flags_recdesired", Form::Flag("Do query")),
    ("dns", "Recursion available", "dns_flags_recavail", Form::Flag("Server can")),
    (
        "dns",
        "Answer authenticated",
        "dns_flags_authenticated",
        Form::Flag("Answer/authority portion was authenticated"),
    ),
    ("dns", "Reply code", "dns_flags_rcode", Form::Bracketed),
    ("dns", "Answer RRs", "dns_count_answers", Form::First),
    ("dns", "Authority RRs", "dns_count_auth_rr", Form::First),
    ("dns", "Additional RRs", "dns_count_add_rr", Form::First),
    ("dns", "Name", "dns_resp_name", Form::Plain),
    ("dns", "Type", "dns_resp_type", Form::Bracketed),
    ("dns", "Time to live", "dns_resp_ttl", Form::First),
    ("dns", "CNAME", "dns_cname", Form::Plain),
    ("dns", "Address", "dns_a", Form::First),
    ("dns", "Addr", "dns_a", Form::First),
    ("dns", "AAAA Address", "dns_aaaa", Form::First),
    ("dns", "Name Server", "dns_ns", Form::Plain),
    ("dns", "Primary name server", "dns_soa_mname", Form::Plain),
    ("dns", "Domain Name", "dns_ptr_domain_name", Form::Plain),
    ("tls", "Content Type", "tls_record_content_type", Form::Bracketed),
    ("tls", "Opaque Type", "tls_record_opaque_type", Form::Bracketed),
    ("tls", "Handshake Type", "tls_handshake_type", Form::Bracketed),
    ("tls", "Session ID", "tls_handshake_session_id", Form::First),
    ("tls", "Random", "tls_handshake_random", Form::First),
    ("tls", "Cipher Suite", "tls_handshake_ciphersuite", Form::Bracketed),
    ("tls", "Supported Version", "tls_handshake_extensions_supported_version", Form::Bracketed),
    ("tls", "Version", "tls_handshake_version", Form::Bracketed),
    ("tls", "Server Name", "tls_handshake_extensions_server_name", Form::Plain),
    ("tls", "ALPN Next Protocol", "tls_handshake_extensions_alpn_str", Form::Plain),
    ("tls", "Level", "tls_alert_message_level", Form::Bracketed),
    ("tls", "Description", "tls_alert_message_desc", Form::Bracketed),
];
/// The titles of the sections of a DNS message.
const SECTIONS: &[&str] = &["Queries", "Answers", "Authoritative nameservers", "Additional records"];
/// Attribute types by their long and short names.
const KINDS: &[(&str, &str)] = &[
    ("commonName", "CN"),
    ("countryName", "C"),
    ("organizationName", "O"),
    ("organizationalUnitName", "OU"),
    ("localityName", "L"),
    ("stateOrProvinceName", "ST"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved::export::flows;

    #[test]
    fn cut_certificates_are_no_bytes() {
        assert_eq!(flows::from_hexadecimal("3082047830820360a0… (id-at-commonName=x)"), None);
        let name = "3 items (id-at-commonName=Amazon RSA 2048 M02,id-at-organizationName=Amazon,id-at-countryName=US)";
        assert_eq!(distinguished_name(name).as_deref(), Some("C=US, O=Amazon, CN=Amazon RSA 2048 M02"));
    }
}
