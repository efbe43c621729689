//! BSD loopback: four bytes with the address family, whose number depends on the system that
//! captured and, for `NULL`, on its byte order.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html>

use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link {
    linktypes: &[0, 108],
    name: "loopback",
    decode,
};

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let (family, rest) = bytes.split_first_chunk()?;
    let families = [u32::from_le_bytes(*family), u32::from_be_bytes(*family)];
    let is_ip = families.iter().any(|family| IP.contains(family));
    Some(if is_ip { Layer::Ip(rest) } else { Layer::Other })
}

/// IPv4 everywhere; IPv6 on Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
const IP: [u32; 6] = [2, 10, 23, 24, 28, 30];
