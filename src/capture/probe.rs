//! What tells files of one ring buffer from each other: [`Probe`], read from the beginning and the end
//! of a capture alone.

use std::io::{self, Cursor};

use super::{Batch, Kind, Reader, Stretch, detect, pcapng};
use crate::input::{Digest, Source};
use crate::provenance::Time;

/// The two ends of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// All before the first packet: the format, link types, interfaces, their names.
    pub header: Vec<u8>,
    /// The first packet.
    pub first: Packet,
    /// The last packet, as far as the end of the file shows one.
    pub last: Packet,
}

/// A packet with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured.
    pub time: Time,
    /// Its captured bytes.
    pub bytes: Vec<u8>,
}

impl Probe {
    /// The ends of a capture file; `None` for what is no capture, or shows no packet with a time.
    pub fn of(source: &Source) -> Option<Self> {
        let head = source.part(0, END_BYTES).ok()?;
        let kind = detect(&head)?;
        let header = match kind {
            Kind::Pcap => head.get(..24)?,
            Kind::Pcapng => head.get(..pcapng::header_bytes(&head)?)?,
        };
        let window = Source::stream(Box::new(Cursor::new(head.clone()))).window(Digest::None);
        let mut reader = Reader::new(window, kind);
        let mut batch = Batch::default();
        reader.next_batch(&mut batch);
        let (frame, bytes) = batch.frames().next()?;
        let first = Packet { time: frame.time?, bytes: bytes.to_vec() };
        let near = head.get(header.len()..).unwrap_or_default();
        let last = last(source, &reader, near).ok()??;
        Some(Self { header: header.to_vec(), first, last })
    }
}

/// The last packet of a capture, whose reader has seen its header.
fn last(source: &Source, reader: &Reader, near: &[u8]) -> io::Result<Option<Packet>> {
    let (Some(framing), Some(length)) = (reader.framing(), source.len()) else {
        return Ok(None);
    };
    // Blocks of pcapng stand at multiples of four.
    let end_bytes = u64::try_from(END_BYTES).unwrap_or(u64::MAX);
    let from = length.saturating_sub(end_bytes).next_multiple_of(4);
    let tail = source.part(from, END_BYTES)?;
    let is_whole = from == 0;
    let bytes = if is_whole { near } else { &tail };
    let stretch = Stretch { bytes, framing, near };
    let from = if is_whole { 0 } else { stretch.boundary(4) };
    let mut last: Option<Packet> = None;
    stretch.walk(from, bytes.len(), |frame, bytes| {
        let is_later = last.as_ref().is_none_or(|last| frame.time.is_some_and(|time| time >= last.time));
        if let (Some(time), true) = (frame.time, is_later) {
            last = Some(Packet { time, bytes: bytes.to_vec() });
        }
    });
    Ok(last)
}

/// How much is read of each end: some hundred packets of full size.
const END_BYTES: usize = 1 << 18;
