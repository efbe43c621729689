//! Both directions of a connection become [`Joined`]: handshakes, alerts and the server's chain.
//!
//! Each direction counts on its own: with one of them missing, what the other shows is still a
//! handshake, and a gap says what is not there.

use std::net::SocketAddr;

use super::record::{Event, Reader, Seen};
use super::{Alert, ChainState, Handshake, Side, SniState, Transport, handshake};
use crate::limits::HANDSHAKES_PER_CONNECTION_MAX;
use crate::provenance::{FrameNumber, GapReason};
use crate::x509;

/// What a connection showed.
#[derive(Debug, Default)]
pub struct Joined {
    /// The handshakes, in order, with the frames of their messages.
    pub handshakes: Vec<(Handshake, Vec<FrameNumber>)>,
    /// The alerts of both sides.
    pub alerts: Vec<(Alert, Vec<FrameNumber>)>,
    /// The certificates the server sent, in wire order.
    pub certificates: Vec<(Vec<u8>, Vec<FrameNumber>)>,
    /// What could not be read.
    pub gaps: Vec<(GapReason, Vec<FrameNumber>)>,
    /// ClientHello messages.
    pub client_hellos: u64,
    /// ServerHello messages.
    pub server_hellos: u64,
}

/// Joins the two directions of a connection between `one` and `other`.
pub fn join(one: (SocketAddr, Option<Reader>), other: (SocketAddr, Option<Reader>)) -> Joined {
    let is_client = |reader: &Option<Reader>| reader.as_ref().is_some_and(|it| has(it, Side::Client));
    let is_server = |reader: &Option<Reader>| reader.as_ref().is_some_and(|it| has(it, Side::Server));
    let swapped = (is_client(&other.1) && !is_client(&one.1)) || (is_server(&one.1) && !is_server(&other.1));
    let (client, server) = if swapped { (other, one) } else { (one, other) };
    let mut joined = Joined::default();
    let none = Reader::default();
    let from_client = client.1.as_ref().unwrap_or(&none);
    let from_server = server.1.as_ref().unwrap_or(&none);
    let hellos = hellos_of(from_client);
    let answers = flights_of(from_server);
    let count = hellos.len().max(answers.len()).min(HANDSHAKES_PER_CONNECTION_MAX);
    for at in 0..count {
        one_handshake(&mut joined, (client.0, server.0), hellos.get(at).copied(), answers.get(at));
    }
    for (side, reader) in [(Side::Client, from_client), (Side::Server, from_server)] {
        alerts(&mut joined, (client.0, server.0), side, reader);
        troubles(&mut joined, reader);
    }
    if count > 0 && (hellos.is_empty() || answers.is_empty()) && joined.alerts.is_empty() {
        let (missing, frames) = if hellos.is_empty() {
            ("the client's", first_frames(from_server))
        } else {
            ("the server's", first_frames(from_client))
        };
        joined.gaps.push((GapReason::OneDirection(format!("{missing} side is missing")), frames));
    }
    joined
}

fn has(reader: &Reader, side: Side) -> bool {
    reader.seen.iter().any(|seen| match seen.event {
        Event::ClientHello(_) => side == Side::Client,
        Event::ServerHello(_) => side == Side::Server,
        _ => false,
    })
}

fn first_frames(reader: &Reader) -> Vec<FrameNumber> {
    reader.seen.first().map(|seen| seen.frames.clone()).unwrap_or_default()
}

/// The ClientHellos that begin a handshake: one that answers a HelloRetryRequest begins none.
fn hellos_of(reader: &Reader) -> Vec<&Seen> {
    let hellos: Vec<&Seen> = reader.seen.iter().filter(|seen| matches!(seen.event, Event::ClientHello(_))).collect();
    hellos.into_iter().take(1).collect()
}

/// A server's answer: its hellos, its chain, and whether the rest is encrypted.
struct Flight<'s> {
    hello: &'s Seen,
    is_retried: bool,
    certificates: Option<&'s Seen>,
    is_changed: bool,
    encrypted: Option<&'s Seen>,
}

