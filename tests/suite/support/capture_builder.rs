//! Capture files made in code: [`Pcap`] and [`Pcapng`] with any byte order, clock and damage, and
//! the headers around a payload, from TCP and UDP out to every link type.
//!
//! Checksums are left 0, as a network card that computes them itself leaves them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The order of the bytes of an integer in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub const BOTH: [Self; 2] = [Self::Little, Self::Big];

    fn put<const N: usize>(self, to: &mut Vec<u8>, mut big: [u8; N]) {
        if self == Self::Little {
            big.reverse();
        }
        to.extend_from_slice(&big);
    }

    fn u16(self, to: &mut Vec<u8>, value: u16) {
        self.put(to, value.to_be_bytes());
    }

    fn u32(self, to: &mut Vec<u8>, value: u32) {
        self.put(to, value.to_be_bytes());
    }

    fn u64(self, to: &mut Vec<u8>, value: u64) {
        self.put(to, value.to_be_bytes());
    }
}

fn bytes_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("test input is small")
}

/// Which of the pcap formats a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Microseconds,
    Nanoseconds,
    /// Eight more bytes in each record header.
    Modified,
}

impl Flavour {
    pub const ALL: [Self; 3] = [Self::Microseconds, Self::Nanoseconds, Self::Modified];
}

/// A pcap file.
#[derive(Clone, Debug)]
pub struct Pcap {
    order: Order,
    flavour: Flavour,
    pub bytes: Vec<u8>,
}

impl Pcap {
    /// A file without packets; `network` is the link type with its FCS bits.
    pub fn new(order: Order, flavour: Flavour, network: u32) -> Self {
        Self::with_version(order, flavour, network, 4)
    }

    /// A file of version 2.`minor`; before 2.3 the lengths of a record are swapped.
    pub fn with_version(order: Order, flavour: Flavour, network: u32, minor: u16) -> Self {
        let mut bytes = Vec::new();
        let magic = match flavour {
            Flavour::Microseconds => 0xa1b2_c3d4,
            Flavour::Nanoseconds => 0xa1b2_3c4d,
            Flavour::Modified => 0xa1b2_cd34,
        };
        order.u32(&mut bytes, magic);
        order.u16(&mut bytes, 2);
        order.u16(&mut bytes, minor);
        order.u64(&mut bytes, 0);
        order.u32(&mut bytes, 262_144);
        order.u32(&mut bytes, network);
        Self { order, flavour, bytes }
    }

    /// A little-endian file with microseconds.
    pub fn plain(network: u32) -> Self {
        Self::new(Order::Little, Flavour::Microseconds, network)
    }

    /// A packet that was captured whole.
    pub fn packet(&mut self, seconds: u32, fraction: u32, packet: &[u8]) -> &mut Self {
        let length = bytes_of(packet);
        self.record([seconds, fraction, length, length], packet)
    }

    /// A packet of which the first bytes were captured.
    pub fn cut_packet(&mut self, seconds: u32, packet: &[u8], kept: usize) -> &mut Self {
        let kept = &packet[..kept];
        self.record([seconds, 0, bytes_of(kept), bytes_of(packet)], kept)
    }

    /// A record whose header says what it likes.
    pub fn record(&mut self, header: [u32; 4], packet: &[u8]) -> &mut Self {
        for value in header {
            self.order.u32(&mut self.bytes, value);
        }
        if self.flavour == Flavour::Modified {
            self.bytes.extend_from_slice(&[0xff; 8]);
        }
        self.bytes.extend_from_slice(packet);
        self
    }
}

/// A pcapng file.
#[derive(Clone, Debug)]
pub struct Pcapng {
    order: Order,
    pub bytes: Vec<u8>,
}

impl Pcapng {
    /// A file with its first section header.
    pub fn new(order: Order) -> Self {
        let mut file = Self { order, bytes: Vec::new() };
        file.section(order);
        file
    }

    /// A section header; the blocks after it have its byte order.
    pub fn section(&mut self, order: Order) -> &mut Self {
        self.order = order;
        let mut body = Vec::new();
        order.u32(&mut body, 0x1a2b_3c4d);
        order.u16(&mut body, 1);
        order.u16(&mut body, 0);
        order.u64(&mut body, u64::MAX);
        self.block(0x0a0d_0d0a, &body)
    }

    /// An interface with options as code and value.
    pub fn interface(&mut self, link_type: u16, snaplen: u32, options: &[(u16, &[u8])]) -> &mut Self {
        let mut body = Vec::new();
        self.order.u16(&mut body, link_type);
        self.order.u16(&mut body, 0);
        self.order.u32(&mut body, snaplen);
        self.options(&mut body, options);
        self.block(1, &body)
    }

    /// An enhanced packet block of a packet that was captured whole.
    pub fn packet(&mut self, interface: u32, ticks: u64, packet: &[u8]) -> &mut Self {
        let length = bytes_of(packet);
        self.enhanced(interface, ticks, [length, length], packet)
    }

