//! PPP over Ethernet, the session stage: six bytes, then PPP (RFC 2516).

use crate::packet::Layer;
use crate::packet::link::PPP;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "PPPoE", ether_types: &[0x8864], open, ..Tunnel::NONE };

/// The length ends the packet before what Ethernet appends.
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([0x11, code, _, _, high, low], rest) = bytes.split_first_chunk()? else {
        return Some(Layer::Other);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let rest = rest.get(..length).unwrap_or(rest);
    Some(if *code == 0 { Layer::Frame(PPP, rest) } else { Layer::Other })
}
