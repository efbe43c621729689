//! CAPWAP data: what an access point hands to its controller, as 802.11 or Ethernet frames.
//!
//! RFC 5415 section 4.3. Frames that the access point split are not put together, and those under
//! DTLS are not opened.

use crate::packet::Layer;
use crate::packet::link::{ETHERNET, IEEE_802_11};
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "CAPWAP", ports: &[5247], open, ..Tunnel::NONE };

/// The first byte is version and type, both 0; the next five bits are the length in words.
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let [0, length, binding, flags, ..] = *bytes.first_chunk::<8>()? else {
        return None;
    };
    let header_bytes = usize::from(length >> 3).checked_mul(4).filter(|bytes| *bytes >= 8)?;
    if flags & (FRAGMENT | KEEP_ALIVE | RESERVED) != 0 {
        return None;
    }
    let rest = bytes.get(header_bytes..)?;
    Some(if binding & NATIVE == 0 { Layer::Frame(ETHERNET, rest) } else { Layer::Frame(IEEE_802_11, rest) })
}

const NATIVE: u8 = 0x01;
const FRAGMENT: u8 = 0x80;
const KEEP_ALIVE: u8 = 0x08;
const RESERVED: u8 = 0x07;
