//! Linux cooked capture, version 1 (`-i any` of older tcpdump): 16 bytes, the protocol last.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>

use crate::packet::Layer;
use crate::packet::link::{Link, ether_type};

pub(super) static LINK: Link = Link { linktypes: &[113], name: "Linux cooked v1", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let (header, rest) = bytes.split_first_chunk::<16>()?;
    let [.., high, low] = header;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}
