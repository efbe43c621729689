//! Frames of a pcap file, of every magic number that is still met: [`Walk`].
//!
//! Follows draft-ietf-opsawg-pcap, with two older habits that files still show: the "modified"
//! format of old Linux distributions has eight more bytes in each record header, and writers before
//! version 2.3 put the two lengths of a record the other way round.

use std::io;

use pcap_parser::pcap::{PcapHeader, parse_pcap_header};

use crate::capture::order::Order;
use crate::capture::stretch::Record;
use crate::capture::{Batch, Frame, LinkType, Step, Summary, in_frame, whole};
use crate::input::Window;
use crate::limits;
use crate::provenance::{FrameNumber, GapReason, Time};

/// A walk through one file.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) layout: Option<Layout>,
}

/// How the records of a file are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    order: Order,
    header_bytes: usize,
    ticks_per_second: u32,
    lengths: Lengths,
    link_type: LinkType,
}

/// Which length of a record stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// The smaller one is the captured one: version 2.3 was written both ways.
    SmallerIsCaptured,
}

pub(super) fn is_magic(head: &[u8]) -> bool {
    magic(head).is_some()
}

fn magic(head: &[u8]) -> Option<(Order, u32)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| {
        let magic = order.u32_at(head, 0)?;
        matches!(magic, MICROSECONDS | NANOSECONDS | MODIFIED).then_some((order, magic))
    })
}

impl Walk {
    /// Reads the next record, first of all the header of the file.
    pub(super) fn step(&mut self, window: &mut Window, batch: &mut Batch, summary: &mut Summary) -> io::Result<Step> {
        let Some(layout) = self.layout else {
            let head = window.fill(FILE_HEADER_BYTES)?;
            self.layout = Layout::read(head, summary);
            if self.layout.is_none() {
                let words = format!("{} of the 24 bytes of its header", head.len());
                batch.gaps.push(whole(GapReason::CutFile(words)));
                return Ok(Step::End);
            }
            window.consume(FILE_HEADER_BYTES);
            return Ok(Step::More);
        };
        layout.record(window, batch, summary)
    }
}

impl Layout {
    fn read(head: &[u8], summary: &mut Summary) -> Option<Self> {
        let (order, magic) = magic(head)?;
        let header = file_header(head, order)?;
        // The upper half tells the length of the frame check sequence.
        let link_type = LinkType(u16::try_from(header.network.0 & 0xffff).ok()?);
        summary.interface(link_type, header.snaplen);
        Some(Self {
            order,
            header_bytes: if magic == MODIFIED { 24 } else { 16 },
            ticks_per_second: if magic == NANOSECONDS { 1_000_000_000 } else { 1_000_000 },
            lengths: match (header.version_major, header.version_minor) {
                (2, 0..=2) => Lengths::WireFirst,
                (2, 3) => Lengths::SmallerIsCaptured,
                _ => Lengths::CapturedFirst,
            },
            link_type,
        })
    }

    fn record(&self, window: &mut Window, batch: &mut Batch, summary: &mut Summary) -> io::Result<Step> {
        let number = summary.next_frame();
        let at = window.position();
        let head = window.fill(self.header_bytes)?;
        if head.is_empty() {
            return Ok(Step::End);
        }
        let Some((captured, wire)) = self.lengths(head) else {
            let words = format!("frame {}, {} bytes of its header", number.0, head.len());
            batch.gaps.push(in_frame(number, GapReason::CutFile(words)));
            return Ok(Step::End);
        };
        let captured_bytes = usize::try_from(captured).unwrap_or(usize::MAX);
        if captured_bytes > limits::FRAME_BYTES_MAX {
            let words = format!(
                "frame {} at byte {at} claims to hold {captured} bytes; nothing after it can be read",
                number.0
            );
            batch.gaps.push(in_frame(number, GapReason::DamagedCapture(words)));
            return Ok(Step::End);
        }
        let record_bytes = self.header_bytes.saturating_add(captured_bytes);
        let record = window.fill(record_bytes)?;
        let Some(bytes) = record.get(self.header_bytes..record_bytes) else {
            let here = record.len().saturating_sub(self.header_bytes);
            let words = format!("frame {}, {here} of {captured} bytes", number.0);
            batch.gaps.push(in_frame(number, GapReason::CutFile(words)));
            return Ok(Step::End);
        };
        let frame = Frame {
            number,
            time: self.time(record),
            link_type: self.link_type,
            wire_bytes: wire,
            captured_bytes: captured,
        };
        summary.count(&frame);
        batch.push(frame, bytes);
        window.consume(record_bytes);
        Ok(Step::More)
    }

