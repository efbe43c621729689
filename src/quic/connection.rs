//! One QUIC connection: [`Connection`] opens its packets and gathers what each side said in TLS.

use std::cmp::Ordering;

use crate::flow::Origin;
use crate::limits::{ALERTS_PER_CONNECTION_MAX, QUIC_APPLICATION_PACKETS_MAX, QUIC_PACKETS_WAITING_MAX};
use crate::provenance::{FrameNumber, GapReason};
use crate::tls::Side;
use crate::tls::event::{Event, Seen};
use crate::tls::keylog::{Keys, Label};
use crate::tls::record::Reader;
use crate::tls::suite::{Cipher, Hash, Suite};

use super::Opening;
use super::crypto::CryptoStream;
use super::frame::{Frame, frames};
use super::packet::Long;
use super::protect::{self, Opened, PacketKeys};
use super::stream::{Streams, Told};
use super::version::{SALT_BYTES, Version};

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// The connection id that the Initial keys come from.
    first_id: Vec<u8>,
    initial: Vec<InitialKeys>,
    client: Half,
    server: Half,
    waiting: Vec<Waiting>,
    streams: Streams,
    /// Connection ids that a side can be reached under from now on.
    new_ids: Vec<(Side, Vec<u8>)>,
    application_packets: usize,
    key_file: Option<String>,
    closes: usize,
    gaps: Vec<(GapReason, Vec<FrameNumber>)>,
}

#[derive(Debug)]
struct InitialKeys {
    version: Version,
    client: PacketKeys,
    server: PacketKeys,
}

/// What one side sent.
#[derive(Debug, Default)]
struct Half {
    initial: CryptoStream,
    handshake: CryptoStream,
    handshake_keys: Option<PacketKeys>,
    application_keys: Option<PacketKeys>,
    expected: [u64; 3],
    closes: Vec<Seen>,
    sealed: Option<Seen>,
    is_refused: bool,
}

/// A packet that a key log can open, once the hellos are known.
#[derive(Debug)]
struct Waiting {
    from: Side,
    level: Level,
    version: Version,
    bytes: Vec<u8>,
    number_at: usize,
    origin: Origin,
}

/// What both sides said, for [`crate::tls::join`].
pub struct Said {
    /// The client's side.
    pub client: Reader,
    /// The server's side.
    pub server: Reader,
    /// What read the streams.
    pub streams: Vec<Told>,
    /// What could not be read.
    pub gaps: Vec<(GapReason, Vec<FrameNumber>)>,
}

impl Connection {
    /// A connection that begins with this Initial packet of a client; `None` when its own
    /// destination connection id does not open it.
    pub fn begin(packet: &Long<'_>, origin: Origin) -> Option<Self> {
        let id = packet.destination_id;
        let (keys, opened) = packet.version.salts().iter().find_map(|salt| {
            let keys = InitialKeys::new(packet.version, salt, id)?;
            let opened = keys.client.open(packet.bytes, packet.number_at, 0)?;
            Some((keys, opened))
        })?;
        let mut connection = Self::with(id, keys);
        connection.opened(Side::Client, Level::Initial, &opened, origin, None);
        Some(connection)
    }

    /// A connection whose first Initial packet cannot be opened: its destination connection id opens
    /// the server's answer all the same.
    pub fn begin_by_answer(id: &[u8], answer: &Long<'_>, origin: Origin) -> Option<Self> {
        let (keys, opened) = answer.version.salts().iter().find_map(|salt| {
            let keys = InitialKeys::new(answer.version, salt, id)?;
            let opened = keys.server.open(answer.bytes, answer.number_at, 0)?;
            Some((keys, opened))
        })?;
        let mut connection = Self::with(id, keys);
        connection.opened(Side::Server, Level::Initial, &opened, origin, None);
        Some(connection)
    }

    fn with(id: &[u8], keys: InitialKeys) -> Self {
        Self {
            first_id: id.to_vec(),
            initial: vec![keys],
            client: Half::default(),
            server: Half::default(),
            waiting: Vec::new(),
            streams: Streams::default(),
            new_ids: Vec::new(),
            application_packets: 0,
            key_file: None,
            closes: 0,
            gaps: Vec::new(),
        }
    }

