//! DNS messages on a TCP stream: [`Reader`] cuts them by their two-byte length (RFC 7766 section 8).

use super::wire::{self, Message};
use crate::flow::{Interest, Origin, StreamReader};
use crate::provenance::{FrameNumber, Time};

/// One message with the frames that hold its bytes.
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
    /// The messages so far, in stream order.
    pub messages: Vec<Framed>,
}

/// Whether a stream that begins so is DNS: a length, and a header that reads as DNS.
pub fn is_start(bytes: &[u8]) -> bool {
    let Some((length, rest)) = split_length(bytes) else {
        return false;
    };
    length >= 17 && rest.get(..length).is_some_and(wire::looks_like)
}

fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_at_checked(2)?;
    let length = <[u8; 2]>::try_from(length).ok()?;
    Some((usize::from(u16::from_be_bytes(length)), rest))
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        self.pending.extend_from_slice(bytes);
        self.frames.push(origin.frame);
        while let Some((length, rest)) = split_length(&self.pending) {
            let Some(body) = rest.get(..length) else {
                break;
            };
            let Some(message) = wire::decode(body).filter(|_| wire::looks_like(body)) else {
                return Interest::Done;
            };
            self.messages.push(Framed { message, frames: self.frames.clone(), time: origin.time });
            self.pending.drain(..length.saturating_add(2));
            self.frames.retain(|frame| *frame == origin.frame);
            if self.pending.is_empty() {
                self.frames.clear();
            }
        }
        Interest::More
    }

    fn hole(&mut self, _missing: u64) -> Interest {
        Interest::Done
    }

    fn held_bytes(&self) -> usize {
        let messages: usize = self.messages.iter().map(|it| 256 + it.message.records.len() * 128).sum();
        self.pending.capacity().saturating_add(messages)
    }
}
