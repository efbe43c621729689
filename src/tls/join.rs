//! Both directions of a connection become [`Joined`]: handshakes, alerts and the server's chain.
//!
//! Each direction counts on its own: with one of them missing, what the other shows is still a
//! handshake, and a gap says what is not there. A connection can hold several handshakes
//! (renegotiation); the n-th hello of one side is answered by the n-th of the other.

use std::net::SocketAddr;

use super::event::{Event, Seen};
use super::handshake::{self, ClientHello};
use super::keylog;
use super::record::Reader;
use super::{Alert, ChainState, Handshake, InnerReader, Side, SniState, Transport};
use crate::limits::HANDSHAKES_PER_CONNECTION_MAX;
use crate::provenance::{FrameNumber, GapReason};
use crate::x509;
use crate::x509::known::{Known, Presented};

/// What a connection showed.
#[derive(Default)]
pub struct Joined {
    /// The handshakes, in order, with the frames of their messages.
    pub handshakes: Vec<(Handshake, Vec<FrameNumber>)>,
    /// The alerts of both sides.
    pub alerts: Vec<(Alert, Vec<FrameNumber>)>,
    /// The certificates that the server, and then the client, sent, in wire order, but for those that are known from
    /// frames before.
    pub certificates: Vec<Presented>,
    /// How many they sent.
    pub certificate_count: usize,
    /// What could not be read.
    pub gaps: Vec<(GapReason, Vec<FrameNumber>)>,
    /// ClientHello messages.
    pub client_hellos: u64,
    /// ServerHello messages.
    pub server_hellos: u64,
    /// What stays closed for want of keys.
    pub unopened: Unopened,
    /// What read the application data of each side.
    pub inner: Vec<(Side, Box<dyn InnerReader>)>,
}

/// What keys that turn up later may open.
#[derive(Debug, Default)]
pub struct Unopened {
    /// The beginnings of the client randoms of connections.
    pub starts: Vec<u64>,
    /// A server's records are among it whose client random is not in the capture: any key may fit.
    pub has_lone_server: bool,
}

impl Unopened {
    /// Adds what another part of a capture has.
    pub fn add(&mut self, other: Self) {
        self.starts.extend(other.starts);
        self.has_lone_server |= other.has_lone_server;
    }
}

/// Joins the two directions of a connection between `one` and `other`; `known` are the certificates so far.
pub fn join(one: (SocketAddr, Option<Reader>), other: (SocketAddr, Option<Reader>), known: &dyn Known) -> Joined {
    let is_client = |reader: &Option<Reader>| reader.as_ref().is_some_and(|it| has(it, Side::Client));
    let is_server =
        |reader: &Option<Reader>| reader.as_ref().is_some_and(|it| has(it, Side::Server) || is_rest_of_server(it));
    let swapped = (is_client(&other.1) && !is_client(&one.1)) || (is_server(&one.1) && !is_server(&other.1));
    let (client, server) = if swapped { (other, one) } else { (one, other) };
    let mut joined = Joined::default();
    let ends = (client.0, server.0);
    let mut from_client = client.1.unwrap_or_default();
    let mut from_server = server.1.unwrap_or_default();
    let hellos = client_flights(&from_client);
    let answers = server_flights(&from_server);
    let count = hellos.len().max(answers.len()).min(HANDSHAKES_PER_CONNECTION_MAX);
    let preamble = from_client.preamble.as_deref().cloned().unwrap_or_default();
    let preamble = preamble.and(from_server.preamble.as_deref().cloned().unwrap_or_default());
    for at in 0..count {
        let mut it = Handshake { client: Some(ends.0), server: Some(ends.1), ..Handshake::over(Transport::Tcp) };
        it.keys = from_server.key_file.clone().or_else(|| from_client.key_file.clone());
        it.starttls = preamble.starttls.map(str::to_owned);
        it.proxy_host.clone_from(&preamble.proxy_host);
        one_handshake((&mut joined, known), it, (hellos.get(at), answers.get(at)), (&from_client, &from_server));
    }
    let has_both = !hellos.is_empty() && !answers.is_empty();
    let missing = if hellos.is_empty() { "the client's" } else { "the server's" };
    for (side, reader) in [(Side::Client, &from_client), (Side::Server, &from_server)] {
        alerts(&mut joined, ends, side, reader);
        troubles(&mut joined, reader);
    }
    // What a client sends, and what nobody can read, does not say why no hello came.
    let says_why = |alert: &Alert| {
        alert.from == Side::Server && alert.description.as_deref().is_some_and(|it| it != "close_notify")
    };
    if count > 0 && !has_both && !joined.alerts.iter().any(|(alert, _)| says_why(alert)) {
        let seen = if from_client.seen.is_empty() { &from_server } else { &from_client };
        let reason = GapReason::OneDirection(format!("{missing} side is missing"));
        joined.gaps.push((reason, first_frames(seen)));
    }
    if from_client.key_file.is_none() && from_server.key_file.is_none() {
        joined.unopened = Unopened {
            starts: hellos.iter().filter_map(|flight| keylog::start_of(&flight.hello.random)).collect(),
            has_lone_server: hellos.is_empty() && answers.iter().any(|flight| flight.encrypted.is_some()),
        };
    }
    drop((hellos, answers));
    joined.inner.extend(from_client.take_inner().map(|inner| (Side::Client, inner)));
    joined.inner.extend(from_server.take_inner().map(|inner| (Side::Server, inner)));
    joined
}