    /// The captured length and the length on the wire of a whole record header.
    fn lengths(&self, head: &[u8]) -> Option<(u32, u32)> {
        let head = head.get(..self.header_bytes)?;
        let (first, second) = (self.order.u32_at(head, 8)?, self.order.u32_at(head, 12)?);
        let is_swapped = match self.lengths {
            Lengths::CapturedFirst => false,
            Lengths::WireFirst => true,
            Lengths::SmallerIsCaptured => first > second,
        };
        Some(if is_swapped { (second, first) } else { (first, second) })
    }

    /// A fraction of more than a second, which damaged files hold, runs into the seconds.
    fn time(&self, record: &[u8]) -> Option<Time> {
        let seconds = self.order.u32_at(record, 0)?;
        let mut fraction = self.order.u32_at(record, 4)?;
        let mut seconds = i64::from(seconds);
        if fraction >= self.ticks_per_second {
            seconds = seconds.saturating_add(i64::from(fraction / self.ticks_per_second));
            fraction %= self.ticks_per_second;
        }
        let nanos = if self.ticks_per_second == 1_000_000 { fraction.saturating_mul(1000) } else { fraction };
        Some(Time::stated(seconds, nanos))
    }

    /// What stands at `at`: an ordinary record is taken here, everything else is left to the careful
    /// walk.
    pub(super) fn at<'b>(&self, bytes: &'b [u8], at: usize, number: u64) -> Record<'b> {
        let Some(record) = bytes.get(at..).filter(|rest| rest.len() >= self.header_bytes) else {
            return Record::Incomplete;
        };
        let Some((captured_bytes, wire_bytes)) = self.lengths(record) else {
            return Record::Incomplete;
        };
        let captured = usize::try_from(captured_bytes).unwrap_or(usize::MAX);
        if captured > limits::FRAME_BYTES_MAX {
            return Record::Odd;
        }
        let end = self.header_bytes.saturating_add(captured);
        let Some(packet) = record.get(self.header_bytes..end) else {
            return Record::Incomplete;
        };
        let frame = Frame {
            number: FrameNumber(number),
            time: self.time(record),
            link_type: self.link_type,
            wire_bytes,
            captured_bytes,
        };
        Record::Packet(frame, packet, at.saturating_add(end))
    }

    /// Where the next record begins if one begins at `at`, as far as its header is believable: its
    /// time is about that of the record `near`.
    pub(super) fn plausible(&self, bytes: &[u8], at: usize, near: &[u8]) -> Option<usize> {
        let record = bytes.get(at..)?;
        if record.len() < self.header_bytes {
            return Some(bytes.len());
        }
        let days = |record: &[u8]| Some(self.order.u32_at(record, 0)? >> DAY_BITS);
        if days(near)?.abs_diff(days(record)?) > 1 {
            return None;
        }
        let (captured, wire) = self.lengths(record)?;
        let fits = captured > 0
            && captured <= wire
            && wire <= u32::try_from(limits::FRAME_BYTES_MAX).unwrap_or(u32::MAX)
            && self.order.u32_at(record, 4)? < self.ticks_per_second;
        let end = at.saturating_add(self.header_bytes).saturating_add(usize::try_from(captured).ok()?);
        fits.then_some(end)
    }
}

/// Reads the file header under the one magic number that all layouts share, because the reader in
/// pcap-parser does not know every other one in both byte orders.
fn file_header(head: &[u8], order: Order) -> Option<PcapHeader> {
    let mut plain: [u8; FILE_HEADER_BYTES] = *head.first_chunk()?;
    *plain.first_chunk_mut()? = match order {
        Order::Little => MICROSECONDS.to_le_bytes(),
        Order::Big => MICROSECONDS.to_be_bytes(),
    };
    Some(parse_pcap_header(&plain).ok()?.1)
}

/// Times of one file lie about so many bits of seconds together: twelve days.
const DAY_BITS: u32 = 20;
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;
const FILE_HEADER_BYTES: usize = 24;
