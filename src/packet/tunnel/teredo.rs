//! Teredo, IPv6 in UDP past address translation (RFC 4380 section 5.1.1).

use crate::packet::Layer;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "Teredo", ports: &[3544], open, ..Tunnel::NONE };

/// An authentication and an origin may stand before the packet, whose length must fit.
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let mut rest = bytes;
    if let Some(([0, 1, client, value], after)) = rest.split_first_chunk() {
        let bytes = usize::from(*client).checked_add(usize::from(*value))?.checked_add(NONCE_BYTES)?;
        rest = after.get(bytes..)?;
    }
    if rest.starts_with(&[0, 0]) {
        rest = rest.get(ORIGIN_BYTES..)?;
    }
    let ([first, _, _, _, high, low, ..], body) = rest.split_first_chunk::<40>()?;
    let fits = usize::from(u16::from_be_bytes([*high, *low])) == body.len();
    (first >> 4 == 6 && fits).then_some(Layer::Ip(rest))
}

/// The nonce and the confirmation byte behind it.
const NONCE_BYTES: usize = 9;
const ORIGIN_BYTES: usize = 8;
