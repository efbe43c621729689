//! An IP packet as the payload of another: IPv4 in IP (RFC 2003), 6in4 and 6to4 (RFC 4213).

use crate::packet::Layer;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "IP in IP", protocols: &[4, 41], open, ..Tunnel::NONE };

#[expect(clippy::unnecessary_wraps, reason = "the type of every tunnel")]
fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    Some(Layer::Ip(bytes))
}
