//! One direction of a TCP stream: [`Assembler`] takes segments in any order and hands their bytes on
//! in stream order, each chunk with its frame (RFC 9293 section 3.4).
//!
//! The bytes that were captured first win where segments overlap. Without a SYN the stream begins at
//! the lowest sequence number among the first segments: reading waits until enough of them are here,
//! so that a few that came late are not lost. A hole is declared only when the pending bytes reach
//! their limit or the capture ends.

use std::collections::BTreeMap;

use super::{Interest, Origin, StreamReader};
use crate::limits::STREAM_PENDING_BYTES_MAX;

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Assembler {
    /// The sequence number that offset 0 stands for.
    base: Option<u32>,
    /// The offset of the next byte for the reader; `None` until the start is known.
    next: Option<u64>,
    pending: BTreeMap<u64, (Vec<u8>, Origin)>,
    pending_bytes: usize,
    is_done: bool,
    has_syn: bool,
    /// The initial sequence number, where a SYN was seen.
    pub initial: Option<u32>,
}

impl Assembler {
    /// Whether the reader wants nothing more.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Whether any byte was handed on or waits.
    pub fn has_bytes(&self) -> bool {
        self.is_done || !self.pending.is_empty() || self.next.is_some_and(|next| next > MIDDLE)
    }

    /// A SYN: the stream begins behind it.
    pub fn syn(&mut self, sequence: u32) {
        let first = sequence.wrapping_add(1);
        self.initial = Some(sequence);
        self.has_syn = true;
        let start = self.offset_of(first);
        if self.next.is_none() {
            self.next = Some(start);
            self.pending = self.pending.split_off(&start);
        }
    }

    /// Bytes of a segment, `cut` more of which were on the wire.
    pub fn segment(&mut self, sequence: u32, bytes: &[u8], origin: Origin, reader: &mut impl StreamReader) {
        if self.is_done || bytes.is_empty() {
            return;
        }
        let offset = self.offset_of(sequence);
        if self.next == Some(offset) && self.pending.is_empty() {
            self.hand_on(bytes, origin, reader);
            return;
        }
        self.keep(offset, bytes, origin);
        let waits_for_start =
            self.next.is_none() && self.pending_bytes < START_BYTES && self.pending.len() < START_SEGMENTS;
        if waits_for_start {
            return;
        }
        self.start();
        self.drain(reader);
        while !self.is_done && self.pending_bytes > STREAM_PENDING_BYTES_MAX {
            self.skip_hole(reader);
        }
    }

    /// The capture has ended: everything that waits is handed on, holes are declared.
    pub fn finish(&mut self, reader: &mut impl StreamReader) {
        self.start();
        self.drain(reader);
        while !self.is_done && !self.pending.is_empty() {
            self.skip_hole(reader);
        }
    }

    /// The offset of a sequence number: unwrapped around what is known so far.
    fn offset_of(&mut self, sequence: u32) -> u64 {
        let base = *self.base.get_or_insert(sequence);
        let around = self.next.unwrap_or(MIDDLE);
        let expected = base.wrapping_add(low_half(around.wrapping_sub(MIDDLE)));
        let distance = i64::from(sequence.wrapping_sub(expected).cast_signed());
        around.saturating_add_signed(distance)
    }

    fn keep(&mut self, offset: u64, bytes: &[u8], origin: Origin) {
        let (mut offset, mut bytes) = (offset, bytes);
        if let Some(next) = self.next {
            let known = usize::try_from(next.saturating_sub(offset)).unwrap_or(usize::MAX);
            let Some(rest) = bytes.get(known..).filter(|rest| !rest.is_empty()) else {
                return;
            };
            offset = offset.max(next);
            bytes = rest;
        }
        while !bytes.is_empty() {
            let before = self.pending.range(..=offset).next_back().map(|(start, (held, _))| end_of(*start, held));
            if let Some(end) = before.filter(|end| *end > offset) {
                let known = usize::try_from(end - offset).unwrap_or(usize::MAX);
                bytes = bytes.get(known..).unwrap_or_default();
                offset = end;
                continue;
            }
            let after = self.pending.range(offset..).next().map(|(start, _)| *start);
            let room = after.map_or(usize::MAX, |start| usize::try_from(start - offset).unwrap_or(usize::MAX));
            let part = bytes.get(..room).unwrap_or(bytes);
            self.pending_bytes += part.len();
            self.pending.insert(offset, (part.to_vec(), origin));
            offset = end_of(offset, part);
            bytes = bytes.get(part.len()..).unwrap_or_default();
        }
    }

