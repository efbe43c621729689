//! One direction of a TLS stream: [`Reader`] cuts records, puts handshake messages together and
//! keeps which frames held each (RFC 8446 section 5, RFC 5246 section 6).
//!
//! Records are read where they lie; only one that is cut by the end of a segment is copied. What is
//! encrypted, and no key opens, is passed over, and reading ends as soon as nothing more can be
//! learnt. With keys ([`Reader::keyed`]) sealed records are opened, and application data goes to the
//! reader inside; `guard` is about what is sealed. A hole ends the reading.

mod guard;

use super::event::{Event, Seen};
use super::handshake::Message;
use super::messages::{Messages, Part};
use super::preamble::Preamble;
use super::{InnerReader, sslv2};
use crate::flow::{Interest, Origin, StreamReader};
use crate::limits::{ALERTS_PER_CONNECTION_MAX, HANDSHAKES_PER_CONNECTION_MAX};
use crate::provenance::FrameNumber;
use guard::Guard;

/// Reads one direction.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Reader {
    /// A record that is not whole yet.
    record: Vec<u8>,
    record_origins: Vec<Part>,
    /// The rest of a record that nobody needs.
    skips: usize,
    messages: Messages,
    guard: Guard,
    is_keyed: bool,
    is_begun: bool,
    is_tls13: bool,
    is_over: bool,
    /// A sealed record of type handshake came, which is TLS 1.2.
    has_sealed_handshake: bool,
    /// How many bytes the hole lacks that ended the reading.
    lost_bytes: u64,
    /// Which handshake of the connection the keys in use are of.
    epoch: usize,
    inner: Option<Box<dyn InnerReader>>,
    is_inner_done: bool,
    /// What was seen, in stream order.
    pub seen: Vec<Seen>,
    /// Why reading stopped before the end of the handshake.
    pub trouble: Option<String>,
    /// The last frame that was read.
    pub last_frame: Option<FrameNumber>,
    /// The lengths of the first sealed records that stay closed.
    pub sealed_bytes: Vec<u16>,
    /// What stood before TLS in this direction.
    pub preamble: Option<Box<Preamble>>,
    /// The frames of the first sealed record for which a log has no key.
    passed: Vec<FrameNumber>,
    /// The file whose keys opened records.
    pub key_file: Option<String>,
    /// Why keys that are there do not open records, with the frames.
    pub key_trouble: Option<(String, Vec<FrameNumber>)>,
}

/// Whether a stream that begins so is TLS: a handshake or alert record of a known version, or an
/// SSLv2-style ClientHello. `None` when too few bytes are here to tell.
pub fn is_start(bytes: &[u8]) -> Option<bool> {
    if sslv2::is_start(bytes) == Some(true) {
        return Some(true);
    }
    let fits = |at: usize, test: fn(u8) -> bool| bytes.get(at).is_none_or(|byte| test(*byte));
    let fits = fits(0, |b| b == 22 || b == 21) && fits(1, |b| b == 3) && fits(2, |b| b <= 4);
    if !fits {
        return Some(false).filter(|_| sslv2::is_start(bytes) == Some(false));
    }
    let kind = bytes.get(5)?;
    let is_hello = bytes.first() == Some(&22) && matches!(kind, 1 | 2 | 11 | 0);
    let is_alert = bytes.first() == Some(&21) && matches!(kind, 1 | 2);
    Some(is_hello || is_alert)
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        self.last_frame = Some(origin.frame);
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_over && self.trouble.is_none() {
            if self.skips > 0 {
                let skipped = self.skips.min(rest.len());
                self.skips = self.skips.saturating_sub(skipped);
                rest = rest.get(skipped..).unwrap_or_default();
            } else if let Some((header, body, after)) = self.whole_record(rest) {
                rest = after;
                self.record(header, body, &[(0, origin)]);
            } else {
                rest = self.fill(rest, origin);
            }
        }
        if self.is_over || self.trouble.is_some() { Interest::Done } else { Interest::More }
    }

    fn hole(&mut self, missing: u64) -> Interest {
        self.lost_bytes = missing;
        match &self.guard {
            Guard::Clear => self.trouble = Some(lost(missing)),
            Guard::Open(_) => {
                if let Some(inner) = self.inner.as_mut().filter(|_| !self.is_inner_done) {
                    self.is_inner_done = inner.hole(missing) == Interest::Done;
                }
            }
            Guard::Hidden | Guard::Waiting(..) => {}
        }
        self.is_over = true;
        Interest::Done
    }
}

impl Reader {
    /// A reader that keys will help, and what reads the application data that they open.
    pub fn keyed(inner: Option<Box<dyn InnerReader>>) -> Self {
        Self { is_keyed: true, inner, ..Self::default() }
    }

