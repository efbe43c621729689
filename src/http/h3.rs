//! HTTP/3 on the streams of a QUIC connection: [`Stream`] reads one direction of one stream, [`heads`]
//! puts those of one side together (RFC 9114).
//!
//! Field sections are kept as they are until the connection is over: only then is the whole table
//! known that they refer to. Of bodies only a DNS message is kept. A stream of DNS over QUIC
//! (RFC 9250), which begins with the length of a message, is read as what it is.

use super::Head;
use super::fields::Fields;
use super::qpack::Table;
use crate::dns;
use crate::flow::{Interest, Origin, StreamReader};
use crate::limits::{DNS_MESSAGE_BYTES_MAX, HTTP_HEAD_BYTES_MAX};
use crate::provenance::{FrameNumber, Time};

/// One direction of one stream.
#[derive(Debug, Default)]
pub struct Stream {
    is_unidirectional: bool,
    buffer: Vec<u8>,
    kind: Kind,
    frames: Vec<FrameNumber>,
    time: Option<Time>,
    sections: Vec<Vec<u8>>,
    body: Vec<u8>,
    instructions: Vec<u8>,
    dns: dns::tcp::Reader,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    /// Frames: the type of the one that is being read, and how much of it is to come.
    Message(Option<(u64, u64)>),
    Encoder,
    Dns,
    Nothing,
}

impl Stream {
    /// A stream of this id (RFC 9000 section 2.1).
    pub fn new(id: u64) -> Self {
        Self { is_unidirectional: id & 2 != 0, ..Self::default() }
    }

    /// The DNS messages of a stream of DNS over QUIC.
    pub fn dns_messages(&mut self) -> Vec<dns::tcp::Framed> {
        std::mem::take(&mut self.dns.messages)
    }

    /// Whether it is a message of HTTP.
    pub fn is_message(&self) -> bool {
        !self.sections.is_empty()
    }

    fn begin(&mut self) {
        if self.is_unidirectional {
            if let Some((kind, length)) = varint(&self.buffer) {
                self.kind = if kind == ENCODER_STREAM { Kind::Encoder } else { Kind::Nothing };
                self.buffer.drain(..length);
            }
            return;
        }
        self.kind = match dns::tcp::is_start(&self.buffer) {
            Some(true) => Kind::Dns,
            Some(false) => Kind::Message(None),
            None if self.buffer.first().is_some_and(|first| *first != 0) => Kind::Message(None),
            None => Kind::Unknown,
        };
    }

    /// Reads what is buffered; false when nothing more can be learnt now.
    fn step(&mut self, origin: Origin) -> bool {
        match self.kind {
            Kind::Unknown => {
                self.begin();
                self.kind != Kind::Unknown
            }
            Kind::Encoder => {
                self.instructions.append(&mut self.buffer);
                if self.instructions.len() > HTTP_HEAD_BYTES_MAX {
                    self.kind = Kind::Nothing;
                }
                false
            }
            Kind::Dns => {
                let bytes = std::mem::take(&mut self.buffer);
                if self.dns.feed(&bytes, origin) == Interest::Done {
                    self.kind = Kind::Nothing;
                }
                false
            }
            Kind::Message(None) => self.frame_header(),
            Kind::Message(Some((kind, left))) => self.frame_part(kind, left, origin),
            Kind::Nothing => false,
        }
    }

    fn frame_header(&mut self) -> bool {
        let header = varint(&self.buffer).and_then(|(kind, first)| {
            let (length, second) = varint(self.buffer.get(first..)?)?;
            Some((kind, length, first.saturating_add(second)))
        });
        let Some((kind, length, taken)) = header else {
            return false;
        };
        self.buffer.drain(..taken);
        if kind == HEADERS {
            self.sections.push(Vec::new());
        }
        self.kind = if length == 0 { Kind::Message(None) } else { Kind::Message(Some((kind, length))) };
        true
    }

    fn frame_part(&mut self, kind: u64, left: u64, origin: Origin) -> bool {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
        let part: Vec<u8> = self.buffer.drain(..taken).collect();
        let left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
        match (kind, self.sections.last_mut()) {
            (HEADERS, Some(section)) => {
                section.extend_from_slice(&part);
                self.note(origin);
            }
            (DATA, _) if self.body.len().saturating_add(part.len()) <= DNS_MESSAGE_BYTES_MAX => {
                self.body.extend_from_slice(&part);
            }
            _ => {}
        }
        let is_too_long = self.sections.iter().map(Vec::len).sum::<usize>() > HTTP_HEAD_BYTES_MAX;
        self.kind = match (left, is_too_long) {
            (_, true) => Kind::Nothing,
            (0, _) => Kind::Message(None),
            (left, _) => Kind::Message(Some((kind, left))),
        };
        !self.buffer.is_empty()
    }

