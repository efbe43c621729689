//! Frames of a capture file: [`Frame`], numbered from 1 as Wireshark numbers them.

use crate::provenance::{FrameNumber, Time};

/// A link type as the IANA-like list at tcpdump.org numbers them; unknown ones survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

/// One captured packet, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its number in the file.
    pub number: FrameNumber,
    /// When it was captured; `None` for a simple packet block.
    pub time: Option<Time>,
    /// How its first header reads.
    pub link_type: LinkType,
    /// Its length on the wire.
    pub wire_bytes: u32,
    /// How many of these bytes were captured.
    pub captured_bytes: u32,
}
