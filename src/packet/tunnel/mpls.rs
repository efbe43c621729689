//! MPLS labels, one at a time (RFC 3032), in Ethernet, PPP, IP (RFC 4023) and UDP (RFC 7510).
//!
//! Nothing says what follows the last label. The first half byte is the version of an IP packet, or
//! 0 where a control word stands before an Ethernet frame (RFC 4385). An address can begin with 0
//! too: a frame whose EtherType is where it belongs has no control word before it.

use crate::packet::Layer;
use crate::packet::link::ETHERNET;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel =
    Tunnel { name: "MPLS", ether_types: &[MPLS, 0x8848], protocols: &[137], open, ..Tunnel::NONE };

fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([_, _, label_end, _], rest) = bytes.split_first_chunk()?;
    if label_end & 1 == 0 {
        return Some(Layer::EtherType(MPLS, rest));
    }
    Some(match rest.first()? >> 4 {
        4 | 6 => Layer::Ip(rest),
        0 if !is_frame(rest) => Layer::Frame(ETHERNET, rest.get(CONTROL_WORD_BYTES..)?),
        1 => Layer::Other,
        _ => Layer::Frame(ETHERNET, rest),
    })
}

fn is_frame(bytes: &[u8]) -> bool {
    let ether_type = bytes.get(12..).and_then(<[u8]>::first_chunk).map(|it| u16::from_be_bytes(*it));
    ether_type.is_some_and(|it| matches!(it, 0x0800 | 0x0806 | 0x86dd | 0x8100 | 0x88a8 | MPLS))
}

const MPLS: u16 = 0x8847;
const CONTROL_WORD_BYTES: usize = 4;