    /// Without a SYN the lowest offset is the start.
    fn start(&mut self) {
        if self.next.is_none() {
            self.next = self.pending.keys().next().copied();
        }
    }

    fn drain(&mut self, reader: &mut impl StreamReader) {
        while let Some(entry) = self.pending.first_entry() {
            if self.is_done || Some(*entry.key()) != self.next {
                break;
            }
            let (bytes, origin) = entry.remove();
            self.pending_bytes = self.pending_bytes.saturating_sub(bytes.len());
            self.hand_on(&bytes, origin, reader);
        }
    }

    fn hand_on(&mut self, bytes: &[u8], origin: Origin, reader: &mut impl StreamReader) {
        self.next = self.next.map(|next| end_of(next, bytes));
        if reader.feed(bytes, origin) == Interest::Done {
            self.stop();
        }
    }

    fn skip_hole(&mut self, reader: &mut impl StreamReader) {
        let (Some(next), Some(start)) = (self.next, self.pending.keys().next().copied()) else {
            return;
        };
        if reader.hole(start.saturating_sub(next)) == Interest::Done {
            self.stop();
            return;
        }
        self.next = Some(start);
        self.drain(reader);
    }

    fn stop(&mut self) {
        self.is_done = true;
        self.pending.clear();
        self.pending_bytes = 0;
    }
}

fn end_of(offset: u64, bytes: &[u8]) -> u64 {
    offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

fn low_half(number: u64) -> u32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The offset of the first segment seen; earlier ones lie below it.
const MIDDLE: u64 = 1 << 40;
/// How much is waited for to learn where a stream without a SYN begins.
const START_BYTES: usize = 64 << 10;
const START_SEGMENTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::FrameNumber;

    #[derive(Default)]
    struct Collect {
        bytes: Vec<u8>,
        holes: Vec<u64>,
    }

    impl StreamReader for Collect {
        fn feed(&mut self, bytes: &[u8], _origin: Origin) -> Interest {
            self.bytes.extend_from_slice(bytes);
            Interest::More
        }
        fn hole(&mut self, missing: u64) -> Interest {
            self.holes.push(missing);
            Interest::More
        }
    }

    fn assembled(syn: Option<u32>, segments: &[(u32, &[u8])]) -> Collect {
        let (mut assembler, mut collect) = (Assembler::default(), Collect::default());
        for (number, (sequence, bytes)) in (1..).zip(segments) {
            let origin = Origin { frame: FrameNumber(number), time: None };
            assembler.segment(*sequence, bytes, origin, &mut collect);
            if let (Some(initial), 1) = (syn, number) {
                assembler.syn(initial);
            }
        }
        assembler.finish(&mut collect);
        collect
    }

    #[test]
    fn any_order_gives_the_same_bytes() {
        let first = u32::MAX - 3;
        let parts: [(u32, &[u8]); 4] = [
            (first, b"abcd"),
            (first.wrapping_add(4), b"efg"),
            (first.wrapping_add(7), b"hi"),
            (first.wrapping_add(2), b"cdef"),
        ];
        for a in 0..4 {
            for b in 0..4 {
                for c in 0..4 {
                    let d = 6_usize.wrapping_sub(a + b + c);
                    if a == b || b == c || a == c || d > 3 {
                        continue;
                    }
                    let order = [parts[a], parts[b], parts[c], parts[d]];
                    for syn in [None, Some(first.wrapping_sub(1))] {
                        let it = assembled(syn, &order);
                        assert_eq!(it.bytes, b"abcdefghi", "{a}{b}{c}{d} {syn:?}");
                        assert!(it.holes.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn a_missing_segment_is_a_hole() {
        let it = assembled(Some(99), &[(100, b"ab"), (105, b"fg")]);
        assert_eq!((it.bytes.as_slice(), it.holes.as_slice()), (&b"abfg"[..], &[3][..]));
    }

    #[test]
    fn the_first_captured_bytes_win() {
        let it = assembled(None, &[(10, b"aXc"), (10, b"abcd")]);
        assert_eq!(it.bytes, b"aXcd");
    }
}
