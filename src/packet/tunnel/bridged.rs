//! A whole Ethernet frame as a payload: transparent Ethernet bridging (RFC 1701) and EtherIP
//! (RFC 3378), which has two bytes before it.

use crate::packet::Layer;
use crate::packet::link::ETHERNET;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "bridged Ethernet", ether_types: &[0x6558], open, ..Tunnel::NONE };

pub(super) static ETHER_IP: Tunnel = Tunnel { name: "EtherIP", protocols: &[97], open: ether_ip, ..Tunnel::NONE };

#[expect(clippy::unnecessary_wraps, reason = "the type of every tunnel")]
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    Some(Layer::Frame(ETHERNET, bytes))
}

fn ether_ip(bytes: &[u8]) -> Option<Layer<'_>> {
    let (_, rest) = bytes.split_first_chunk::<2>()?;
    Some(Layer::Frame(ETHERNET, rest))
}
