//! The link types that are decoded, one file each, and how to find one: [`of`].

mod ethernet;
mod linux_sll;
mod linux_sll2;
mod null_loopback;
mod raw_ip;

use crate::capture::LinkType;
use crate::packet::Layer;

/// How frames of some link types begin.
pub(super) struct Link {
    /// The numbers in capture files.
    linktypes: &'static [u16],
    /// What messages call it.
    pub(super) name: &'static str,
    /// Takes its header off; `None` when the header is cut.
    pub(super) decode: fn(&[u8]) -> Option<Layer<'_>>,
}

static LINKS: &[&Link] = &[&ethernet::LINK, &linux_sll::LINK, &linux_sll2::LINK, &null_loopback::LINK, &raw_ip::LINK];

/// How frames of this link type are decoded.
pub(super) fn of(link_type: LinkType) -> Option<&'static Link> {
    LINKS.iter().find(|link| link.linktypes.contains(&link_type.0)).copied()
}

/// What an EtherType field says about `rest`. Values up to 1,500 are a length: the frame is
/// IEEE 802.3, and only LLC with SNAP carries IP behind it (RFC 1042).
pub(super) fn ether_type(value: u16, rest: &[u8]) -> Layer<'_> {
    if value > IEEE_802_3_LENGTH_MAX {
        return Layer::EtherType(value, rest);
    }
    match rest.split_first_chunk() {
        Some(([0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, high, low], rest)) => {
            Layer::EtherType(u16::from_be_bytes([*high, *low]), rest)
        }
        _ => Layer::Other,
    }
}

const IEEE_802_3_LENGTH_MAX: u16 = 1500;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_link_type_has_one_decoder() {
        let mut seen = BTreeSet::new();
        for link in LINKS {
            assert!(!link.linktypes.is_empty(), "{}", link.name);
            for number in link.linktypes {
                assert!(seen.insert(number), "{}: {number}", link.name);
            }
        }
    }

    #[test]
    fn no_header_is_too_short_to_refuse() {
        for link in LINKS {
            for bytes in 0..24 {
                let zeros = vec![0; bytes];
                assert_ne!((link.decode)(&zeros), Some(Layer::EtherType(0x0800, &[])), "{}", link.name);
            }
        }
    }
}
