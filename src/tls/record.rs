//! One direction of a TLS stream: [`Reader`] cuts records, puts handshake messages together and
//! keeps which frames held each (RFC 8446 section 5, RFC 5246 section 6).
//!
//! Handshake bytes are collected until ChangeCipherSpec or until a TLS 1.3 ServerHello; what comes
//! after that is encrypted. A hole ends the reading, and the message that it cut is noted.

use super::handshake::{self, ClientHello, Message, ServerHello};
use crate::flow::{Interest, Origin, StreamReader};
use crate::limits::{ALERTS_PER_CONNECTION_MAX, HANDSHAKE_MESSAGE_BYTES_MAX, HANDSHAKES_PER_CONNECTION_MAX};
use crate::provenance::{FrameNumber, Time};

/// What one direction showed, in stream order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub event: Event,
    /// The frames that hold its bytes.
    pub frames: Vec<FrameNumber>,
    /// When its first byte was captured.
    pub time: Option<Time>,
}

impl Seen {
    fn held_bytes(&self) -> usize {
        let chain = match &self.event {
            Event::Certificates(chain) => chain.iter().map(Vec::len).sum(),
            Event::ClientHello(_) | Event::ServerHello(_) => size_of::<ClientHello>(),
            _ => 0,
        };
        size_of::<Self>().saturating_add(chain)
    }
}

/// What one direction can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A ClientHello.
    ClientHello(Box<ClientHello>),
    /// A ServerHello or a HelloRetryRequest.
    ServerHello(Box<ServerHello>),
    /// The certificates of a Certificate message.
    Certificates(Vec<Vec<u8>>),
    /// The server's flight is over (ServerHelloDone), or the client answered it.
    FlightDone,
    /// ChangeCipherSpec: what follows is encrypted.
    ChangeCipherSpec,
    /// An alert in clear: level and description.
    Alert(u8, u8),
    /// An encrypted record of type alert.
    EncryptedAlert,
    /// An encrypted handshake or application record.
    Encrypted,
    /// A message that cannot be read.
    Undecoded(String),
}

/// Reads one direction.
#[derive(Debug, Default)]
pub struct Reader {
    record: Vec<u8>,
    record_origins: Vec<(usize, Origin)>,
    message: Vec<u8>,
    message_origins: Vec<(usize, Origin)>,
    is_encrypted: bool,
    is_tls13: bool,
    has_encrypted: bool,
    /// What was seen, in stream order.
    pub seen: Vec<Seen>,
    /// Why reading stopped before the end of the handshake.
    pub trouble: Option<String>,
    /// The last frame that was read.
    pub last_frame: Option<FrameNumber>,
}

/// Whether a stream that begins so is TLS: a handshake or alert record of a known version. `None`
/// when too few bytes are here to tell.
pub fn is_start(bytes: &[u8]) -> Option<bool> {
    let fits = |at: usize, test: fn(u8) -> bool| bytes.get(at).is_none_or(|byte| test(*byte));
    let fits = fits(0, |b| b == 22 || b == 21) && fits(1, |b| b == 3) && fits(2, |b| b <= 4);
    if !fits {
        return Some(false);
    }
    let kind = bytes.get(5)?;
    let is_hello = bytes.first() == Some(&22) && matches!(kind, 1 | 2 | 11 | 0);
    let is_alert = bytes.first() == Some(&21) && matches!(kind, 1 | 2);
    Some(is_hello || is_alert)
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        self.last_frame = Some(origin.frame);
        self.record_origins.push((self.record.len(), origin));
        self.record.extend_from_slice(bytes);
        while let Some((kind, length)) = self.record_header() {
            if self.trouble.is_some() {
                return Interest::Done;
            }
            let Some(body) = self.record.get(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + length) else {
                break;
            };
            let body = body.to_vec();
            let origins = spans(&self.record_origins, 0, RECORD_HEADER_BYTES + length);
            let interest = self.record(kind, &body, &origins);
            drop_front(&mut self.record, &mut self.record_origins, RECORD_HEADER_BYTES + length);
            if interest == Interest::Done {
                return Interest::Done;
            }
        }
        if self.trouble.is_some() { Interest::Done } else { Interest::More }
    }

    fn hole(&mut self, missing: u64) -> Interest {
        if !self.has_encrypted {
            self.trouble = Some(format!("{missing} bytes are not in the capture"));
        }
        Interest::Done
    }

    fn held_bytes(&self) -> usize {
        let seen: usize = self.seen.iter().map(Seen::held_bytes).sum();
        self.record.capacity().saturating_add(self.message.capacity()).saturating_add(seen)
    }
}

