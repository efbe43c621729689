//! Java's `keytool -printcert` and `keytool -list -v`: certificates as text; with `-sslserver` those of a
//! connection, which sends the name that it is given.

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{RunText, SavedFormat, Sink, command};
use crate::evidence::ServerName;
use crate::x509::{self, Certificate, San};

/// `keytool`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "keytool",
    made_by: "keytool -printcert, keytool -list -v",
    is_command: |words| words.first().is_some_and(|word| word == "keytool"),
    opens: |line| {
        line.trim_end() == "Certificate #0"
            || line.starts_with("Certificate[1]:")
            || (line.starts_with("Owner: ") && line.contains('='))
    },
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let target = command::value(&run.command, &["-sslserver"]).map(address::target);
    let host = target.and_then(|(host, _)| address::host(host));
    let server_name = match &host {
        Some(host) if host.ip().is_some() => ServerName::No,
        Some(host) => ServerName::Yes(host.to_string()),
        None => ServerName::Unknown,
    };
    sink.observe(run.fact("keytool", None, host.clone(), server_name.clone()), [run.first_line()]);
    let chain = certificates(run, sink);
    let is_server = run.lines.iter().any(|line| line.text.starts_with("Certificate #")) || target.is_some();
    if is_server && !chain.is_empty() {
        let dialed = target.map(|(host, _)| host.to_owned());
        Connection { dialed, server_name, chain, ..Connection::default() }.observe(run, sink);
        return;
    }
    for (certificate, lines) in chain {
        connection::observe_certificate(certificate, lines, sink);
    }
}

fn certificates(run: &RunText<'_>, sink: &Sink) -> Vec<(Certificate, Vec<u32>)> {
    let mut chain: Vec<(Certificate, Vec<u32>)> = Vec::new();
    let mut in_names = false;
    for line in run.lines {
        let text = line.text.trim();
        if let Some(owner) = text.strip_prefix("Owner: ") {
            let mut certificate = connection::described(run, line.number, sink);
            certificate.subject = Some(dn::normal(owner));
            chain.push((certificate, vec![line.number]));
            continue;
        }
        let Some((certificate, lines)) = chain.last_mut() else { continue };
        if let Some(extension) = text.strip_suffix('[') {
            in_names = extension.trim() == "SubjectAlternativeName";
        }
        if field(certificate, text) || (in_names && name(certificate, text)) {
            lines.push(line.number);
        }
    }
    if chain.is_empty() {
        for block in x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str()))) {
            let Ok(der) = &block.der else { continue };
            chain.push((connection::whole(run, der), (block.first..=block.last).collect()));
        }
    }
    chain
}

fn field(certificate: &mut Certificate, text: &str) -> bool {
    if let Some(issuer) = text.strip_prefix("Issuer: ") {
        certificate.issuer = Some(dn::normal(issuer));
    } else if let Some(serial) = text.strip_prefix("Serial number: ") {
        certificate.serial = Some(serial.trim().to_lowercase());
    } else if let Some(dates) = text.strip_prefix("Valid from: ") {
        let (from, to) = dates.split_once(" until: ").unwrap_or((dates, ""));
        certificate.not_before = time::when(from);
        certificate.not_after = time::when(to);
    } else if let Some(digest) = text.strip_prefix("SHA256: ") {
        let digits = digest.replace(':', "").to_lowercase();
        if digits.len() != 64 || certificate.sha256.is_some() {
            return false;
        }
        certificate.sha256 = Some(digits);
        certificate.local_id = None;
    } else {
        return false;
    }
    true
}

/// `  DNSName: *.example.com`.
fn name(certificate: &mut Certificate, text: &str) -> bool {
    let san = certificate.san.get_or_insert_with(San::default);
    if let Some(name) = text.strip_prefix("DNSName: ") {
        san.dns.push(name.to_owned());
    } else if let Some(address) = text.strip_prefix("IPAddress: ") {
        san.ip.push(address.to_owned());
    } else {
        return false;
    }
    true
}