    /// An enhanced packet block whose two lengths say what they like.
    pub fn enhanced(&mut self, interface: u32, ticks: u64, lengths: [u32; 2], packet: &[u8]) -> &mut Self {
        let mut body = Vec::new();
        self.order.u32(&mut body, interface);
        self.stamp(&mut body, ticks);
        for length in lengths {
            self.order.u32(&mut body, length);
        }
        body.extend_from_slice(packet);
        self.block(6, &body)
    }

    /// The packet block of old files.
    pub fn obsolete(&mut self, interface: u16, ticks: u64, packet: &[u8]) -> &mut Self {
        let mut body = Vec::new();
        self.order.u16(&mut body, interface);
        self.order.u16(&mut body, 0);
        self.stamp(&mut body, ticks);
        self.order.u32(&mut body, bytes_of(packet));
        self.order.u32(&mut body, bytes_of(packet));
        body.extend_from_slice(packet);
        self.block(2, &body)
    }

    /// A simple packet block with the first `kept` bytes of a packet.
    pub fn simple(&mut self, packet: &[u8], kept: usize) -> &mut Self {
        let mut body = Vec::new();
        self.order.u32(&mut body, bytes_of(packet));
        body.extend_from_slice(&packet[..kept]);
        self.block(3, &body)
    }

    /// Interface statistics with the count of dropped packets.
    pub fn dropped(&mut self, interface: u32, packets: u64) -> &mut Self {
        let mut body = Vec::new();
        self.order.u32(&mut body, interface);
        self.order.u64(&mut body, 0);
        let mut value = Vec::new();
        self.order.u64(&mut value, packets);
        self.options(&mut body, &[(5, &value)]);
        self.block(5, &body)
    }

    /// Any block.
    pub fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let padding = body.len().wrapping_neg() % 4;
        let length = bytes_of(body) + u32::try_from(padding).expect("below 4") + 12;
        self.damaged_block(kind, [length, length], body)
    }

    /// A block whose two lengths say what they like.
    pub fn damaged_block(&mut self, kind: u32, lengths: [u32; 2], body: &[u8]) -> &mut Self {
        let padding = body.len().wrapping_neg() % 4;
        self.order.u32(&mut self.bytes, kind);
        self.order.u32(&mut self.bytes, lengths[0]);
        self.bytes.extend_from_slice(body);
        self.bytes.extend(std::iter::repeat_n(0, padding));
        self.order.u32(&mut self.bytes, lengths[1]);
        self
    }

    /// A value of eight bytes in the byte order of the section, for an option.
    pub fn value(&self, value: i64) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.order.put(&mut bytes, value.to_be_bytes());
        bytes
    }

    fn stamp(&self, to: &mut Vec<u8>, ticks: u64) {
        self.order.u32(to, u32::try_from(ticks >> 32).expect("32 bits"));
        self.order.u32(to, u32::try_from(ticks & 0xffff_ffff).expect("32 bits"));
    }

    fn options(&self, to: &mut Vec<u8>, options: &[(u16, &[u8])]) {
        for (code, value) in options {
            self.order.u16(to, *code);
            self.order.u16(to, u16::try_from(value.len()).expect("short"));
            to.extend_from_slice(value);
            to.extend(std::iter::repeat_n(0, value.len().wrapping_neg() % 4));
        }
        if !options.is_empty() {
            self.order.u32(to, 0);
        }
    }
}

/// The header of a link type around an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    /// IEEE 802.3 with LLC and SNAP.
    Snap,
    /// So many 802.1Q tags.
    Vlan(usize),
    LinuxSll,
    LinuxSll2,
    /// BSD loopback with the address family that IPv6 has on this system.
    Null(Order, u32),
    Loop(u32),
    /// Raw IP under this number.
    Raw(u16),
}

impl Link {
    /// Its number in a capture file.
    pub fn number(self) -> u16 {
        match self {
            Self::Ethernet | Self::Snap | Self::Vlan(_) => 1,
            Self::LinuxSll => 113,
            Self::LinuxSll2 => 276,
            Self::Null(..) => 0,
            Self::Loop(_) => 108,
            Self::Raw(number) => number,
        }
    }

