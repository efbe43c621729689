//! ARCNET: two addresses and a one-byte type; most types have a split flag and a number behind it.
//!
//! Linux puts two bytes for the place in the card's buffer between. RFC 1201, RFC 1051. A packet
//! that was split over frames is not put together: no exchange that matters here is.

use crate::packet::Layer;
use crate::packet::link::Link;

pub(super) static LINK: Link = Link { linktypes: &[7], name: "ARCNET", decode };

pub(super) static LINUX: Link = Link { linktypes: &[129], name: "ARCNET of Linux", decode: linux };

fn decode(bytes: &[u8]) -> Option<Layer<'_>> {
    typed(bytes.get(2..)?)
}

fn linux(bytes: &[u8]) -> Option<Layer<'_>> {
    typed(bytes.get(4..)?)
}

fn typed(bytes: &[u8]) -> Option<Layer<'_>> {
    let (kind, rest) = bytes.split_first()?;
    match *kind {
        OLD_IP => Some(Layer::Ip(rest)),
        IP | IP_6 => match rest.split_first_chunk::<3>()? {
            ([0, _, _], rest) => Some(Layer::Ip(rest)),
            // The exception frame, for lengths that the card cannot send.
            ([0xff, ..], _) => Some(Layer::Ip(rest.get(7..)?)),
            _ => Some(Layer::Other),
        },
        _ => Some(Layer::Other),
    }
}

const OLD_IP: u8 = 240;
const IP: u8 = 212;
const IP_6: u8 = 196;
