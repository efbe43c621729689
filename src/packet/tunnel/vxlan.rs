//! VXLAN (RFC 7348), which is also AWS traffic mirroring, and its generic form, VXLAN-GPE.
//!
//! All reserved bits must be 0, so that a datagram that only shares the port stays a datagram.

use crate::packet::Layer;
use crate::packet::link::ETHERNET;
use crate::packet::tunnel::{NSH, Tunnel};

pub(super) static TUNNEL: Tunnel = Tunnel { name: "VXLAN", ports: &[4789, 8472], open, ..Tunnel::NONE };

pub(super) static GENERIC: Tunnel = Tunnel { name: "VXLAN-GPE", ports: &[4790], open: generic, ..Tunnel::NONE };

/// The second and the two last bytes of the first half are those of a group policy, where 0x80 says so.
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    match bytes.split_first_chunk()? {
        ([0x08, 0, 0, 0, _, _, _, 0] | [0x88, _, _, _, _, _, _, 0], rest) => Some(Layer::Frame(ETHERNET, rest)),
        _ => None,
    }
}

fn generic(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([0x08 | 0x0c, 0, 0, next, _, _, _, 0], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    match next {
        1 | 2 => Some(Layer::Ip(rest)),
        3 => Some(Layer::Frame(ETHERNET, rest)),
        4 => Some(Layer::EtherType(NSH, rest)),
        _ => None,
    }
}
