//! Per-packet information: a header that names the link type of the frame behind it.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_PPI.html>

use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link { linktypes: &[192], name: "PPI", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let [_, _, low, high, number @ ..] = *bytes.first_chunk::<8>()?;
    let rest = bytes.get(usize::from(u16::from_le_bytes([low, high]))..)?;
    let number = u16::try_from(u32::from_le_bytes(number)).ok()?;
    Some(Layer::Frame(number, rest))
}
