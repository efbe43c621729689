//! Addresses, ports and payload of a frame: [`Packet`], through link types, tags, tunnels and IP.
//!
//! [`decode`] goes from header to header until it meets TCP or UDP: of a packet within a packet the
//! innermost counts. Checksums are not looked at:
//! a machine that leaves them to its network card captures its own packets with wrong ones. Frames
//! of other protocols are [`Decoded::Other`] and no gap; what claims to be IP and cannot be read is
//! [`Undecoded`]. A fragment is handed to [`Defrag`], which knows when its packet is whole.

mod defrag;
mod glance;
mod ip;
mod link;
mod transport;
mod tunnel;

use std::net::IpAddr;

pub use defrag::{Defrag, Incomplete, Reassembled};
pub use glance::{Glance, glance};

use crate::capture::LinkType;
use crate::limits;
use crate::provenance::GapReason;

/// One IP packet as far as whycert needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'b> {
    /// Who sent it.
    pub source: IpAddr,
    /// Who it is for.
    pub destination: IpAddr,
    /// What it carries.
    pub transport: Transport<'b>,
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport<'b> {
    /// A UDP datagram.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// The payload that was captured.
        payload: &'b [u8],
        /// Bytes of the payload that were on the wire but not captured (snaplen).
        cut_bytes: u32,
    },
    /// A TCP segment.
    Tcp(Segment<'b>),
}

/// One TCP segment.
#[expect(clippy::struct_excessive_bools, reason = "the flags of the header, each on its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'b> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number of the first payload byte (of the SYN when `syn`).
    pub sequence: u32,
    /// SYN.
    pub syn: bool,
    /// ACK.
    pub ack: bool,
    /// FIN.
    pub fin: bool,
    /// RST.
    pub rst: bool,
    /// The payload that was captured.
    pub payload: &'b [u8],
    /// Bytes of the payload that were on the wire but not captured (snaplen).
    pub cut_bytes: u32,
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'b> {
    /// TCP or UDP.
    Packet(Packet<'b>),
    /// A part of an IP packet, for [`Defrag::push`].
    Fragment(Fragment<'b>),
    /// Something else, such as ARP or ICMP.
    Other,
}

/// A part of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'b> {
    /// Which packet it is a part of.
    pub key: FragmentKey,
    /// Where its bytes begin in the packet's payload.
    pub offset: usize,
    /// Whether it is the last one.
    pub is_last: bool,
    /// The bytes that were captured.
    pub payload: &'b [u8],
    /// Bytes that were on the wire but not captured (snaplen).
    pub cut_bytes: u32,
}

/// What the fragments of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FragmentKey {
    /// Who sent it.
    pub source: IpAddr,
    /// Who it is for.
    pub destination: IpAddr,
    /// The sender's number of the packet.
    pub identification: u32,
    /// The protocol number of the payload.
    pub protocol: u8,
}

