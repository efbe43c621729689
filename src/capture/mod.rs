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
mod stretch;

use std::io;
use std::ops::Range;

pub use probe::Probe;
use stretch::{Framing, Record};
pub use stretch::{Piece, Stretch, Walked};

use crate::input::{self, Window};
use crate::limits;
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

/// Reads the frames of one capture.
pub struct Reader {
    window: Window,
    format: Format,
    summary: Summary,
    gaps: usize,
    is_ended: bool,
    /// The beginning of a record that was walked last.
    near: Vec<u8>,
}

enum Format {
    Pcap(pcap::Walk),
    Pcapng(pcapng::Walk),
}

fn framing(format: &Format) -> Option<Framing<'_>> {
    Some(match format {
        Format::Pcap(walk) => Framing::Pcap(walk.layout?),
        Format::Pcapng(walk) => Framing::Pcapng(walk.section.as_ref()?),
    })
}

/// What is kept of a record to know the next ones by: its header.
const NEAR_BYTES: usize = 32;

/// Whether the walk through a file goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    More,
    End,
}

impl Reader {
    /// A reader of a window that stands at the first byte of a capture of this kind.
    pub fn new(window: Window, kind: Kind) -> Self {
        Self {
            window,
            format: match kind {
                Kind::Pcap => Format::Pcap(pcap::Walk::default()),
                Kind::Pcapng => Format::Pcapng(pcapng::Walk::default()),
            },
            summary: Summary::new(kind),
            gaps: 0,
            is_ended: false,
            near: Vec::new(),
        }
    }

    /// Has up to `bytes` bytes at hand in pieces that several workers read and walk, each on its own;
    /// false when the next record is none for them. What they hold together is then in
    /// [`Reader::stretch`].
    pub fn fill_together(&mut self, bytes: usize, work: impl FnOnce(&mut [Piece<'_, '_>])) -> bool {
        let Some(framing) = framing(&self.format).filter(|_| !self.is_ended) else {
            return false;
        };
        let at_hand = self.window.at_hand();
        let is_odd = matches!(Stretch { bytes: at_hand, framing, near: &self.near }.at(0, 1), Record::Odd);
        if is_odd {
            return false;
        }
        let near = self.near.as_slice();
        self.window.fill_together(bytes, |rooms| {
            let mut pieces: Vec<Piece<'_, '_>> = Vec::with_capacity(rooms.len());
            let mut offset = 0;
            for room in rooms {
                pieces.push(Piece { room, offset, framing, near });
                offset = offset.saturating_add(limits::PART_BYTES);
            }
            work(&mut pieces);
        });
        true
    }

    /// The records at hand, when the next one is an ordinary packet. What was walked of them is then
    /// told to [`Reader::walked`].
    pub fn stretch(&mut self) -> Option<Stretch<'_>> {
        let framing = framing(&self.format).filter(|_| !self.is_ended)?;
        let bytes = self.window.at_hand();
        let near = bytes.get(..NEAR_BYTES).unwrap_or(bytes);
        let stretch = Stretch { bytes, framing, near };
        if !stretch.begins_with_packet() {
            return None;
        }
        self.near.clear();
        self.near.extend_from_slice(near);
        Some(stretch)
    }

    /// Leaves behind what a walk from the beginning of the last stretch went over.
    pub fn walked(&mut self, walked: &Walked) {
        self.window.consume(walked.end);
        self.summary.add(walked);
    }

    /// How many frames came before what is at hand.
    pub fn frames_before(&self) -> u64 {
        self.summary.frames
    }

    /// The next frames and gaps, read with care; false when there are no more. One batch is short, so
    /// that ordinary records behind something odd are walked in a stretch again.
    pub fn next_batch(&mut self, batch: &mut Batch) -> bool {
        self.fill_batch(batch, limits::CAREFUL_FRAMES)
    }

    fn fill_batch(&mut self, batch: &mut Batch, frames_max: usize) -> bool {
        batch.clear();
        while !self.is_ended && batch.frames.len() < frames_max && batch.gaps.len() < frames_max {
            let gaps_before = batch.gaps.len();
            let step = match &mut self.format {
                Format::Pcap(walk) => walk.step(&mut self.window, batch, &mut self.summary),
                Format::Pcapng(walk) => walk.step(&mut self.window, batch, &mut self.summary),
            };
            self.is_ended = step.unwrap_or_else(|error| stopped(batch, &error)) == Step::End;
            self.limit_gaps(batch, gaps_before);
        }
        !self.is_ended || !batch.is_empty() || !batch.gaps.is_empty() || !batch.key_logs.is_empty()
    }

    /// Whether reading is to end here although more is there.
    pub fn is_stopped(&mut self) -> bool {
        self.window.is_stopped()
    }

    /// What is known now, and the window, which knows the digest.
    pub fn finish(self) -> (Summary, Window) {
        (self.summary, self.window)
    }

    /// Keeps the gaps of a damaged file from growing with the file. A step adds one at most.
    fn limit_gaps(&mut self, batch: &mut Batch, before: usize) {
        if batch.gaps.len() <= before {
            return;
        }
        self.gaps = self.gaps.saturating_add(1);
        if self.gaps <= limits::GAPS_PER_SOURCE_MAX {
            return;
        }
        batch.gaps.truncate(before);
        if self.gaps == limits::GAPS_PER_SOURCE_MAX.saturating_add(1) {
            batch.gaps.push(whole(GapReason::Limit {
                what: "damaged places of a capture".to_owned(),
                limit: u64::try_from(limits::GAPS_PER_SOURCE_MAX).unwrap_or(u64::MAX),
            }));
        }
    }
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