    /// Opens an Initial packet; false when it is not of this connection.
    pub fn initial(&mut self, from: Side, packet: &Long<'_>, origin: Origin) -> bool {
        let expected = self.half(from).expected_at(Level::Initial);
        if !self.initial.iter().any(|keys| keys.version == packet.version) {
            self.add_version(packet.version);
        }
        let of_version = self.initial.iter().filter(|keys| keys.version == packet.version);
        let opened = of_version.into_iter().find_map(|keys| {
            let keys = if from == Side::Client { &keys.client } else { &keys.server };
            keys.open(packet.bytes, packet.number_at, expected)
        });
        let Some(opened) = opened else {
            return false;
        };
        self.opened(from, Level::Initial, &opened, origin, None);
        true
    }

    /// A server may go on in another version (RFC 9368); its keys come from the same id.
    fn add_version(&mut self, version: Version) {
        if self.initial.len() < VERSIONS_MAX {
            let keys = version.salts().iter().filter_map(|salt| InitialKeys::new(version, salt, &self.first_id));
            self.initial.extend(keys);
        }
    }

    /// Takes a Handshake packet.
    pub fn handshake(&mut self, from: Side, packet: &Long<'_>, origin: Origin, opening: Opening<'_>) {
        self.half(from).sealed.get_or_insert_with(|| seen(Event::Encrypted, origin));
        let (version, bytes, number_at) = (packet.version, packet.bytes, packet.number_at);
        self.sealed(from, Level::Handshake, (version, bytes, number_at), origin, opening);
    }

    /// Takes a packet with a short header, behind which the id of the receiver has so many bytes.
    pub fn application(&mut self, from: Side, bytes: &[u8], id_bytes: usize, origin: Origin, opening: Opening<'_>) {
        self.application_packets = self.application_packets.saturating_add(1);
        match self.application_packets.cmp(&QUIC_APPLICATION_PACKETS_MAX) {
            Ordering::Less => {
                let version = self.initial.last().map_or(Version::ONE, |keys| keys.version);
                let number_at = id_bytes.saturating_add(1);
                self.sealed(from, Level::Application, (version, bytes, number_at), origin, opening);
            }
            Ordering::Equal => {
                let limit = u64::try_from(QUIC_APPLICATION_PACKETS_MAX).unwrap_or(u64::MAX);
                let what = "packets of a QUIC connection after its handshake".to_owned();
                self.gaps.push((GapReason::Limit { what, limit }, vec![origin.frame]));
            }
            Ordering::Greater => {}
        }
    }

    fn sealed(
        &mut self,
        from: Side,
        level: Level,
        (version, bytes, number_at): (Version, &[u8], usize),
        origin: Origin,
        opening: Opening<'_>,
    ) {
        if opening.keys.is_empty() {
            return;
        }
        if self.waiting.len() < QUIC_PACKETS_WAITING_MAX {
            self.waiting.push(Waiting { from, level, version, bytes: bytes.to_vec(), number_at, origin });
        }
        if self.random().is_some() && self.suite().is_some() {
            self.open_waiting(opening);
        }
    }

    fn open_waiting(&mut self, opening: Opening<'_>) {
        let Some(random) = self.random().map(<[u8]>::to_vec) else {
            return;
        };
        for it in std::mem::take(&mut self.waiting) {
            match self.open_sealed(&it, &random, opening.keys) {
                Some(opened) => {
                    self.opened(it.from, it.level, &opened, it.origin, Some(opening));
                }
                None if opening.keys.has(&random) => self.refused(&it, &random, opening.keys),
                None => {}
            }
        }
    }

    /// Says once of each side why keys that are there do not help. Those of the time after the
    /// handshake may be missing: the handshake is whole without them.
    fn refused(&mut self, it: &Waiting, random: &[u8], keys: &Keys) {
        let why = match (keys.secrets(random, label(it.from, it.level)).next(), it.level, it.from) {
            (Some(_), ..) => "the keys of the key log do not open it",
            (None, Level::Application, _) => return,
            (None, _, Side::Client) => "the key log lacks CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            (None, _, Side::Server) => "the key log lacks SERVER_HANDSHAKE_TRAFFIC_SECRET",
        };
        if !std::mem::replace(&mut self.half(it.from).is_refused, true) {
            let reason = GapReason::Undecoded { what: "QUIC packet".to_owned(), why: why.to_owned() };
            self.gaps.push((reason, vec![it.origin.frame]));
        }
    }

