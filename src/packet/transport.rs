//! TCP segments and UDP datagrams from the payload of an IP packet: [`tcp`], [`udp`].

use etherparse::err::tcp::HeaderSliceError;
use etherparse::{TcpSlice, UdpSlice};

use crate::packet::ip::Body;
use crate::packet::{Packet, Segment, Transport, Undecoded};

pub(super) fn tcp<'b>(body: &Body<'b>) -> Result<Packet<'b>, Undecoded> {
    let slice = TcpSlice::from_slice(body.payload).map_err(|error| match error {
        HeaderSliceError::Len(_) => Undecoded::Cut("TCP"),
        HeaderSliceError::Content(_) => Undecoded::Damaged("TCP"),
    })?;
    let transport = Transport::Tcp(Segment {
        source_port: slice.source_port(),
        destination_port: slice.destination_port(),
        sequence: slice.sequence_number(),
        syn: slice.syn(),
        ack: slice.ack(),
        fin: slice.fin(),
        rst: slice.rst(),
        payload: slice.payload(),
        cut_bytes: body.cut_bytes,
    });
    Ok(body.packet(transport))
}

/// A datagram's own length may end it before the packet ends, never after it.
pub(super) fn udp<'b>(body: &Body<'b>) -> Result<Packet<'b>, Undecoded> {
    let slice = UdpSlice::from_slice_lax(body.payload).map_err(|_| Undecoded::Cut("UDP"))?;
    let here = u32::try_from(slice.slice().len()).unwrap_or(u32::MAX);
    let missing = match u32::from(slice.length()) {
        length if length < UDP_HEADER_BYTES => body.cut_bytes,
        length => length.saturating_sub(here).min(body.cut_bytes),
    };
    let transport = Transport::Udp {
        source_port: slice.source_port(),
        destination_port: slice.destination_port(),
        payload: slice.payload(),
        cut_bytes: missing,
    };
    Ok(body.packet(transport))
}

impl<'b> Body<'b> {
    fn packet(&self, transport: Transport<'b>) -> Packet<'b> {
        Packet { source: self.source, destination: self.destination, transport }
    }
}

const UDP_HEADER_BYTES: u32 = 8;
