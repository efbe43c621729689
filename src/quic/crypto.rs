//! The TLS messages of one direction at one encryption level: [`CryptoStream`].
//!
//! CRYPTO frames come in any order, overlap and repeat (RFC 9000 section 19.6). Their bytes are put
//! in order by the assembler that TCP streams have, and are cut into handshake messages.

use crate::flow::{Assembler, Interest, Origin, StreamReader};
use crate::limits::{HANDSHAKE_MESSAGE_BYTES_MAX, HANDSHAKES_PER_CONNECTION_MAX};
use crate::provenance::FrameNumber;
use crate::tls::handshake::{self, Message};
use crate::tls::record::{Event, Seen};

/// CRYPTO frames of one direction at one level.
#[derive(Debug)]
pub struct CryptoStream {
    assembler: Assembler,
    messages: Messages,
}

/// Cuts a stream into handshake messages.
#[derive(Debug, Default)]
struct Messages {
    bytes: Vec<u8>,
    origins: Vec<(usize, Origin)>,
    seen: Vec<Seen>,
    random: Option<Vec<u8>>,
    trouble: Option<String>,
    last_frame: Option<FrameNumber>,
}

impl Default for CryptoStream {
    fn default() -> Self {
        let mut assembler = Assembler::default();
        assembler.syn(BEFORE_FIRST);
        Self { assembler, messages: Messages::default() }
    }
}

impl CryptoStream {
    /// Takes a CRYPTO frame.
    pub fn take(&mut self, offset: u64, bytes: &[u8], origin: Origin) {
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let limit = u64::try_from(HANDSHAKE_MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
        let Some(sequence) = u32::try_from(offset).ok().filter(|_| end <= limit) else {
            self.messages.last_frame = Some(origin.frame);
            self.messages.trouble = Some(format!("a CRYPTO frame at offset {offset}, beyond the limit of {limit}"));
            return;
        };
        self.assembler.segment(sequence, bytes, origin, &mut self.messages);
    }

    /// What was read so far, in order.
    pub fn seen(&self) -> &[Seen] {
        &self.messages.seen
    }

    /// The random of the first hello in it.
    pub fn random(&self) -> Option<&[u8]> {
        self.messages.random.as_deref()
    }

    /// The capture has ended: what was read, and why it ends before its end, with the frame.
    pub fn finish(mut self) -> (Vec<Seen>, Option<(String, Option<FrameNumber>)>) {
        self.assembler.finish(&mut self.messages);
        let Messages { bytes, seen, mut trouble, last_frame, .. } = self.messages;
        if trouble.is_none() && !bytes.is_empty() {
            trouble = Some("its last handshake message is not whole".to_owned());
        }
        (seen, trouble.map(|why| (why, last_frame)))
    }
}

impl StreamReader for Messages {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        self.last_frame = Some(origin.frame);
        self.origins.push((self.bytes.len(), origin));
        self.bytes.extend_from_slice(bytes);
        while let Some((kind, length)) = handshake::header(&self.bytes) {
            if length > HANDSHAKE_MESSAGE_BYTES_MAX {
                self.trouble = Some(format!("a handshake message of {length} bytes"));
                return Interest::Done;
            }
            let whole = handshake::HEADER_BYTES.saturating_add(length);
            let Some(message) = self.bytes.get(..whole) else {
                break;
            };
            if self.random.is_none() && matches!(kind, 1 | 2) {
                self.random = message.get(RANDOM_AT..RANDOM_AT + RANDOM_BYTES).map(<[u8]>::to_vec);
            }
            let message = handshake::read(kind, message);
            self.note(message, whole);
            self.drop_front(whole);
            if self.seen.len() > HANDSHAKES_PER_CONNECTION_MAX * 8 {
                return Interest::Done;
            }
        }
        Interest::More
    }

    fn hole(&mut self, missing: u64) -> Interest {
        self.trouble = Some(format!("{missing} bytes of its CRYPTO frames are not in the capture"));
        Interest::Done
    }
}

impl Messages {
    fn note(&mut self, message: Message, whole: usize) {
        let event = match message {
            Message::ClientHello(hello) => Event::ClientHello(hello),
            Message::ServerHello(hello) => Event::ServerHello(hello),
            Message::Certificates(chain) => Event::Certificates(chain),
            Message::Undecoded(why) => Event::Undecoded(why),
            Message::FlightDone | Message::Other => return,
        };
        let origins = self.origins.iter().filter(|(start, _)| *start < whole).map(|(_, origin)| *origin);
        let mut frames: Vec<FrameNumber> = origins.clone().map(|origin| origin.frame).collect();
        frames.dedup();
        let time = origins.clone().next().and_then(|origin| origin.time);
        self.seen.push(Seen { event, frames, time });
    }

    fn drop_front(&mut self, whole: usize) {
        self.bytes.drain(..whole.min(self.bytes.len()));
        if let Some(last) = self.origins.iter().rposition(|(start, _)| *start <= whole) {
            self.origins.drain(..last);
        }
        for (start, _) in &mut self.origins {
            *start = start.saturating_sub(whole);
        }
    }
}

/// The sequence number before offset 0.
const BEFORE_FIRST: u32 = u32::MAX;
/// Type, length and version stand before the random of a hello.
const RANDOM_AT: usize = 6;
const RANDOM_BYTES: usize = 32;
