//! DNS messages on a TCP stream: [`Reader`] cuts them by their two-byte length (RFC 7766 section 8).
//!
//! A message that cannot be read costs itself only. So does one with a hole in it, as long as its
//! length was seen and the hole ends within it.

use super::wire::{self, Message};
use crate::flow::{Interest, Origin, StreamReader};
use crate::provenance::{FrameNumber, Time};

/// One response with the frames that hold its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// The message.
    pub message: Message,
    /// The frames.
    pub frames: Vec<FrameNumber>,
    /// When its last byte was captured.
    pub time: Option<Time>,
}

/// Reads one direction of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    pending: Vec<u8>,
    frames: Vec<FrameNumber>,
    /// Bytes of a lost message that are still to come.
    skip_bytes: usize,
    /// The responses so far, in stream order.
    pub messages: Vec<Framed>,
    /// The messages that cannot be read, and why.
    pub lost: Vec<(&'static str, Vec<FrameNumber>)>,
}

/// Whether a stream that begins so is DNS: a length, a header and a question that read as DNS;
/// `None` while too little is here.
pub fn is_start(bytes: &[u8]) -> Option<bool> {
    let (length, rest) = split_length(bytes)?;
    if length < MESSAGE_BYTES_MIN || !wire::may_begin(rest) {
        return Some(false);
    }
    let message = rest.get(..length).unwrap_or(rest);
    if wire::has_question(message) {
        return Some(true);
    }
    (message.len() >= length.min(QUESTION_END_MAX)).then_some(false)
}

fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::from(u16::from_be_bytes(*length)), rest))
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let skipped = self.skip_bytes.min(bytes.len());
        self.skip_bytes = self.skip_bytes.saturating_sub(skipped);
        let bytes = bytes.get(skipped..).unwrap_or_default();
        if bytes.is_empty() {
            return Interest::More;
        }
        self.pending.extend_from_slice(bytes);
        self.frames.push(origin.frame);
        let mut at: usize = 0;
        while let Some((length, rest)) = self.pending.get(at..).and_then(split_length) {
            let Some(body) = rest.get(..length) else {
                break;
            };
            match wire::decode(body) {
                Some(message) if message.is_plausible() => {
                    if message.flags.qr {
                        self.messages.push(Framed { message, frames: self.frames.clone(), time: origin.time });
                    }
                }
                _ if self.lost.len() >= UNREADABLE_MAX => return Interest::Done,
                _ => self.lost.push(("its header does not read as DNS", self.frames.clone())),
            }
            at = at.saturating_add(length).saturating_add(2);
            self.frames.clear();
            self.frames.push(origin.frame);
        }
        self.pending.drain(..at.min(self.pending.len()));
        if self.pending.is_empty() {
            self.frames.clear();
        }
        Interest::More
    }

    fn hole(&mut self, missing: u64) -> Interest {
        let why = "a part of it is not in the capture";
        self.lost.push((why, std::mem::take(&mut self.frames)));
        let whole = split_length(&self.pending).map(|(length, _)| length.saturating_add(2));
        let left = whole.map(|whole| whole.saturating_sub(self.pending.len()));
        let after = left.zip(usize::try_from(missing).ok()).and_then(|(left, missing)| left.checked_sub(missing));
        self.pending.clear();
        match after {
            Some(after) => {
                self.skip_bytes = after;
                Interest::More
            }
            None => Interest::Done,
        }
    }

    fn held_bytes(&self) -> usize {
        self.pending.capacity()
    }
}

/// A header and the shortest question.
const MESSAGE_BYTES_MIN: usize = 17;
/// Where the question ends at the latest.
const QUESTION_END_MAX: usize = 12 + 255 + 4;
/// After so many messages that are none the stream is not DNS.
const UNREADABLE_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u8, host: &[u8]) -> Vec<u8> {
        let mut body = vec![0, id, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        body.push(u8::try_from(host.len()).unwrap());
        body.extend_from_slice(host);
        body.extend_from_slice(&[0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, id]);
        let mut framed = u16::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        framed.append(&mut body);
        framed
    }

    fn origin(number: u64) -> Origin {
        Origin { frame: FrameNumber(number), time: None }
    }

    #[test]
    fn messages_split_and_coalesced_anywhere() {
        let stream = [message(1, b"one"), message(2, b"two"), message(3, b"three")].concat();
        for piece in 1..=stream.len() {
            let mut reader = Reader::default();
            for (number, part) in (1..).zip(stream.chunks(piece)) {
                assert_eq!(reader.feed(part, origin(number)), Interest::More);
            }
            let found: Vec<(u16, u64, u64)> = reader
                .messages
                .iter()
                .map(|it| (it.message.id, it.frames.first().unwrap().0, it.frames.last().unwrap().0))
                .collect();
            let frame = |offset: usize| u64::try_from(offset / piece).unwrap() + 1;
            let (first, second) = (message(1, b"one").len(), message(2, b"two").len());
            let ends = [(1, 0, first), (2, first, first + second), (3, first + second, stream.len())];
            let expected: Vec<_> = ends.iter().map(|(id, from, to)| (*id, frame(*from), frame(to - 1))).collect();
            assert_eq!(found, expected, "pieces of {piece}");
        }
    }

    #[test]
    fn a_hole_costs_its_message_only() {
        let (one, two, three) = (message(1, b"one"), message(2, b"two"), message(3, b"three"));
        let mut reader = Reader::default();
        reader.feed(&one, origin(1));
        reader.feed(&two[..10], origin(2));
        assert_eq!(reader.hole(5), Interest::More);
        reader.feed(&[&two[15..], &three[..]].concat(), origin(4));
        let ids: Vec<u16> = reader.messages.iter().map(|it| it.message.id).collect();
        assert_eq!((ids, reader.lost.len()), (vec![1, 3], 1));
        reader.feed(&one[..10], origin(5));
        assert_eq!(reader.hole(500), Interest::Done, "nobody knows where the next message begins");
    }

    #[test]
    fn what_is_no_dns_is_told_early() {
        let mut long = message(1, b"www");
        (long[0], long[1]) = (0x40, 0);
        for (bytes, expected) in [
            (&message(1, b"www")[..], Some(true)),
            (&long, Some(true)),
            (&long[..14], None),
            (b"GET / HTTP/1.1\r\n", Some(false)),
            (b"SSH-2.0-OpenSSH", Some(false)),
            (b"\0", None),
            (&[0; 40], Some(false)),
        ] {
            assert_eq!(is_start(bytes), expected, "{bytes:?}");
        }
    }
}
