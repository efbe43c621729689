//! What Linux's packet filter logs (`-i nflog`): attributes, one of which is the IP packet.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html>; the attributes are in the capturing
//! machine's byte order, which is little-endian on everything that is met.

use crate::limits;
use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link { linktypes: &[239], name: "NFLOG", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let (_, mut rest) = bytes.split_first_chunk::<4>()?;
    for _ in 0..limits::ENCAPSULATION_DEPTH_MAX {
        let [l0, l1, k0, k1] = *rest.first_chunk()?;
        let length = usize::from(u16::from_le_bytes([l0, l1])).max(4);
        if u16::from_le_bytes([k0, k1]) == PAYLOAD {
            let payload = rest.get(4..length).or_else(|| rest.get(4..))?;
            return Some(Layer::Ip(payload));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
    Some(Layer::Other)
}

const PAYLOAD: u16 = 9;
