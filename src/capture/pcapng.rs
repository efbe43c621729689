//! Frames of a pcapng file with all its sections and interfaces: [`Walk`].
//!
//! Blocks are walked by their own lengths and each is read alone, so that one bad block is one gap.
//! A length that cannot be right costs the bytes up to the next place that looks like a block from
//! its first to its last byte. How many frames were lost there is not known; those after it count
//! on. The fixed fields of packet blocks are read here, because a bad option is no reason to lose
//! the packet before it.
//!
//! Follows draft-ietf-opsawg-pcapng; block type 2 (packet block) is from before it and still met.

use std::collections::BTreeMap;
use std::io;

use pcap_parser::{Block, OptionCode, PcapNGOption, parse_block_be, parse_block_le};

use crate::capture::order::Order;
use crate::capture::stretch;
use crate::capture::{Batch, Frame, LinkType, Step, Summary, in_frame, time_of, whole};
use crate::input::Window;
use crate::limits;
use crate::provenance::{FrameNumber, Gap, GapReason, Time};

/// A walk through one file.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) section: Option<Section>,
}

/// What the blocks of a section refer to.
#[derive(Debug)]
pub(super) struct Section {
    order: Order,
    interfaces: Vec<Interface>,
    /// The latest drop counter of each interface.
    dropped: BTreeMap<u32, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: LinkType,
    snaplen: u32,
    /// `None` when the file gives a resolution that no clock has.
    ticks_per_second: Option<u128>,
    offset_seconds: i64,
}

/// A packet as a block of any kind gives it.
struct Record<'b> {
    interface: u32,
    ticks: Option<u64>,
    captured_bytes: u32,
    wire_bytes: u32,
    /// The packet and whatever follows it in the block.
    rest: &'b [u8],
}

/// Why a block cannot be read by its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    NoLength,
    TwoLengths,
    PastTheEnd,
}

impl Trouble {
    fn words(self) -> &'static str {
        match self {
            Self::NoLength => "a block without a usable length",
            Self::TwoLengths => "a block with two different lengths",
            Self::PastTheEnd => "a block that is longer than what is left",
        }
    }
}

pub(super) fn is_magic(head: &[u8]) -> bool {
    head.starts_with(&SECTION_HEADER.to_le_bytes()) && order_of_section(head).is_some()
}

/// How many bytes stand before the first packet.
pub(super) fn header_bytes(head: &[u8]) -> Option<usize> {
    let order = order_of_section(head)?;
    let mut at = 0_usize;
    while let Some(block) = head.get(at..).filter(|block| block.len() >= BLOCK_BYTES_MIN) {
        if matches!(order.u32_at(block, 0)?, PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
            return Some(at);
        }
        at = at.saturating_add(length_of(block, order)?);
    }
    None
}

impl Walk {
    /// Reads the next block.
    pub(super) fn step(&mut self, window: &mut Window, batch: &mut Batch, summary: &mut Summary) -> io::Result<Step> {
        if window.is_at_end()? {
            return Ok(Step::End);
        }
        let (order, length) = match self.measure(window)? {
            Ok(measured) => measured,
            Err(trouble) => return self.resume(trouble, window, batch, summary),
        };
        let at = window.position();
        let block = window.fill(length)?.get(..length).unwrap_or_default();
        if let Err(gap) = self.read(block, at, order, batch, summary) {
            batch.gaps.push(gap);
        }
        window.consume(length);
        Ok(Step::More)
    }

    /// The byte order and length of the block at hand.
    fn measure(&self, window: &mut Window) -> io::Result<Result<(Order, usize), Trouble>> {
        let head = window.fill(BLOCK_BYTES_MIN)?;
        if head.len() < BLOCK_BYTES_MIN {
            return Ok(Err(Trouble::PastTheEnd));
        }
        let order = self.order_at(head);
        let Some((order, length)) = order.and_then(|order| Some((order, length_of(head, order)?))) else {
            return Ok(Err(Trouble::NoLength));
        };
        let Some(block) = window.fill(length)?.get(..length) else {
            return Ok(Err(Trouble::PastTheEnd));
        };
        if !is_closed(block, order) && !self.is_block_at(length, window)? {
            return Ok(Err(Trouble::TwoLengths));
        }
        Ok(Ok((order, length)))
    }

    /// The byte order of the block that begins here, which a section header says for itself.
    fn order_at(&self, head: &[u8]) -> Option<Order> {
        if head.starts_with(&SECTION_HEADER.to_le_bytes()) {
            return order_of_section(head);
        }
        self.section.as_ref().map(|section| section.order)
    }

