//! TCP streams, each direction on its own, whose bytes know which frame gave them.

pub mod assembler;
pub mod beginning;
pub mod key;

pub use assembler::Assembler;
pub use beginning::Beginning;
pub use key::{FlowKey, Way};

use crate::provenance::{FrameNumber, Time};

/// Where a chunk of a stream came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The frame that carried it.
    pub frame: FrameNumber,
    /// When that frame was captured.
    pub time: Option<Time>,
}

/// Whether a reader of a stream wants more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// It does.
    More,
    /// Nothing that follows matters: later packets cost a lookup and nothing else.
    Done,
}

/// What reads one direction of a stream. Bytes come in stream order, without repeats.
pub trait StreamReader {
    /// Takes the next bytes of the stream. They come from one frame.
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest;
    /// `missing` bytes are not in the capture; what follows is after the hole.
    fn hole(&mut self, missing: u64) -> Interest;
    /// About how many bytes of memory it holds, which `--max-memory` counts.
    fn held_bytes(&self) -> usize {
        0
    }
}
