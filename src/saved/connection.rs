//! A TLS connection as a tool's text describes it ([`Connection`]): one handshake, its certificates once
//! each, its alerts.

use std::net::{IpAddr, SocketAddr};

use super::grammar::address;
use super::{RunText, Sink};
use crate::evidence::{Fact, Override, OverrideKind, ServerName};
use crate::name::Name;
use crate::provenance::{GapReason, Time};
use crate::tls::{Alert, ChainState, Handshake, Side, SniState, Transport};
use crate::x509::{self, Certificate};

/// One connection, as far as the text says.
#[derive(Debug)]
pub struct Connection {
    /// When.
    pub time: Option<Time>,
    /// The server's address.
    pub server: Option<SocketAddr>,
    /// The host the tool was told to connect to.
    pub dialed: Option<String>,
    /// The server name it sent.
    pub server_name: ServerName,
    /// The version the server chose.
    pub version: Option<String>,
    /// The cipher suite the server chose.
    pub cipher: Option<String>,
    /// The protocols offered (RFC 7301).
    pub alpn: Vec<String>,
    /// The protocol whose STARTTLS came before.
    pub starttls: Option<String>,
    /// The session was resumed.
    pub resumed: bool,
    /// The server asked for a certificate of the client.
    pub certificate_requested: bool,
    /// The certificates that the server sent, the leaf first, with their lines.
    pub chain: Vec<(Certificate, Vec<u32>)>,
    /// The lines that speak of the connection itself.
    pub lines: Vec<u32>,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            time: None,
            server: None,
            dialed: None,
            server_name: ServerName::Unknown,
            version: None,
            cipher: None,
            alpn: Vec::new(),
            starttls: None,
            resumed: false,
            certificate_requested: false,
            chain: Vec::new(),
            lines: Vec::new(),
        }
    }
}

impl Connection {
    /// Puts the handshake and its certificates where facts go.
    pub fn observe(self, run: &RunText<'_>, sink: &mut Sink) {
        let mut lines: Vec<u32> = run.command_line.iter().map(|line| line.number).chain(self.lines).collect();
        if let (ServerName::Yes(name), Some(Ok(address))) =
            (&self.server_name, self.dialed.as_deref().map(str::parse::<IpAddr>))
        {
            observe_forced(address::host(name), address, run, sink);
        }
        let mut chain = Vec::new();
        for (certificate, at) in self.chain {
            lines.extend(&at);
            chain.push(certificate.id().to_owned());
            observe_certificate(certificate, at, sink);
        }
        let (sni, sni_state) = match self.server_name {
            ServerName::Yes(name) => (Some(name), SniState::Sent),
            ServerName::No => (None, SniState::Absent),
            ServerName::Unknown => (None, SniState::Unknown),
        };
        let chain_state = match (chain.is_empty(), self.resumed) {
            (false, _) => ChainState::Seen,
            (true, true) => ChainState::Resumed,
            (true, false) => ChainState::Missing,
        };
        let handshake = Handshake {
            time: self.time.or(run.clock),
            server: self.server,
            sni,
            sni_state,
            alpn: self.alpn,
            version: self.version,
            certificate_requested: self.certificate_requested,
            cipher: self.cipher,
            chain_state,
            chain,
            resumed: self.resumed,
            starttls: self.starttls,
            dialed: self.dialed.map(|host| host.to_lowercase()),
            run: Some(run.number),
            ..Handshake::over(Transport::Text)
        };
        sink.observe(Fact::TlsHandshake(handshake), lines);
    }
}

/// Somebody chose the address, and DNS had no say; told once a run.
pub fn observe_forced(host: Option<Name>, address: IpAddr, run: &RunText<'_>, sink: &mut Sink) {
    let it = Override { by: OverrideKind::ConnectIp, host, to: Some(address.to_string()), run: Some(run.number) };
    let fact = Fact::Override(it);
    let is_told = sink.observations.iter().rev().take(FACTS_OF_A_RUN).any(|known| *known.fact == fact);
    if !is_told {
        sink.observe(fact, [run.first_line()]);
    }
}

/// Adds a certificate that is not there yet.
pub fn observe_certificate(certificate: Certificate, lines: Vec<u32>, sink: &mut Sink) {
    if !sink.certificates.contains(certificate.id()) && !lines.is_empty() {
        sink.observe(Fact::Certificate(certificate), lines);
    }
}

/// A certificate of which only a text speaks, from this line on.
pub fn described(run: &RunText<'_>, line: u32, sink: &Sink) -> Certificate {
    Certificate {
        sha256: None,
        local_id: Some(sink.local_id(line)),
        subject: None,
        issuer: None,
        san: None,
        not_before: None,
        not_after: None,
        serial: None,
        run: Some(run.number),
        der: None,
    }
}

/// A certificate whose DER form the text holds.
pub fn whole(run: &RunText<'_>, der: &[u8]) -> Certificate {
    let (mut certificate, _) = x509::der::read(der);
    certificate.run = Some(run.number);
    certificate
}

/// Adds an alert of the server.
pub fn observe_alert(description: String, server: Option<SocketAddr>, run: &RunText<'_>, line: u32, sink: &mut Sink) {
    observe_level("fatal", description, server, run, line, sink);
}

/// Adds an alert of the server after which the handshake went on.
pub fn observe_warning(description: String, server: Option<SocketAddr>, run: &RunText<'_>, line: u32, sink: &mut Sink) {
    observe_level("warning", description, server, run, line, sink);
}

fn observe_level(
    level: &str,
    description: String,
    server: Option<SocketAddr>,
    run: &RunText<'_>,
    line: u32,
    sink: &mut Sink,
) {
    let alert = Alert {
        time: None,
        client: None,
        server,
        transport: Transport::Text,
        from: Side::Server,
        level: Some(level.to_owned()),
        description: Some(description),
        encrypted: false,
        run: Some(run.number),
    };
    sink.observe(Fact::TlsAlert(alert), [line]);
}

/// Adds a gap: there was no handshake, and why.
pub fn observe_failure(why: &str, line: u32, sink: &mut Sink) {
    let reason = GapReason::Undecoded { what: "TLS handshake".to_owned(), why: why.to_owned() };
    sink.gap(line, reason);
}

/// `TLSv1.3`, `TLS1.3`, `TLS_1_3` and `TLSv1` as RFC 8446 writes them.
pub fn version_name(word: &str) -> Option<String> {
    let word = word.trim().replace('_', ".");
    match word.as_str() {
        "TLSv1" | "TLS1" => return Some("TLS 1.0".to_owned()),
        "SSLv3" | "SSL3.0" => return Some("SSL 3.0".to_owned()),
        _ => {}
    }
    let number =
        word.strip_prefix("TLSv").or_else(|| word.strip_prefix("TLS.")).or_else(|| word.strip_prefix("TLS"))?;
    matches!(number.trim(), "1.0" | "1.1" | "1.2" | "1.3").then(|| format!("TLS {}", number.trim()))
}

/// How far back a run's own facts are looked for: a scanner of many certificates gives dozens.
const FACTS_OF_A_RUN: usize = 64;
