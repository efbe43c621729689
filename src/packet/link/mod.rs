//! The link types that are decoded, one file each, and how to find one: [`of`].

mod arcnet;
mod bsd_filter;
mod ethernet;
mod ieee802_11;
mod linux_sll;
mod linux_sll2;
mod nflog;
mod null_loopback;
mod pktap;
mod ppi;
mod ppp;
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

/// The commonest first.
static LINKS: &[&Link] = &[
    &ethernet::LINK,
    &linux_sll::LINK,
    &linux_sll2::LINK,
    &raw_ip::LINK,
    &null_loopback::LINK,
    &ppp::LINK,
    &ppp::WITH_DIRECTION,
    &ppp::ETHERNET,
    &ppp::CISCO,
    &ppp::CISCO_WITH_DIRECTION,
    &ieee802_11::LINK,
    &ieee802_11::RADIOTAP,
    &ieee802_11::PRISM,
    &ieee802_11::AVS,
    &ppi::LINK,
    &pktap::LINK,
    &nflog::LINK,
    &bsd_filter::LINK,
    &bsd_filter::IPSEC,
    &arcnet::LINK,
    &arcnet::LINUX,
];

/// How frames of this link type are decoded.
pub(super) fn of(link_type: LinkType) -> Option<&'static Link> {
    LINKS.iter().find(|link| link.linktypes.contains(&link_type.0)).copied()
}

/// What an EtherType field says about `rest`. Values up to 1,500 are a length: the frame is
/// IEEE 802.3, and LLC says what it carries.
pub(super) fn ether_type(value: u16, rest: &[u8]) -> Layer<'_> {
    if value > IEEE_802_3_LENGTH_MAX {
        return Layer::EtherType(value, rest);
    }
    llc(rest).unwrap_or(Layer::Other)
}

/// LLC: with SNAP an EtherType follows (RFC 1042), the number 6 is IP itself (RFC 948); `None` when
/// it is cut.
fn llc(bytes: &[u8]) -> Option<Layer<'_>> {
    match *bytes.first_chunk()? {
        [0xaa, 0xaa, 0x03] => {
            let ([_, _, _, organisation @ .., high, low], rest) = bytes.split_first_chunk::<8>()?;
            let is_ether_type = matches!(organisation, [0, 0, 0 | 0xf8]);
            Some(if is_ether_type { Layer::EtherType(u16::from_be_bytes([*high, *low]), rest) } else { Layer::Other })
        }
        [0x06, 0x06, 0x03] => Some(Layer::Ip(bytes.get(3..)?)),
        _ => Some(Layer::Other),
    }
}

/// The number of Ethernet, which tunnels carry.
pub(super) const ETHERNET: u16 = 1;
/// The number of 802.11, which tunnels carry.
pub(super) const IEEE_802_11: u16 = 105;
/// The number of PPP, which tunnels carry.
pub(super) const PPP: u16 = 9;
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
