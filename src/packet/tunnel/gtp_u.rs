//! GTP-U, the user packets of mobile networks (3GPP TS 29.281 section 5.1).

use crate::packet::Layer;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "GTP-U", ports: &[2152], open, ..Tunnel::NONE };

/// Version 1, a user packet; then, where a flag says so, four bytes and a chain of extensions.
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([first, USER_PACKET, high, low, ..], rest) = bytes.split_first_chunk::<8>()? else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if first & 0xf0 != VERSION_1 || length == 0 {
        return None;
    }
    let mut rest = rest.get(..length).unwrap_or(rest);
    if first & HAS_FIELDS != 0 {
        let ([.., next], after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let mut next = if first & HAS_EXTENSION == 0 { 0 } else { *next };
        while next != 0 {
            let extension_bytes = usize::from(*rest.first()?).checked_mul(4).filter(|bytes| *bytes > 0)?;
            let (extension, after) = rest.split_at_checked(extension_bytes)?;
            next = *extension.last()?;
            rest = after;
        }
    }
    matches!(rest.first()? >> 4, 4 | 6).then_some(Layer::Ip(rest))
}

const USER_PACKET: u8 = 255;
const VERSION_1: u8 = 0x30;
const HAS_FIELDS: u8 = 7;
const HAS_EXTENSION: u8 = 4;
