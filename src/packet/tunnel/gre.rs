//! GRE, with its optional fields (RFC 2784, RFC 2890) and as PPTP uses it (RFC 2637).
//!
//! The protocol is an EtherType; 0x6558 is a whole Ethernet frame (NVGRE, RFC 7637).

use crate::packet::Layer;
use crate::packet::link::PPP;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "GRE", protocols: &[47], open, ..Tunnel::NONE };

fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([flags, version, high, low], _) = bytes.split_first_chunk()?;
    let protocol = u16::from_be_bytes([*high, *low]);
    let number = version & 7;
    let fields = match number {
        0 => [flags & (CHECKSUM | ROUTING), flags & KEY, flags & SEQUENCE],
        1 => [flags & KEY, flags & SEQUENCE, version & ACKNOWLEDGEMENT],
        _ => return Some(Layer::Other),
    };
    let fields = fields.into_iter().filter(|flag| *flag != 0).count();
    let rest = bytes.get(FIXED_BYTES.checked_add(fields.checked_mul(FIELD_BYTES)?)?..)?;
    if flags & ROUTING != 0 && number == 0 {
        return Some(Layer::Other);
    }
    Some(match protocol {
        POINT_TO_POINT if rest.is_empty() => Layer::Other,
        POINT_TO_POINT => Layer::Frame(PPP, rest),
        // A type II mirror has a sequence number; without one it is type I, a bare frame.
        ERSPAN_II if flags & SEQUENCE == 0 => Layer::EtherType(ETHERNET_BRIDGED, rest),
        KEEPALIVE => Layer::Other,
        other => Layer::EtherType(other, rest),
    })
}

const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
const ACKNOWLEDGEMENT: u8 = 0x80;
const FIXED_BYTES: usize = 4;
const FIELD_BYTES: usize = 4;
const POINT_TO_POINT: u16 = 0x880b;
const ETHERNET_BRIDGED: u16 = 0x6558;
const ERSPAN_II: u16 = 0x88be;
const KEEPALIVE: u16 = 0;
