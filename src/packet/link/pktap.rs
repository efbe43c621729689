//! macOS `pktap`: a header that names the link type of the frame behind it, numbered as in files.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html>

use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link { linktypes: &[258], name: "pktap", decode };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let [a, b, c, d, _, _, _, _, number @ ..] = *bytes.first_chunk::<12>()?;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    let rest = bytes.get(length..)?;
    let number = u16::try_from(u32::from_le_bytes(number)).ok()?;
    Some(Layer::Frame(number, rest))
}