    /// Whether what stands `offset` bytes from here is a block in every way, or the end of the file.
    fn is_block_at(&self, offset: usize, window: &mut Window) -> io::Result<bool> {
        let head = window.fill(offset.saturating_add(BLOCK_BYTES_MIN))?;
        let head = head.get(offset..).unwrap_or_default();
        if head.is_empty() {
            return Ok(true);
        }
        let Some(order) = self.order_at(head) else {
            return Ok(false);
        };
        let kind = order.u32_at(head, 0);
        let length = length_of(head, order).filter(|length| *length <= RESUME_BYTES_MAX);
        let (true, Some(length)) = (kind.is_some_and(|kind| KNOWN.contains(&kind)), length) else {
            return Ok(false);
        };
        let end = offset.saturating_add(length);
        let block = window.fill(end)?.get(offset..end);
        Ok(block.is_some_and(|block| is_closed(block, order)))
    }

    /// Leaves what is damaged behind and stands at the next block, or at the end.
    fn resume(&self, trouble: Trouble, window: &mut Window, batch: &mut Batch, summary: &Summary) -> io::Result<Step> {
        let number = summary.next_frame();
        let (at, what) = (window.position(), trouble.words());
        loop {
            window.consume(ALIGNMENT_BYTES);
            if self.is_block_at(0, window)? {
                break;
            }
        }
        let lost = window.position().saturating_sub(at);
        let is_end = window.is_at_end()?;
        if is_end && trouble == Trouble::PastTheEnd {
            let words = format!("frame {}, {lost} bytes of a block", number.0);
            batch.gaps.push(in_frame(number, GapReason::CutFile(words)));
            return Ok(Step::End);
        }
        let words = format!("{what} at byte {at}, {lost} bytes passed over; the next frame counts as {}", number.0);
        batch.gaps.push(damaged(words));
        Ok(if is_end { Step::End } else { Step::More })
    }

    /// Reads one whole block; `at` is its place in the file.
    fn read(
        &mut self,
        block: &[u8],
        at: u64,
        order: Order,
        batch: &mut Batch,
        summary: &mut Summary,
    ) -> Result<(), Gap> {
        let kind = order.u32_at(block, 0).unwrap_or_default();
        if kind == SECTION_HEADER {
            self.section = Some(Section { order, interfaces: Vec::new(), dropped: BTreeMap::new() });
        }
        let Some(section) = &mut self.section else {
            return Ok(());
        };
        match kind {
            INTERFACE => section.interface(block, at, summary),
            STATISTICS => section.statistics(block, at, summary),
            SECRETS => section.secrets(block, at, batch),
            PACKET | SIMPLE_PACKET | ENHANCED_PACKET => section.packet(kind, block, batch, summary),
            _ => Ok(()),
        }
    }
}

impl Section {
    /// An interface whose options are damaged keeps its number and its link type.
    fn interface(&mut self, block: &[u8], at: u64, summary: &mut Summary) -> Result<(), Gap> {
        if self.interfaces.len() >= limits::INTERFACES_MAX {
            return Err(whole(GapReason::Limit {
                what: "interfaces of a capture".to_owned(),
                limit: u64::try_from(limits::INTERFACES_MAX).unwrap_or(u64::MAX),
            }));
        }
        let link_type = LinkType(self.order.u16_at(block, 8).unwrap_or(u16::MAX));
        let snaplen = self.order.u32_at(block, 12).unwrap_or_default();
        let mut interface = Interface { link_type, snaplen, ticks_per_second: Some(MICROSECONDS), offset_seconds: 0 };
        summary.interface(link_type, snaplen);
        let parsed = self.parse(block);
        if let Some(Block::InterfaceDescription(description)) = &parsed {
            interface.clock(&description.options, self.order);
        }
        self.interfaces.push(interface);
        match parsed {
            Some(_) => Ok(()),
            None => Err(damaged(format!("interface description at byte {at}"))),
        }
    }

    /// Counters of one interface; the last ones of a section hold.
    fn statistics(&mut self, block: &[u8], at: u64, summary: &mut Summary) -> Result<(), Gap> {
        let Some(Block::InterfaceStatistics(statistics)) = self.parse(block) else {
            return Err(damaged(format!("interface statistics at byte {at}")));
        };
        let counters = [OptionCode::IsbIfDrop, OptionCode::IsbOsDrop].map(|code| {
            let value = option(&statistics.options, code)?;
            self.order.u64_at(value, 0)
        });
        let interface = statistics.if_id;
        let is_known = usize::try_from(interface).is_ok_and(|at| at < self.interfaces.len());
        if !is_known || counters.iter().all(Option::is_none) {
            return Ok(());
        }
        let now = counters.into_iter().flatten().fold(0, u64::saturating_add);
        let before = self.dropped.insert(interface, now).unwrap_or_default();
        let others = summary.dropped.unwrap_or_default().saturating_sub(before);
        summary.dropped = Some(others.saturating_add(now));
        Ok(())
    }