    fn open_sealed(&mut self, it: &Waiting, random: &[u8], keys: &Keys) -> Option<Opened> {
        let expected = self.half(it.from).expected_at(it.level);
        if let Some(known) = self.half(it.from).keys_at(it.level) {
            if let Some(opened) = known.open(&it.bytes, it.number_at, expected) {
                return Some(opened);
            }
            let updated = if it.level == Level::Application { known.updated()? } else { return None };
            let opened = updated.open(&it.bytes, it.number_at, expected)?;
            *known = updated;
            return Some(opened);
        }
        let label = label(it.from, it.level);
        let chosen = self.suite();
        for secret in keys.secrets(random, label) {
            for suite in chosen.as_slice().iter().chain(if chosen.is_none() { SUITES } else { &[] }) {
                let Some(packet_keys) = PacketKeys::new(it.version, *suite, secret) else {
                    continue;
                };
                if let Some(opened) = packet_keys.open(&it.bytes, it.number_at, expected) {
                    self.half(it.from).adopt(it.level, packet_keys);
                    self.key_file = keys.used_for(random).map(str::to_owned);
                    return Some(opened);
                }
            }
        }
        None
    }

    fn opened(&mut self, from: Side, level: Level, opened: &Opened, origin: Origin, opening: Option<Opening<'_>>) {
        self.half(from).expect(level, opened.number.saturating_add(1));
        let version = self.initial.first().map_or(Version::ONE, |keys| keys.version);
        let (found, mut is_whole) = frames(&opened.payload, version);
        for frame in found {
            match frame {
                Frame::Crypto { offset, bytes } => {
                    if let Some(stream) = self.half(from).crypto(level) {
                        stream.take(offset, bytes, origin);
                    }
                }
                Frame::Stream { id, offset, bytes } => match opening.filter(|_| level == Level::Application) {
                    Some(opening) => self.streams.take((from, id), offset, bytes, origin, opening.stream),
                    None => is_whole = false,
                },
                Frame::NewConnectionId(id) if self.new_ids.len() < QUIC_PACKETS_WAITING_MAX => {
                    self.new_ids.push((from, id.to_vec()));
                }
                Frame::Close { code } if level != Level::Application => self.close(from, code, origin),
                Frame::Close { code } if code >= CRYPTO_ERROR => self.close(from, code, origin),
                Frame::Close { .. } | Frame::NewConnectionId(_) | Frame::Other => {}
            }
        }
        if !is_whole && level != Level::Application {
            let why = "a frame of unknown type or length, or out of its place".to_owned();
            let reason = GapReason::Undecoded { what: "QUIC packet".to_owned(), why };
            self.gaps.push((reason, vec![origin.frame]));
        }
    }

    /// RFC 9001 section 4.8: a TLS alert is the low byte of a CRYPTO_ERROR.
    fn close(&mut self, from: Side, code: u64, origin: Origin) {
        self.closes = self.closes.saturating_add(1);
        if self.closes > ALERTS_PER_CONNECTION_MAX {
            return;
        }
        match u8::try_from(code.wrapping_sub(CRYPTO_ERROR)) {
            Ok(description) => self.half(from).closes.push(seen(Event::Alert(FATAL, description), origin)),
            Err(_) if code != NO_ERROR => {
                let side = if from == Side::Client { "client" } else { "server" };
                let name = usize::try_from(code).ok().and_then(|code| ERRORS.get(code)).unwrap_or(&"an unknown error");
                let why = format!("the {side} closes it with {name} ({code:#x})");
                self.gaps.push((GapReason::Undecoded { what: "QUIC connection".to_owned(), why }, vec![origin.frame]));
            }
            Err(_) => {}
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }

    /// The random of its ClientHello, once that is whole.
    pub fn random(&self) -> Option<&[u8]> {
        self.client.initial.client_random()
    }

    /// Whether the server said anything that was opened.
    pub fn is_answered(&self) -> bool {
        !self.server.initial.seen().is_empty()
    }

    /// The suite that the server chose.
    fn suite(&self) -> Option<Suite> {
        self.server.initial.seen().iter().find_map(|seen| match &seen.event {
            Event::ServerHello(hello) if !hello.is_retry => Suite::of(hello.cipher_id),
            _ => None,
        })
    }

    /// The capture has ended.
    pub fn finish(mut self, opening: Opening<'_>) -> Said {
        self.open_waiting(opening);
        let mut gaps = self.gaps;
        let mut client = self.client.finish(&mut gaps);
        client.key_file = self.key_file;
        let server = self.server.finish(&mut gaps);
        Said { client, server, streams: self.streams.finish(), gaps }
    }

    /// Connection ids that were announced since the last call.
    pub fn take_new_ids(&mut self) -> Vec<(Side, Vec<u8>)> {
        std::mem::take(&mut self.new_ids)
    }
}

/// Where a packet stands in the handshake: each level counts its own packet numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Initial,
    Handshake,
    Application,
}

