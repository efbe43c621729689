//! One direction of a TCP stream: [`Assembler`] takes segments in any order and hands their bytes on
//! in stream order, each chunk with its frame (RFC 9293 section 3.4).
//!
//! The bytes that were captured first win where segments overlap; where the later ones differ, that
//! is noted as a [`Assembler::conflict`], because the receiver may have taken the others. Without a
//! SYN the stream begins at the lowest sequence number among the first segments: reading waits until
//! enough of them are here, so that a few that came late are not lost. A hole is declared only when
//! the pending bytes reach their limit or the capture ends.

use std::collections::BTreeMap;

use super::{Interest, Origin, StreamReader};
use crate::limits::{STREAM_COMPARED_BYTES_MAX, STREAM_PENDING_BYTES_MAX};
use crate::provenance::FrameNumber;

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Assembler {
    /// The sequence number that offset 0 stands for.
    base: Option<u32>,
    /// The offset of the next byte for the reader; `None` until the start is known.
    next: Option<u64>,
    pending: BTreeMap<u64, (Vec<u8>, Origin)>,
    pending_bytes: usize,
    /// The offset of the first byte that was handed on.
    began: Option<u64>,
    /// The last bytes that were handed on, to compare what comes again.
    handed_on: Vec<u8>,
    /// The offset behind the last byte, where a FIN was seen.
    end: Option<u64>,
    is_done: bool,
    /// Two SYNs contradict each other.
    is_start_doubtful: bool,
    /// The initial sequence number, where a SYN was seen.
    pub initial: Option<u32>,
    /// The first segment that contradicts bytes which were captured before it.
    pub conflict: Option<FrameNumber>,
}

impl Assembler {
    /// Whether nothing more is wanted: the reader has all it needs, or the stream has ended.
    pub fn is_over(&self) -> bool {
        self.is_done || (self.end.is_some() && self.next == self.end)
    }

    /// Whether any byte was handed on or waits.
    pub fn has_bytes(&self) -> bool {
        self.is_done || !self.pending.is_empty() || !self.handed_on.is_empty()
    }

    /// Whether a SYN with this sequence number begins another connection than the one that gave the
    /// bytes here. Where no SYN was seen, one that fits before the first byte only came late.
    pub fn is_of_another(&mut self, sequence: u32) -> bool {
        match (self.initial, self.began) {
            _ if !self.has_bytes() => false,
            (Some(initial), _) => initial != sequence,
            (None, Some(began)) => {
                let start = self.offset_of(sequence.wrapping_add(1));
                !(began.saturating_sub(START_BYTES_U64)..=began).contains(&start)
            }
            (None, None) => false,
        }
    }

    /// How many bytes are missing at the start of a stream whose SYN was seen; zero where nothing came at all.
    pub fn missing_at_start(&self) -> u64 {
        let first = self.pending.keys().next().filter(|_| self.began.is_none() && self.initial.is_some());
        first.zip(self.next).map_or(0, |(first, next)| first.saturating_sub(next))
    }

    /// How many bytes are held.
    pub fn held_bytes(&self) -> usize {
        self.pending_bytes.saturating_add(self.handed_on.capacity())
    }

    /// A SYN: the stream begins behind it. Where two of them name different places before any byte is
    /// here, neither is believed: the bytes will tell, as in a stream without one.
    pub fn syn(&mut self, sequence: u32) {
        let is_other = self.initial.is_some_and(|initial| initial != sequence);
        if (is_other || self.is_start_doubtful) && !self.has_bytes() {
            *self = Self { is_start_doubtful: true, ..Self::default() };
            return;
        }
        let first = sequence.wrapping_add(1);
        self.initial = Some(sequence);
        let start = self.offset_of(first);
        if self.next.is_none() {
            self.next = Some(start);
            self.pending = self.pending.split_off(&start);
            self.pending_bytes = self.pending.values().map(|(bytes, _)| bytes.len()).sum();
        }
    }

    /// A FIN behind `bytes` bytes that begin with this sequence number: the stream ends there.
    pub fn fin(&mut self, sequence: u32, bytes: usize) {
        if self.end.is_none() && self.base.is_some() {
            let end = self.offset_of(sequence).saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            self.end = Some(end);
        }
    }

    /// Bytes of a segment.
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