fn stopped(batch: &mut Batch, error: &io::Error) -> Step {
    let reason = GapReason::Unreadable(input::reason(error));
    batch.gaps.push(whole(reason));
    Step::End
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

#[cfg(test)]
mod tests {
    use super::builder::{Flavour, Order, Pcap, Pcapng};
    use super::*;
    use crate::input::{Digest, Source};

    type Read = (Vec<(u64, Option<String>, u16, u32, Vec<u8>)>, Vec<String>, Summary);

    fn read(bytes: &[u8]) -> Read {
        let kind = detect(bytes).unwrap();
        let source = Source::stream(Box::new(io::Cursor::new(bytes.to_vec())));
        let mut reader = Reader::new(source.window(Digest::None), kind);
        let (mut batch, mut frames, mut gaps) = (Batch::default(), Vec::new(), Vec::new());
        while reader.next_batch(&mut batch) {
            gaps.extend(batch.gaps.iter().map(|gap| gap.reason.to_string()));
            frames.extend(batch.frames().map(|(frame, bytes)| {
                let time = frame.time.map(|time| time.to_string());
                let (number, link) = (frame.number.0, frame.link_type.0);
                (number, time, link, frame.wire_bytes, bytes.to_vec())
            }));
        }
        (frames, gaps, reader.finish().0)
    }

    #[test]
    fn every_pcap_format_is_read() {
        for order in Order::BOTH {
            for flavour in Flavour::ALL {
                let mut file = Pcap::new(order, flavour, 0xf400_0071);
                file.packet(1, 500, b"one").cut_packet(2, b"second", 4);
                let (frames, gaps, summary) = read(&file.bytes);
                let first = match flavour {
                    Flavour::Nanoseconds => "1970-01-01T00:00:01.000000500Z",
                    _ => "1970-01-01T00:00:01.000500Z",
                };
                let expected = [
                    (1, Some(first.to_owned()), 113, 3, b"one".to_vec()),
                    (2, Some("1970-01-01T00:00:02Z".to_owned()), 113, 6, b"seco".to_vec()),
                ];
                assert_eq!(frames, expected, "{order:?} {flavour:?}");
                assert!(gaps.is_empty());
                assert_eq!((summary.frames, summary.cut_frames), (2, 1));
                assert_eq!(summary.snaplen, Some(262_144));
                assert_eq!(summary.link_types, [LinkType(113)]);
            }
        }
    }

    #[test]
    fn swapped_lengths_of_old_writers_are_put_right() {
        for (minor, header) in [(2, [1, 0, 9, 4]), (3, [1, 0, 9, 4]), (3, [1, 0, 4, 9])] {
            let mut file = Pcap::with_version(Order::Big, Flavour::Microseconds, 1, minor);
            file.record(header, b"four");
            let (frames, gaps, _) = read(&file.bytes);
            assert_eq!(frames.len(), 1, "{minor} {header:?} {gaps:?}");
            assert_eq!((frames[0].3, frames[0].4.as_slice()), (9, b"four".as_slice()));
        }
    }

    #[test]
    fn damaged_pcap_ends_with_a_gap_that_names_the_frame() {
        let mut whole = Pcap::plain(1);
        whole.packet(1, 0, b"first").packet(2, 0, b"second");
        let file = whole.bytes.clone();
        let mut garbage = whole.clone();
        garbage.record([3, 0, 0x7fff_ffff, 60], b"rest");
        for (bytes, frames, gap) in [
            (file.as_slice(), 2, None),
            (&file[..file.len() - 1], 1, Some("frame 2, 5 of 6 bytes")),
            (&file[..24 + 16 + 5 + 7], 1, Some("frame 2, 7 bytes of its header")),
            (&file[..20], 0, Some("20 of the 24 bytes of its header")),
            (&file[..24], 0, None),
            (&garbage.bytes, 2, Some("frame 3 at byte 67 claims to hold 2147483647 bytes")),
        ] {
            let (read, gaps, _) = read(bytes);
            assert_eq!(read.len(), frames, "{gaps:?}");
            assert_eq!(gaps.len(), usize::from(gap.is_some()), "{gaps:?}");
            assert!(gaps.iter().all(|text| text.contains(gap.unwrap_or_default())), "{gaps:?}");
        }
    }

    #[test]
    fn times_follow_the_interface() {
        let cases: [(&[u8], i64, u64, Option<&str>); 9] = [
            (&[], 0, 1_500_000, Some("1970-01-01T00:00:01.500000Z")),
            (&[6], 0, 1_500_000, Some("1970-01-01T00:00:01.500000Z")),
            (&[9], 0, 1_500_000_001, Some("1970-01-01T00:00:01.500000001Z")),
            (&[0], 0, 7, Some("1970-01-01T00:00:07Z")),
            (&[12], 0, 1_500_000_000_000, Some("1970-01-01T00:00:01.500000Z")),
            (&[0x8a], 0, 1536, Some("1970-01-01T00:00:01.500000Z")),
            (&[9], 3600, 5_000_000_000, Some("1970-01-01T01:00:05Z")),
            (&[9], -4, 5_000_000_000, Some("1970-01-01T00:00:01Z")),
            (&[99], 0, 5, None),
        ];
        for order in Order::BOTH {
            for (resolution, offset, ticks, expected) in cases {
                let mut file = Pcapng::new(order);
                let offset = file.value(offset);
                let options: Vec<(u16, &[u8])> = [(9, resolution), (14, offset.as_slice())]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .collect();
                file.interface(1, 0, &options).packet(0, ticks, b"x");
                let (frames, gaps, _) = read(&file.bytes);
                assert!(gaps.is_empty(), "{gaps:?}");
                assert_eq!(frames[0].1.as_deref(), expected, "{order:?} {resolution:?}");
            }
        }
    }

    #[test]
    fn every_packet_block_takes_a_number() {
        for order in Order::BOTH {
            let mut file = Pcapng::new(order);
            file.interface(1, 4, &[]).interface(276, 0, &[]);
            file.packet(0, 0, b"one").block(0xbad, b"custom");
            file.obsolete(1, 1_000_000, b"two").simple(b"three", 4);
            file.packet(7, 0, b"no such interface");
            file.enhanced(0, 0, [900, 900], b"short");
            file.dropped(0, 5).dropped(1, 2).dropped(0, 6);
            file.section(Order::Big).interface(101, 0, &[]).dropped(0, 1);
            file.packet(0, 0, b"last");
            let (frames, gaps, summary) = read(&file.bytes);
            let numbers: Vec<(u64, u16)> = frames.iter().map(|frame| (frame.0, frame.2)).collect();
            assert_eq!(numbers, [(1, 1), (2, 276), (3, 1), (6, 101)], "{order:?}");
            assert_eq!(frames[2].1, None);
            assert_eq!((frames[2].3, frames[2].4.as_slice()), (5, b"thre".as_slice()));
            assert_eq!(gaps.len(), 2, "{gaps:?}");
            assert!(gaps[0].contains("frame 4") && gaps[1].contains("frame 5"), "{gaps:?}");
            assert_eq!((summary.frames, summary.dropped), (6, Some(9)));
        }
    }

    #[test]
    fn damaged_blocks_cost_themselves_only() {
        let cases: [(&str, u32, [u32; 2], usize); 7] = [
            ("a length beyond the file", 6, [9000, 36], 1),
            ("a length that is no multiple of 4", 6, [37, 37], 1),
            ("a length of nothing", 6, [0, 0], 1),
            ("a huge length", 6, [u32::MAX, 36], 1),
            ("a short length", 6, [20, 36], 1),
            ("only the last length is wrong", 0xbad, [36, 12], 0),
            ("an unknown block", 77, [36, 36], 0),
        ];
        for order in Order::BOTH {
            for (what, kind, lengths, gaps_expected) in cases {
                let mut file = Pcapng::new(order);
                file.interface(1, 0, &[]).packet(0, 0, b"before");
                file.damaged_block(kind, lengths, &[7; 24]);
                file.packet(0, 0, b"after").packet(0, 0, b"end");
                let (frames, gaps, _) = read(&file.bytes);
                let bytes: Vec<&[u8]> = frames.iter().map(|frame| frame.4.as_slice()).collect();
                let expected = [b"before".as_slice(), b"after", b"end"];
                assert_eq!(bytes, expected, "{what} {gaps:?}");
                assert_eq!(gaps.len(), gaps_expected, "{what} {gaps:?}");
            }
        }
    }

    #[test]
    fn interfaces_with_damaged_options_keep_their_number() {
        let mut file = Pcapng::new(Order::Little);
        file.block(1, &[113, 0, 0, 0, 0, 0, 0, 0, 9, 0, 200, 0, 1, 1, 1, 1]);
        file.interface(276, 0, &[]);
        file.packet(0, 0, b"x").packet(1, 0, b"y");
        let (frames, _, _) = read(&file.bytes);
        let links: Vec<u16> = frames.iter().map(|frame| frame.2).collect();
        assert_eq!(links, [113, 276]);
    }

    #[test]
    fn a_capture_cut_anywhere_gives_its_first_frames() {
        let mut pcapng = Pcapng::new(Order::Little);
        pcapng.interface(1, 0, &[]);
        let mut pcap = Pcap::plain(1);
        for nth in 0..20 {
            pcapng.packet(0, nth, &[1; 33]);
            pcap.packet(0, 0, &[1; 33]);
        }
        for file in [pcapng.bytes, pcap.bytes] {
            let whole = read(&file).0;
            for cut in 12..file.len() {
                let (frames, gaps, summary) = read(&file[..cut]);
                assert_eq!(frames, whole[..frames.len()], "{cut}");
                assert!(gaps.len() <= 1, "{cut} {gaps:?}");
                assert_eq!(summary.frames, u64::try_from(frames.len()).unwrap());
            }
        }
    }

    #[test]
    fn gaps_of_a_hostile_file_are_bounded() {
        let mut file = Pcapng::new(Order::Little);
        for _ in 0..limits::GAPS_PER_SOURCE_MAX * 5 {
            file.packet(0, 0, b"of no interface");
        }
        let (frames, gaps, summary) = read(&file.bytes);
        assert!(frames.is_empty());
        assert_eq!(gaps.len(), limits::GAPS_PER_SOURCE_MAX + 1);
        assert_eq!(summary.frames, 5000);
    }

    #[test]
    fn captures_are_known_by_their_first_bytes() {
        for (head, kind) in [
            (b"\xd4\xc3\xb2\xa1".as_slice(), Some(Kind::Pcap)),
            (b"\xa1\xb2\x3c\x4d", Some(Kind::Pcap)),
            (b"\x34\xcd\xb2\xa1", Some(Kind::Pcap)),
            (b"\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a", Some(Kind::Pcapng)),
            (b"\n\r\r\n\0\0\0\x1c\x1a\x2b\x3c\x4d", Some(Kind::Pcapng)),
            (b"\n\r\r\nText of a t", None),
            (b"\n\r\r\n", None),
            (b"; <<>> DiG 9", None),
            (b"", None),
        ] {
            assert_eq!(detect(head), kind, "{head:?}");
        }
    }
}
