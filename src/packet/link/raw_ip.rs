//! Raw IP: the frame begins with the IP header (tunnel devices, some VPN clients).
//!
//! 12 and 14 are numbers that systems use inside and that reached files.

use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link { linktypes: &[12, 14, 101, 228, 229], name: "raw IP", decode };

#[expect(clippy::unnecessary_wraps, reason = "the type of every link")]
fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    Some(Layer::Ip(bytes))
}
