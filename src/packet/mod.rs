//! Addresses, ports and payload of a frame: [`Packet`], through link types, tags and IP.

use std::net::IpAddr;

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
