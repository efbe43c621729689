//! What curl tells of a TLS connection: its ends, version, certificate, the alerts of both sides.

use std::net::{IpAddr, SocketAddr};

use super::dump::Messages;
use super::lines::{Kind, Told};
use super::{Asked, certificate, redirected};
use crate::evidence::{Fact, ServerName};
use crate::name::Name;
use crate::provenance::Time;
use crate::saved::grammar::{dn, time};
use crate::saved::{RunText, Sink, connection};
use crate::tls::{self, Alert, ChainState, Handshake, Side, SniState, Transport};
use crate::x509;

/// What `* ` lines tell.
#[derive(Default)]
struct Connection {
    lines: Vec<u32>,
    server: Option<SocketAddr>,
    client: Option<SocketAddr>,
    version: Option<String>,
    cipher: Option<String>,
    alpn: Vec<String>,
    http_version: Option<String>,
    began: bool,
    is_proxied: bool,
    is_without_name: bool,
    certificate_request: Option<u32>,
    certificate: Vec<u32>,
    subject: Option<String>,
    issuer: Option<String>,
    start: Option<Time>,
    end: Option<Time>,
    alerts: Vec<(u32, Side, u16)>,
}

/// Adds the handshake with a proxy that speaks TLS itself: what is told before the tunnel.
pub(super) fn observe_proxy(run: &RunText<'_>, told: &[Told<'_>], (proxy, port): (&Name, u16), sink: &mut Sink) {
    let mut it = Connection::default();
    for line in told {
        if let Kind::Info(text) = line.kind
            && take(&mut it, text, line.number, port)
        {
            it.lines.push(line.number);
        }
    }
    let chain = told_certificate(run, &it, sink);
    let (sni, sni_state) = server_name(&it, Some(proxy));
    let lines = run.command_line.iter().map(|line| line.number).chain(it.lines).chain(it.certificate);
    let lines: Vec<u32> = lines.collect();
    let handshake = Handshake {
        client: it.client,
        time: run.clock,
        server: it.server,
        sni,
        sni_state,
        version: it.version,
        cipher: it.cipher,
        chain_state: if chain.is_empty() { ChainState::Missing } else { ChainState::Seen },
        chain,
        dialed: Some(proxy.to_string()),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    sink.observe(Fact::TlsHandshake(handshake), lines);
}

/// Adds the handshake, its certificate and its alerts, if there was one.
pub(super) fn observe(run: &RunText<'_>, told: &[Told<'_>], (asked, messages): (&Asked, &Messages), sink: &mut Sink) {
    let mut it = Connection { is_proxied: asked.is_proxied, ..Connection::default() };
    for line in told {
        if let Kind::Info(text) = line.kind
            && take(&mut it, text, line.number, asked.port)
        {
            it.lines.push(line.number);
        }
    }
    let mut chain = sent_chain(run, sink).unwrap_or_default();
    if chain.is_empty() {
        chain = traced_chain(run, messages, sink);
    }
    if chain.is_empty() {
        chain = told_certificate(run, &it, sink);
    }
    if !it.began && chain.is_empty() {
        return;
    }
    let mut lines: Vec<u32> = run.command_line.iter().map(|line| line.number).collect();
    lines.extend(&it.lines);
    lines.extend(&it.certificate);
    lines.extend(messages.chain.iter().flat_map(|(_, lines)| lines));
    let (sni, sni_state) = match &messages.server_name {
        Some((ServerName::Yes(name), at)) => {
            lines.extend(at);
            (Some(name.clone()), SniState::Sent)
        }
        Some((_, at)) => {
            lines.extend(at);
            (None, SniState::Absent)
        }
        None => server_name(&it, asked.host.as_ref()),
    };
    let server = it.server.or_else(|| redirected::forced(run, asked)).filter(|_| !it.is_proxied);
    for (line, from, code) in &it.alerts {
        sink.observe(Fact::TlsAlert(alert(*from, *code, (it.client, server), run.number)), [*line]);
    }
    let handshake = Handshake {
        client: it.client,
        time: run.clock,
        server,
        sni,
        sni_state,
        alpn: it.alpn,
        version: it.version,
        cipher: it.cipher,
        chain_state: if chain.is_empty() { ChainState::Missing } else { ChainState::Seen },
        chain,
        certificate_requested: it.certificate_request.is_some() && !has_certificate(&run.command),
        proxy_host: asked.host.as_ref().filter(|_| it.is_proxied).map(ToString::to_string),
        http_version: it.http_version,
        dialed: asked.host.as_ref().map(ToString::to_string),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    sink.observe(Fact::TlsHandshake(handshake), lines);
}

/// curl sends the host of the URL, unless that is an address or the library says that it sends none.
fn server_name(it: &Connection, host: Option<&Name>) -> (Option<String>, SniState) {
    match host {
        _ if it.is_without_name => (None, SniState::Absent),
        Some(host) if host.ip().is_some() => (None, SniState::Absent),
        Some(host) => (Some(host.to_string()), SniState::Sent),
        None => (None, SniState::Unknown),
    }
}

/// Whether a command names a certificate of the client: what it sent of it is not told.
fn has_certificate(words: &[String]) -> bool {
    words.iter().any(|word| word == "--cert" || word.starts_with("--cert=") || word.starts_with("-E"))
}

/// The certificates that `-w '%{certs}'` prints.
fn sent_chain(run: &RunText<'_>, sink: &mut Sink) -> Option<Vec<String>> {
    let asks = run.command.iter().any(|word| word.contains("%{certs}"));
    let blocks = x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str())));
    let mut chain = Vec::new();
    for block in blocks.iter().filter(|_| asks) {
        let (mut certificate, _) = x509::der::read(block.der.as_deref().ok()?);
        certificate.run = Some(run.number);
        chain.push(certificate.id().to_owned());
        sink.observe(Fact::Certificate(certificate), block.first..=block.last);
    }
    (!chain.is_empty()).then_some(chain)
}

