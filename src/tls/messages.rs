//! Handshake bytes become messages, each with where it stands: [`Messages`].
//!
//! Bytes come in stream order, from records or CRYPTO frames cut anywhere.

use super::handshake::{self, Message};
use crate::flow::Origin;
use crate::limits::HANDSHAKE_MESSAGE_BYTES_MAX;

/// Where the bytes from an offset on come from.
pub type Part = (usize, Origin);

/// The handshake bytes of one direction that are no whole message yet.
#[derive(Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    /// Where the bytes from each offset on come from.
    origins: Vec<Part>,
}

impl Messages {
    /// Takes the next bytes, and where they come from, by offset.
    pub fn push(&mut self, bytes: &[u8], origins: &[Part]) {
        let at = self.bytes.len();
        self.origins.extend(origins.iter().map(|(offset, origin)| (at.saturating_add(*offset), *origin)));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, with its origins; an error when none can follow.
    pub fn next_message(&mut self) -> Option<Result<(Message, Vec<Part>), String>> {
        let (kind, length) = handshake::header(&self.bytes)?;
        if length > HANDSHAKE_MESSAGE_BYTES_MAX {
            return Some(Err(format!("a handshake message of {length} bytes")));
        }
        let whole = handshake::HEADER_BYTES.saturating_add(length);
        let message = handshake::read(kind, self.bytes.get(..whole)?);
        let origins = self.origins.iter().filter(|(start, _)| *start < whole).copied().collect();
        self.drop_front(whole);
        Some(Ok((message, origins)))
    }

    /// Whether a message has begun and is not whole.
    pub fn is_in_message(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// How many bytes wait.
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity().saturating_add(self.origins.capacity().saturating_mul(size_of::<(usize, Origin)>()))
    }

    fn drop_front(&mut self, bytes: usize) {
        self.bytes.drain(..bytes.min(self.bytes.len()));
        if let Some(last) = self.origins.iter().rposition(|(start, _)| *start <= bytes) {
            self.origins.drain(..last);
        }
        for (start, _) in &mut self.origins {
            *start = start.saturating_sub(bytes);
        }
        if self.bytes.is_empty() {
            self.origins.clear();
        }
    }
}
