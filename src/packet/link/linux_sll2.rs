//! Linux cooked capture, version 2 (`-i any` of tcpdump since 4.99): 20 bytes, the protocol first.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>

use crate::packet::Layer;
use crate::packet::link::{Link, ether_type};

pub(super) static LINK: Link = Link { linktypes: &[276], name: "Linux cooked v2", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let (header, rest) = bytes.split_first_chunk::<20>()?;
    let [high, low, ..] = header;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}
