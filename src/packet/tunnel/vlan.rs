//! VLAN tags, any number of them: 802.1Q, 802.1ad, and what QinQ was called before it was agreed on.
//!
//! An 802.1BR tag (E-tag) and a VN-tag are longer and stand for the same. IEEE 802.1Q clause 9.

use crate::packet::Layer;
use crate::packet::link::ether_type;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel =
    Tunnel { name: "VLAN", ether_types: &[0x8100, 0x88a8, 0x9100, 0x9200], open: tag, ..Tunnel::NONE };

pub(super) static PORT_TAG: Tunnel = Tunnel { name: "VN-tag", ether_types: &[0x8926], open: vn_tag, ..Tunnel::NONE };

pub(super) static BRIDGE_TAG: Tunnel = Tunnel { name: "E-tag", ether_types: &[0x893f], open: e_tag, ..Tunnel::NONE };

/// Two bytes about the network, then the EtherType of the rest.
fn tag(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([_, _, high, low], rest) = bytes.split_first_chunk()?;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}

fn vn_tag(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([_, _, _, _, high, low], rest) = bytes.split_first_chunk()?;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}

fn e_tag(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([_, _, _, _, _, _, high, low], rest) = bytes.split_first_chunk()?;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}
