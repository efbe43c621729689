//! One QUIC connection: [`Connection`] opens its packets and gathers what each side said in TLS.

use crate::flow::Origin;
use crate::limits::{ALERTS_PER_CONNECTION_MAX, QUIC_PACKETS_WAITING_MAX};
use crate::provenance::{FrameNumber, GapReason};
use crate::tls::Side;
use crate::tls::keylog::{Keys, Label};
use crate::tls::record::{Event, Reader, Seen};
use crate::tls::suite::{Cipher, Hash, Suite};

use super::crypto::CryptoStream;
use super::frame::{Frame, frames};
use super::packet::Long;
use super::protect::{self, Opened, PacketKeys};
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
    expected: [u64; 2],
    closes: Vec<Seen>,
    sealed: Option<Seen>,
    is_refused: bool,
}

/// A Handshake packet that was captured before the hellos.
#[derive(Debug)]
struct Waiting {
    from: Side,
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
        connection.opened(Side::Client, Level::Initial, &opened, origin);
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
        connection.opened(Side::Server, Level::Initial, &opened, origin);
        Some(connection)
    }

    fn with(id: &[u8], keys: InitialKeys) -> Self {
        Self {
            first_id: id.to_vec(),
            initial: vec![keys],
            client: Half::default(),
            server: Half::default(),
            waiting: Vec::new(),
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
        self.opened(from, Level::Initial, &opened, origin);
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
    pub fn handshake(&mut self, from: Side, packet: &Long<'_>, origin: Origin, keys: &Keys) {
        let half = self.half(from);
        half.sealed.get_or_insert_with(|| seen(Event::Encrypted, origin));
        if keys.is_empty() {
            return;
        }
        if self.waiting.len() < QUIC_PACKETS_WAITING_MAX {
            let (version, bytes, number_at) = (packet.version, packet.bytes.to_vec(), packet.number_at);
            self.waiting.push(Waiting { from, version, bytes, number_at, origin });
        }
        if self.random().is_some() && self.suite().is_some() {
            self.open_waiting(keys);
        }
    }

    fn open_waiting(&mut self, keys: &Keys) {
        let Some(random) = self.random().map(<[u8]>::to_vec) else {
            return;
        };
        for it in std::mem::take(&mut self.waiting) {
            match self.open_handshake(&it, &random, keys) {
                Some(opened) => self.opened(it.from, Level::Handshake, &opened, it.origin),
                None if keys.has(&random) && !self.half(it.from).is_refused => {
                    self.half(it.from).is_refused = true;
                    let why = "authentication refuses the keys of the key log".to_owned();
                    let reason = GapReason::Undecoded { what: "QUIC Handshake packet".to_owned(), why };
                    self.gaps.push((reason, vec![it.origin.frame]));
                }
                None => {}
            }
        }
    }

    fn open_handshake(&mut self, it: &Waiting, random: &[u8], keys: &Keys) -> Option<Opened> {
        let expected = self.half(it.from).expected_at(Level::Handshake);
        if let Some(known) = &self.half(it.from).handshake_keys {
            return known.open(&it.bytes, it.number_at, expected);
        }
        let label = if it.from == Side::Client { Label::ClientHandshake } else { Label::ServerHandshake };
        let chosen = self.suite();
        for secret in keys.secrets(random, label) {
            for suite in chosen.as_slice().iter().chain(if chosen.is_none() { SUITES } else { &[] }) {
                let Some(packet_keys) = PacketKeys::new(it.version, *suite, secret) else {
                    continue;
                };
                if let Some(opened) = packet_keys.open(&it.bytes, it.number_at, expected) {
                    self.half(it.from).handshake_keys = Some(packet_keys);
                    keys.used_for(random);
                    return Some(opened);
                }
            }
        }
        None
    }

    fn opened(&mut self, from: Side, level: Level, opened: &Opened, origin: Origin) {
        self.half(from).expect(level, opened.number.saturating_add(1));
        let (found, is_whole) = frames(&opened.payload);
        for frame in found {
            match frame {
                Frame::Crypto { offset, bytes } => self.half(from).crypto(level).take(offset, bytes, origin),
                Frame::Close { code } => self.close(from, code, origin),
                _ => {}
            }
        }
        if !is_whole {
            let why = "a frame of unknown type or length".to_owned();
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
        self.client.initial.random()
    }

    /// Whether the server said anything that was opened.
    pub fn is_answered(&self) -> bool {
        !self.server.initial.seen().is_empty()
    }

    /// The suite that the server chose.
    fn suite(&self) -> Option<Suite> {
        self.server.initial.seen().iter().find_map(|seen| match &seen.event {
            Event::ServerHello(hello) if !hello.is_retry => {
                SUITES_BY_NAME.iter().find(|(name, _)| *name == hello.cipher).map(|(_, suite)| *suite)
            }
            _ => None,
        })
    }

    /// The capture has ended.
    pub fn finish(mut self, keys: &Keys) -> Said {
        self.open_waiting(keys);
        let mut gaps = self.gaps;
        let client = self.client.finish(&mut gaps);
        let server = self.server.finish(&mut gaps);
        Said { client, server, gaps }
    }
}

/// Where a packet stands in the handshake: each level counts its own packet numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Initial,
    Handshake,
}

impl Half {
    fn expected_at(&self, level: Level) -> u64 {
        let [initial, handshake] = self.expected;
        if level == Level::Initial { initial } else { handshake }
    }

    fn expect(&mut self, level: Level, number: u64) {
        let [initial, handshake] = &mut self.expected;
        let known = if level == Level::Initial { initial } else { handshake };
        *known = number.max(*known);
    }

    fn crypto(&mut self, level: Level) -> &mut CryptoStream {
        if level == Level::Initial { &mut self.initial } else { &mut self.handshake }
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
const SUITES_BY_NAME: &[(&str, Suite)] = &[
    ("TLS_AES_128_GCM_SHA256", Suite { cipher: Cipher::Aes128Gcm, hash: Hash::Sha256 }),
    ("TLS_AES_256_GCM_SHA384", Suite { cipher: Cipher::Aes256Gcm, hash: Hash::Sha384 }),
    ("TLS_CHACHA20_POLY1305_SHA256", Suite { cipher: Cipher::ChaCha20Poly1305, hash: Hash::Sha256 }),
    ("TLS_AES_128_CCM_SHA256", Suite { cipher: Cipher::Aes128Ccm, hash: Hash::Sha256 }),
];