/// The certificates whose bytes a trace holds.
fn traced_chain(run: &RunText<'_>, messages: &Messages, sink: &mut Sink) -> Vec<String> {
    let mut chain = Vec::new();
    for (der, lines) in &messages.chain {
        let certificate = connection::whole(run, der);
        chain.push(certificate.id().to_owned());
        connection::observe_certificate(certificate, lines.clone(), sink);
    }
    chain
}

fn told_certificate(run: &RunText<'_>, it: &Connection, sink: &mut Sink) -> Vec<String> {
    let (Some(subject), Some(first)) = (&it.subject, it.certificate.first()) else {
        return Vec::new();
    };
    let mut told = certificate(sink.local_id(*first), run.number);
    told.subject = Some(subject.clone());
    told.issuer.clone_from(&it.issuer);
    told.not_before = it.start;
    told.not_after = it.end;
    let chain = vec![told.id().to_owned()];
    sink.observe(Fact::Certificate(told), it.certificate.clone());
    chain
}

/// curl numbers an alert `level * 256 + description`.
fn alert(from: Side, code: u16, ends: (Option<SocketAddr>, Option<SocketAddr>), run: u32) -> Alert {
    let [level, description] = code.to_be_bytes();
    Alert {
        time: None,
        client: ends.0,
        server: ends.1,
        transport: Transport::Text,
        from,
        level: Some(if level == 2 { "fatal" } else { "warning" }.to_owned()),
        description: Some(tls::alert::name(description)),
        encrypted: false,
        run: Some(run),
    }
}

/// Whether the line says something of the connection.
fn take(it: &mut Connection, text: &str, number: u32, port: u16) -> bool {
    if let Some(rest) = text.strip_prefix("Trying ") {
        it.server = trying(rest, port).or(it.server);
    } else if text.starts_with("Connected to ") || text.starts_with("Established connection to ") {
        let (server, client) = connected(text, port);
        it.server = server.or(it.server);
        it.client = client;
    } else if let Some(rest) = text.strip_prefix("SSL connection using ") {
        negotiated(it, rest);
    } else if let Some((version, suite)) =
        text.strip_prefix("TLS ").and_then(|rest| rest.split_once(" connection using "))
    {
        it.version = Some(format!("TLS {version}"));
        it.cipher = Some(suite.to_owned());
        it.began = true;
    } else if let Some((_, offered)) = text.split_once("offers ").or_else(|| text.split_once("offering ")) {
        it.alpn.extend(offered.split(',').map(|name| name.trim().to_owned()));
        it.began = true;
    } else if let Some(rest) = text.strip_prefix("using HTTP/") {
        it.http_version = Some(rest.trim().to_owned());
    } else if text.contains("Client hello (1)") || text.starts_with("schannel: SSL/TLS connection with ") {
        it.began = true;
    } else if text.contains("tunnel to ") || text.starts_with("Uses proxy env variable ") {
        it.is_proxied = true;
    } else if text.contains("disables SNI") {
        it.is_without_name = true;
    } else if text.contains("(IN), TLS handshake, Request CERT (13)") {
        it.certificate_request = Some(number);
    } else if UNNUMBERED_REFUSALS.iter().any(|words| text.contains(words)) {
        it.alerts.push((number, Side::Server, UNRECOGNIZED_NAME));
    } else if text.contains("), TLS alert, ") || text.contains("), TLS Alert, ") {
        let told = told_alert(text).filter(|(_, code)| *code != CLOSE_NOTIFY);
        it.alerts.extend(told.map(|(from, code)| (number, from, code)));
        return false;
    } else {
        of_certificate(it, text, number);
        return false;
    }
    true
}

