//! The first bytes of a stream, kept while nobody knows what they are: [`Beginning`].

use crate::flow::{Interest, Origin, StreamReader};

/// Bytes in stream order, each piece with the frame that carried it.
#[derive(Clone, Debug, Default)]
pub struct Beginning(Vec<(Vec<u8>, Origin)>);

impl Beginning {
    /// Adds what comes next.
    pub fn push(&mut self, bytes: &[u8], origin: Origin) {
        self.0.push((bytes.to_vec(), origin));
    }

    /// All bytes in one piece.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces().flatten().copied().collect()
    }

    /// The bytes, piece by piece as they came.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|(bytes, _)| bytes.as_slice())
    }

    /// The same without its first bytes.
    #[must_use]
    pub fn behind(&self, mut bytes: usize) -> Self {
        let mut rest = Self::default();
        for (piece, origin) in &self.0 {
            let passed = bytes.min(piece.len());
            bytes = bytes.saturating_sub(passed);
            if let Some(left) = piece.get(passed..).filter(|left| !left.is_empty()) {
                rest.push(left, *origin);
            }
        }
        rest
    }

    /// Gives the bytes to whoever reads them, as they came, until it wants no more.
    pub fn bring_to(&self, reader: &mut impl StreamReader) -> Interest {
        let done = self.0.iter().any(|(bytes, origin)| reader.feed(bytes, *origin) == Interest::Done);
        if done { Interest::Done } else { Interest::More }
    }

    /// About how many bytes of memory it holds.
    pub fn held_bytes(&self) -> usize {
        self.pieces().map(|bytes| bytes.len().saturating_add(size_of::<(Vec<u8>, Origin)>())).sum()
    }
}
