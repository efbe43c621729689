//! What BSD's packet filter logs (`pflog`) and what its IPsec shows decrypted (`enc`): a header,
//! then the IP packet.
//!
//! <https://www.tcpdump.org/linktypes/LINKTYPE_PFLOG.html>

use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link { linktypes: &[117], name: "PFLOG", decode };

pub(super) static IPSEC: Link = Link { linktypes: &[109], name: "ENC", decode: ipsec };

/// The first byte is the length of the header, which is padded to four bytes.
fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    let length = usize::from(*bytes.first()?).next_multiple_of(4);
    Some(Layer::Ip(bytes.get(length..)?))
}

fn ipsec(bytes: &[u8]) -> Option<Layer<'_>> {
    Some(Layer::Ip(bytes.get(12..)?))
}