    /// A key log; secrets of other kinds (WireGuard, Zigbee) open nothing here.
    fn secrets(&self, block: &[u8], at: u64, batch: &mut Batch) -> Result<(), Gap> {
        let parts = self.order.u32_at(block, 8).zip(self.order.u32_at(block, 12));
        let Some((kind, length)) = parts.and_then(|(kind, length)| Some((kind, usize::try_from(length).ok()?))) else {
            return Err(damaged(format!("decryption secrets at byte {at}")));
        };
        if kind != TLS_KEY_LOG {
            return Ok(());
        }
        let rest = block.get(16..block.len().saturating_sub(4)).unwrap_or_default();
        let secrets = rest.get(..length).ok_or_else(|| damaged(format!("decryption secrets at byte {at}")))?;
        batch.key_logs.push(secrets.to_vec());
        Ok(())
    }

    fn packet(&self, kind: u32, block: &[u8], batch: &mut Batch, summary: &mut Summary) -> Result<(), Gap> {
        let number = summary.next_frame();
        summary.frames = number.0;
        let bad = |words: String| in_frame(number, GapReason::DamagedCapture(words));
        let record =
            self.record(kind, block).ok_or_else(|| bad(format!("frame {}, a block without a packet", number.0)))?;
        let interface =
            usize::try_from(record.interface).ok().and_then(|at| self.interfaces.get(at)).ok_or_else(|| {
                let words = "is of an interface that the file does not describe";
                bad(format!("frame {} {words}: {}", number.0, record.interface))
            })?;
        let bytes = usize::try_from(record.captured_bytes)
            .ok()
            .filter(|captured| *captured <= limits::FRAME_BYTES_MAX)
            .and_then(|captured| record.rest.get(..captured))
            .ok_or_else(|| {
                let (claimed, here) = (record.captured_bytes, record.rest.len());
                let words = format!("claims {claimed} bytes in a block of {here}");
                bad(format!("frame {} {words}", number.0))
            })?;
        let frame = Frame {
            number,
            time: record.ticks.and_then(|ticks| interface.time(ticks)),
            link_type: interface.link_type,
            wire_bytes: record.wire_bytes,
            captured_bytes: record.captured_bytes,
        };
        summary.count(&frame);
        batch.push(frame, bytes);
        Ok(())
    }

    /// The fixed fields of a packet block.
    fn record<'b>(&self, kind: u32, block: &'b [u8]) -> Option<Record<'b>> {
        let order = self.order;
        let body_end = block.len().checked_sub(4)?;
        if kind == SIMPLE_PACKET {
            let rest = block.get(12..body_end)?;
            let wire_bytes = order.u32_at(block, 8)?;
            return Some(Record {
                interface: 0,
                ticks: None,
                captured_bytes: self.simple_bytes(wire_bytes, rest),
                wire_bytes,
                rest,
            });
        }
        let interface = if kind == PACKET { u32::from(order.u16_at(block, 8)?) } else { order.u32_at(block, 8)? };
        let high = u64::from(order.u32_at(block, 12)?);
        Some(Record {
            interface,
            ticks: Some((high << 32) | u64::from(order.u32_at(block, 16)?)),
            captured_bytes: order.u32_at(block, 20)?,
            wire_bytes: order.u32_at(block, 24)?,
            rest: block.get(28..body_end)?,
        })
    }

    /// What stands at `at`: an ordinary packet block is taken here, everything else is left to the
    /// careful walk.
    pub(super) fn at<'b>(&self, bytes: &'b [u8], at: usize, number: u64) -> stretch::Record<'b> {
        use stretch::Record::{Incomplete, Odd, Packet};
        let Some(block) = bytes.get(at..).filter(|rest| rest.len() >= BLOCK_BYTES_MIN) else {
            return Incomplete;
        };
        let kind = self.order.u32_at(block, 0);
        let Some(length) = length_of(block, self.order).filter(|_| kind == Some(ENHANCED_PACKET)) else {
            return Odd;
        };
        let Some(block) = block.get(..length) else {
            return Incomplete;
        };
        let record = self.record(ENHANCED_PACKET, block).filter(|_| is_closed(block, self.order));
        let packet = record.and_then(|record| {
            let interface = self.interfaces.get(usize::try_from(record.interface).ok()?)?;
            let captured = usize::try_from(record.captured_bytes).ok()?;
            let bytes = record.rest.get(..captured).filter(|_| captured <= limits::FRAME_BYTES_MAX)?;
            let frame = Frame {
                number: FrameNumber(number),
                time: record.ticks.and_then(|ticks| interface.time(ticks)),
                link_type: interface.link_type,
                wire_bytes: record.wire_bytes,
                captured_bytes: record.captured_bytes,
            };
            Some((frame, bytes))
        });
        packet.map_or(Odd, |(frame, bytes)| Packet(frame, bytes, at.saturating_add(length)))
    }

    /// Where the next block begins if one begins at `at`, as far as it is believable.
    pub(super) fn plausible(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let block = bytes.get(at..)?;
        if block.len() < BLOCK_BYTES_MIN {
            return Some(bytes.len());
        }
        if !self.order.u32_at(block, 0).is_some_and(|kind| KNOWN.contains(&kind)) {
            return None;
        }
        let length = length_of(block, self.order)?;
        let is_whole = block.get(..length).is_none_or(|block| is_closed(block, self.order));
        is_whole.then_some(at.saturating_add(length))
    }

    /// How much of a simple packet was captured, which only the first interface's snaplen tells.
    fn simple_bytes(&self, wire_bytes: u32, rest: &[u8]) -> u32 {
        let snaplen = self.interfaces.first().map_or(0, |first| first.snaplen);
        let snaplen = if snaplen == 0 { u32::MAX } else { snaplen };
        let here = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        wire_bytes.min(snaplen).min(here)
    }

    fn parse<'b>(&self, block: &'b [u8]) -> Option<Block<'b>> {
        let parsed = match self.order {
            Order::Little => parse_block_le(block),
            Order::Big => parse_block_be(block),
        };
        Some(parsed.ok()?.1)
    }
}

