//! One direction of a stream that is HTTP, whichever version: [`Reader`].

use super::{Head, h1, h2};
use crate::flow::{Beginning, Interest, Origin, StreamReader};

/// Reads one direction.
#[derive(Debug, Default)]
pub struct Reader {
    beginning: Beginning,
    spoken: Spoken,
}

#[derive(Debug, Default)]
enum Spoken {
    #[default]
    Unknown,
    One(Box<h1::Reader>),
    Two(Box<h2::Reader>),
    Nothing,
}

/// Whether a stream that begins so is HTTP; `None` when too few bytes are here to tell.
pub fn is_start(bytes: &[u8]) -> Option<bool> {
    match (is_h1(bytes), h2::is_start(bytes)) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// A status line, or one of the methods that requests begin with.
fn is_h1(bytes: &[u8]) -> Option<bool> {
    let fits = |word: &[u8]| {
        let known = word.len().min(bytes.len());
        (bytes.get(..known) == word.get(..known)).then_some(known == word.len())
    };
    let mut fitting = STARTS.iter().filter_map(|word| fits(word));
    match fitting.next() {
        None => Some(false),
        Some(true) => Some(true),
        Some(false) => fitting.any(|is_whole| is_whole).then_some(true),
    }
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        match &mut self.spoken {
            Spoken::One(reader) => return reader.feed(bytes, origin),
            Spoken::Two(reader) => return reader.feed(bytes, origin),
            Spoken::Nothing => return Interest::Done,
            Spoken::Unknown => self.beginning.push(bytes, origin),
        }
        let start = self.beginning.bytes();
        self.spoken = match is_start(&start) {
            None => return Interest::More,
            Some(false) => Spoken::Nothing,
            Some(true) if h2::is_start(&start) == Some(true) => Spoken::Two(Box::default()),
            Some(true) => Spoken::One(Box::default()),
        };
        std::mem::take(&mut self.beginning).bring_to(self)
    }

    fn hole(&mut self, missing: u64) -> Interest {
        match &mut self.spoken {
            Spoken::One(reader) => reader.hole(missing),
            Spoken::Two(reader) => reader.hole(missing),
            _ => Interest::Done,
        }
    }
}

impl Reader {
    /// The heads so far.
    pub fn heads(&self) -> &[Head] {
        match &self.spoken {
            Spoken::One(reader) => &reader.heads,
            Spoken::Two(reader) => &reader.heads,
            _ => &[],
        }
    }

    /// Why reading stopped before its end.
    pub fn trouble(&self) -> Option<&str> {
        match &self.spoken {
            Spoken::One(reader) => reader.trouble.as_deref(),
            Spoken::Two(reader) => reader.trouble.as_deref(),
            _ => None,
        }
    }

    /// The version spoken.
    pub fn version(&self) -> Option<&'static str> {
        match &self.spoken {
            Spoken::One(_) => Some("HTTP/1.1"),
            Spoken::Two(_) => Some("HTTP/2"),
            _ => None,
        }
    }
}

/// What is said where a connection carries more messages than are read.
pub const TOO_MANY: &str = "more messages than are read of one connection";
const STARTS: &[&[u8]] = &[b"HTTP/1.", b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH "];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_told_apart() {
        for (bytes, expected) in [
            (&b""[..], None),
            (b"GE", None),
            (b"GET ", Some(true)),
            (b"P", None),
            (b"PR", None),
            (b"PRI * HTTP/2.0", Some(true)),
            (b"POST ", Some(true)),
            (b"HTTP/1.1 200", Some(true)),
            (b"CONNECT host:443 HTTP/1.1", Some(false)),
            (b"SSH-2.0-x", Some(false)),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", Some(false)),
        ] {
            assert_eq!(is_start(bytes), expected, "{bytes:?}");
        }
    }
}
