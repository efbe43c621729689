//! GENEVE (RFC 8926), which AWS gateway load balancers speak to their appliances.

use crate::packet::Layer;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "GENEVE", ports: &[6081], open, ..Tunnel::NONE };

/// Version 0, reserved bits 0; the options are passed over.
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([first, flags, high, low, _, _, _, 0], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    if first >> 6 != 0 || flags & 0x3f != 0 {
        return None;
    }
    let option_bytes = usize::from(first & 0x3f).checked_mul(4)?;
    let rest = rest.get(option_bytes..)?;
    let protocol = u16::from_be_bytes([*high, *low]);
    matches!(protocol, 0x6558 | 0x0800 | 0x86dd | 0x8847 | 0x894f).then_some(Layer::EtherType(protocol, rest))
}
