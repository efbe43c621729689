//! Many records of a capture at once: a [`Stretch`] of its bytes, walked from any record boundary, so
//! that several workers walk it together.
//!
//! A worker reads one [`Piece`] and walks it while its bytes are in the processor's cache. In the middle
//! it guesses a [`Stretch::boundary`]: a place from which several records follow each other. Whoever
//! uses a guess checks that the walk before it ends there; where it does not, that part is walked again
//! from the right place, so that a guess decides nothing but speed. A walk stops at whatever is not an
//! ordinary packet record: the careful walk of [`super::Reader`] goes on from there.

use super::{Frame, pcap, pcapng};
use crate::input::Room;
use crate::provenance::Time;

/// The bytes at hand, which begin with a record.
#[derive(Clone, Copy)]
pub struct Stretch<'r> {
    pub(super) bytes: &'r [u8],
    pub(super) framing: Framing<'r>,
    /// A record whose time is near to those of the stretch.
    pub(super) near: &'r [u8],
}

/// Some of the bytes of a stretch that is being read, for one worker.
pub struct Piece<'r, 'w> {
    pub(super) room: &'r mut Room<'w>,
    /// Where it begins in the stretch.
    pub(super) offset: usize,
    pub(super) framing: Framing<'r>,
    pub(super) near: &'r [u8],
}

impl Piece<'_, '_> {
    /// Reads its bytes.
    pub fn read(&mut self) {
        self.room.read();
    }

    /// Where it begins in the stretch that all pieces make together.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Its bytes as a stretch of their own, which may begin within a record.
    pub fn stretch(&self) -> Stretch<'_> {
        Stretch { bytes: self.room.bytes(), framing: self.framing, near: self.near }
    }
}

/// How records of the format are read.
#[derive(Clone, Copy)]
pub(super) enum Framing<'r> {
    Pcap(pcap::Layout),
    Pcapng(&'r pcapng::Section),
}

/// What a walk went over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Where it stopped: the record there was not taken.
    pub end: usize,
    /// How many frames it took.
    pub frames: u64,
    /// How many of them were cut when captured.
    pub cut_frames: u64,
    /// The earliest time.
    pub first: Option<Time>,
    /// The latest time.
    pub last: Option<Time>,
    /// Whether it stopped before the place that was given.
    pub is_stopped: bool,
}

impl Walked {
    /// Adds a walk that went on where this one ended.
    pub fn add(&mut self, next: &Self) {
        self.end = next.end;
        self.frames = self.frames.saturating_add(next.frames);
        self.cut_frames = self.cut_frames.saturating_add(next.cut_frames);
        self.first = [self.first, next.first].into_iter().flatten().min();
        self.last = self.last.max(next.last);
        self.is_stopped = next.is_stopped;
    }
}

/// What stands at a place of a stretch.
pub(super) enum Record<'r> {
    /// A packet, and where the next record begins.
    Packet(Frame, &'r [u8], usize),
    /// Not all of a record.
    Incomplete,
    /// Something for the careful walk.
    Odd,
}

impl<'r> Stretch<'r> {
    /// All bytes.
    pub fn bytes(&self) -> &'r [u8] {
        self.bytes
    }

    /// Whether the careful walk has nothing to do at the beginning.
    pub(super) fn begins_with_packet(&self) -> bool {
        matches!(self.at(0, 1), Record::Packet(..))
    }

    pub(super) fn at(&self, at: usize, number: u64) -> Record<'r> {
        match self.framing {
            Framing::Pcap(layout) => layout.at(self.bytes, at, number),
            Framing::Pcapng(section) => section.at(self.bytes, at, number),
        }
    }

    /// The first place at or behind `from` that seems to be the beginning of a record; the end of the
    /// stretch when there is none.
    pub fn boundary(&self, from: usize) -> usize {
        let end = self.bytes.len().min(from.saturating_add(BOUNDARY_SEARCH_BYTES));
        let step = match self.framing {
            Framing::Pcap(_) => 1,
            Framing::Pcapng(_) => 4,
        };
        // Blocks of pcapng are aligned to the section, which the stretch is too.
        (from.next_multiple_of(step)..end).step_by(step).find(|at| self.is_boundary(*at)).unwrap_or(self.bytes.len())
    }

    fn is_boundary(&self, at: usize) -> bool {
        let mut at = at;
        for _ in 0..BOUNDARY_RECORDS {
            let next = match self.framing {
                Framing::Pcap(layout) => layout.plausible(self.bytes, at, self.near),
                Framing::Pcapng(section) => section.plausible(self.bytes, at),
            };
            match next {
                Some(next) if next >= self.bytes.len() => return true,
                Some(next) => at = next,
                None => return false,
            }
        }
        true
    }

    /// Takes the records that begin at or behind `from` and before `until`. Frames are numbered
    /// from 1.
    pub fn walk(&self, from: usize, until: usize, mut take: impl FnMut(&Frame, &'r [u8])) -> Walked {
        let mut walked = Walked { end: from, ..Walked::default() };
        let until = until.min(self.bytes.len());
        while walked.end < until {
            let number = walked.frames.saturating_add(1);
            let Record::Packet(frame, bytes, next) = self.at(walked.end, number) else {
                walked.is_stopped = true;
                break;
            };
            walked.frames = number;
            walked.end = next;
            walked.cut_frames = walked.cut_frames.saturating_add(u64::from(frame.captured_bytes < frame.wire_bytes));
            if let Some(time) = frame.time {
                walked.first = Some(walked.first.map_or(time, |first| first.min(time)));
                walked.last = walked.last.max(Some(time));
            }
            take(&frame, bytes);
        }
        walked
    }
}

/// How far a boundary is looked for: a few of the largest ordinary records.
const BOUNDARY_SEARCH_BYTES: usize = 1 << 18;
/// How many records must follow each other for a place to count as a boundary.
const BOUNDARY_RECORDS: usize = 5;
