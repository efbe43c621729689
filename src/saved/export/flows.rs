//! TLS connections of an export put together from single messages: [`Flow`], and the two directions
//! joined as those of a capture are.
//!
//! The messages go through the same [`tls::join`](crate::tls::join) as the streams of a capture, so
//! that an export and the capture it came from give the same handshakes. A chain in clear without a
//! ServerHello, as a display filter leaves it, is joined all the same; what was not exported stays
//! unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::Cite;
use crate::evidence::Fact;
use crate::limits::CHAIN_CERTIFICATES_MAX;
use crate::name::Name;
use crate::provenance::{FrameNumber, GapReason, Time};
use crate::saved::Sink;
use crate::tls::event::{Event, Seen};
use crate::tls::handshake::{self, ServerHello};
use crate::tls::join;
use crate::tls::record::Reader;
use crate::tls::{ChainState, Transport};
use crate::x509;
use crate::x509::known::{Nobody, Presented};

/// One connection.
pub struct Flow {
    ends: (Option<SocketAddr>, Option<SocketAddr>),
    transport: Transport,
    from_client: Vec<Seen>,
    from_server: Vec<Seen>,
    /// The lines of each message; messages name them by their place in this list.
    cites: Vec<Vec<Cite>>,
    /// A chain that is told and not shown, by local ids.
    told_chain: Vec<String>,
    /// The line of each certificate that has one of its own.
    own_lines: BTreeMap<Vec<u8>, Cite>,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// The certificates that an export has given: each is observed once.
#[derive(Default)]
pub struct Certificates(BTreeSet<String>);

impl Certificates {
    /// Whether it is new.
    pub fn is_new(&mut self, sha256: &str) -> bool {
        self.0.insert(sha256.to_owned())
    }
}

impl Flow {
    /// A connection between these ends, client first, as far as they are known.
    pub fn between(client: Option<SocketAddr>, server: Option<SocketAddr>, transport: Transport) -> Self {
        Self {
            ends: (client, server),
            transport,
            from_client: Vec::new(),
            from_server: Vec::new(),
            cites: Vec::new(),
            told_chain: Vec::new(),
            own_lines: BTreeMap::new(),
        }
    }

    /// Adds what was seen.
    pub fn add(&mut self, from: From, event: Event, time: Option<Time>, cites: Vec<Cite>) {
        if self.cites.len() >= MESSAGES_MAX {
            return;
        }
        let number = u64::try_from(self.cites.len()).unwrap_or(u64::MAX);
        self.cites.push(cites);
        let seen = Seen { event, frames: vec![FrameNumber(number)], time };
        match from {
            From::Client => self.from_client.push(seen),
            From::Server => self.from_server.push(seen),
        }
    }

    /// The chain that the export tells without the certificates themselves.
    pub fn told_chain(&mut self, chain: Vec<String>) {
        if self.told_chain.is_empty() {
            self.told_chain = chain;
        }
    }

    /// A certificate stands on a line of its own.
    pub fn own_line(&mut self, der: Vec<u8>, cite: Cite) {
        if self.own_lines.len() < CHAIN_CERTIFICATES_MAX {
            self.own_lines.insert(der, cite);
        }
    }

    /// Adds a handshake message with its header.
    pub fn add_message(&mut self, from: From, bytes: &[u8], time: Option<Time>, cites: &[Cite]) {
        let Some((kind, _)) = handshake::header(bytes) else { return };
        for event in Event::of(handshake::read(kind, bytes)) {
            self.add(from, event, time, cites.to_vec());
        }
    }

    /// The server name that the client sent.
    pub fn server_name(&self) -> Option<Name> {
        self.from_client.iter().find_map(|seen| match &seen.event {
            Event::ClientHello(hello) => Name::parse(hello.sni.as_deref()?),
            _ => None,
        })
    }

    /// Whether it holds a ClientHello or a ServerHello.
    pub fn has_hello(&self) -> bool {
        let is_hello = |seen: &Seen| matches!(seen.event, Event::ClientHello(_) | Event::ServerHello(_));
        self.from_client.iter().chain(&self.from_server).any(is_hello)
    }

