//! The walk through one capture file ([`Reader`]): stretches of ordinary records for several workers, and all
//! else with care, record by record.
//!
//! The formats say what a record is ([`super::pcap`], [`super::pcapng`]); what is damaged becomes a gap of the batch.

use std::io;

use super::stretch::{Framing, Piece, Record, Stretch, Walked};
use super::{Batch, Kind, Step, Summary, pcap, pcapng, whole};
use crate::input::{self, Window};
use crate::limits;
use crate::provenance::GapReason;

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

impl Format {
    /// How records read, once the header that says it has been.
    fn framing(&self) -> Option<Framing<'_>> {
        Some(match self {
            Self::Pcap(walk) => Framing::Pcap(walk.layout?),
            Self::Pcapng(walk) => Framing::Pcapng(walk.section.as_ref()?),
        })
    }
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

    /// How records of the file read, as far as it is known.
    pub(super) fn framing(&self) -> Option<Framing<'_>> {
        self.format.framing()
    }

    /// Has up to `bytes` bytes at hand in pieces that several workers read and walk, each on its own;
    /// false when the next record is none for them. What they hold together is then in
    /// [`Reader::stretch`].
    pub fn fill_together(&mut self, bytes: usize, work: impl FnOnce(&mut [Piece<'_, '_>])) -> bool {
        let Some(framing) = self.format.framing().filter(|_| !self.is_ended) else {
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
        let framing = self.format.framing().filter(|_| !self.is_ended)?;
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

fn stopped(batch: &mut Batch, error: &io::Error) -> Step {
    let reason = GapReason::Unreadable(input::reason(error));
    batch.gaps.push(whole(reason));
    Step::End
}

/// What is kept of a record to know the next ones by: its header.
const NEAR_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::builder::{Flavour, Order, Pcap, Pcapng};
    use crate::capture::{LinkType, detect};
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
