//! Frames of a capture file: [`Frame`], numbered from 1 as Wireshark numbers them.
//!
//! [`detect`] knows a capture by its first bytes, a [`Reader`] walks it once, in batches. Every
//! record that is a packet takes a number, whether it can be read or not, so that the numbers agree
//! with Wireshark's as far as Wireshark reads the file. What is damaged becomes a gap and the walk
//! goes on where the format allows it: in pcapng at the next block, in pcap nowhere, because only
//! the length of a record says where the next one begins.
//!
//! What the bytes of a frame mean is for [`crate::packet`]. Gaps are about source 0; whoever knows
//! the number of the source moves them.

mod link_type;
mod order;
mod pcap;
mod pcapng;
mod probe;
mod reader;
mod stretch;

use std::ops::Range;

pub use probe::Probe;
pub use reader::Reader;
pub use stretch::{Piece, Stretch, Walked};

use crate::provenance::{FrameNumber, Gap, GapReason, Place, SourceId, Time};

/// A link type as the IANA-like list at tcpdump.org numbers them; unknown ones survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

/// One captured packet, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its number in the file.
    pub number: FrameNumber,
    /// When it was captured; `None` for a simple packet block.
    pub time: Option<Time>,
    /// How its first header reads.
    pub link_type: LinkType,
    /// Its length on the wire.
    pub wire_bytes: u32,
    /// How many of these bytes were captured.
    pub captured_bytes: u32,
}

/// The format of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// libpcap's format, with all its magic numbers.
    Pcap,
    /// The block format of Wireshark.
    Pcapng,
}

impl Kind {
    /// Its name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::Pcapng => "pcapng",
        }
    }
}

/// Says whether a file that begins with `head` (12 bytes are enough) is a capture.
pub fn detect(head: &[u8]) -> Option<Kind> {
    if pcap::is_magic(head) {
        return Some(Kind::Pcap);
    }
    pcapng::is_magic(head).then_some(Kind::Pcapng)
}

/// Frames that are read, and later decoded, together. Used again for the next ones.
#[derive(Debug, Default)]
pub struct Batch {
    frames: Vec<(Frame, Range<usize>)>,
    bytes: Vec<u8>,
    /// What could not be read between these frames.
    pub gaps: Vec<Gap>,
    /// Key logs that stand in the file (decryption secrets blocks), from which these frames, and
    /// later ones, can be decrypted.
    pub key_logs: Vec<Vec<u8>>,
}

impl Batch {
    /// The frames with their captured bytes, in order.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = (&Frame, &[u8])> {
        self.frames.iter().map(|(frame, range)| {
            let bytes = self.bytes.get(range.clone()).unwrap_or_default();
            (frame, bytes)
        })
    }

    /// The captured bytes of all its frames.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many frames it holds.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether it holds no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.bytes.clear();
        self.gaps.clear();
        self.key_logs.clear();
    }

    fn push(&mut self, frame: Frame, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.frames.push((frame, start..self.bytes.len()));
    }
}

/// What is known of a capture after its last frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The format of the file.
    pub kind: Kind,
    /// How many packets it holds, the unreadable ones too.
    pub frames: u64,
    /// How many of them were cut when they were captured (snaplen).
    pub cut_frames: u64,
    /// The link types of its interfaces, in order, without repeats.
    pub link_types: Vec<LinkType>,
    /// The earliest time of a packet.
    pub first: Option<Time>,
    /// The latest time of a packet.
    pub last: Option<Time>,
    /// Packets that the capturing machine dropped, when the file says so.
    pub dropped: Option<u64>,
    /// The largest number of bytes kept of a packet, when the file says so.
    pub snaplen: Option<u32>,
}

impl Summary {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            frames: 0,
            cut_frames: 0,
            link_types: Vec::new(),
            first: None,
            last: None,
            dropped: None,
            snaplen: None,
        }
    }

    /// The number of the frame that is being read.
    fn next_frame(&self) -> FrameNumber {
        FrameNumber(self.frames.saturating_add(1))
    }

    fn interface(&mut self, link_type: LinkType, snaplen: u32) {
        if let Err(at) = self.link_types.binary_search(&link_type) {
            self.link_types.insert(at, link_type);
        }
        if snaplen > 0 {
            self.snaplen = self.snaplen.max(Some(snaplen));
        }
    }

    fn add(&mut self, walked: &Walked) {
        self.frames = self.frames.saturating_add(walked.frames);
        self.cut_frames = self.cut_frames.saturating_add(walked.cut_frames);
        let earliest = [self.first, walked.first].into_iter().flatten().min();
        self.first = earliest;
        self.last = self.last.max(walked.last);
    }

    fn count(&mut self, frame: &Frame) {
        self.frames = frame.number.0;
        if frame.captured_bytes < frame.wire_bytes {
            self.cut_frames = self.cut_frames.saturating_add(1);
        }
        if let Some(time) = frame.time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
    }
}

/// Whether the walk through a file goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    More,
    End,
}

/// A gap about the file as a whole.
fn whole(reason: GapReason) -> Gap {
    let source = SourceId::default();
    Gap::new(Place::Whole { source }, reason)
}

/// A gap about the frame `number`.
fn in_frame(number: FrameNumber, reason: GapReason) -> Gap {
    Gap::new(Place::in_frames(SourceId::default(), [number]), reason)
}

/// The time of a count of ticks since 1970; a tick is the `per_second`th part of a second.
fn time_of(ticks: u64, per_second: u128, offset_seconds: i64) -> Time {
    if let Ok(per_second @ 1..=1_000_000_000) = u64::try_from(per_second) {
        // The product stays below 10^18.
        let nanos = (ticks % per_second).saturating_mul(1_000_000_000) / per_second;
        let seconds = i64::try_from(ticks / per_second).unwrap_or(i64::MAX);
        return Time::stated(seconds.saturating_add(offset_seconds), u32::try_from(nanos).unwrap_or(0));
    }
    let per_second = per_second.max(1);
    let ticks = u128::from(ticks);
    let seconds = i64::try_from(ticks / per_second).unwrap_or(i64::MAX);
    // The rest is below 2^64, so that its product with 10^9 stays below 2^94.
    let nanos = (ticks % per_second).saturating_mul(1_000_000_000) / per_second;
    Time::stated(seconds.saturating_add(offset_seconds), u32::try_from(nanos).unwrap_or(0))
}

#[cfg(test)]
#[path = "../../tests/suite/support/capture_builder.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "shared with the suite, which uses the rest"
)]
pub(crate) mod builder;
