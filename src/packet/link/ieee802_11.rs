//! 802.11, bare or behind what a monitor adds: radiotap, Prism, AVS.
//!
//! Data frames that are not encrypted carry LLC. Of an aggregate (A-MSDU) the first packet is read.
//! IEEE 802.11-2020 section 9.2.4; <https://www.radiotap.org/>.

use crate::packet::Layer;
use crate::packet::link::{IEEE_802_11, Link, llc};

pub(super) static LINK: Link = Link { linktypes: &[IEEE_802_11], name: "802.11", decode };

pub(super) static RADIOTAP: Link = Link { linktypes: &[127], name: "radiotap", decode: radiotap };

pub(super) static PRISM: Link = Link { linktypes: &[119], name: "Prism", decode: prism };

pub(super) static AVS: Link = Link { linktypes: &[163], name: "AVS", decode: avs };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    data_frame(bytes, Padding::None)
}

/// Whether the header is followed by bytes that make its length a multiple of 4.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Padding {
    None,
    ToWord,
}

fn data_frame(bytes: &[u8], padding: Padding) -> Option<Layer<'_>> {
    let [control, flags] = match *bytes.first_chunk()? {
        // Some access points swap the two bytes in CAPWAP: the version, which is 0, tells.
        [first, second] if first & VERSION != 0 && second & VERSION == 0 => [second, first],
        inorder => inorder,
    };
    let is_data = control & 0x0f == DATA;
    if !is_data || control & NO_DATA != 0 || flags & PROTECTED != 0 {
        return Some(Layer::Other);
    }
    let has_four_addresses = flags & BOTH_WAYS == BOTH_WAYS;
    let quality_at: usize = if has_four_addresses { 30 } else { 24 };
    let is_quality = control & QUALITY != 0;
    let mut header_bytes = quality_at;
    if is_quality {
        header_bytes = header_bytes.checked_add(if flags & ORDERED == 0 { 2 } else { 6 })?;
    }
    if padding == Padding::ToWord {
        header_bytes = header_bytes.next_multiple_of(4);
    }
    let rest = bytes.get(header_bytes..)?;
    let is_aggregate = is_quality && bytes.get(quality_at)? & AGGREGATE != 0;
    llc(if is_aggregate { rest.get(ADDRESSES_AND_LENGTH_BYTES..)? } else { rest })
}

/// A length, then a map of the fields, each aligned to its own size.
fn radiotap(bytes: &[u8]) -> Option<Layer<'_>> {
    let [_, _, low, high] = *bytes.first_chunk()?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (header, frame) = bytes.split_at_checked(length)?;
    let is_padded = radiotap_flags(header).is_some_and(|flags| flags & PADDED != 0);
    data_frame(frame, if is_padded { Padding::ToWord } else { Padding::None })
}

/// The flags field: the second one, behind a clock of eight bytes.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    let maps = header.get(4..)?.chunks_exact(4);
    let first = *header.get(4)?;
    let more = maps.take_while(|map| map.last().is_some_and(|byte| byte & 0x80 != 0)).count();
    let mut at = more.checked_add(2)?.checked_mul(4)?;
    if first & 2 == 0 {
        return None;
    }
    if first & 1 != 0 {
        at = at.next_multiple_of(8).checked_add(8)?;
    }
    header.get(at).copied()
}

/// Some drivers put the newer AVS header under the number of Prism.
fn prism(bytes: &[u8]) -> Option<Layer<'_>> {
    if bytes.starts_with(&AVS_MAGIC) {
        return avs(bytes);
    }
    decode(bytes.get(PRISM_BYTES..)?)
}

fn avs(bytes: &[u8]) -> Option<Layer<'_>> {
    let length = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    decode(bytes.get(usize::try_from(length).ok()?..)?)
}

const VERSION: u8 = 0x03;
const DATA: u8 = 0x08;
const NO_DATA: u8 = 0x40;
const QUALITY: u8 = 0x80;
const BOTH_WAYS: u8 = 0x03;
const PROTECTED: u8 = 0x40;
const ORDERED: u8 = 0x80;
const AGGREGATE: u8 = 0x80;
const ADDRESSES_AND_LENGTH_BYTES: usize = 14;
const PADDED: u8 = 0x20;
const PRISM_BYTES: usize = 144;
const AVS_MAGIC: [u8; 3] = [0x80, 0x21, 0x10];
