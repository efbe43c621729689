//! HTTP/2 on one direction of a stream: [`Reader`] yields the head of each message (RFC 9113).
//!
//! HEADERS, PUSH_PROMISE and CONTINUATION frames are decoded, since all of them change the table of
//! header compression; DATA is passed over, but for DNS messages.

use super::fields::Fields;
use super::hpack::Decoder;
use super::{Head, reader};
use crate::flow::{Interest, Origin, StreamReader};
use crate::limits::{DNS_MESSAGE_BYTES_MAX, HTTP_EXCHANGES_PER_CONNECTION_MAX, HTTP_HEAD_BYTES_MAX};
use crate::provenance::{FrameNumber, Time};

/// Reads one direction.
#[derive(Debug, Default)]
pub struct Reader {
    header: Vec<u8>,
    frame: Option<Frame>,
    payload: Vec<u8>,
    preface_left: usize,
    is_begun: bool,
    block: Vec<u8>,
    block_frames: Vec<FrameNumber>,
    block_time: Option<Time>,
    decoder: Decoder,
    /// The heads so far.
    pub heads: Vec<Head>,
    /// Why reading stopped before its end.
    pub trouble: Option<String>,
}

/// The header of a frame, and how much of it is still to come.
#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u64,
    left: usize,
}

/// Whether a stream that begins so is HTTP/2: the client's preface, or the server's SETTINGS frame.
/// `None` when too few bytes are here to tell.
pub fn is_start(bytes: &[u8]) -> Option<bool> {
    let known = bytes.len().min(PREFACE.len());
    if bytes.get(..known) == PREFACE.get(..known) {
        return (known >= 14).then_some(true);
    }
    let [high, middle, low, kind, flags, stream @ ..] =
        <[u8; FRAME_HEADER_BYTES]>::try_from(bytes.get(..FRAME_HEADER_BYTES)?).ok()?;
    let is_short = high == 0 && middle == 0 && low.is_multiple_of(6) && low <= SETTINGS_BYTES_MAX;
    Some(is_short && kind == SETTINGS && flags == 0 && stream == [0; 4])
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let mut rest = bytes;
        while !rest.is_empty() && self.trouble.is_none() {
            rest = match self.frame {
                _ if !self.is_begun || self.preface_left > 0 => self.preface(rest),
                None => self.frame_header(rest),
                Some(frame) => self.frame_payload(frame, rest, origin),
            };
            if let Some(frame) = self.frame.filter(|frame| frame.left == 0) {
                self.frame = None;
                self.frame_whole(frame, origin);
            }
        }
        if self.trouble.is_some() { Interest::Done } else { Interest::More }
    }

    fn hole(&mut self, missing: u64) -> Interest {
        self.stop(&format!("{missing} bytes are not in the capture"));
        Interest::Done
    }
}

impl Reader {
    fn stop(&mut self, why: &str) {
        self.trouble = Some(why.to_owned());
    }

    fn preface<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !self.is_begun {
            self.is_begun = true;
            self.preface_left = if bytes.first() == PREFACE.first() { PREFACE.len() } else { 0 };
        }
        let taken = self.preface_left.min(bytes.len());
        self.preface_left = self.preface_left.saturating_sub(taken);
        bytes.get(taken..).unwrap_or_default()
    }

    fn frame_header<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let wanted = FRAME_HEADER_BYTES.saturating_sub(self.header.len());
        let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(part);
        if let Ok([high, middle, low, kind, flags, s0, s1, s2, s3]) =
            <[u8; FRAME_HEADER_BYTES]>::try_from(self.header.as_slice())
        {
            let left = usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX);
            let stream = u64::from(u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]));
            self.frame = Some(Frame { kind, flags, stream, left });
            self.header.clear();
            self.payload.clear();
        }
        rest
    }

    fn frame_payload<'b>(&mut self, mut frame: Frame, bytes: &'b [u8], origin: Origin) -> &'b [u8] {
        let (part, rest) = bytes.split_at_checked(frame.left).unwrap_or((bytes, &[]));
        frame.left = frame.left.saturating_sub(part.len());
        self.frame = Some(frame);
        let is_block = matches!(frame.kind, HEADERS | PUSH_PROMISE | CONTINUATION);
        if is_block {
            if self.block_frames.is_empty() {
                self.block_time = origin.time;
            }
            if self.block_frames.last() != Some(&origin.frame) {
                self.block_frames.push(origin.frame);
            }
        }
        let limit = if is_block { HTTP_HEAD_BYTES_MAX } else { DNS_MESSAGE_BYTES_MAX };
        if is_block || self.is_dns(frame) {
            self.payload.extend_from_slice(part);
            if self.payload.len().saturating_add(self.block.len()) > limit {
                self.stop("a header block or DNS message of more than 64 KiB");
            }
        }
        rest
    }

    fn is_dns(&self, frame: Frame) -> bool {
        frame.kind == DATA && self.heads.iter().any(|head| head.stream == frame.stream && head.fields.is_dns)
    }

    fn frame_whole(&mut self, frame: Frame, origin: Origin) {
        if !matches!(frame.kind, DATA | HEADERS | PUSH_PROMISE | CONTINUATION) {
            return;
        }
        let payload = std::mem::take(&mut self.payload);
        let padded = matches!(frame.kind, DATA | HEADERS | PUSH_PROMISE) && frame.flags & PADDED != 0;
        let skipped = match frame.kind {
            HEADERS if frame.flags & PRIORITY != 0 => 5,
            PUSH_PROMISE => 4,
            _ => 0,
        };
        let Some(content) = content(&payload, padded, skipped) else {
            if frame.kind != DATA || self.is_dns(frame) {
                self.stop("a frame whose padding is longer than itself");
            }
            return;
        };
        if frame.kind == DATA {
            self.data(frame.stream, content, origin);
            return;
        }
        self.block.extend_from_slice(content);
        if frame.flags & END_HEADERS != 0 {
            self.block_whole(frame);
        }
    }

    fn block_whole(&mut self, frame: Frame) {
        let block = std::mem::take(&mut self.block);
        let frames = std::mem::take(&mut self.block_frames);
        let mut fields = Fields::default();
        if let Err(why) = self.decoder.decode(&block, |name, value| fields.take(name, value)) {
            self.stop(why);
            return;
        }
        let is_head = fields.method.is_some() || fields.status.is_some();
        if frame.kind == PUSH_PROMISE || fields.is_interim() || !is_head {
            return;
        }
        if self.heads.len() >= HTTP_EXCHANGES_PER_CONNECTION_MAX {
            self.stop(reader::TOO_MANY);
            return;
        }
        self.heads.push(Head { stream: frame.stream, fields, dns: Vec::new(), frames, time: self.block_time });
    }

    fn data(&mut self, stream: u64, content: &[u8], origin: Origin) {
        let head = self.heads.iter_mut().find(|head| head.stream == stream && head.fields.is_dns);
        if let Some(head) = head
            && head.dns.len().saturating_add(content.len()) <= DNS_MESSAGE_BYTES_MAX
        {
            head.dns.extend_from_slice(content);
            if head.frames.last() != Some(&origin.frame) {
                head.frames.push(origin.frame);
            }
        }
    }
}

