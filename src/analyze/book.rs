//! Every certificate of a capture once: [`Book`] knows them by their bytes, each with the frames of its
//! first presentation.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::provenance::FrameNumber;
use crate::x509::known::{Before, Known, Presented};

/// The certificates so far. Read by all shards during a round, written between rounds.
#[derive(Default)]
pub(super) struct Book {
    known: Vec<Presented>,
    index: HashTable<usize>,
    hasher: foldhash::fast::RandomState,
}

impl Known for Book {
    fn before(&self, der: &[u8], frames: &[FrameNumber], nth: usize) -> Option<Before<'_>> {
        let known = self.find(der)?;
        let is_earlier = match frames {
            [frame] => (known.frames.as_slice(), known.nth) <= (&[*frame], nth),
            _ => (known.frames.as_slice(), known.nth) <= (&sorted(frames.to_vec()), nth),
        };
        Some(Before { digest: &known.digest, is_earlier })
    }
}

impl Book {
    fn find(&self, der: &[u8]) -> Option<&Presented> {
        let hash = self.hasher.hash_one(der);
        let at = self.index.find(hash, |at| self.known.get(*at).is_some_and(|it| it.der == der))?;
        self.known.get(*at)
    }

    /// Enters a certificate, or the earlier place of one that is known.
    pub(super) fn enter(&mut self, mut presented: Presented) {
        presented.frames = sorted(presented.frames);
        let hash = self.hasher.hash_one(presented.der.as_slice());
        let known = &mut self.known;
        let found = self.index.find(hash, |at| known.get(*at).is_some_and(|it| it.der == presented.der));
        if let Some(it) = found.and_then(|at| known.get_mut(*at)) {
            if place(&presented) < place(it) {
                *it = presented;
            }
            return;
        }
        let hasher = &self.hasher;
        let hash_of = |at: &usize| known.get(*at).map_or(0, |it| hasher.hash_one(it.der.as_slice()));
        self.index.insert_unique(hash, known.len(), hash_of);
        known.push(presented);
    }

    /// All certificates in the order of their places.
    pub(super) fn finish(self) -> Vec<Presented> {
        let mut known = self.known;
        known.sort_by(|one, other| place(one).cmp(&place(other)));
        known
    }
}

fn place(it: &Presented) -> (&[FrameNumber], usize) {
    (&it.frames, it.nth)
}

fn sorted(mut frames: Vec<FrameNumber>) -> Vec<FrameNumber> {
    frames.sort_unstable();
    frames.dedup();
    frames
}