    /// The reader of the application data.
    pub fn take_inner(&mut self) -> Option<Box<dyn InnerReader>> {
        self.inner.take()
    }

    /// About how many bytes it holds, beside itself.
    pub fn held_bytes(&self) -> usize {
        let waiting = if let Guard::Waiting(_, bytes) = &self.guard { *bytes } else { 0 };
        let seen = self.seen.capacity().saturating_mul(size_of::<Seen>());
        let buffered = self.record.capacity().saturating_add(self.messages.held_bytes());
        waiting.saturating_add(seen).saturating_add(buffered)
    }

    /// Whether a handshake message had begun and its rest never came.
    pub fn is_cut(&self) -> bool {
        matches!(self.guard, Guard::Clear) && (self.messages.is_in_message() || !self.record.is_empty())
    }

    /// Why no certificate is among what keys opened; `None` where the keys are not here, or not all.
    pub(super) fn lacks_certificate(&self) -> Option<String> {
        let Guard::Open(session) = &self.guard else {
            return None;
        };
        if session.lacks.is_some() {
            return None;
        }
        Some(match self.lost_bytes {
            0 if self.messages.is_in_message() || !self.record.is_empty() => "its last message is not whole".to_owned(),
            0 => "the Certificate message is not in the capture".to_owned(),
            missing => lost(missing),
        })
    }

    /// The record at the front, when it lies here from its first to its last byte.
    fn whole_record<'b>(&self, bytes: &'b [u8]) -> Option<([u8; RECORD_HEADER_BYTES], &'b [u8], &'b [u8])> {
        if !self.record.is_empty() || (!self.is_begun && sslv2::is_start(bytes) != Some(false)) {
            return None;
        }
        let (header, rest) = bytes.split_at_checked(RECORD_HEADER_BYTES)?;
        let header = <[u8; RECORD_HEADER_BYTES]>::try_from(header).ok()?;
        let (body, after) = rest.split_at_checked(body_bytes(header)?)?;
        Some((header, body, after))
    }

    /// Moves bytes into the buffer until a record is whole, reads that, and gives back what follows.
    fn fill<'b>(&mut self, bytes: &'b [u8], origin: Origin) -> &'b [u8] {
        let wanted = match self.wanted(bytes) {
            Ok(wanted) => wanted,
            Err(why) => {
                self.trouble = Some(why);
                return &[];
            }
        };
        let (part, rest) = bytes.split_at(wanted.saturating_sub(self.record.len()).min(bytes.len()));
        if self.record_origins.last().is_none_or(|(_, last)| last.frame != origin.frame) {
            self.record_origins.push((self.record.len().saturating_sub(RECORD_HEADER_BYTES), origin));
        }
        self.record.extend_from_slice(part);
        if self.record.len() < wanted {
            return rest;
        }
        if !self.is_begun && sslv2::is_start(&self.record) == Some(true) {
            if sslv2::whole(&self.record).is_some_and(|whole| whole <= self.record.len()) {
                self.old_hello();
            }
            return rest;
        }
        let header =
            self.record.get(..RECORD_HEADER_BYTES).and_then(|it| <[u8; RECORD_HEADER_BYTES]>::try_from(it).ok());
        if let Some(header) = header {
            self.filled(header);
        }
        rest
    }

    /// How many bytes the buffer needs before something can be said.
    fn wanted(&self, coming: &[u8]) -> Result<usize, String> {
        if !self.is_begun {
            let start: Vec<u8> = self.record.iter().chain(coming).take(sslv2::START_BYTES).copied().collect();
            match sslv2::is_start(&start) {
                Some(true) => return Ok(sslv2::whole(&start).unwrap_or(sslv2::START_BYTES)),
                None => return Ok(sslv2::START_BYTES),
                Some(false) => {}
            }
        }
        let Some(header) = self.record.get(..RECORD_HEADER_BYTES) else {
            return Ok(RECORD_HEADER_BYTES);
        };
        let header = <[u8; RECORD_HEADER_BYTES]>::try_from(header).unwrap_or_default();
        let body = body_bytes(header).ok_or_else(|| "bytes that are no TLS record".to_owned())?;
        Ok(RECORD_HEADER_BYTES.saturating_add(body))
    }

    /// The buffer holds a header, or a whole record.
    fn filled(&mut self, header: [u8; RECORD_HEADER_BYTES]) {
        let Some(body) = body_bytes(header) else {
            self.trouble = Some("bytes that are no TLS record".to_owned());
            return;
        };
        let whole = RECORD_HEADER_BYTES.saturating_add(body);
        if self.record.len() < whole {
            let is_unread = matches!(self.guard, Guard::Hidden) && header.first() == Some(&APPLICATION_DATA);
            if is_unread {
                let origins = std::mem::take(&mut self.record_origins);
                self.record.clear();
                self.skips = body;
                self.hidden(header, &origins);
            }
            return;
        }
        let mut record = std::mem::take(&mut self.record);
        let mut origins = std::mem::take(&mut self.record_origins);
        self.record(header, record.get(RECORD_HEADER_BYTES..).unwrap_or_default(), &origins);
        record.clear();
        origins.clear();
        (self.record, self.record_origins) = (record, origins);
    }

    /// An SSLv2-style ClientHello, which only a stream's first bytes can be.
    fn old_hello(&mut self) {
        self.is_begun = true;
        let record = std::mem::take(&mut self.record);
        let origins = std::mem::take(&mut self.record_origins);
        match sslv2::read(&record) {
            Some(hello) => self.note(Event::ClientHello(Box::new(hello)), &origins),
            None => self.note(Event::Undecoded("an SSLv2-style ClientHello".to_owned()), &origins),
        }
    }

    fn handshake_bytes(&mut self, body: &[u8], origins: &[Part]) {
        self.messages.push(body, origins);
        loop {
            let (message, origins) = match self.messages.next_message() {
                None => return,
                Some(Err(why)) => {
                    self.trouble = Some(why);
                    return;
                }
                Some(Ok(it)) => it,
            };
            if let (Message::KeyUpdate, Guard::Open(session)) = (&message, &mut self.guard) {
                session.update();
            }
            let is_hello = match &message {
                Message::ServerHello(hello) => {
                    self.is_tls13 = hello.is_tls13;
                    hello.is_tls13 && !hello.is_retry
                }
                _ => false,
            };
            for event in Event::of(message) {
                self.note(event, &origins);
            }
            if is_hello {
                self.enter();
                return;
            }
        }
    }

    fn note(&mut self, event: Event, origins: &[Part]) {
        self.seen.push(Seen {
            event,
            frames: frames_of(origins),
            time: origins.first().and_then(|(_, origin)| origin.time),
        });
    }

    fn keep_bounds(&mut self) {
        if self.seen.len() > ALERTS_PER_CONNECTION_MAX.saturating_add(HANDSHAKES_PER_CONNECTION_MAX.saturating_mul(8)) {
            self.is_over = true;
        }
    }
}