/// The content of a frame without its padding and the fields before it.
fn content(payload: &[u8], is_padded: bool, skipped: usize) -> Option<&[u8]> {
    let (padding, rest) = if is_padded {
        let (length, rest) = payload.split_first()?;
        (usize::from(*length), rest)
    } else {
        (0, payload)
    };
    let rest = rest.get(skipped..)?;
    rest.get(..rest.len().checked_sub(padding)?)
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER_BYTES: usize = 9;
const SETTINGS_BYTES_MAX: u8 = 96;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
    }

    fn read(parts: &[&[u8]]) -> Reader {
        let mut reader = Reader::default();
        for (number, part) in (1..).zip(parts) {
            reader.feed(part, Origin { frame: FrameNumber(number), time: None });
        }
        reader
    }

    #[test]
    fn split_at_every_byte_it_reads_the_same() {
        let authority = b"\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        let talk = [
            PREFACE.to_vec(),
            frame(SETTINGS, 0, 0, &[]),
            frame(
                HEADERS,
                END_HEADERS | PADDED | PRIORITY,
                1,
                &[&b"\x02\0\0\0\0\0\x82\x87\x84"[..], authority, b"\0\0"].concat(),
            ),
            frame(DATA, 1, 1, b"body"),
            frame(HEADERS, 0, 3, b"\x82\x87"),
            frame(CONTINUATION, END_HEADERS, 3, b"\x84\xbe"),
            frame(HEADERS, END_HEADERS, 3, b"\x40\x07trailer\x01x"),
        ]
        .concat();
        for at in 0..talk.len() {
            let (one, other) = talk.split_at(at);
            let reader = read(&[one, other]);
            assert_eq!(reader.trouble, None, "split at {at}");
            let heads: Vec<_> =
                reader.heads.iter().map(|head| (head.stream, head.fields.authority.as_deref())).collect();
            assert_eq!(heads, [(1, Some("www.example.com")), (3, Some("www.example.com"))], "split at {at}");
        }
        let bytes: Vec<&[u8]> = talk.chunks(1).collect();
        assert_eq!(read(&bytes).heads.len(), 2);
    }

    #[test]
    fn the_message_of_dns_over_https_is_kept() {
        let content_type = b"\x0f\x10\x17application/dns-message";
        let response = [
            frame(SETTINGS, 0, 0, &[]),
            frame(HEADERS, END_HEADERS, 1, &[&b"\x88"[..], content_type].concat()),
            frame(DATA, 0, 1, b"first "),
            frame(DATA, PADDED, 1, b"\x03second\0\0\0"),
            frame(HEADERS, END_HEADERS, 3, b"\x88"),
            frame(DATA, 0, 3, b"not kept"),
        ]
        .concat();
        let heads = read(&[&response]).heads;
        assert_eq!(heads[0].dns, b"first second");
        assert_eq!(heads[1].dns, b"");
    }

    #[test]
    fn starts_are_told_apart() {
        for (bytes, expected) in [
            (&b"PRI * HTTP/2.0"[..], Some(true)),
            (b"PRI", None),
            (b"\0\0\x06\x04\0\0\0\0\0", Some(true)),
            (b"\0\0\x06\x04\0", None),
            (b"\0\0\x07\x04\0\0\0\0\0", Some(false)),
            (b"GET / HTTP/1.1\r\n", Some(false)),
        ] {
            assert_eq!(is_start(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn hostile_frames_end_the_reading() {
        for bytes in [
            frame(HEADERS, END_HEADERS | PADDED, 1, b"\x05ab"),
            frame(HEADERS, END_HEADERS, 1, b"\xc0"),
            frame(HEADERS, END_HEADERS | PRIORITY, 1, b"ab"),
        ] {
            let reader = read(&[&frame(SETTINGS, 0, 0, &[]), &bytes]);
            assert!(reader.trouble.is_some() && reader.heads.is_empty(), "{bytes:?}");
        }
    }
}
