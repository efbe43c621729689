//! The headers between a frame and the packet that matters, one file each, and how to find one by
//! the number that announces it: an EtherType, an IP protocol, a UDP port.
//!
//! The number of headers within headers is bounded by whoever walks them ([`super::decode`]).

mod bridged;
mod capwap;
mod erspan;
mod geneve;
mod gre;
mod gtp_u;
mod ip_in_ip;
mod l2tp;
mod mpls;
mod nsh;
mod pppoe;
mod teredo;
mod vlan;
mod vxlan;

use std::sync::LazyLock;

use crate::packet::{Layer, Undecoded};

/// How one kind of header is taken off.
pub(super) struct Tunnel {
    /// What messages call it.
    name: &'static str,
    ether_types: &'static [u16],
    /// The numbers of IP protocols.
    protocols: &'static [u8],
    /// The UDP ports, either of which may be it.
    ports: &'static [u16],
    /// `None` when the header is cut, or, behind a UDP port, when it is something else.
    open: fn(&[u8]) -> Option<Layer<'_>>,
}

impl Tunnel {
    /// What a tunnel leaves out.
    const NONE: Self = Self { name: "", ether_types: &[], protocols: &[], ports: &[], open: |_| None };

    /// What is inside, behind a number that allows nothing else.
    fn inside<'b>(&self, bytes: &'b [u8]) -> Result<Layer<'b>, Undecoded> {
        (self.open)(bytes).ok_or(Undecoded::Cut(self.name))
    }
}

static TUNNELS: &[&Tunnel] = &[
    &vlan::TUNNEL,
    &vlan::PORT_TAG,
    &vlan::BRIDGE_TAG,
    &pppoe::TUNNEL,
    &mpls::TUNNEL,
    &gre::TUNNEL,
    &bridged::TUNNEL,
    &bridged::ETHER_IP,
    &erspan::TUNNEL,
    &erspan::TYPE_III,
    &ip_in_ip::TUNNEL,
    &vxlan::TUNNEL,
    &vxlan::GENERIC,
    &geneve::TUNNEL,
    &gtp_u::TUNNEL,
    &teredo::TUNNEL,
    &l2tp::TUNNEL,
    &capwap::TUNNEL,
    &nsh::TUNNEL,
    &nsh::METADATA,
];

/// What stands behind this EtherType; [`Layer::Other`] when it is no tunnel.
pub(super) fn behind_ether_type(number: u16, rest: &[u8]) -> Result<Layer<'_>, Undecoded> {
    let found = TUNNELS.iter().find(|tunnel| tunnel.ether_types.contains(&number));
    found.map_or(Ok(Layer::Other), |tunnel| tunnel.inside(rest))
}

/// What stands behind this IP protocol; [`Layer::Other`] when it is no tunnel.
pub(super) fn behind_protocol(number: u8, rest: &[u8]) -> Result<Layer<'_>, Undecoded> {
    let found = TUNNELS.iter().find(|tunnel| tunnel.protocols.contains(&number));
    found.map_or(Ok(Layer::Other), |tunnel| tunnel.inside(rest))
}

/// What a datagram of these ports carries, when it reads as a tunnel.
pub(super) fn in_datagram(ports: [u16; 2], payload: &[u8]) -> Option<Layer<'_>> {
    let found = ports.iter().find_map(|port| {
        let at = PORTS.binary_search_by_key(port, |(known, _)| *known).ok()?;
        PORTS.get(at)
    });
    (found?.1.open)(payload)
}

/// The tunnels by port, in order: every datagram asks.
static PORTS: LazyLock<Vec<(u16, &Tunnel)>> = LazyLock::new(|| {
    let all = TUNNELS.iter().flat_map(|tunnel| tunnel.ports.iter().map(|port| (*port, *tunnel)));
    let mut all: Vec<(u16, &Tunnel)> = all.collect();
    all.sort_unstable_by_key(|(port, _)| *port);
    all
});