    /// Nothing more comes: everything that waits is handed on, holes are declared.
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
            let (repeated, rest) = bytes.split_at_checked(known).unwrap_or((bytes, &[]));
            self.compare_handed_on(offset, next, repeated, origin);
            if rest.is_empty() {
                return;
            }
            offset = offset.max(next);
            bytes = rest;
        }
        while !bytes.is_empty() {
            let before = self.pending.range(..=offset).next_back();
            let before =
                before.map(|(start, (held, _))| (*start, held)).filter(|(start, held)| end_of(*start, held) > offset);
            if let Some((start, held)) = before {
                let from = usize::try_from(offset - start).unwrap_or(usize::MAX);
                let there = held.get(from..).unwrap_or_default();
                let known = there.len().min(bytes.len());
                if there.get(..known) != bytes.get(..known) {
                    self.conflict.get_or_insert(origin.frame);
                }
                bytes = bytes.get(known..).unwrap_or_default();
                offset = offset.saturating_add(u64::try_from(known).unwrap_or(u64::MAX));
                continue;
            }
            let after = self.pending.range(offset..).next().map(|(start, _)| *start);
            let room = after.map_or(usize::MAX, |start| usize::try_from(start - offset).unwrap_or(usize::MAX));
            let part = bytes.get(..room).unwrap_or(bytes);
            self.pending_bytes = self.pending_bytes.saturating_add(part.len());
            self.pending.insert(offset, (part.to_vec(), origin));
            offset = end_of(offset, part);
            bytes = bytes.get(part.len()..).unwrap_or_default();
        }
    }

    /// Compares bytes that come again with those that were handed on, as far as these are still here.
    /// One byte before the next is a keep-alive (RFC 9293 section 3.8.4), whose value means nothing.
    fn compare_handed_on(&mut self, offset: u64, next: u64, repeated: &[u8], origin: Origin) {
        let held = u64::try_from(self.handed_on.len()).unwrap_or(0);
        let Some(from) = offset.checked_sub(next.saturating_sub(held)).and_then(|from| usize::try_from(from).ok())
        else {
            return;
        };
        let there = self.handed_on.get(from..).unwrap_or_default();
        let is_keep_alive = repeated.len() == 1 && there.len() == 1;
        let differs = there.iter().zip(repeated).any(|(there, here)| there != here);
        if differs && !is_keep_alive {
            self.conflict.get_or_insert(origin.frame);
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
        self.began = self.began.or(self.next);
        self.next = self.next.map(|next| end_of(next, bytes));
        if reader.feed(bytes, origin) == Interest::Done {
            self.stop();
            return;
        }
        if self.handed_on.len().saturating_add(bytes.len()) > STREAM_COMPARED_BYTES_MAX {
            self.handed_on.clear();
        }
        let newest = bytes.len().saturating_sub(STREAM_COMPARED_BYTES_MAX);
        self.handed_on.extend_from_slice(bytes.get(newest..).unwrap_or_default());
    }

    fn skip_hole(&mut self, reader: &mut impl StreamReader) {
        let (Some(next), Some(start)) = (self.next, self.pending.keys().next().copied()) else {
            return;
        };
        if reader.hole(start.saturating_sub(next)) == Interest::Done {
            self.stop();
            return;
        }
        self.handed_on.clear();
        self.next = Some(start);
        self.drain(reader);
    }

    fn stop(&mut self) {
        self.is_done = true;
        self.pending = BTreeMap::new();
        self.pending_bytes = 0;
        self.handed_on = Vec::new();
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
const START_BYTES_U64: u64 = 64 << 10;
const START_SEGMENTS: usize = 4096;

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

    #[test]
    fn bytes_that_contradict_the_first_ones_are_noted() {
        type Segments<'s> = &'s [(u32, &'s [u8])];
        let cases: [(&str, Segments<'_>, bool); 7] = [
            ("the same again", &[(10, b"abcd"), (10, b"abcd")], false),
            ("a part again", &[(10, b"abcd"), (11, b"bc"), (12, b"cdef")], false),
            ("a keep-alive", &[(10, b"abcd"), (13, b"\0"), (14, b"ef")], false),
            ("another byte in what was handed on", &[(10, b"abcd"), (10, b"aXcd")], true),
            ("another byte in what waits", &[(20, b"abcd"), (18, b"zzXbcd")], true),
            ("another byte beyond what waits", &[(20, b"abcd"), (22, b"XdY")], true),
            ("next to each other", &[(20, b"abcd"), (24, b"X"), (19, b"Y")], false),
        ];
        for (what, segments, expected) in cases {
            let (mut assembler, mut collect) = (Assembler::default(), Collect::default());
            assembler.syn(9);
            for (number, (sequence, bytes)) in (1..).zip(segments) {
                let origin = Origin { frame: FrameNumber(number), time: None };
                assembler.segment(*sequence, bytes, origin, &mut collect);
            }
            assert_eq!(assembler.conflict.is_some(), expected, "{what}");
        }
    }

    #[test]
    fn a_stream_is_over_when_all_before_its_fin_is_here() {
        let (mut assembler, mut collect) = (Assembler::default(), Collect::default());
        let origin = Origin { frame: FrameNumber(1), time: None };
        assembler.syn(u32::MAX);
        assembler.segment(3, b"de", origin, &mut collect);
        assembler.fin(3, 2);
        assert!(!assembler.is_over());
        assembler.segment(0, b"abc", origin, &mut collect);
        assert!(assembler.is_over());
        assert_eq!(collect.bytes, b"abcde");
    }

    #[test]
    fn of_two_syns_without_bytes_neither_is_believed() {
        for first in [6_u32, 900_000_001] {
            let (mut assembler, mut collect) = (Assembler::default(), Collect::default());
            assembler.syn(5);
            assembler.syn(900_000_000);
            assembler.syn(5);
            assembler.segment(first, b"ab", Origin { frame: FrameNumber(1), time: None }, &mut collect);
            assembler.finish(&mut collect);
            assert_eq!((collect.bytes.as_slice(), collect.holes.len()), (&b"ab"[..], 0), "{first}");
        }
    }
}
