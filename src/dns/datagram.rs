//! A UDP datagram as a DNS message: [`read`], on any port, with how it travelled.
//!
//! Behind the ports of DNS, mDNS and LLMNR everything with a header is a message, and what is
//! damaged in it is told; on other ports only what reads as DNS throughout is one. NetBIOS names
//! (RFC 1002) look like DNS and are none. RFC 1035, RFC 6762, RFC 4795.

use std::net::{IpAddr, SocketAddr};

use super::Transport;
use super::wire::{self, Message};

/// What a datagram is to DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datagram {
    /// A message.
    Message(Message, Transport),
    /// It came from a port of DNS and cannot be read, for this reason.
    Damaged(&'static str),
    /// No DNS.
    Other,
}

/// Reads what went from `source` to `destination`.
pub fn read(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Datagram {
    let ports = [source.port(), destination.port()];
    let transport = transport_of(source, destination);
    let is_expected = ports.contains(&DNS) || transport != Transport::Udp;
    if !is_expected {
        let is_netbios = ports.iter().any(|port| NETBIOS.contains(port));
        return match wire::recognise(payload).filter(|_| !is_netbios) {
            Some(message) => Datagram::Message(message, transport),
            None => Datagram::Other,
        };
    }
    match wire::decode(payload) {
        Some(message) if message.is_plausible() => Datagram::Message(message, transport),
        _ if source.port() != DNS => Datagram::Other,
        Some(_) => Datagram::Damaged("its header does not read as DNS"),
        None => Datagram::Damaged("it is shorter than a header"),
    }
}

/// Multicast names come from their own port or go to a group of theirs.
fn transport_of(source: SocketAddr, destination: SocketAddr) -> Transport {
    for (port, groups, transport) in [(MDNS, MDNS_GROUPS, Transport::Mdns), (LLMNR, LLMNR_GROUPS, Transport::Llmnr)] {
        let is_from = source.port() == port && destination.port() != DNS;
        let is_to = destination.port() == port && source.port() != DNS;
        if is_from || is_to || groups.contains(&destination.ip()) {
            return transport;
        }
    }
    Transport::Udp
}

const DNS: u16 = 53;
const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;
const NETBIOS: [u16; 2] = [137, 138];
const MDNS_GROUPS: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(224, 0, 0, 251)),
    IpAddr::V6(std::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)),
];
const LLMNR_GROUPS: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(224, 0, 0, 252)),
    IpAddr::V6(std::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 3)),
];