    /// A frame that carries `ip`.
    pub fn wrap(self, ip: &[u8]) -> Vec<u8> {
        let is_version_6 = ip.first().is_some_and(|first| first >> 4 == 6);
        let ether_type: [u8; 2] = if is_version_6 { [0x86, 0xdd] } else { [0x08, 0x00] };
        let family = |number| if is_version_6 { number } else { 2 };
        let mut frame = Vec::new();
        match self {
            Self::Ethernet => {
                frame.extend_from_slice(&[2; 12]);
                frame.extend_from_slice(&ether_type);
            }
            Self::Snap => {
                frame.extend_from_slice(&[2; 12]);
                let length = u16::try_from(ip.len() + 8).expect("short");
                frame.extend_from_slice(&length.to_be_bytes());
                frame.extend_from_slice(&[0xaa, 0xaa, 3, 0, 0, 0]);
                frame.extend_from_slice(&ether_type);
            }
            Self::Vlan(tags) => {
                frame.extend_from_slice(&[2; 12]);
                for tag in 0..tags {
                    let kind = if tag + 1 < tags { [0x88, 0xa8] } else { [0x81, 0x00] };
                    frame.extend_from_slice(&kind);
                    frame.extend_from_slice(&[0x20, 7]);
                }
                frame.extend_from_slice(&ether_type);
            }
            Self::LinuxSll => {
                frame.extend_from_slice(&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0]);
                frame.extend_from_slice(&ether_type);
            }
            Self::LinuxSll2 => {
                frame.extend_from_slice(&ether_type);
                frame.extend_from_slice(&[0, 0, 0, 0, 0, 2, 0, 1, 0, 6]);
                frame.extend_from_slice(&[2; 8]);
            }
            Self::Null(order, number) => order.u32(&mut frame, family(number)),
            Self::Loop(number) => Order::Big.u32(&mut frame, family(number)),
            Self::Raw(_) => {}
        }
        frame.extend_from_slice(ip);
        frame
    }
}

/// The flags of a TCP header.
pub mod flags {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;
}

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// A TCP segment without options.
pub fn tcp(ports: (u16, u16), sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend_from_slice(&ports.0.to_be_bytes());
    segment.extend_from_slice(&ports.1.to_be_bytes());
    segment.extend_from_slice(&sequence.to_be_bytes());
    segment.extend_from_slice(&[0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend_from_slice(payload);
    segment
}

/// A UDP datagram.
pub fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).expect("a datagram has below 64 KiB");
    let mut datagram = Vec::new();
    for value in [ports.0, ports.1, length, 0] {
        datagram.extend_from_slice(&value.to_be_bytes());
    }
    datagram.extend_from_slice(payload);
    datagram
}

/// An IP packet of the version of the addresses.
pub fn ip(addresses: (IpAddr, IpAddr), protocol: u8, payload: &[u8]) -> Vec<u8> {
    match addresses {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ipv4((source, destination), protocol, (0, 0), payload),
        (IpAddr::V6(source), IpAddr::V6(destination)) => ipv6((source, destination), protocol, payload),
        mixed => panic!("addresses of two versions: {mixed:?}"),
    }
}

/// An IPv4 packet with its identification and the field of flags and fragment offset.
pub fn ipv4(
    addresses: (Ipv4Addr, Ipv4Addr),
    protocol: u8,
    (identification, fragment): (u16, u16),
    payload: &[u8],
) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 20).expect("a packet has below 64 KiB");
    let mut packet = vec![0x45, 0];
    for value in [length, identification, fragment] {
        packet.extend_from_slice(&value.to_be_bytes());
    }
    packet.extend_from_slice(&[64, protocol, 0, 0]);
    packet.extend_from_slice(&addresses.0.octets());
    packet.extend_from_slice(&addresses.1.octets());
    packet.extend_from_slice(payload);
    packet
}

/// An IPv6 packet; extension headers are part of the payload.
pub fn ipv6(addresses: (Ipv6Addr, Ipv6Addr), next_header: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a packet has below 64 KiB");
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[next_header, 64]);
    packet.extend_from_slice(&addresses.0.octets());
    packet.extend_from_slice(&addresses.1.octets());
    packet.extend_from_slice(payload);
    packet
}

/// The fragments of an IP packet with `piece` bytes each, a multiple of 8.
pub fn fragments(
    addresses: (IpAddr, IpAddr),
    protocol: u8,
    identification: u16,
    payload: &[u8],
    piece: usize,
) -> Vec<Vec<u8>> {
    let pieces = payload.chunks(piece).enumerate();
    pieces
        .map(|(nth, part)| {
            let offset = u16::try_from(nth * piece / 8).expect("13 bits");
            let is_last = (nth + 1) * piece >= payload.len();
            match addresses {
                (IpAddr::V4(source), IpAddr::V4(destination)) => {
                    let more = if is_last { 0 } else { 0x2000 };
                    let fragment = (identification, more | offset);
                    ipv4((source, destination), protocol, fragment, part)
                }
                (IpAddr::V6(source), IpAddr::V6(destination)) => {
                    let mut body = vec![protocol, 0];
                    body.extend_from_slice(&(offset << 3 | u16::from(!is_last)).to_be_bytes());
                    body.extend_from_slice(&[0, 0]);
                    body.extend_from_slice(&identification.to_be_bytes());
                    body.extend_from_slice(part);
                    ipv6((source, destination), 44, &body)
                }
                mixed => panic!("addresses of two versions: {mixed:?}"),
            }
        })
        .collect()
}