fn has(reader: &Reader, side: Side) -> bool {
    reader.seen.iter().any(|seen| match seen.event {
        Event::ClientHello(_) => side == Side::Client,
        Event::ServerHello(_) => side == Side::Server,
        _ => false,
    })
}

/// Whether it is a server's flight whose hello is not in the capture.
fn is_rest_of_server(reader: &Reader) -> bool {
    let first = reader.seen.iter().map(|seen| &seen.event).find(|event| {
        matches!(
            event,
            Event::Certificates(_) | Event::FlightDone | Event::ClientKeyExchange(_) | Event::ClientHello(_)
        )
    });
    matches!(first, Some(Event::Certificates(_) | Event::FlightDone)) && !has(reader, Side::Client)
}

fn first_frames(reader: &Reader) -> Vec<FrameNumber> {
    reader.seen.first().map(|seen| seen.frames.clone()).unwrap_or_default()
}

/// What a client sends for one handshake.
struct ClientFlight<'s> {
    hello: &'s ClientHello,
    seen: &'s Seen,
    /// The frames of its hellos: a second one answers a HelloRetryRequest.
    frames: Vec<FrameNumber>,
    certificates: Option<&'s Seen>,
    encrypted: Option<&'s Seen>,
}

fn client_flights(reader: &Reader) -> Vec<ClientFlight<'_>> {
    let mut flights: Vec<ClientFlight<'_>> = Vec::new();
    for seen in &reader.seen {
        match (&seen.event, flights.last_mut()) {
            (Event::ClientHello(hello), Some(flight)) if flight.hello.random == hello.random => {
                flight.frames.extend(&seen.frames);
            }
            (Event::ClientHello(hello), _) => flights.push(ClientFlight {
                hello,
                seen,
                frames: seen.frames.clone(),
                certificates: None,
                encrypted: None,
            }),
            (Event::Certificates(_), Some(flight)) if flight.certificates.is_none() => flight.certificates = Some(seen),
            (Event::Encrypted, Some(flight)) if flight.encrypted.is_none() => flight.encrypted = Some(seen),
            _ => {}
        }
    }
    flights
}

/// A server's answer: its hello, its chain, and whether the rest is encrypted.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct ServerFlight<'s> {
    hello: Option<(&'s Seen, &'s handshake::ServerHello)>,
    is_retried: bool,
    certificates: Option<&'s Seen>,
    extensions: Option<&'s handshake::EncryptedExtensions>,
    asks_certificate: bool,
    is_full: bool,
    is_changed: bool,
    is_finished: bool,
    encrypted: Option<&'s Seen>,
}

fn server_flights(reader: &Reader) -> Vec<ServerFlight<'_>> {
    let mut flights: Vec<ServerFlight<'_>> = Vec::new();
    let mut is_retried = false;
    let mut retry: Option<(&Seen, &handshake::ServerHello)> = None;
    for seen in &reader.seen {
        match (&seen.event, flights.last_mut()) {
            (Event::ServerHello(hello), _) if hello.is_retry => {
                is_retried = true;
                retry = Some((seen, hello));
            }
            (Event::ServerHello(hello), _) => {
                let is_retried = std::mem::take(&mut is_retried);
                flights.push(ServerFlight { hello: Some((seen, hello)), is_retried, ..ServerFlight::default() });
            }
            // The hello before it is not in the capture.
            (Event::Certificates(_), None) => {
                flights.push(ServerFlight { certificates: Some(seen), ..ServerFlight::default() });
            }
            (Event::Certificates(_), Some(flight)) if flight.certificates.is_none() => flight.certificates = Some(seen),
            (Event::EncryptedExtensions(it), Some(flight)) => flight.extensions = Some(it),
            (Event::CertificateRequest, Some(flight)) => flight.asks_certificate = true,
            (Event::FlightDone, Some(flight)) => flight.is_full = true,
            (Event::ChangeCipherSpec, Some(flight)) => flight.is_changed = true,
            (Event::Finished, Some(flight)) => flight.is_finished = true,
            (Event::Encrypted, Some(flight)) if flight.encrypted.is_none() => flight.encrypted = Some(seen),
            _ => {}
        }
    }
    // Nothing followed a HelloRetryRequest.
    if is_retried {
        flights.push(ServerFlight { hello: retry, is_retried, ..ServerFlight::default() });
    }
    flights
}

