//! The network service header of service chains (RFC 8300), and Cisco's metadata header, which
//! tells the group of a sender and stands where a VLAN tag does.

use crate::packet::Layer;
use crate::packet::link::{ETHERNET, ether_type};
use crate::packet::tunnel::{NSH, Tunnel};

pub(super) static TUNNEL: Tunnel = Tunnel { name: "NSH", ether_types: &[NSH], open, ..Tunnel::NONE };

pub(super) static METADATA: Tunnel =
    Tunnel { name: "Cisco metadata", ether_types: &[0x8909], open: metadata, ..Tunnel::NONE };

fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let [_, length, _, next, ..] = *bytes.first_chunk::<8>()?;
    let header_bytes = usize::from(length & 0x3f).checked_mul(4).filter(|bytes| *bytes >= 8)?;
    let rest = bytes.get(header_bytes..)?;
    Some(match next {
        1 | 2 => Layer::Ip(rest),
        3 => Layer::Frame(ETHERNET, rest),
        4 => Layer::EtherType(NSH, rest),
        5 => Layer::EtherType(0x8847, rest),
        _ => Layer::Other,
    })
}

/// Version, length, one option with its value, and the EtherType of the rest.
fn metadata(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([_, _, _, _, _, _, high, low], rest) = bytes.split_first_chunk()?;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}
