//! ERSPAN, what a switch or a cloud mirrors: type II has 8 bytes, type III 12 or 20, then the frame.
//!
//! draft-foschiano-erspan-03 sections 4.2 and 4.3. Frame types of type III other than Ethernet and
//! IP are not looked into.

use crate::packet::Layer;
use crate::packet::link::ETHERNET;
use crate::packet::tunnel::Tunnel;

pub(super) static TUNNEL: Tunnel = Tunnel { name: "ERSPAN II", ether_types: &[0x88be], open, ..Tunnel::NONE };

pub(super) static TYPE_III: Tunnel =
    Tunnel { name: "ERSPAN III", ether_types: &[0x22eb], open: type_iii, ..Tunnel::NONE };

fn open(bytes: &[u8]) -> Option<Layer<'_>> {
    let (_, rest) = bytes.split_first_chunk::<8>()?;
    Some(Layer::Frame(ETHERNET, rest))
}

fn type_iii(bytes: &[u8]) -> Option<Layer<'_>> {
    let ([.., kind, flags], rest) = bytes.split_first_chunk::<12>()?;
    let rest = if flags & HAS_PLATFORM == 0 { rest } else { rest.split_first_chunk::<8>()?.1 };
    Some(match (kind >> 2) & 0x1f {
        0 => Layer::Frame(ETHERNET, rest),
        2 => Layer::Ip(rest),
        _ => Layer::Other,
    })
}

const HAS_PLATFORM: u8 = 1;
