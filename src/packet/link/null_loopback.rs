//! BSD loopback: four bytes with the address family, whose number depends on the system that
//! captured and, for `NULL`, on its byte order.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html>

use crate::packet::Layer;
use crate::packet::link::{Link, ether_type};

pub(super) static LINK: Link = Link { linktypes: &[0, 108], name: "loopback", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let (family, rest) = bytes.split_first_chunk()?;
    let families = [u32::from_le_bytes(*family), u32::from_be_bytes(*family)];
    if families.iter().any(|family| IP.contains(family)) {
        return Some(Layer::Ip(rest));
    }
    // Some writers leave two bytes unused and put an EtherType behind them.
    let [_, _, high, low] = *family;
    Some(ether_type(u16::from_be_bytes([high, low]), rest))
}

/// IPv4 everywhere; IPv6 on Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
const IP: [u32; 6] = [2, 10, 23, 24, 28, 30];