impl Interface {
    /// Takes the resolution and the offset of its timestamps from the options.
    fn clock(&mut self, options: &[PcapNGOption<'_>], order: Order) {
        if let Some(resolution) = option(options, OptionCode::IfTsresol).and_then(<[u8]>::first) {
            let exponent = u32::from(resolution & 0x7f);
            let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
            self.ticks_per_second = base.checked_pow(exponent);
        }
        if let Some(offset) = option(options, OptionCode::IfTsoffset) {
            let offset = order.u64_at(offset, 0).unwrap_or_default();
            self.offset_seconds = offset.cast_signed();
        }
    }

    fn time(&self, ticks: u64) -> Option<Time> {
        Some(time_of(ticks, self.ticks_per_second?, self.offset_seconds))
    }
}

/// The byte order of the section that begins here.
fn order_of_section(head: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| order.u32_at(head, 8) == Some(BYTE_ORDER_MAGIC))
}

/// The length that a block gives first, when a block can have it.
fn length_of(head: &[u8], order: Order) -> Option<usize> {
    let length = usize::try_from(order.u32_at(head, 4)?).ok()?;
    let is_usable =
        (BLOCK_BYTES_MIN..=limits::BLOCK_BYTES_MAX).contains(&length) && length.is_multiple_of(ALIGNMENT_BYTES);
    is_usable.then_some(length)
}

/// Whether a block repeats its length at its end.
fn is_closed(block: &[u8], order: Order) -> bool {
    let end = block.len().saturating_sub(4);
    order.u32_at(block, 4) == order.u32_at(block, end)
}

fn option<'o>(options: &'o [PcapNGOption<'_>], code: OptionCode) -> Option<&'o [u8]> {
    let found = options.iter().find(|option| option.code == code)?;
    found.as_bytes().ok()
}

fn damaged(words: String) -> Gap {
    whole(GapReason::DamagedCapture(words))
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;
/// `TLSK`: the secrets are a key log.
const TLS_KEY_LOG: u32 = 0x544c_534b;
const CUSTOM: u32 = 0xbad;
const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;

/// The blocks that mark a place from which a damaged file can be read on.
const KNOWN: [u32; 11] = [
    SECTION_HEADER,
    INTERFACE,
    PACKET,
    SIMPLE_PACKET,
    NAME_RESOLUTION,
    STATISTICS,
    ENHANCED_PACKET,
    JOURNAL,
    SECRETS,
    CUSTOM,
    CUSTOM_NOT_COPIED,
];

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const BLOCK_BYTES_MIN: usize = 12;
const ALIGNMENT_BYTES: usize = 4;

/// The longest block that is believed after damage: a packet with room for options. It bounds how
/// often the search moves bytes.
const RESUME_BYTES_MAX: usize = limits::FRAME_BYTES_MAX + (1 << 16);

/// The resolution of a clock that the file says nothing about.
const MICROSECONDS: u128 = 1_000_000;
