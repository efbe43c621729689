//! `gnutls-cli`: it sends the name that it is given, unless told otherwise, prints no subject alternative
//! names without `--print-cert`, and says all that is wrong with a certificate in one line.

use std::net::SocketAddr;

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{Line, RunText, SavedFormat, Sink, command};
use crate::evidence::{ClientVerdict, Fact, Says, ServerName};
use crate::name::Name;
use crate::x509;

/// `gnutls-cli`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "gnutls_cli",
    made_by: "gnutls-cli",
    is_command: |words| words.first().is_some_and(|word| word == "gnutls-cli"),
    opens: |line| {
        (line.starts_with("Processed ") && line.trim_end().ends_with("CA certificate(s)."))
            || resolving(line).is_some()
            || line.starts_with("- Got a certificate list of ")
            || line.starts_with("- Certificate[0] info:")
            || line.starts_with("*** Fatal error: ")
            || line.starts_with("*** Received alert [")
    },
    repeats: false,
    read,
};

/// `Resolving 'www.example.com:443'...`.
fn resolving(line: &str) -> Option<(&str, u16)> {
    let target = line.strip_prefix("Resolving '")?.split('\'').next()?;
    let (host, port) = target.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let words = &run.command;
    let resolved = run.lines.iter().find_map(|line| resolving(&line.text).map(|it| (line.number, it)));
    let dialed = resolved
        .map(|(_, (host, _))| host.to_owned())
        .or_else(|| words.iter().skip(1).rfind(|word| !word.starts_with('-') && word.contains('.')).cloned());
    let server_name = server_name(words, dialed.as_deref());
    let named = match &server_name {
        ServerName::Yes(name) => address::host(name),
        _ => None,
    };
    let host = command::value(words, &["--verify-hostname"]).and_then(address::host).or(named.clone());
    let host = host.or_else(|| dialed.as_deref().and_then(address::host));
    sink.observe(run.fact("gnutls-cli", None, host.clone(), server_name.clone()), [run.first_line()]);
    if let Some(ip) = dialed.as_deref().and_then(|host| host.parse::<std::net::IpAddr>().ok()) {
        connection::observe_forced(named, ip, run, sink);
    }
    let server = run.lines.iter().find_map(|line| Some((line.number, connecting(&line.text)?)));
    let mut connection = Connection {
        server: server.map(|it| it.1),
        dialed,
        server_name,
        starttls: command::value(words, &["--starttls-proto"]).map(str::to_owned),
        chain: chain(run, sink),
        ..Connection::default()
    };
    connection.lines = resolved.iter().map(|it| it.0).chain(server.map(|it| it.0)).collect();
    described(run.lines, &mut connection);
    let has_alert = run.lines.iter().any(|line| alert(&line.text).is_some());
    if !connection.chain.is_empty() || connection.version.is_some() || has_alert {
        connection.observe(run, sink);
    }
    for line in run.lines {
        if let Some(description) = alert(&line.text) {
            connection::observe_alert(description, server.map(|it| it.1), run, line.number, sink);
        } else if let Some((_, why)) = line.text.split_once("Could not connect to ") {
            connection::observe_failure(why, line.number, sink);
        } else if let Some(status) = line.text.strip_prefix("- Status: ") {
            verdicts(status.trim(), run, line.number, host.as_ref(), sink);
        }
    }
}

/// The name that it sends: the host that it was given, unless an option says another or none.
fn server_name(words: &[String], dialed: Option<&str>) -> ServerName {
    if words.iter().any(|word| word == "--disable-sni") {
        return ServerName::No;
    }
    if let Some(name) = command::value(words, &["--sni-hostname"]) {
        return address::host(name).map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string()));
    }
    match dialed.filter(|_| !words.is_empty()).and_then(address::host) {
        Some(name) if name.ip().is_some() => ServerName::No,
        Some(name) => ServerName::Yes(name.to_string()),
        None => ServerName::Unknown,
    }
}

/// `Connecting to '203.0.113.10:443'...`.
fn connecting(line: &str) -> Option<SocketAddr> {
    address::server(line.strip_prefix("Connecting to '")?.split('\'').next()?)
}

/// `*** Received alert [112]: The server name sent was not recognized`.
fn alert(line: &str) -> Option<String> {
    let number = line.strip_prefix("*** Received alert [")?.split(']').next()?;
    number.parse().ok().map(crate::tls::handshake::alert_name)
}

/// `- Description: (TLS1.3-X.509)-(ECDHE-SECP256R1)-(RSA-PSS-RSAE-SHA256)-(AES-256-GCM)`.
fn described(lines: &[Line], connection: &mut Connection) {
    for line in lines {
        let Some(parts) = line.text.strip_prefix("- Description: (") else { continue };
        let version = parts.split(['-', ')']).next().unwrap_or_default();
        connection.version = connection::version_name(version);
        connection.cipher = parts.trim_end_matches(')').rsplit_once('(').map(|(_, cipher)| cipher.to_owned());
        connection.lines.push(line.number);
    }
}

/// The certificates, with their PEM form where `--print-cert` gives it.
fn chain(run: &RunText<'_>, sink: &Sink) -> Vec<(x509::Certificate, Vec<u32>)> {
    let blocks = x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str())));
    let mut chain: Vec<(x509::Certificate, Vec<u32>)> = Vec::new();
    for line in run.lines {
        let Some(rest) = line.text.trim_start().strip_prefix("- subject `") else { continue };
        let mut certificate = connection::described(run, line.number, sink);
        let (subject, rest) = rest.split_once("', issuer `").unwrap_or((rest, ""));
        certificate.subject = Some(dn::normal(subject));
        certificate.issuer = rest.split_once("',").map(|(issuer, _)| dn::normal(issuer));
        certificate.serial = between(rest, "serial 0x", ",").map(str::to_lowercase);
        certificate.not_before = between(rest, "activated `", "'").and_then(time::civil_utc);
        certificate.not_after = between(rest, "expires `", "'").and_then(time::civil_utc);
        chain.push((certificate, vec![line.number]));
    }
    for block in blocks {
        let Ok(der) = &block.der else { continue };
        let owner = chain.iter_mut().rev().find(|(_, lines)| lines.first().is_some_and(|first| *first < block.first));
        if let Some((certificate, lines)) = owner.filter(|(certificate, _)| certificate.der.is_none()) {
            *certificate = connection::whole(run, der);
            lines.extend(block.first..=block.last);
        }
    }
    chain
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split(end).next()
}

/// What a line of status says: every fault that there is.
fn verdicts(status: &str, run: &RunText<'_>, line: u32, host: Option<&Name>, sink: &mut Sink) {
    for (words, says) in STATUS {
        if !status.contains(words) {
            continue;
        }
        let it = ClientVerdict {
            client: "gnutls-cli".to_owned(),
            says: *says,
            host: host.cloned(),
            presented: Vec::new(),
            code: None,
            words: status.to_owned(),
            above: None,
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line]);
    }
}

/// `The certificate is trusted.` covers the name too, and says so only here.
const STATUS: &[(&str, Says)] = &[
    ("The certificate is trusted.", Says::NameMatches),
    ("The certificate is trusted.", Says::ChainTrusted),
    ("The name in the certificate does not match the expected.", Says::NameMismatch),
    ("issuer is unknown", Says::ChainUntrusted),
    ("expired certificate", Says::Expired),
    ("not yet activated certificate", Says::NotYetValid),
];