impl Reader {
    /// Type and length of the record at the front; `None` when its header is not whole. Sets
    /// `trouble` when it is no TLS record.
    fn record_header(&mut self) -> Option<(u8, usize)> {
        let header = self.record.get(..RECORD_HEADER_BYTES)?;
        let [kind, major, minor, high, low] = <[u8; RECORD_HEADER_BYTES]>::try_from(header).ok()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(20..=24).contains(&kind) || major != 3 || minor > 4 || length > RECORD_BYTES_MAX {
            self.trouble = Some("bytes that are no TLS record".to_owned());
            return None;
        }
        Some((kind, length))
    }

    fn record(&mut self, kind: u8, body: &[u8], origins: &[Origin]) -> Interest {
        match kind {
            22 if !self.is_encrypted => self.handshake_bytes(body, origins),
            20 => {
                if !self.is_tls13 {
                    self.is_encrypted = true;
                }
                self.note(Event::ChangeCipherSpec, origins);
                Interest::More
            }
            21 if self.is_encrypted => {
                self.note(Event::EncryptedAlert, origins);
                self.bounded()
            }
            21 => {
                for pair in body.chunks_exact(2) {
                    if let [level, description] = *pair {
                        self.note(Event::Alert(level, description), origins);
                    }
                }
                self.bounded()
            }
            _ => {
                if !self.has_encrypted {
                    self.has_encrypted = true;
                    self.note(Event::Encrypted, origins);
                }
                if kind == 23 && !self.is_tls13 { Interest::Done } else { self.bounded() }
            }
        }
    }

    fn bounded(&self) -> Interest {
        let is_full = self.seen.len() > ALERTS_PER_CONNECTION_MAX + HANDSHAKES_PER_CONNECTION_MAX * 8;
        if is_full { Interest::Done } else { Interest::More }
    }

    fn handshake_bytes(&mut self, body: &[u8], origins: &[Origin]) -> Interest {
        for origin in origins {
            self.message_origins.push((self.message.len(), *origin));
        }
        self.message.extend_from_slice(body);
        loop {
            let Some((kind, length)) = handshake::header(&self.message) else {
                return self.bounded();
            };
            if length > HANDSHAKE_MESSAGE_BYTES_MAX {
                self.trouble = Some(format!("a handshake message of {length} bytes"));
                return Interest::Done;
            }
            let whole = handshake::HEADER_BYTES + length;
            let Some(bytes) = self.message.get(..whole) else {
                return Interest::More;
            };
            let message = handshake::read(kind, bytes);
            let origins = spans(&self.message_origins, 0, whole);
            drop_front(&mut self.message, &mut self.message_origins, whole);
            self.message_seen(message, &origins);
            if self.is_encrypted {
                return Interest::More;
            }
        }
    }

    fn message_seen(&mut self, message: Message, origins: &[Origin]) {
        let event = match message {
            Message::ClientHello(hello) => Event::ClientHello(hello),
            Message::ServerHello(hello) => {
                self.is_tls13 = hello.version == "TLS 1.3";
                self.is_encrypted = self.is_tls13 && !hello.is_retry;
                Event::ServerHello(hello)
            }
            Message::Certificates(chain) => Event::Certificates(chain),
            Message::FlightDone => Event::FlightDone,
            Message::Undecoded(why) => Event::Undecoded(why),
            Message::Other => return,
        };
        self.note(event, origins);
    }

    fn note(&mut self, event: Event, origins: &[Origin]) {
        let mut frames: Vec<FrameNumber> = origins.iter().map(|origin| origin.frame).collect();
        frames.dedup();
        self.seen.push(Seen { event, frames, time: origins.first().and_then(|origin| origin.time) });
    }

    /// Whether a handshake message had begun and its rest never came.
    pub fn is_cut(&self) -> bool {
        !self.message.is_empty() || !self.record.is_empty()
    }
}

/// The origins of the bytes `from..to` of a buffer.
fn spans(origins: &[(usize, Origin)], from: usize, to: usize) -> Vec<Origin> {
    let ends = origins.iter().skip(1).map(|(start, _)| *start).chain(std::iter::once(usize::MAX));
    origins
        .iter()
        .zip(ends)
        .filter(|((start, _), end)| *start < to && *end > from)
        .map(|((_, origin), _)| *origin)
        .collect()
}

/// Takes the first bytes of a buffer away and keeps the origins of the rest.
fn drop_front(buffer: &mut Vec<u8>, origins: &mut Vec<(usize, Origin)>, bytes: usize) {
    buffer.drain(..bytes.min(buffer.len()));
    let last_before = origins.iter().rposition(|(start, _)| *start <= bytes);
    if let Some(at) = last_before {
        origins.drain(..at);
    }
    for (start, _) in origins.iter_mut() {
        *start = start.saturating_sub(bytes);
    }
    if buffer.is_empty() {
        origins.clear();
    }
}

const RECORD_HEADER_BYTES: usize = 5;
/// RFC 5246 section 6.2.3 allows 2^14 + 2048.
const RECORD_BYTES_MAX: usize = (1 << 14) + 2048;
