//! L2TP version 2 data messages: PPP in UDP (RFC 2661 section 3.1).

use crate::packet::Layer;
use crate::packet::link::PPP;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "L2TP", ports: &[1701], open, ..Tunnel::NONE };

fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let [flags, version] = *bytes.first_chunk()?;
    if version & 0x0f != 2 || flags & (CONTROL | RESERVED) != 0 {
        return None;
    }
    let mut at: usize = 6;
    for (flag, bytes) in [(LENGTH, 2), (SEQUENCE, 4)] {
        at = at.checked_add(if flags & flag == 0 { 0 } else { bytes })?;
    }
    if flags & OFFSET != 0 {
        let [high, low] = *bytes.get(at..)?.first_chunk()?;
        at = at.checked_add(2)?.checked_add(usize::from(u16::from_be_bytes([high, low])))?;
    }
    Some(Layer::Frame(PPP, bytes.get(at..)?))
}

const CONTROL: u8 = 0x80;
const LENGTH: u8 = 0x40;
const RESERVED: u8 = 0x34;
const SEQUENCE: u8 = 0x08;
const OFFSET: u8 = 0x02;
