//! The TLS messages of one direction at one encryption level: [`CryptoStream`].
//!
//! CRYPTO frames come in any order, overlap and repeat (RFC 9000 section 19.6). Their bytes are put
//! in order by the assembler that TCP streams have, and are cut into handshake messages.

use crate::flow::{Assembler, Interest, Origin, StreamReader};
use crate::limits::{HANDSHAKE_MESSAGE_BYTES_MAX, HANDSHAKES_PER_CONNECTION_MAX};
use crate::provenance::FrameNumber;
use crate::tls::event::{Event, Seen};
use crate::tls::handshake::Message;
use crate::tls::messages::Messages;

/// CRYPTO frames of one direction at one level.
#[derive(Debug)]
pub struct CryptoStream {
    assembler: Assembler,
    reader: Reader,
}

/// Reads the messages of a stream.
#[derive(Debug, Default)]
struct Reader {
    messages: Messages,
    seen: Vec<Seen>,
    trouble: Option<String>,
    last_frame: Option<FrameNumber>,
}

impl Default for CryptoStream {
    fn default() -> Self {
        let mut assembler = Assembler::default();
        assembler.syn(BEFORE_FIRST);
        Self { assembler, reader: Reader::default() }
    }
}

impl CryptoStream {
    /// Takes a CRYPTO frame.
    pub fn take(&mut self, offset: u64, bytes: &[u8], origin: Origin) {
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let limit = u64::try_from(HANDSHAKE_MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
        let Some(sequence) = u32::try_from(offset).ok().filter(|_| end <= limit) else {
            self.reader.last_frame = Some(origin.frame);
            self.reader.trouble = Some(format!("a CRYPTO frame at offset {offset}, beyond the limit of {limit}"));
            return;
        };
        self.assembler.segment(sequence, bytes, origin, &mut self.reader);
    }

    /// What was read so far, in order.
    pub fn seen(&self) -> &[Seen] {
        &self.reader.seen
    }

    /// The random of the ClientHello in it.
    pub fn client_random(&self) -> Option<&[u8]> {
        self.reader.seen.iter().find_map(|seen| match &seen.event {
            Event::ClientHello(hello) => Some(hello.random.as_slice()),
            _ => None,
        })
    }

    /// The capture has ended: what was read, and why it ends before its end, with the frame.
    pub fn finish(mut self) -> (Vec<Seen>, Option<(String, Option<FrameNumber>)>) {
        self.assembler.finish(&mut self.reader);
        let Reader { messages, seen, mut trouble, last_frame } = self.reader;
        if trouble.is_none() && messages.is_in_message() {
            trouble = Some("its last handshake message is not whole".to_owned());
        }
        (seen, trouble.map(|why| (why, last_frame)))
    }
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        self.last_frame = Some(origin.frame);
        self.messages.push(bytes, &[(0, origin)]);
        while let Some(next) = self.messages.next_message() {
            match next {
                Ok((message, origins)) => self.note(message, &origins),
                Err(why) => {
                    self.trouble = Some(why);
                    return Interest::Done;
                }
            }
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

impl Reader {
    fn note(&mut self, message: Message, origins: &[(usize, Origin)]) {
        let mut frames: Vec<FrameNumber> = origins.iter().map(|(_, origin)| origin.frame).collect();
        frames.dedup();
        let time = origins.first().and_then(|(_, origin)| origin.time);
        let events = Event::of(message).into_iter();
        self.seen.extend(events.map(|event| Seen { event, frames: frames.clone(), time }));
    }
}

/// The sequence number before offset 0.
const BEFORE_FIRST: u32 = u32::MAX;