fn one_handshake(
    (joined, known): (&mut Joined, &dyn Known),
    mut it: Handshake,
    (client, server): (Option<&ClientFlight<'_>>, Option<&ServerFlight<'_>>),
    (from_client, from_server): (&Reader, &Reader),
) {
    let mut frames: Vec<FrameNumber> = Vec::new();
    let server_seen = server.and_then(|flight| flight.hello.map(|(seen, _)| seen).or(flight.certificates));
    it.time = client.map(|flight| flight.seen).or(server_seen).and_then(|seen| seen.time);
    if let Some(flight) = client {
        joined.client_hellos += 1;
        frames.extend(&flight.frames);
        asked(&mut it, flight.hello);
    }
    if let Some(flight) = server {
        if let Some((seen, hello)) = flight.hello {
            joined.server_hellos += 1;
            frames.extend(&seen.frames);
            it.version = Some(hello.version.clone());
            it.cipher = Some(hello.cipher.clone());
        }
        answered(&mut it, flight);
        it.chain_state = chain_state(flight, client);
        if it.chain_state == ChainState::Encrypted
            && let Some(why) = from_server.lacks_certificate()
        {
            it.chain_state = ChainState::Missing;
            let reason = GapReason::Undecoded { what: "TLS handshake".to_owned(), why };
            joined.gaps.push((reason, server_seen.map(|seen| seen.frames.clone()).unwrap_or_default()));
        }
        it.resumed = it.chain_state == ChainState::Resumed;
        chain((joined, known), &mut it, &mut frames, flight);
    }
    if let Some(flight) = client {
        client_chain((joined, known), &mut it, flight);
        reply(&mut it, &mut frames, flight, from_client);
    }
    frames.sort_unstable();
    frames.dedup();
    let chain_frame = server.and_then(|flight| flight.certificates?.frames.iter().min());
    let chain_from = chain_frame.and_then(|first| frames.iter().position(|frame| frame == first));
    it.chain_from = chain_from.and_then(|at| u32::try_from(at).ok());
    joined.handshakes.push((it, frames));
}

/// What the client asked for.
fn asked(it: &mut Handshake, hello: &ClientHello) {
    it.sni_state = if hello.sni.is_some() { SniState::Sent } else { SniState::Absent };
    it.sni.clone_from(&hello.sni);
    it.alpn.clone_from(&hello.alpn);
    it.versions.clone_from(&hello.versions);
    it.ech = hello.ech.then(|| "offered".to_owned());
    it.ech_config = hello.ech_config;
    it.early_data = hello.has_early_data.then(|| "offered".to_owned());
}

/// What the server said, as far as it is here, to what the client offered.
fn answered(it: &mut Handshake, flight: &ServerFlight<'_>) {
    it.hrr = flight.is_retried;
    it.certificate_requested = flight.asks_certificate;
    if flight.extensions.is_some_and(|it| it.has_ech_retry) && it.ech.is_some() {
        it.ech = Some("refused".to_owned());
    }
    let takes_early_data = if flight.is_retried { Some(false) } else { flight.extensions.map(|it| it.has_early_data) };
    if let (Some(is_taken), Some(early_data)) = (takes_early_data, &mut it.early_data) {
        if is_taken { "accepted" } else { "refused" }.clone_into(early_data);
    }
}

fn chain_state(flight: &ServerFlight<'_>, client: Option<&ClientFlight<'_>>) -> ChainState {
    let hello = flight.hello.map(|(_, hello)| hello);
    let is_echoed = match (client, hello) {
        (Some(client), Some(hello)) => !hello.session_id.is_empty() && client.hello.session_id == hello.session_id,
        _ => false,
    };
    match (flight.certificates, hello) {
        (Some(_), _) => ChainState::Seen,
        (None, Some(hello)) if hello.is_retry => ChainState::Missing,
        (None, Some(hello)) if hello.is_tls13 && hello.is_resumed => ChainState::Resumed,
        (None, Some(hello)) if hello.is_tls13 && !flight.is_finished => ChainState::Encrypted,
        (None, Some(hello)) if !hello.is_tls13 && !flight.is_full && (flight.is_changed || is_echoed) => {
            ChainState::Resumed
        }
        _ => ChainState::Missing,
    }
}

