//! The payload of an IPv4 or IPv6 packet, behind all extension headers: [`decode`].
//!
//! The length in the header cuts off what Ethernet appends to short frames. It is 0 for a packet
//! that was captured before the network card split it; the frame's end is then the packet's.
//! Extension headers are walked up to a fragment header: what follows it is decoded when the packet
//! is whole again. RFC 791, RFC 8200, RFC 4302 (authentication header).

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
    ip_number,
};

use crate::limits;
use crate::packet::{Decoded, Fragment, FragmentKey, Inside, Transport, Undecoded, transport, tunnel};

/// What an IP header says of its packet.
#[derive(Clone, Copy)]
pub(super) struct Body<'b> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: IpNumber,
    pub(super) payload: &'b [u8],
    /// Bytes that were on the wire but not captured.
    pub(super) cut_bytes: u32,
}

/// Decodes a packet; `cut_bytes` were cut from the end of its frame.
pub(super) fn decode(bytes: &[u8], cut_bytes: u32) -> Result<Inside<'_>, Undecoded> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => version_4(bytes, cut_bytes),
        Some(6) => version_6(bytes, cut_bytes),
        Some(_) => Err(Undecoded::Damaged("IP")),
        None => Err(Undecoded::Cut("IP")),
    }
}

fn version_4(bytes: &[u8], frame_cut_bytes: u32) -> Result<Inside<'_>, Undecoded> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|error| match error {
        etherparse::err::ipv4::HeaderSliceError::Len(_) => Undecoded::Cut("IPv4"),
        etherparse::err::ipv4::HeaderSliceError::Content(_) => Undecoded::Damaged("IPv4"),
    })?;
    let header_bytes = header.slice().len();
    let total = usize::from(header.total_len());
    let rest = bytes.get(header_bytes..).unwrap_or_default();
    let claimed = (total != 0).then_some(total.saturating_sub(header_bytes));
    let (payload, cut_bytes) = trim(rest, claimed, frame_cut_bytes);
    let body = Body {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: header.protocol(),
        payload,
        cut_bytes,
    };
    if header.is_fragmenting_payload() {
        return Ok(Inside::Decoded(Decoded::Fragment(Fragment {
            key: body.key(u32::from(header.identification())),
            offset: usize::from(header.fragments_offset().byte_offset()),
            is_last: !header.more_fragments(),
            payload,
            cut_bytes,
        })));
    }
    body.inside()
}

fn version_6(bytes: &[u8], frame_cut_bytes: u32) -> Result<Inside<'_>, Undecoded> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|error| match error {
        etherparse::err::ipv6::HeaderSliceError::Len(_) => Undecoded::Cut("IPv6"),
        etherparse::err::ipv6::HeaderSliceError::Content(_) => Undecoded::Damaged("IPv6"),
    })?;
    let rest = bytes.get(header.slice().len()..).unwrap_or_default();
    let claimed = usize::from(header.payload_length());
    let claimed = (claimed != 0).then_some(claimed);
    let (payload, cut_bytes) = trim(rest, claimed, frame_cut_bytes);
    Body {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: header.next_header(),
        payload,
        cut_bytes,
    }
    .inside()
}

/// The part of `rest` that is the packet's and the bytes of it that are not here.
fn trim(rest: &[u8], claimed: Option<usize>, frame_cut_bytes: u32) -> (&[u8], u32) {
    let Some(claimed) = claimed else {
        return (rest, frame_cut_bytes);
    };
    let missing = claimed.saturating_sub(rest.len());
    let payload = rest.get(..claimed).unwrap_or(rest);
    (payload, u32::try_from(missing).unwrap_or(u32::MAX))
}

impl<'b> Body<'b> {
    /// Walks the extension headers to what the packet carries.
    pub(super) fn inside(mut self) -> Result<Inside<'b>, Undecoded> {
        for _ in 0..limits::ENCAPSULATION_DEPTH_MAX {
            let (next, header_bytes) = match self.protocol {
                ip_number::TCP => return transport::tcp(&self).map(|it| Inside::Decoded(Decoded::Packet(it))),
                ip_number::UDP => return self.datagram(),
                ip_number::IPV6_HOP_BY_HOP
                | ip_number::IPV6_ROUTE
                | ip_number::IPV6_DEST_OPTIONS
                | ip_number::MOBILITY
                | ip_number::HIP
                | ip_number::SHIM6 => {
                    let header = Ipv6RawExtHeaderSlice::from_slice(self.payload)
                        .map_err(|_| Undecoded::Cut("IPv6 extension"))?;
                    (header.next_header(), header.slice().len())
                }
                ip_number::AUTH => {
                    let header =
                        IpAuthHeaderSlice::from_slice(self.payload).map_err(|_| Undecoded::Cut("IP authentication"))?;
                    (header.next_header(), header.slice().len())
                }
                ip_number::IPV6_FRAG => {
                    let header = Ipv6FragmentHeaderSlice::from_slice(self.payload)
                        .map_err(|_| Undecoded::Cut("IPv6 fragment"))?;
                    self.advance(header.next_header(), header.slice().len());
                    if !header.is_fragmenting_payload() {
                        continue;
                    }
                    return Ok(Inside::Decoded(Decoded::Fragment(Fragment {
                        key: self.key(header.identification()),
                        offset: usize::from(header.fragment_offset().byte_offset()),
                        is_last: !header.more_fragments(),
                        payload: self.payload,
                        cut_bytes: self.cut_bytes,
                    })));
                }
                IpNumber(other) => {
                    let layer = tunnel::behind_protocol(other, self.payload)?;
                    return Ok(Inside::Layer(layer, self.cut_bytes));
                }
            };
            self.advance(next, header_bytes);
        }
        Err(Undecoded::TooDeep)
    }

    /// A datagram, or the tunnel that it is.
    fn datagram(&self) -> Result<Inside<'b>, Undecoded> {
        let packet = transport::udp(self)?;
        if let Transport::Udp { source_port, destination_port, payload, cut_bytes } = packet.transport
            && let Some(layer) = tunnel::in_datagram([source_port, destination_port], payload)
        {
            return Ok(Inside::Layer(layer, cut_bytes));
        }
        Ok(Inside::Decoded(Decoded::Packet(packet)))
    }

    fn advance(&mut self, next: IpNumber, bytes: usize) {
        self.protocol = next;
        self.payload = self.payload.get(bytes..).unwrap_or_default();
    }

    fn key(&self, identification: u32) -> FragmentKey {
        FragmentKey { source: self.source, destination: self.destination, identification, protocol: self.protocol.0 }
    }
}
