//! What a plain TCP packet says of itself before it is decoded: [`glance`].
//!
//! Nearly all packets of a large capture belong to connections that want nothing more, or carry nothing.
//! For those that are Ethernet, one IP header without options or extensions, and TCP, the few fields that
//! tell stand at fixed places. All others are decoded, and so is everything that is wanted: a glance only
//! lets a packet pass by of which [`super::decode`] would say the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::capture::LinkType;
use crate::packet::{IPV4, IPV6};

/// The ends of a whole TCP header, and whether it can move its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Who sent it, and its port.
    pub source: (IpAddr, u16),
    /// Who it is for, and its port.
    pub destination: (IpAddr, u16),
    /// Whether it carries SYN.
    pub syn: bool,
    /// Whether it carries no payload and neither SYN, FIN nor RST.
    pub is_bare: bool,
}

/// Looks at the captured `bytes` of a frame; `None` for whatever is not plain.
pub fn glance(link_type: LinkType, bytes: &[u8]) -> Option<Glance> {
    let (ethernet, ip) = bytes.split_first_chunk::<14>().filter(|_| link_type == ETHERNET)?;
    match u16::from_be_bytes([ethernet[12], ethernet[13]]) {
        IPV4 => version_4(ip),
        IPV6 => version_6(ip),
        _ => None,
    }
}

fn version_4(bytes: &[u8]) -> Option<Glance> {
    let (header, rest) = bytes.split_first_chunk::<20>()?;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let is_fragment = u16::from_be_bytes([header[6], header[7]]) & FRAGMENT_BITS != 0;
    if header[0] != VERSION_4_OF_20_BYTES || header[9] != TCP || is_fragment {
        return None;
    }
    let (source, destination) = (header.get(12..)?.first_chunk::<4>()?, header.last_chunk::<4>()?);
    let addresses = (Ipv4Addr::from(*source).into(), Ipv4Addr::from(*destination).into());
    tcp(addresses, rest, total.checked_sub(header.len())?)
}

fn version_6(bytes: &[u8]) -> Option<Glance> {
    let (header, rest) = bytes.split_first_chunk::<40>()?;
    if header[0] >> 4 != 6 || header[6] != TCP {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let (source, destination) = (header.get(8..)?.first_chunk::<16>()?, header.last_chunk::<16>()?);
    tcp((Ipv6Addr::from(*source).into(), Ipv6Addr::from(*destination).into()), rest, length)
}

/// `length` is what the IP header says that the segment has.
fn tcp((source, destination): (IpAddr, IpAddr), bytes: &[u8], length: usize) -> Option<Glance> {
    let header = bytes.first_chunk::<20>()?;
    let header_bytes = usize::from(header[12] >> 4).saturating_mul(4);
    if header_bytes < header.len() || header_bytes > length || header_bytes > bytes.len() {
        return None;
    }
    let flags = header[13];
    Some(Glance {
        source: (source, u16::from_be_bytes([header[0], header[1]])),
        destination: (destination, u16::from_be_bytes([header[2], header[3]])),
        syn: flags & SYN != 0,
        is_bare: length == header_bytes && flags & (SYN | FIN | RST) == 0,
    })
}

const ETHERNET: LinkType = LinkType(1);
const VERSION_4_OF_20_BYTES: u8 = 0x45;
/// More fragments, and the offset.
const FRAGMENT_BITS: u16 = 0x3fff;
const TCP: u8 = 6;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::builder::{self, Link, UDP, flags};
    use crate::packet::{Decoded, Packet, Transport, decode};

    /// Whether there was a glance, which says what decoding says.
    fn check(bytes: &[u8], wire: usize) -> bool {
        let Some(seen) = glance(ETHERNET, bytes) else { return false };
        let decoded = decode(ETHERNET, bytes, u32::try_from(wire).unwrap());
        let Ok(Decoded::Packet(Packet { source, destination, transport: Transport::Tcp(it) })) = decoded else {
            panic!("{seen:?} of {decoded:?}")
        };
        assert_eq!(seen.source, (source, it.source_port), "{bytes:x?}");
        assert_eq!(seen.destination, (destination, it.destination_port), "{bytes:x?}");
        assert_eq!(seen.syn, it.syn, "{bytes:x?}");
        assert!(!seen.is_bare || (it.payload.is_empty() && !it.syn && !it.fin && !it.rst), "{bytes:x?}");
        true
    }

    #[test]
    fn a_glance_says_what_decoding_says() {
        for (source, destination) in [("192.0.2.1", "198.51.100.2"), ("2001:db8::1", "2001:db8::2")] {
            let ends = (source.parse().unwrap(), destination.parse().unwrap());
            for (flag, payload) in [(flags::SYN, b"".as_slice()), (flags::ACK, b""), (flags::ACK, b"hello")] {
                let frame = Link::Ethernet.wrap(&builder::ip(
                    ends,
                    builder::TCP,
                    &builder::tcp((1234, 443), 77, flag, payload),
                ));
                assert!(check(&frame, frame.len()));
                let is_bare = glance(ETHERNET, &frame).unwrap().is_bare;
                assert_eq!(is_bare, flag == flags::ACK && payload.is_empty());
                assert!(check(&[frame.as_slice(), &[0; 9]].concat(), frame.len() + 9));
                for cut in 0..frame.len() {
                    check(&frame[..cut], frame.len());
                }
                for at in 0..frame.len() {
                    for value in 0..=255 {
                        let mut other = frame.clone();
                        other[at] = value;
                        check(&other, frame.len());
                    }
                }
                assert_eq!(glance(LinkType(113), &frame), None);
            }
            let datagram = Link::Ethernet.wrap(&builder::ip(ends, UDP, &builder::udp((53, 53), b"hello")));
            assert!(!check(&datagram, datagram.len()));
        }
    }
}