/// The secret that opens packets of a side at a level.
fn label(from: Side, level: Level) -> Label {
    match (level, from) {
        (Level::Application, Side::Client) => Label::ClientTraffic,
        (Level::Application, Side::Server) => Label::ServerTraffic,
        (_, Side::Client) => Label::ClientHandshake,
        (_, Side::Server) => Label::ServerHandshake,
    }
}

impl Half {
    fn expected_at(&self, level: Level) -> u64 {
        let [initial, handshake, application] = self.expected;
        match level {
            Level::Initial => initial,
            Level::Handshake => handshake,
            Level::Application => application,
        }
    }

    fn expect(&mut self, level: Level, number: u64) {
        let [initial, handshake, application] = &mut self.expected;
        let known = match level {
            Level::Initial => initial,
            Level::Handshake => handshake,
            Level::Application => application,
        };
        *known = number.max(*known);
    }

    fn keys_at(&mut self, level: Level) -> Option<&mut PacketKeys> {
        if level == Level::Application { self.application_keys.as_mut() } else { self.handshake_keys.as_mut() }
    }

    fn adopt(&mut self, level: Level, keys: PacketKeys) {
        let place = if level == Level::Application { &mut self.application_keys } else { &mut self.handshake_keys };
        *place = Some(keys);
    }

    /// Session tickets travel after the handshake and do not matter.
    fn crypto(&mut self, level: Level) -> Option<&mut CryptoStream> {
        match level {
            Level::Initial => Some(&mut self.initial),
            Level::Handshake => Some(&mut self.handshake),
            Level::Application => None,
        }
    }

    fn finish(self, gaps: &mut Vec<(GapReason, Vec<FrameNumber>)>) -> Reader {
        let mut reader = Reader::default();
        for stream in [self.initial, self.handshake] {
            let (seen, trouble) = stream.finish();
            reader.seen.extend(seen);
            if let Some((why, frame)) = trouble {
                let reason = GapReason::Undecoded { what: "QUIC handshake".to_owned(), why };
                gaps.push((reason, frame.into_iter().collect()));
            }
        }
        reader.seen.extend(self.sealed);
        reader.seen.extend(self.closes);
        reader
    }
}

impl InitialKeys {
    fn new(version: Version, salt: &[u8; SALT_BYTES], id: &[u8]) -> Option<Self> {
        let (client, server) = protect::initial(version, salt, id)?;
        Some(Self { version, client, server })
    }
}

fn seen(event: Event, origin: Origin) -> Seen {
    Seen { event, frames: vec![origin.frame], time: origin.time }
}

/// The versions that one connection can go through.
const VERSIONS_MAX: usize = 6;
/// RFC 9001 section 4.8.
const CRYPTO_ERROR: u64 = 0x100;
const FATAL: u8 = 2;
const NO_ERROR: u64 = 0;
/// RFC 9000 section 20.1.
const ERRORS: &[&str] = &[
    "NO_ERROR",
    "INTERNAL_ERROR",
    "CONNECTION_REFUSED",
    "FLOW_CONTROL_ERROR",
    "STREAM_LIMIT_ERROR",
    "STREAM_STATE_ERROR",
    "FINAL_SIZE_ERROR",
    "FRAME_ENCODING_ERROR",
    "TRANSPORT_PARAMETER_ERROR",
    "CONNECTION_ID_LIMIT_ERROR",
    "PROTOCOL_VIOLATION",
    "INVALID_TOKEN",
    "APPLICATION_ERROR",
    "CRYPTO_BUFFER_EXCEEDED",
    "KEY_UPDATE_ERROR",
    "AEAD_LIMIT_REACHED",
    "NO_VIABLE_PATH",
    "VERSION_NEGOTIATION_ERROR",
];
/// Tried in this order where the ServerHello is not in the capture.
const SUITES: &[Suite] = &[
    Suite { cipher: Cipher::Aes128Gcm, hash: Hash::Sha256 },
    Suite { cipher: Cipher::Aes256Gcm, hash: Hash::Sha384 },
    Suite { cipher: Cipher::ChaCha20Poly1305, hash: Hash::Sha256 },
    Suite { cipher: Cipher::Aes128Ccm, hash: Hash::Sha256 },
];