/// Nothing of the bytes that were read.
impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("seen", &self.seen).field("trouble", &self.trouble).finish_non_exhaustive()
    }
}

/// The length of a record's body; `None` when it is no TLS record.
fn body_bytes(header: [u8; RECORD_HEADER_BYTES]) -> Option<usize> {
    let [kind, major, minor, high, low] = header;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let fits = (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) && major == 3 && minor <= 4;
    (fits && length <= RECORD_BYTES_MAX).then_some(length)
}

fn lost(bytes: u64) -> String {
    format!("{bytes} bytes are not in the capture")
}

fn frames_of(origins: &[Part]) -> Vec<FrameNumber> {
    let mut frames: Vec<FrameNumber> = origins.iter().map(|(_, origin)| origin.frame).collect();
    frames.dedup();
    frames
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;
const RECORD_HEADER_BYTES: usize = 5;
/// RFC 5246 section 6.2.3 allows 2^14 + 2048.
const RECORD_BYTES_MAX: usize = (1 << 14) + 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::builder::{certificate, client_hello, message, record, server_hello};
    use crate::tls::handshake::RETRY_RANDOM;

    fn read(parts: &[&[u8]]) -> Reader {
        let mut reader = Reader::default();
        for (number, part) in (1..).zip(parts) {
            if reader.feed(part, Origin { frame: FrameNumber(number), time: None }) == Interest::Done {
                break;
            }
        }
        reader
    }

    /// The names of what was seen.
    fn names(reader: &Reader) -> Vec<String> {
        let name = |seen: &Seen| format!("{:?}", seen.event).split(['(', ' ']).next().unwrap_or_default().to_owned();
        reader.seen.iter().map(name).collect()
    }

    fn server_flight() -> Vec<u8> {
        let messages = [server_hello(0x0303, &[9; 32], &[]), certificate(&[b"leaf", b"issuer"]), message(14, &[])];
        messages.concat()
    }

    #[test]
    fn messages_are_cut_and_joined_anywhere() {
        let flight = server_flight();
        let expected = ["ServerHello", "Certificates", "FlightDone"];
        let whole = record(22, &flight);
        for at in 0..=flight.len() {
            let (first, second) = flight.split_at(at);
            let records = [record(22, first), record(22, second)].concat();
            assert_eq!(names(&read(&[&records])), expected, "record ends at {at}");
            let (first, second) = whole.split_at(at);
            let reader = read(&[first, second]);
            assert_eq!(names(&reader), expected, "segment ends at {at}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(names(&read(&bytes)), expected);
        let single: Vec<u8> = flight.chunks(1).flat_map(|byte| record(22, byte)).collect();
        assert_eq!(names(&read(&[&single])), expected);
    }

    #[test]
    fn a_message_cites_the_frames_that_hold_it_and_no_others() {
        let flight = server_flight();
        let hello = server_hello(0x0303, &[9; 32], &[]).len();
        let whole = record(22, &flight);
        let (a, rest) = whole.split_at(5 + hello - 3);
        let (b, rest) = rest.split_at(10);
        let (c, d) = rest.split_at(10);
        let reader = read(&[a, b, c, d]);
        let frames: Vec<Vec<u64>> = reader.seen.iter().map(|it| it.frames.iter().map(|it| it.0).collect()).collect();
        assert_eq!(frames, [vec![1, 2], vec![2, 3, 4], vec![4]]);
    }

    #[test]
    fn what_stays_closed_ends_the_reading() {
        let changed = record(20, &[1]);
        let finished = record(22, &[0xee; 40]);
        let data = record(23, &[0xee; 300]);
        let tls12 = [record(22, &server_flight()), changed.clone(), finished, data.clone(), data.clone()].concat();
        let mut reader = Reader::default();
        assert_eq!(reader.feed(&tls12, Origin { frame: FrameNumber(1), time: None }), Interest::Done);
        assert_eq!(names(&reader).last().map(String::as_str), Some("Encrypted"));
        let hello = server_hello(0x0304, &[9; 32], &[]);
        let tls13 = [record(22, &hello), changed.clone(), data.clone()].concat();
        let mut reader = Reader::default();
        assert_eq!(reader.feed(&tls13, Origin { frame: FrameNumber(1), time: None }), Interest::Done);
        assert_eq!(names(&reader), ["ServerHello", "Encrypted"]);
        let client = [record(22, &client_hello("a", 1, &[])), changed, record(23, &[0; 19]), data].concat();
        let reader = read(&[&client]);
        assert_eq!(reader.sealed_bytes, [19, 300]);
    }

    #[test]
    fn a_hello_after_a_retry_and_an_alert_in_clear_are_seen_behind_the_change() {
        let first = record(22, &client_hello("www.example.com", 1, &[]));
        let changed = record(20, &[1]);
        let alert = record(21, &[2, 47]);
        let reader = read(&[&first, &changed, &first, &alert]);
        assert_eq!(names(&reader), ["ClientHello", "ChangeCipherSpec", "ClientHello", "Alert"]);
        let retry = record(22, &server_hello(0x0304, RETRY_RANDOM.try_into().unwrap(), &[]));
        let hello = record(22, &server_hello(0x0304, &[9; 32], &[]));
        assert_eq!(names(&read(&[&retry, &changed, &hello])), ["ServerHello", "ChangeCipherSpec", "ServerHello"]);
    }

    #[test]
    fn hellos_in_the_form_of_version_2_are_read_in_any_split() {
        let mut old = vec![0x80, 0, 1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 5, 0, 0, 10];
        old.extend([7; 16]);
        old[1] = u8::try_from(old.len() - 2).unwrap();
        let all = [old.clone(), record(21, &[1, 0])].concat();
        for at in 0..all.len() {
            let (first, second) = all.split_at(at);
            assert_eq!(names(&read(&[first, second])), ["ClientHello", "Alert"], "split at {at}");
        }
        assert_eq!(is_start(&old), Some(true));
    }

    #[test]
    fn flipped_bytes_and_cuts_never_panic() {
        let all = [record(22, &client_hello("a", 1, &[])), record(22, &server_flight()), record(21, &[2, 40])].concat();
        for at in 0..all.len() {
            for bit in [1, 0x10, 0x80, 0xff] {
                let mut damaged = all.clone();
                damaged[at] ^= bit;
                drop(read(&[&damaged]));
                drop(read(&[&damaged[..at], &damaged[at..]]));
            }
            drop(read(&[&all[..at]]));
        }
    }

    #[test]
    fn a_hole_in_the_handshake_is_trouble_and_one_behind_it_is_none() {
        let mut reader = read(&[&record(22, &client_hello("a", 1, &[]))]);
        assert_eq!(reader.hole(7), Interest::Done);
        assert!(reader.trouble.is_some());
        let mut reader = read(&[&record(22, &server_hello(0x0304, &[9; 32], &[]))]);
        assert_eq!(reader.hole(7), Interest::Done);
        assert!(reader.trouble.is_none());
    }
}
