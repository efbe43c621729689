//! `sslyze --certinfo` as text: the SNI, the address, the leaf of each chain with SNI, and the one without.
//! Its JSON is read with the other JSON documents.

use std::net::SocketAddr;

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;
use crate::name::Name;
use crate::x509::{Certificate, San};

/// `sslyze`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "sslyze",
    made_by: "sslyze --certinfo",
    is_command: |words| words.first().is_some_and(|word| word == "sslyze"),
    opens: |line| line.trim() == "CHECKING CONNECTIVITY TO SERVER(S)" || results(line).is_some(),
    repeats: false,
    read,
};

/// ` SCAN RESULTS FOR WWW.EXAMPLE.COM:443 - 203.0.113.11`.
fn results(line: &str) -> Option<(Name, Option<SocketAddr>)> {
    let (target, address) = line.trim().strip_prefix("SCAN RESULTS FOR ")?.split_once(" - ")?;
    let (host, port) = target.rsplit_once(':')?;
    let address = address.parse().ok().zip(port.parse().ok());
    Some((address::host(host)?, address.map(|(ip, port)| SocketAddr::new(ip, port))))
}

/// One chain, as far as it is read.
struct Open {
    certificate: Certificate,
    lines: Vec<u32>,
    has_sni: bool,
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut target: Option<(Name, Option<SocketAddr>)> = None;
    let mut sni: Option<Name> = None;
    let mut head = Vec::new();
    let mut chains: Vec<Open> = Vec::new();
    for line in run.lines {
        let text = line.text.trim();
        if let Some(found) = results(text) {
            target = target.or(Some(found));
            head.push(line.number);
        } else if let Some(name) = value(text, "Hostname sent for SNI:") {
            sni = address::host(name);
            head.push(line.number);
        } else if text.starts_with("Certificate Chain #") || text.starts_with("Certificate Chain with SNI disabled") {
            let certificate = connection::described(run, line.number, sink);
            chains.push(Open { certificate, lines: vec![line.number], has_sni: !text.contains("SNI disabled") });
        } else if let Some(open) = chains.last_mut()
            && field(&mut open.certificate, text)
        {
            open.lines.push(line.number);
        }
    }
    let host = sni.clone().or_else(|| target.as_ref().map(|it| it.0.clone()));
    let server_name = sni.as_ref().map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string()));
    sink.observe(run.fact("sslyze", None, host.clone(), server_name.clone()), [run.first_line()]);
    for open in chains {
        let connection = Connection {
            server: target.as_ref().and_then(|it| it.1),
            dialed: target.as_ref().map(|it| it.0.to_string()),
            server_name: if open.has_sni { server_name.clone() } else { ServerName::No },
            chain: vec![(open.certificate, open.lines)],
            lines: head.clone(),
            ..Connection::default()
        };
        connection.observe(run, sink);
    }
}

fn value<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    text.strip_prefix(label).map(str::trim)
}

fn field(certificate: &mut Certificate, text: &str) -> bool {
    if let Some(name) = value(text, "Common Name:") {
        certificate.subject = Some(dn::type_and_value("CN", name));
    } else if let Some(name) = value(text, "Issuer:") {
        certificate.issuer = Some(dn::type_and_value("CN", name));
    } else if let Some(date) = value(text, "Not Before:") {
        certificate.not_before = time::iso(date);
    } else if let Some(date) = value(text, "Not After:") {
        certificate.not_after = time::iso(date);
    } else if let Some(names) = value(text, "SubjAltName - DNS Names:") {
        let names = names.trim_matches(['[', ']']).split(", ").map(|name| name.trim_matches('\'').to_owned());
        certificate.san = Some(San { dns: names.filter(|name| !name.is_empty()).collect(), ..San::default() });
    } else {
        return false;
    }
    true
}