/// Why a frame that should be readable is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecoded {
    /// A link type that is not decoded.
    #[error("link type {} is not decoded", .0.0)]
    LinkType(LinkType),
    /// The frame was cut within a header.
    #[error("the {0} header is cut")]
    Cut(&'static str),
    /// A header contradicts itself.
    #[error("the {0} header is damaged")]
    Damaged(&'static str),
    /// Headers within headers beyond the limit.
    #[error("more than {} headers within headers", limits::ENCAPSULATION_DEPTH_MAX)]
    TooDeep,
}

impl From<Undecoded> for GapReason {
    fn from(undecoded: Undecoded) -> Self {
        match undecoded {
            Undecoded::LinkType(link_type) => Self::UnknownLinkType(u32::from(link_type.0)),
            other => Self::UndecodedPacket(other.to_string()),
        }
    }
}

/// The rest of a frame, with what its first header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer<'b> {
    /// What an EtherType says: VLAN tags, tunnels, IP.
    EtherType(u16, &'b [u8]),
    /// An IPv4 or IPv6 header; its first bits say which.
    Ip(&'b [u8]),
    /// A whole frame of another link type.
    Frame(u16, &'b [u8]),
    /// Nothing that is decoded here.
    Other,
}

/// What an IP packet turned out to be.
#[derive(Clone, Copy)]
enum Inside<'b> {
    /// The end of the way.
    Decoded(Decoded<'b>),
    /// A tunnel, and how many bytes were cut from the end of what it carries.
    Layer(Layer<'b>, u32),
}

/// Decodes the captured `bytes` of a frame that was `wire_bytes` long.
pub fn decode(link_type: LinkType, bytes: &[u8], wire_bytes: u32) -> Result<Decoded<'_>, Undecoded> {
    let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let layer = frame(link_type, bytes)?;
    walk(layer, wire_bytes.saturating_sub(captured))
}

/// Takes the header of a link type off.
fn frame(link_type: LinkType, bytes: &[u8]) -> Result<Layer<'_>, Undecoded> {
    let link = link::of(link_type).ok_or(Undecoded::LinkType(link_type))?;
    (link.decode)(bytes).ok_or(Undecoded::Cut(link.name))
}

/// Goes from header to header. Each step shortens what is left.
fn walk(mut layer: Layer<'_>, mut cut_bytes: u32) -> Result<Decoded<'_>, Undecoded> {
    for _ in 0..limits::ENCAPSULATION_DEPTH_MAX {
        layer = match layer {
            Layer::EtherType(IPV4 | IPV6, rest) => Layer::Ip(rest),
            Layer::Ip(rest) => match ip::decode(rest, cut_bytes)? {
                Inside::Decoded(decoded) => return Ok(decoded),
                Inside::Layer(inner, cut) => {
                    cut_bytes = cut;
                    inner
                }
            },
            Layer::EtherType(number, rest) => tunnel::behind_ether_type(number, rest)?,
            Layer::Frame(number, rest) => frame(LinkType(number), rest)?,
            Layer::Other => return Ok(Decoded::Other),
        };
    }
    Err(Undecoded::TooDeep)
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::builder::{self, Link, Order, TCP, UDP, flags};
    use crate::provenance::FrameNumber;

    fn addresses() -> [(IpAddr, IpAddr); 2] {
        [("192.0.2.1", "198.51.100.2"), ("2001:db8::1", "2001:db8::2")]
            .map(|(source, destination)| (source.parse().unwrap(), destination.parse().unwrap()))
    }

    fn whole(link: u16, bytes: &[u8]) -> Result<Decoded<'_>, Undecoded> {
        decode(LinkType(link), bytes, u32::try_from(bytes.len()).unwrap())
    }

    fn segment(decoded: Result<Decoded<'_>, Undecoded>) -> Segment<'_> {
        match decoded {
            Ok(Decoded::Packet(Packet { transport: Transport::Tcp(segment), .. })) => segment,
            other => panic!("{other:?}"),
        }
    }

    fn datagram(decoded: Result<Decoded<'_>, Undecoded>) -> (&[u8], u32) {
        match decoded {
            Ok(Decoded::Packet(Packet { transport: Transport::Udp { payload, cut_bytes, .. }, .. })) => {
                (payload, cut_bytes)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_link_type_leads_to_the_payload() {
        let links = [
            Link::Ethernet,
            Link::Snap,
            Link::Vlan(1),
            Link::Vlan(2),
            Link::Vlan(9),
            Link::LinuxSll,
            Link::LinuxSll2,
            Link::Null(Order::Little, 30),
            Link::Null(Order::Big, 28),
            Link::Null(Order::Little, 24),
            Link::Loop(24),
            Link::Loop(10),
            Link::Raw(101),
            Link::Raw(12),
            Link::Raw(14),
            Link::Raw(228),
            Link::Raw(229),
        ];
        for link in links {
            for (source, destination) in addresses() {
                let tcp = builder::tcp((1234, 443), 77, flags::SYN | flags::ACK, b"hello");
                let frame = link.wrap(&builder::ip((source, destination), TCP, &tcp));
                let expected = Packet {
                    source,
                    destination,
                    transport: Transport::Tcp(Segment {
                        source_port: 1234,
                        destination_port: 443,
                        sequence: 77,
                        syn: true,
                        ack: true,
                        fin: false,
                        rst: false,
                        payload: b"hello",
                        cut_bytes: 0,
                    }),
                };
                let decoded = whole(link.number(), &frame);
                assert_eq!(decoded, Ok(Decoded::Packet(expected)), "{link:?}");
                let udp = builder::udp((5353, 53), b"dns");
                let frame = link.wrap(&builder::ip((source, destination), UDP, &udp));
                assert_eq!(datagram(whole(link.number(), &frame)), (b"dns".as_slice(), 0));
            }
        }
    }

    #[test]
    fn cut_frames_say_what_is_missing() {
        for pair in addresses() {
            let tcp = builder::ip(pair, TCP, &builder::tcp((1, 2), 3, flags::ACK, &[9; 100]));
            let frame = Link::Ethernet.wrap(&tcp);
            let wire = u32::try_from(frame.len()).unwrap();
            for cut in 0..=100 {
                let kept = &frame[..frame.len() - cut];
                let segment = segment(decode(LinkType(1), kept, wire));
                assert_eq!(segment.payload.len(), 100 - cut);
                assert_eq!(segment.cut_bytes, u32::try_from(cut).unwrap());
            }
            for kept in 0..frame.len() - 100 {
                let cut = decode(LinkType(1), &frame[..kept], wire);
                assert!(matches!(cut, Err(Undecoded::Cut(_))), "{kept} {cut:?}");
            }
            let udp = builder::ip(pair, UDP, &builder::udp((1, 2), &[9; 100]));
            let frame = Link::Ethernet.wrap(&udp);
            let decoded = decode(LinkType(1), &frame[..frame.len() - 40], wire);
            assert_eq!(datagram(decoded), ([9; 60].as_slice(), 40));
        }
    }

    #[test]
    fn lengths_end_packets_where_they_end() {
        let pair = addresses()[0];
        let packet = builder::ip(pair, TCP, &builder::tcp((1, 2), 3, 0, b"x"));
        let mut padded = Link::Ethernet.wrap(&packet);
        padded.extend_from_slice(&[0; 20]);
        assert_eq!(segment(whole(1, &padded)).payload, b"x", "trailer");

        let mut offloaded = Link::Ethernet.wrap(&packet);
        (offloaded[16], offloaded[17]) = (0, 0);
        assert_eq!(segment(whole(1, &offloaded)).payload, b"x", "no total length");
        let cut = segment(decode(LinkType(1), &offloaded, 1000));
        assert_eq!(cut.cut_bytes, 1000 - u32::try_from(offloaded.len()).unwrap());

        let mut short = builder::udp((1, 2), b"answer and more");
        short[5] = 8 + 6;
        let frame = Link::Raw(101).wrap(&builder::ip(pair, UDP, &short));
        assert_eq!(datagram(whole(101, &frame)), (b"answer".as_slice(), 0), "datagram");
    }

    #[test]
    fn extension_headers_are_walked() {
        let udp = builder::udp((1, 2), b"payload");
        let options = |next: u8, rest: &[u8]| [&[next, 0, 1, 4, 0, 0, 0, 0], rest].concat();
        let authentication = |next: u8, rest: &[u8]| [&[next, 1, 0, 0], [7; 8].as_slice(), rest].concat();
        let atomic = |next: u8, rest: &[u8]| [&[next, 0, 0, 0, 1, 2, 3, 4], rest].concat();
        let cases = [
            (0, options(UDP, &udp)),
            (0, options(60, &options(43, &options(UDP, &udp)))),
            (51, authentication(UDP, &udp)),
            (44, atomic(UDP, &udp)),
            (44, atomic(60, &options(UDP, &udp))),
        ];
        let (IpAddr::V6(source), IpAddr::V6(destination)) = addresses()[1] else {
            panic!("the second pair");
        };
        for (first, body) in cases {
            let packet = builder::ipv6((source, destination), first, &body);
            assert_eq!(datagram(whole(229, &packet)), (b"payload".as_slice(), 0), "{first}");
        }
        let endless = (0..100).fold(udp, |rest, _| options(60, &rest));
        let packet = builder::ipv6((source, destination), 60, &endless);
        assert_eq!(whole(229, &packet), Err(Undecoded::TooDeep));
    }

    #[test]
    fn what_is_no_tcp_or_udp_is_told_apart() {
        let arp = [[2; 12].as_slice(), &[8, 6], &[0; 28]].concat();
        let icmp = Link::Ethernet.wrap(&builder::ip(addresses()[0], 1, &[8; 20]));
        let deep = Link::Vlan(limits::ENCAPSULATION_DEPTH_MAX + 1).wrap(&[0x45; 40]);
        let mut header = builder::ip(addresses()[0], TCP, &builder::tcp((1, 2), 3, 0, b""));
        header[32] = 0x10;
        for (link, frame, expected) in [
            (1, arp, Ok(Decoded::Other)),
            (1, icmp, Ok(Decoded::Other)),
            (1, deep, Err(Undecoded::TooDeep)),
            (101, vec![0x15; 40], Err(Undecoded::Damaged("IP"))),
            (101, vec![0x41; 40], Err(Undecoded::Damaged("IPv4"))),
            (101, header, Err(Undecoded::Damaged("TCP"))),
            (147, vec![0; 40], Err(Undecoded::LinkType(LinkType(147)))),
        ] {
            assert_eq!(whole(link, &frame), expected, "{frame:?}");
        }
    }

    /// Whole packets with their frames, and the frames of those that stayed parts.
    type Outcome = (Vec<(Vec<u8>, Vec<u64>)>, Vec<Vec<u64>>);

    /// Pushes the frames in this order; gives the payloads that came out with their frames.
    fn reassemble(frames: &[(u64, &[u8])]) -> Outcome {
        let mut defrag = Defrag::default();
        let mut whole_packets = Vec::new();
        for (number, bytes) in frames {
            let Ok(Decoded::Fragment(fragment)) = whole(101, bytes) else {
                panic!("no fragment in {number}");
            };
            if let Some(packet) = defrag.push(&fragment, FrameNumber(*number), None) {
                let (payload, _) = datagram(packet.decode());
                let frames = packet.frames.iter().map(|frame| frame.0).collect();
                whole_packets.push((payload.to_vec(), frames));
            }
        }
        let unfinished = defrag.finish().into_iter();
        let numbers = |it: Incomplete| it.frames.into_iter().map(|frame| frame.0).collect();
        (whole_packets, unfinished.map(numbers).collect())
    }

    #[test]
    fn fragments_in_any_order_become_the_packet() {
        let payload: Vec<u8> = (0..100).collect();
        let udp = builder::udp((53, 999), &payload);
        for pair in addresses() {
            let parts = builder::fragments(pair, UDP, 7, &udp, 40);
            let [a, b, c] = [0, 1, 2].map(|part: usize| parts[part].as_slice());
            let all = vec![(payload.clone(), vec![1, 2, 3])];
            for order in
                [[(1, a), (2, b), (3, c)], [(1, c), (2, b), (3, a)], [(1, b), (2, c), (3, a)], [(1, c), (2, a), (3, b)]]
            {
                assert_eq!(reassemble(&order), (all.clone(), vec![]));
            }
            let repeated = [(1, a), (2, a), (3, b), (4, c)];
            assert_eq!(reassemble(&repeated).0, [(payload.clone(), vec![1, 3, 4])]);
            let missing = [(5, c), (9, a)];
            assert_eq!(reassemble(&missing), (vec![], vec![vec![5, 9]]));
        }
    }

    #[test]
    fn overlapping_fragments_and_numbers_used_again() {
        let (first, second) = (vec![1; 100], vec![2; 92]);
        let pair = addresses()[0];
        let parts = |payload: &[u8], piece| builder::fragments(pair, UDP, 7, &builder::udp((53, 999), payload), piece);
        let (wide, narrow) = (parts(&first, 64), parts(&first, 40));
        let overlap: [(u64, &[u8]); 3] = [(1, &wide[0]), (2, &narrow[1]), (3, &narrow[2])];
        assert_eq!(reassemble(&overlap).0, [(first.clone(), vec![1, 2, 3])]);

        let later = parts(&second, 40);
        let again: [(u64, &[u8]); 5] =
            [(1, &narrow[0]), (2, &narrow[1]), (8, &later[0]), (9, &later[1]), (10, &later[2])];
        assert_eq!(reassemble(&again), (vec![(second, vec![8, 9, 10])], vec![vec![1, 2]]));
    }

    #[test]
    fn the_beginning_of_a_packet_that_never_became_whole_is_read() {
        let payload: Vec<u8> = (0..100).collect();
        let parts = builder::fragments(addresses()[0], UDP, 7, &builder::udp((53, 999), &payload), 40);
        for (kept, expected) in [(&[0][..], 32), (&[0, 2], 32), (&[1, 0], 72), (&[1, 2], 0)] {
            let mut defrag = Defrag::default();
            for part in kept {
                let Ok(Decoded::Fragment(fragment)) = whole(101, &parts[*part]) else {
                    panic!("no fragment");
                };
                assert_eq!(defrag.push(&fragment, FrameNumber(1), None), None);
            }
            let incomplete = defrag.finish();
            let beginning = incomplete[0].beginning.as_ref();
            let (bytes, cut) = beginning.map_or((&[][..], 100), |it| datagram(it.decode()));
            assert_eq!(bytes, &payload[..expected], "{kept:?}");
            assert!(cut > 0);
        }
    }
}