fn flights_of(reader: &Reader) -> Vec<Flight<'_>> {
    let mut flights: Vec<Flight<'_>> = Vec::new();
    let mut retried = false;
    for seen in &reader.seen {
        let is_first = flights.is_empty();
        match (&seen.event, flights.last_mut()) {
            (Event::ServerHello(hello), _) if hello.is_retry => retried = true,
            (Event::ServerHello(_), _) if is_first => {
                flights.push(Flight {
                    hello: seen,
                    is_retried: retried,
                    certificates: None,
                    is_changed: false,
                    encrypted: None,
                });
            }
            (Event::Certificates(_), Some(flight)) if flight.certificates.is_none() => flight.certificates = Some(seen),
            (Event::ChangeCipherSpec, Some(flight)) => flight.is_changed = true,
            (Event::Encrypted, Some(flight)) if flight.encrypted.is_none() => flight.encrypted = Some(seen),
            _ => {}
        }
    }
    flights
}

fn one_handshake(
    joined: &mut Joined,
    (client, server): (SocketAddr, SocketAddr),
    hello: Option<&Seen>,
    flight: Option<&Flight<'_>>,
) {
    let mut frames: Vec<FrameNumber> = Vec::new();
    let mut it = Handshake {
        time: hello.or(flight.map(|flight| flight.hello)).and_then(|seen| seen.time),
        client: Some(client),
        server: Some(server),
        transport: Transport::Tcp,
        sni: None,
        sni_state: SniState::Unknown,
        alpn: Vec::new(),
        versions: Vec::new(),
        version: None,
        cipher: None,
        chain_state: ChainState::Missing,
        chain: Vec::new(),
        resumed: false,
        hrr: false,
        ech: None,
        starttls: None,
        proxy_host: None,
        http_version: None,
        dialed: None,
        run: None,
    };
    let mut session_id: &[u8] = &[];
    if let Some(Seen { event: Event::ClientHello(hello), frames: at, .. }) = hello {
        joined.client_hellos += 1;
        frames.extend(at);
        it.sni_state = if hello.sni.is_some() { SniState::Sent } else { SniState::Absent };
        it.sni.clone_from(&hello.sni);
        it.alpn.clone_from(&hello.alpn);
        it.versions.clone_from(&hello.versions);
        it.ech = hello.ech.then(|| "offered".to_owned());
        session_id = &hello.session_id;
    }
    if let Some(flight) = flight {
        if let Seen { event: Event::ServerHello(answer), frames: at, .. } = flight.hello {
            joined.server_hellos += 1;
            frames.extend(at);
            it.version = Some(answer.version.clone());
            it.cipher = Some(answer.cipher.clone());
            it.hrr = flight.is_retried;
            let echoed = !session_id.is_empty() && session_id == answer.session_id;
            it.chain_state = chain_state(flight, &answer.version, echoed);
            it.resumed = it.chain_state == ChainState::Resumed;
        }
        chain(joined, &mut it, &mut frames, flight);
    }
    frames.sort_unstable();
    frames.dedup();
    joined.handshakes.push((it, frames));
}

fn chain_state(flight: &Flight<'_>, version: &str, echoed: bool) -> ChainState {
    match flight.certificates {
        Some(_) => ChainState::Seen,
        None if version == "TLS 1.3" => ChainState::Encrypted,
        None if flight.is_changed || echoed => ChainState::Resumed,
        None => ChainState::Missing,
    }
}

fn chain(joined: &mut Joined, it: &mut Handshake, frames: &mut Vec<FrameNumber>, flight: &Flight<'_>) {
    if let Some(Seen { event: Event::Certificates(chain), frames: at, .. }) = flight.certificates {
        frames.extend(at);
        for der in chain {
            it.chain.push(x509::der::digest(der));
            joined.certificates.push((der.clone(), at.clone()));
        }
    }
    if it.chain_state == ChainState::Encrypted {
        let at = flight.encrypted.unwrap_or(flight.hello).frames.clone();
        joined.gaps.push((GapReason::EncryptedCertificate, at));
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
    } else if reader.is_cut() && !reader.seen.iter().any(|seen| seen.event == Event::Encrypted) {
        let why = "its last message is not whole".to_owned();
        joined.gaps.push((GapReason::Undecoded { what: "TLS stream".to_owned(), why }, frames));
    }
    for seen in &reader.seen {
        if let Event::Undecoded(why) = &seen.event {
            let reason = GapReason::Undecoded { what: "TLS handshake message".to_owned(), why: why.clone() };
            joined.gaps.push((reason, seen.frames.clone()));
        }
    }
}
