//! Ethernet: two addresses and the EtherType, or a length and LLC (IEEE 802.3).

use etherparse::Ethernet2HeaderSlice;

use crate::packet::Layer;
use crate::packet::link::{Link, ether_type};

pub(super) static LINK: Link = Link { linktypes: &[1], name: "Ethernet", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let header = Ethernet2HeaderSlice::from_slice(bytes).ok()?;
    let rest = bytes.get(header.slice().len()..).unwrap_or_default();
    Some(ether_type(header.ether_type().0, rest))
}
