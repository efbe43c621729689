//! The streams of one QUIC connection, as keys open them: [`Streams`] puts the bytes of each direction
//! of each stream in order and hands them to what reads it (RFC 9000 section 2).

use std::collections::BTreeMap;

use crate::flow::{Assembler, Origin};
use crate::limits::{QUIC_STREAM_BYTES_MAX, QUIC_STREAMS_MAX};
use crate::tls::{InnerReader, Side};

/// What read one direction of a stream.
pub struct Told {
    /// Who sent it.
    pub from: Side,
    /// The stream.
    pub id: u64,
    /// What read it.
    pub reader: Box<dyn InnerReader>,
}

/// Makes what reads one direction of the stream of this id.
pub type MakeReader = fn(u64) -> Box<dyn InnerReader>;

/// The streams of a connection. Beyond the limits they are passed over: the first streams and their
/// first bytes say what rules need.
#[derive(Default)]
pub struct Streams {
    open: BTreeMap<(Side, u64), Open>,
}

struct Open {
    assembler: Assembler,
    reader: Reading,
}

/// A reader behind a pointer is a reader.
struct Reading(Box<dyn InnerReader>);

impl crate::flow::StreamReader for Reading {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> crate::flow::Interest {
        self.0.feed(bytes, origin)
    }

    fn hole(&mut self, missing: u64) -> crate::flow::Interest {
        self.0.hole(missing)
    }
}

impl Streams {
    /// Takes bytes of a stream.
    pub fn take(&mut self, (from, id): (Side, u64), offset: u64, bytes: &[u8], origin: Origin, make: MakeReader) {
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let is_open = self.open.contains_key(&(from, id));
        if end > QUIC_STREAM_BYTES_MAX || (!is_open && self.open.len() >= QUIC_STREAMS_MAX) {
            return;
        }
        let Ok(sequence) = u32::try_from(offset) else {
            return;
        };
        let open = self.open.entry((from, id)).or_insert_with(|| {
            let mut assembler = Assembler::default();
            assembler.syn(u32::MAX);
            Open { assembler, reader: Reading(make(id)) }
        });
        open.assembler.segment(sequence, bytes, origin, &mut open.reader);
    }

    /// The capture has ended.
    pub fn finish(self) -> Vec<Told> {
        let open = self.open.into_iter();
        let told = open.map(|((from, id), mut open)| {
            open.assembler.finish(&mut open.reader);
            Told { from, id, reader: open.reader.0 }
        });
        told.collect()
    }
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("open", &self.open.len()).finish_non_exhaustive()
    }
}