fn negotiated(it: &mut Connection, rest: &str) {
    it.began = true;
    match rest.split_once(" / ") {
        Some((version, suite)) => {
            let number = version.strip_prefix("TLSv").or_else(|| version.strip_prefix("TLS"));
            it.version = number.map(|number| format!("TLS {}", if number == "1" { "1.0" } else { number }));
            it.cipher = suite.split(" / ").next().map(str::to_owned);
        }
        None => it.cipher = Some(rest.to_owned()),
    }
}

/// The alert unrecognized_name in the words of NSS and of GnuTLS.
const UNNUMBERED_REFUSALS: &[&str] =
    &["SSL_ERROR_UNRECOGNIZED_NAME_ALERT", "gnutls_handshake() failed: The server name sent was not recognized"];
/// Fatal, 112, as curl numbers it.
const UNRECOGNIZED_NAME: u16 = 624;

/// `TLSv1.3 (IN), TLS alert, unrecognized name (624):`.
fn told_alert(text: &str) -> Option<(Side, u16)> {
    let (before, rest) = text.split_once("), TLS alert, ").or_else(|| text.split_once("), TLS Alert, "))?;
    let from = if before.ends_with("(IN") { Side::Server } else { Side::Client };
    let code = rest.rsplit_once('(')?.1.split(')').next()?.parse().ok()?;
    Some((from, code))
}

/// The layouts of OpenSSL, GnuTLS and NSS; SecureTransport prints a line per certificate.
fn of_certificate(it: &mut Connection, text: &str, number: u32) {
    if let Some(rest) = text.strip_prefix("subject: ") {
        it.subject = Some(dn::normal(rest));
    } else if let Some(rest) = text.strip_prefix("issuer: ") {
        it.issuer = Some(dn::normal(rest));
    } else if let Some(rest) = text.strip_prefix("start date: ") {
        it.start = time::certificate_date(rest);
    } else if let Some(rest) = text.strip_prefix("expire date: ") {
        it.end = time::certificate_date(rest);
    } else if let Some(name) = text.strip_prefix("Server certificate: ").filter(|_| it.subject.is_none()) {
        it.subject = Some(dn::type_and_value("CN", name));
    } else {
        return;
    }
    it.certificate.push(number);
}

/// `203.0.113.14:443...`, `[2001:db8::1]:443...`, `203.0.113.14...`.
fn trying(rest: &str, port: u16) -> Option<SocketAddr> {
    let end = rest.trim_end_matches('.').trim();
    end.parse().ok().or_else(|| end.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port)))
}

/// `Connected to h (203.0.113.14) port 443`, and since 8.16 `Established connection to h
/// (203.0.113.14 port 443) from 192.0.2.9 port 5`.
fn connected(text: &str, port: u16) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let address = |rest: &str| {
        let words: Vec<&str> = rest.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect();
        let ip: IpAddr = words.first()?.parse().ok()?;
        let at = words.iter().position(|word| *word == "port");
        let port = at.and_then(|at| words.get(at + 1)).and_then(|it| it.parse().ok()).unwrap_or(port);
        Some(SocketAddr::new(ip, port))
    };
    let server = text.split(" (").skip(1).find_map(address);
    let client = text.split_once(") from ").and_then(|(_, rest)| address(rest));
    (server, client)
}

/// Level warning, description close_notify.
const CLOSE_NOTIFY: u16 = 256;