/// The EtherType of the network service header, which several others carry.
const NSH: u16 = 0x894f;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use super::*;
    use crate::capture::LinkType;
    use crate::capture::builder::{self, Link, UDP};
    use crate::limits;
    use crate::packet::{Decoded, Packet, Transport, decode};

    #[test]
    fn every_number_has_one_tunnel() {
        let mut seen = BTreeSet::new();
        for tunnel in TUNNELS {
            assert!(!tunnel.name.is_empty());
            let numbers = [
                tunnel.ether_types.iter().map(|it| ("EtherType", *it)).collect::<Vec<_>>(),
                tunnel.protocols.iter().map(|it| ("protocol", u16::from(*it))).collect(),
                tunnel.ports.iter().map(|it| ("port", *it)).collect(),
            ]
            .concat();
            assert!(!numbers.is_empty(), "{}", tunnel.name);
            for number in numbers {
                assert!(seen.insert(number), "{}: {number:?}", tunnel.name);
            }
        }
    }

    fn addresses() -> (IpAddr, IpAddr) {
        ([192, 0, 2, 1].into(), [198, 51, 100, 2].into())
    }

    /// The packet that every row below carries, for both versions of IP.
    fn inner() -> [(Vec<u8>, bool); 2] {
        let udp = builder::udp((1234, 53), b"payload");
        let six = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        [(builder::ip(addresses(), UDP, &udp), false), (builder::ip(six, UDP, &udp), true)]
    }

    fn over(protocol: u8, header: &[u8], inner: &[u8]) -> Vec<u8> {
        let packet = builder::ip(addresses(), protocol, &[header, inner].concat());
        Link::Ethernet.wrap(&packet)
    }

    fn in_udp(port: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
        over(UDP, &[], &builder::udp((50_000, port), &[header, inner].concat()))
    }

    fn typed(ether_type: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
        [&[2; 12], ether_type.to_be_bytes().as_slice(), header, inner].concat()
    }

    fn payload(link: u16, frame: &[u8]) -> Result<&[u8], String> {
        let wire = u32::try_from(frame.len()).unwrap();
        match decode(LinkType(link), frame, wire) {
            Ok(Decoded::Packet(Packet { transport: Transport::Udp { payload, .. }, .. })) => Ok(payload),
            other => Err(format!("{other:?}")),
        }
    }

    /// Every tunnel around this packet, with the link type of the frame.
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn rows(ip: &[u8], is_six: bool) -> Vec<(&'static str, u16, Vec<u8>)> {
        let ether_type: u16 = if is_six { 0x86dd } else { 0x0800 };
        let [e0, e1] = ether_type.to_be_bytes();
        let frame = Link::Ethernet.wrap(ip);
        let ppp: &[u8] = if is_six { &[0, 0x57] } else { &[0, 0x21] };
        let next = if is_six { 2 } else { 1 };
        let word = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        let [p0, p1] = word(ip.len() + 2);
        let [g0, g1] = word(ip.len());
        let [x0, x1] = word(ip.len() + 4 + 8);
        let llc = [&[0xaa, 0xaa, 3, 0, 0, 0, e0, e1], ip].concat();
        let wifi = |control: u8, flags: u8, more: &[u8]| [&[control, flags], [1; 22].as_slice(), more, &llc].concat();
        let [r0, r1] = word(9).map(|byte| byte);
        let [i0, i1] = word(ip.len() + 4);
        vec![
            ("QinQ", 1, Link::Vlan(2).wrap(ip)),
            ("VN-tag", 1, typed(0x8926, &[0, 0, 0, 0, e0, e1], ip)),
            ("E-tag", 1, typed(0x893f, &[0, 0, 0, 0, 0, 0, e0, e1], ip)),
            ("PPPoE", 1, typed(0x8864, &[&[0x11, 0, 0, 7, p0, p1], ppp].concat(), &[ip, &[0; 9]].concat())),
            ("MPLS", 1, typed(0x8847, &[0, 1, 0, 64, 0, 2, 0x21, 64], ip)),
            ("MPLS pseudowire", 1, typed(0x8847, &[0, 1, 1, 64, 0, 0, 0, 0], &frame)),
            ("MPLS pseudowire without control word", 1, typed(0x8848, &[0, 1, 1, 64], &frame)),
            ("MPLS in IP", 1, over(137, &[0, 1, 1, 64], ip)),
            ("GRE", 1, over(47, &[0, 0, e0, e1], ip)),
            ("GRE with all fields", 1, over(47, &[&[0xb0, 0, e0, e1], [1; 12].as_slice()].concat(), ip)),
            ("NVGRE", 1, over(47, &[0x20, 0, 0x65, 0x58, 0, 0, 1, 0], &frame)),
            ("PPTP", 1, over(47, &[&[0x30, 0x81, 0x88, 0x0b], [0; 12].as_slice(), ppp].concat(), ip)),
            ("ERSPAN I", 1, over(47, &[0, 0, 0x88, 0xbe], &frame)),
            ("ERSPAN II", 1, over(47, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], [0x10; 8].as_slice()].concat(), &frame)),
            (
                "ERSPAN III",
                1,
                over(47, &[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], [0x20; 8].as_slice(), &[0, 0, 0, 0]].concat(), &frame),
            ),
            (
                "ERSPAN III with a platform header",
                1,
                over(
                    47,
                    &[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], [0x20; 8].as_slice(), &[0, 0, 0, 1], &[7; 8]].concat(),
                    &frame,
                ),
            ),
            ("EtherIP", 1, over(97, &[0x30, 0], &frame)),
            ("IP in IP", 1, over(if is_six { 41 } else { 4 }, &[], ip)),
            ("VXLAN", 1, in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &frame)),
            ("VXLAN of Linux", 1, in_udp(8472, &[8, 0, 0, 0, 0, 0, 1, 0], &frame)),
            ("VXLAN with a group", 1, in_udp(4789, &[0x88, 0, 0, 9, 0, 0, 1, 0], &frame)),
            ("VXLAN-GPE", 1, in_udp(4790, &[0x0c, 0, 0, next, 0, 0, 1, 0], ip)),
            ("VXLAN-GPE with NSH", 1, in_udp(4790, &[0x0c, 0, 0, 4, 0, 0, 1, 0, 0, 2, 2, next, 0, 0, 1, 255], ip)),
            ("GENEVE", 1, in_udp(6081, &[0, 0, e0, e1, 0, 0, 1, 0], ip)),
            (
                "GENEVE with options",
                1,
                in_udp(6081, &[2, 0x40, 0x65, 0x58, 0, 0, 1, 0, 9, 9, 9, 9, 9, 9, 9, 9], &frame),
            ),
            ("GTP-U", 1, in_udp(2152, &[0x30, 255, g0, g1, 0, 0, 0, 1], ip)),
            (
                "GTP-U with an extension",
                1,
                in_udp(2152, &[0x34, 255, x0, x1, 0, 0, 0, 1, 0, 0, 0, 0x85, 2, 1, 1, 1, 1, 1, 1, 0], ip),
            ),
            ("L2TP", 1, in_udp(1701, &[&[0x40, 2, 0, 0, 0, 1, 0, 1, 0xff, 3], ppp].concat(), ip)),
            (
                "CAPWAP with swapped frame control",
                1,
                in_udp(
                    5247,
                    &[0, 0x20, 3, 0x20, 0, 0, 0, 0, 4, 0xc2, 0x25, 0, 0, 0, 0, 0],
                    &[&[0x11, 0x08], &wifi(8, 1, &[])[2..]].concat(),
                ),
            ),
            ("CAPWAP with Ethernet", 1, in_udp(5247, &[0, 0x10, 2, 0, 0, 0, 0, 0], &frame)),
            ("NSH", 1, typed(0x894f, &[0, 2, 2, next, 0, 0, 1, 255], ip)),
            ("Cisco metadata", 1, typed(0x8909, &[1, 1, 0, 1, 0, 5, e0, e1], ip)),
            ("PPP", 9, [ppp, ip].concat()),
            ("PPP with address and control", 9, [&[0xff, 3], ppp, ip].concat()),
            ("PPP with a short protocol", 9, [&ppp[1..], ip].concat()),
            ("PPP with a direction", 204, [&[1, 0xff, 3], ppp, ip].concat()),
            ("PPPoE without Ethernet", 51, [&[0x11, 0, 0, 7, p0, p1], ppp, ip].concat()),
            ("Cisco HDLC", 104, [&[0x0f, 0, e0, e1], ip].concat()),
            ("Cisco HDLC as PPP", 50, [&[0x0f, 0, e0, e1], ip].concat()),
            ("802.11", 105, wifi(0x08, 1, &[])),
            ("802.11 with quality of service", 105, wifi(0x88, 1, &[0, 0])),
            ("802.11 with four addresses", 105, wifi(0x08, 3, &[1; 6])),
            ("802.11 aggregate", 105, wifi(0x88, 1, &[&[0x80, 0], [3; 14].as_slice()].concat())),
            ("radiotap", 127, [&[0, 0, r1, r0, 0, 0, 0, 0, 0], wifi(0x08, 2, &[]).as_slice()].concat()),
            (
                "radiotap with padding",
                127,
                [&[0, 0, 17, 0, 3, 0, 0, 0], [0; 8].as_slice(), &[0x20], &wifi(0x88, 2, &[0; 4])].concat(),
            ),
            ("Prism", 119, [[0; 144].as_slice(), &wifi(0x08, 2, &[])].concat()),
            ("AVS", 163, [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], [0; 56].as_slice(), &wifi(0x08, 2, &[])].concat()),
            ("PPI", 192, [&[0, 0, 8, 0, 105, 0, 0, 0], wifi(0x08, 2, &[]).as_slice()].concat()),
            ("pktap", 258, [&[12, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], frame.as_slice()].concat()),
            ("NFLOG", 239, [&[2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, i1, i0, 9, 0], ip].concat()),
            ("PFLOG", 117, [&[61], [0; 63].as_slice(), ip].concat()),
            ("ENC", 109, [[0; 12].as_slice(), ip].concat()),
            ("ARCNET", 7, [&[1, 2, 212, 0, 0, 1], ip].concat()),
            ("ARCNET of Linux", 129, [&[1, 2, 0, 0, 240], ip].concat()),
            ("LLC without SNAP", 1, [&[2; 12], [0, 40, 6, 6, 3].as_slice(), ip].concat()),
        ]
    }

    #[test]
    fn every_tunnel_leads_to_the_payload() {
        for (ip, is_six) in inner() {
            for (name, link, frame) in rows(&ip, is_six) {
                assert_eq!(payload(link, &frame), Ok(&b"payload"[..]), "{name}, IPv6 {is_six}");
            }
        }
        let [_, (six, _)] = inner();
        let authenticated = [&[0, 1, 0, 0], [0; 9].as_slice(), &[0, 0, 1, 2, 3, 4, 5, 6], &six].concat();
        assert_eq!(payload(1, &in_udp(3544, &[], &authenticated)), Ok(&b"payload"[..]), "Teredo");
    }

    #[test]
    fn tunnels_cut_or_flipped_anywhere_never_panic() {
        let mut state: u64 = 7;
        for (ip, is_six) in inner() {
            for (_, link, frame) in rows(&ip, is_six) {
                let wire = u32::try_from(frame.len()).unwrap();
                for cut in 0..frame.len() {
                    let _ = decode(LinkType(link), &frame[..cut], wire);
                }
                for at in 0..frame.len() {
                    let mut flipped = frame.clone();
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    flipped[at] ^= state.to_be_bytes()[0] | 1;
                    let _ = decode(LinkType(link), &flipped, wire);
                }
            }
        }
    }

    #[test]
    fn two_hundred_tunnels_end() {
        let [(ip, _), _] = inner();
        let nested = |times: usize| {
            (0..times).fold(Link::Ethernet.wrap(&ip), |frame, _| in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &frame))
        };
        assert_eq!(payload(1, &nested(5)), Ok(&b"payload"[..]));
        assert_eq!(payload(1, &nested(200)), Err("Err(TooDeep)".to_owned()));
        let labels = [0, 1, 0, 64].repeat(limits::ENCAPSULATION_DEPTH_MAX);
        assert_eq!(payload(1, &typed(0x8847, &labels, &ip)), Err("Err(TooDeep)".to_owned()));
    }

    #[test]
    fn a_datagram_that_only_shares_the_port_stays_one() {
        for port in [4789, 8472, 4790, 6081, 2152, 3544, 1701, 5247] {
            for bytes in
                [&b"GET / HTTP/1.1\r\n\r\n and more than forty bytes of it"[..], b"", &[0xff; 60], b"\x16\x03\x01"]
            {
                assert_eq!(payload(1, &in_udp(port, bytes, &[])), Ok(bytes), "{port}");
            }
        }
    }

    #[test]
    fn what_is_inside_and_unknown_is_named() {
        let unknown = [&[0, 0, 8, 0, 147, 0, 0, 0], [0; 40].as_slice()].concat();
        assert_eq!(payload(192, &unknown), Err(format!("{:?}", Err::<(), _>(Undecoded::LinkType(LinkType(147))))));
        let encrypted = [&[0x08, 0x41], [0; 60].as_slice()].concat();
        assert_eq!(payload(105, &encrypted), Err("Ok(Other)".to_owned()));
        assert_eq!(payload(1, &over(47, &[0x30], &[])), Err("Err(Cut(\"GRE\"))".to_owned()));
    }
}