fn chain(
    (joined, known): (&mut Joined, &dyn Known),
    it: &mut Handshake,
    frames: &mut Vec<FrameNumber>,
    flight: &ServerFlight<'_>,
) {
    if let Some(Seen { event: Event::Certificates(chain), frames: at, .. }) = flight.certificates {
        frames.extend(at);
        it.chain = certificates((joined, known), chain, at);
    }
    if let Some((seen, hello)) = flight.hello
        && hello.is_retry
    {
        let why = "nothing follows its HelloRetryRequest".to_owned();
        joined.gaps.push((GapReason::Undecoded { what: "TLS handshake".to_owned(), why }, seen.frames.clone()));
    }
    if it.chain_state == ChainState::Encrypted {
        let seen = flight.encrypted.or(flight.hello.map(|(seen, _)| seen));
        let at = seen.map(|seen| seen.frames.clone()).unwrap_or_default();
        joined.gaps.push((GapReason::EncryptedCertificate, at));
    }
}

fn client_chain((joined, known): (&mut Joined, &dyn Known), it: &mut Handshake, flight: &ClientFlight<'_>) {
    if let Some(Seen { event: Event::Certificates(chain), frames, .. }) = flight.certificates {
        it.client_chain = certificates((joined, known), chain, frames);
    }
}

/// Takes certificates; gives their digests.
fn certificates((joined, known): (&mut Joined, &dyn Known), chain: &[Vec<u8>], frames: &[FrameNumber]) -> Vec<String> {
    let mut digests = Vec::with_capacity(chain.len());
    for der in chain {
        let nth = joined.certificate_count;
        joined.certificate_count = nth.saturating_add(1);
        let before = known.before(der, frames, nth);
        let digest = before.map_or_else(|| x509::der::digest(der), |it| it.digest.to_owned());
        if before.is_none_or(|it| !it.is_earlier) {
            joined.certificates.push(Presented {
                der: der.clone(),
                digest: digest.clone(),
                frames: frames.to_vec(),
                nth,
            });
        }
        digests.push(digest);
    }
    digests
}

/// The lengths of the records with which a client answered a flight that stays closed.
fn reply(it: &mut Handshake, frames: &mut Vec<FrameNumber>, flight: &ClientFlight<'_>, from_client: &Reader) {
    if it.chain_state != ChainState::Encrypted || flight.hello.has_early_data {
        return;
    }
    it.client_records.clone_from(&from_client.sealed_bytes);
    if it.looks_refused() {
        frames.extend(flight.encrypted.iter().flat_map(|seen| &seen.frames));
    }
}

fn alerts(joined: &mut Joined, (client, server): (SocketAddr, SocketAddr), from: Side, reader: &Reader) {
    for seen in &reader.seen {
        let (level, description, encrypted) = match seen.event {
            Event::Alert(level, description) => {
                let level = if level == 2 { "fatal" } else { "warning" };
                (Some(level.to_owned()), Some(handshake::alert_name(description)), false)
            }
            Event::EncryptedAlert => (None, None, true),
            _ => continue,
        };
        let alert = Alert {
            time: seen.time,
            client: Some(client),
            server: Some(server),
            transport: Transport::Tcp,
            from,
            level,
            description,
            encrypted,
            run: None,
        };
        joined.alerts.push((alert, seen.frames.clone()));
    }
}

fn troubles(joined: &mut Joined, reader: &Reader) {
    let frames: Vec<FrameNumber> = reader.last_frame.into_iter().collect();
    if let Some(why) = &reader.trouble {
        joined.gaps.push((GapReason::Undecoded { what: "TLS stream".to_owned(), why: why.clone() }, frames));
    } else if reader.is_cut() {
        let why = "its last message is not whole".to_owned();
        joined.gaps.push((GapReason::Undecoded { what: "TLS stream".to_owned(), why }, frames));
    }
    if let Some((why, at)) = &reader.key_trouble {
        joined
            .gaps
            .push((GapReason::Undecoded { what: "encrypted TLS record".to_owned(), why: why.clone() }, at.clone()));
    }
    for seen in &reader.seen {
        if let Event::Undecoded(why) = &seen.event {
            let reason = GapReason::Undecoded { what: "TLS handshake message".to_owned(), why: why.clone() };
            joined.gaps.push((reason, seen.frames.clone()));
        }
    }
}