    /// The connection is over: what it was goes to the sink.
    pub fn observe(mut self, known: &mut Certificates, sink: &mut Sink) {
        if self.cites.is_empty() {
            return;
        }
        let is_made_up = self.make_up_server_hello();
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let reader = |seen: Vec<Seen>| {
            let mut reader = Reader::default();
            reader.seen = seen;
            (!reader.seen.is_empty()).then_some(reader)
        };
        let (client, server) = self.ends;
        let from_client = (client.unwrap_or(unknown), reader(std::mem::take(&mut self.from_client)));
        let from_server = (server.unwrap_or(unknown), reader(std::mem::take(&mut self.from_server)));
        let joined = join::join(from_client, from_server, &Nobody);
        let cites = self.cites;
        let lines_of = |frames: &[FrameNumber]| -> Vec<Cite> {
            let at = frames.iter().filter_map(|frame| cites.get(usize::try_from(frame.0).ok()?));
            at.flatten().cloned().collect()
        };
        for (mut it, frames) in joined.handshakes {
            it.client = client;
            it.server = server;
            it.transport = self.transport;
            if it.chain.is_empty() && !self.told_chain.is_empty() {
                it.chain.clone_from(&self.told_chain);
                it.chain_state = ChainState::Seen;
                it.resumed = false;
            }
            if is_made_up || it.version.as_deref() == Some("") {
                it.version = None;
                it.cipher = None;
                it.resumed = false;
            }
            sink.observe_cited(Fact::TlsHandshake(it), lines_of(&frames));
        }
        for (mut it, frames) in joined.alerts {
            it.client = client;
            it.server = server;
            it.transport = self.transport;
            sink.observe_cited(Fact::TlsAlert(it), lines_of(&frames));
        }
        for Presented { der, frames, .. } in joined.certificates {
            let (certificate, _) = x509::der::read(&der);
            if known.is_new(certificate.id()) {
                let own = self.own_lines.get(&der).map(|cite| vec![cite.clone()]);
                sink.observe_cited(Fact::Certificate(certificate), own.unwrap_or_else(|| lines_of(&frames)));
            }
        }
        for (reason, frames) in joined.gaps {
            let is_filtered = matches!(reason, GapReason::OneDirection(_));
            if let Some(line) = lines_of(&frames).first().map(|cite| cite.line).filter(|_| !is_filtered) {
                sink.gap(line, reason);
            }
        }
    }

    /// A chain in clear without its ServerHello: joined as that of the version that its record names.
    fn make_up_server_hello(&mut self) -> bool {
        let has_hello = self.from_server.iter().any(|seen| matches!(seen.event, Event::ServerHello(_)));
        let at = self.from_server.iter().position(|seen| matches!(seen.event, Event::Certificates(_)));
        let chain = at.filter(|_| !has_hello).and_then(|at| Some((at, self.from_server.get(at)?.clone())));
        let Some((at, chain)) = chain else { return false };
        let hello = Box::new(ServerHello::default());
        self.from_server.insert(at, Seen { event: Event::ServerHello(hello), ..chain });
        true
    }
}

/// Bytes written in hexadecimal, with or without colons.
pub fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for c in text.chars().filter(|c| *c != ':') {
        let digit = u8::try_from(c.to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(digit),
            Some(first) => bytes.push(first << 4 | digit),
        }
    }
    high.is_none().then_some(bytes)
}

/// Seconds since 1970 with a fraction, or RFC 3339.
pub fn time(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let Ok(seconds) = whole.parse::<i64>() {
        let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
        return Some(Time::stated(seconds, digits.parse().ok()?));
    }
    let instant: jiff::Timestamp = text.trim_end_matches(" UTC").parse().ok()?;
    Some(Time::stated(instant.as_second(), u32::try_from(instant.subsec_nanosecond()).ok()?))
}

/// Messages of one connection that are kept.
const MESSAGES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_bytes_of_exports() {
        for (text, expected) in [
            ("1795331088.341902263", Some((1_795_331_088, 341_902_263))),
            ("1795331088.5", Some((1_795_331_088, 500_000_000))),
            ("1795331088", Some((1_795_331_088, 0))),
            ("2026-11-22T07:04:48.342191+0000", Some((1_795_331_088, 342_191_000))),
            ("2026-11-22T07:04:48.341902263Z", Some((1_795_331_088, 341_902_263))),
            ("yesterday", None),
        ] {
            assert_eq!(time(text).map(|it| (it.seconds, it.nanos)), expected, "{text}");
        }
        assert_eq!(from_hexadecimal("30:82:0a"), Some(vec![0x30, 0x82, 0x0a]));
        assert_eq!(from_hexadecimal("30820a"), Some(vec![0x30, 0x82, 0x0a]));
        assert_eq!(from_hexadecimal("308"), None);
        assert_eq!(from_hexadecimal("30…"), None);
    }
}
