//! Addresses, ports and payload of a frame: [`Packet`], through link types, tags and IP.
//!
//! [`decode`] goes from header to header until it meets TCP or UDP. Checksums are not looked at:
//! a machine that leaves them to its network card captures its own packets with wrong ones. Frames
//! of other protocols are [`Decoded::Other`] and no gap; what claims to be IP and cannot be read is
//! [`Undecoded`]. A fragment is handed to [`Defrag`], which knows when its packet is whole.

mod defrag;
mod ip;
mod link;
mod transport;

use std::net::IpAddr;

pub use defrag::{Defrag, Reassembled};

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
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags of the header, each on its own"
)]
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
    /// What an EtherType says: VLAN tags, IP.
    EtherType(u16, &'b [u8]),
    /// An IPv4 or IPv6 header; its first bits say which.
    Ip(&'b [u8]),
    /// Nothing that is decoded here.
    Other,
}

/// Decodes the captured `bytes` of a frame that was `wire_bytes` long.
pub fn decode(
    link_type: LinkType,
    bytes: &[u8],
    wire_bytes: u32,
) -> Result<Decoded<'_>, Undecoded> {
    let link = link::of(link_type).ok_or(Undecoded::LinkType(link_type))?;
    let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let cut_bytes = wire_bytes.saturating_sub(captured);
    let mut layer = (link.decode)(bytes).ok_or(Undecoded::Cut(link.name))?;
    for _ in 0..limits::ENCAPSULATION_DEPTH_MAX {
        layer = match layer {
            Layer::EtherType(IPV4 | IPV6, rest) => Layer::Ip(rest),
            Layer::EtherType(VLAN | SERVICE_VLAN | OLD_QINQ | OLDER_QINQ, rest) => tag(rest)?,
            Layer::EtherType(..) | Layer::Other => return Ok(Decoded::Other),
            Layer::Ip(rest) => return ip::decode(rest, cut_bytes),
        };
    }
    Err(Undecoded::TooDeep)
}

/// An 802.1Q tag: two bytes about the network, then the EtherType of the rest.
fn tag(bytes: &[u8]) -> Result<Layer<'_>, Undecoded> {
    let ([_, _, high, low], rest) = bytes.split_first_chunk().ok_or(Undecoded::Cut("VLAN"))?;
    Ok(link::ether_type(u16::from_be_bytes([*high, *low]), rest))
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const SERVICE_VLAN: u16 = 0x88a8;
const OLD_QINQ: u16 = 0x9100;
const OLDER_QINQ: u16 = 0x9200;
