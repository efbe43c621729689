//! PPP, with or without its address and control bytes, and Cisco's HDLC, which looks like it.
//!
//! RFC 1661 section 2, RFC 1662 section 3.1; <https://www.tcpdump.org/linktypes/LINKTYPE_PPP_PPPD.html>
//! puts a byte for the direction where the address is.

use crate::packet::Layer;
use crate::packet::link::{Link, PPP, ether_type};

pub(super) static LINK: Link = Link { linktypes: &[PPP, 50, 166], name: "PPP", decode };

pub(super) static WITH_DIRECTION: Link =
    Link { linktypes: &[204], name: "PPP with a direction", decode: with_direction };

pub(super) static ETHERNET: Link = Link { linktypes: &[51], name: "PPPoE", decode: over_ethernet };

pub(super) static CISCO: Link = Link { linktypes: &[104], name: "Cisco HDLC", decode: cisco };

pub(super) static CISCO_WITH_DIRECTION: Link =
    Link { linktypes: &[205], name: "Cisco HDLC with a direction", decode: cisco_with_direction };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    match bytes {
        // The addresses of Cisco's framing, which some PPP captures hold.
        [0x0f | 0x8f, 0x00, ..] => cisco(bytes),
        [0xff | 0x00 | 0x01, 0x03, ..] => protocol(bytes.get(2..)?),
        _ => protocol(bytes),
    }
}

/// The protocol has one byte when that byte is odd (RFC 1661 section 6.5).
fn protocol(bytes: &[u8]) -> Option<Layer<'_>> {
    let (number, rest) = match bytes {
        [short, rest @ ..] if short & 1 == 1 => (u16::from(*short), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return None,
    };
    Some(match number {
        0x0021 | 0x0057 => Layer::Ip(rest),
        0x0281 => Layer::EtherType(0x8847, rest),
        _ => Layer::Other,
    })
}

fn with_direction(bytes: &[u8]) -> Option<Layer<'_>> {
    decode(bytes.split_first()?.1)
}

/// The session header of PPPoE without the Ethernet header before it.
fn over_ethernet(bytes: &[u8]) -> Option<Layer<'_>> {
    (!bytes.is_empty()).then_some(Layer::EtherType(0x8864, bytes))
}

fn cisco(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([_, _, high, low], rest) = bytes.split_first_chunk()?;
    Some(ether_type(u16::from_be_bytes([*high, *low]), rest))
}

fn cisco_with_direction(bytes: &[u8]) -> Option<Layer<'_>> {
    cisco(bytes.split_first()?.1)
}