    fn note(&mut self, origin: Origin) {
        if self.frames.is_empty() {
            self.time = origin.time;
        }
        if self.frames.last() != Some(&origin.frame) {
            self.frames.push(origin.frame);
        }
    }
}

impl StreamReader for Stream {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        self.buffer.extend_from_slice(bytes);
        while self.step(origin) {}
        if self.kind == Kind::Nothing { Interest::Done } else { Interest::More }
    }

    fn hole(&mut self, _missing: u64) -> Interest {
        self.kind = Kind::Nothing;
        Interest::Done
    }
}

/// The heads that one side sent on its streams, in the order of their ids, and why some cannot be read.
pub fn heads(streams: &[(u64, Stream)]) -> (Vec<Head>, Option<(String, Vec<FrameNumber>)>) {
    let instructions: Vec<u8> = streams.iter().flat_map(|(_, stream)| &stream.instructions).copied().collect();
    let (table, mut trouble) = match Table::from_encoder_stream(&instructions) {
        Ok(table) => (table, None),
        Err(why) => (Table::default(), Some((why.to_owned(), Vec::new()))),
    };
    let mut heads = Vec::new();
    for (id, stream) in streams {
        match head(*id, stream, &table) {
            Ok(head) => heads.extend(head),
            Err(why) => {
                trouble.get_or_insert((why.to_owned(), stream.frames.clone()));
            }
        }
    }
    heads.sort_by_key(|head| head.stream);
    (heads, trouble)
}

/// The first section that is no interim response.
fn head(id: u64, stream: &Stream, table: &Table) -> Result<Option<Head>, &'static str> {
    for section in &stream.sections {
        let mut fields = Fields::default();
        table.decode(section, |name, value| fields.take(name, value))?;
        if !fields.is_interim() && (fields.method.is_some() || fields.status.is_some()) {
            let dns = if fields.is_dns { stream.body.clone() } else { Vec::new() };
            return Ok(Some(Head { stream: id, fields, dns, frames: stream.frames.clone(), time: stream.time }));
        }
    }
    Ok(None)
}

/// A number of RFC 9000 section 16, and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let length = 1_usize << (bytes.first()? >> 6);
    let all = bytes.get(..length)?;
    let value = all.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let bits = u32::try_from(length).ok()?.checked_mul(8)?.checked_sub(2)?;
    Some((value & (1_u64 << bits).wrapping_sub(1), length))
}

const ENCODER_STREAM: u64 = 2;
const DATA: u64 = 0;
const HEADERS: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: u64, parts: &[&[u8]]) -> (u64, Stream) {
        let mut stream = Stream::new(id);
        for (number, part) in (1..).zip(parts) {
            stream.feed(part, Origin { frame: FrameNumber(number), time: None });
        }
        (id, stream)
    }

    #[test]
    fn split_at_every_byte_it_reads_the_same() {
        let encoder = b"\x02\x3f\xbd\x01\xc0\x0fwww.example.com";
        let message = b"\x21\x03pad\x01\x05\x02\x00\xd1\x80\xd7\x00\x04body\x01\x02\x00\x00";
        for at in 0..message.len() {
            let (one, other) = message.split_at(at);
            let (heads, trouble) =
                heads(&[read(4, &[one, other]), read(2, &[&encoder[..at.min(9)], &encoder[at.min(9)..]])]);
            assert_eq!(trouble, None, "split at {at}");
            assert_eq!(heads.len(), 1, "split at {at}");
            assert_eq!(heads[0].fields.authority.as_deref(), Some("www.example.com"));
            assert_eq!(heads[0].dns, b"");
        }
    }

    #[test]
    fn a_dns_message_is_kept() {
        let (heads, _) = heads(&[read(0, &[b"\x01\x04\x00\x00\xd9\xec\x00\x03dns", b"\x00\x02!!"])]);
        assert_eq!((heads[0].fields.status, heads[0].dns.as_slice()), (Some(200), &b"dns!!"[..]));
    }

    /// RFC 9250 section 4.2: a length, and a message whose id is 0.
    #[test]
    fn an_answer_of_dns_over_quic_is_an_answer() {
        let bytes = b"\0\x21\0\0\x81\x80\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
        for at in 0..bytes.len() {
            let (_, mut stream) = read(0, &[&bytes[..at], &bytes[at..]]);
            assert_eq!(stream.dns_messages().len(), 1, "split at {at}");
            assert!(!stream.is_message());
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let (heads, trouble) = heads(&[read(0, &[b"\x01\x03\x02\x00\x80"])]);
        assert!(heads.is_empty() && trouble.is_some());
    }
}
