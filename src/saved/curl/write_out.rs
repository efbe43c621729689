//! `curl -w '%{json}'`: one JSON object on a line, with the ends, the status and the certificates.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use crate::evidence::{Fact, HttpExchange};
use crate::name::Name;
use crate::saved::{RunText, Sink};
use crate::tls::{ChainState, Handshake, SniState, Transport};
use crate::x509;

/// What the object says.
pub(super) struct Written {
    line: u32,
    /// The URL, as it was asked for.
    pub(super) url: String,
    fields: Fields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    certs: Option<String>,
    http_code: Option<u16>,
    http_version: Option<String>,
    local_ip: Option<String>,
    local_port: Option<u16>,
    remote_ip: Option<String>,
    remote_port: Option<u16>,
    url: Option<String>,
    url_effective: Option<String>,
}

/// Whether a line holds the object.
pub(super) fn is_json(line: &str) -> bool {
    line.starts_with('{') && line.contains("\"ssl_verify_result\"") && line.contains("\"remote_ip\"")
}

/// The object in a run's output.
pub(super) fn of(run: &RunText<'_>) -> Option<Written> {
    run.lines.iter().filter(|line| is_json(&line.text)).find_map(|line| {
        let mut stream = serde_json::Deserializer::from_str(&line.text).into_iter::<Fields>();
        let fields = stream.next()?.ok()?;
        let url = fields.url.clone().or_else(|| fields.url_effective.clone()).unwrap_or_default();
        Some(Written { line: line.number, url, fields })
    })
}

/// Adds what it says.
pub(super) fn observe(written: &Written, run: &RunText<'_>, host: Option<&Name>, sink: &mut Sink) {
    let fields = &written.fields;
    let lines: Vec<u32> = run.command_line.iter().map(|line| line.number).chain([written.line]).collect();
    let end = |ip: &Option<String>, port: Option<u16>| {
        let ip: IpAddr = ip.as_deref()?.parse().ok()?;
        Some(SocketAddr::new(ip, port?)).filter(|end| end.port() != 0)
    };
    let mut chain = Vec::new();
    for block in x509::pem::blocks((1..).zip(fields.certs.as_deref().unwrap_or_default().lines())) {
        let Ok(der) = &block.der else { continue };
        let (mut certificate, _) = x509::der::read(der);
        certificate.run = Some(run.number);
        chain.push(certificate.id().to_owned());
        sink.observe(Fact::Certificate(certificate), [written.line]);
    }
    let is_address = host.is_some_and(|host| host.ip().is_some());
    let sni = host.filter(|_| !is_address).map(ToString::to_string);
    let sni_state = match host {
        Some(_) if is_address => SniState::Absent,
        Some(_) => SniState::Sent,
        None => SniState::Unknown,
    };
    let handshake = Handshake {
        client: end(&fields.local_ip, fields.local_port),
        server: end(&fields.remote_ip, fields.remote_port),
        sni,
        sni_state,
        chain_state: if chain.is_empty() { ChainState::Missing } else { ChainState::Seen },
        chain,
        http_version: fields.http_version.clone().filter(|version| version != "0"),
        dialed: host.map(ToString::to_string),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    if written.url.starts_with("https:") && handshake.server.is_some() {
        sink.observe(Fact::TlsHandshake(handshake), lines.clone());
    }
    if let Some(status) = fields.http_code.filter(|status| *status != 0) {
        let url = super::split_url(&written.url).map(|(shown, ..)| shown);
        let it = HttpExchange {
            url,
            host: host.cloned(),
            status: Some(status),
            run: Some(run.number),
            ..HttpExchange::default()
        };
        sink.observe(Fact::HttpExchange(it), lines);
    }
}
