//! Every certificate of a capture once: [`Book`] knows them by their bytes, each with the frames of its
//! first presentation.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::provenance::FrameNumber;

/// A certificate as a handshake presented it.
#[derive(Clone, Debug)]
pub(super) struct Presented {
    pub(super) der: Vec<u8>,
    pub(super) frames: Vec<FrameNumber>,
    /// Its place among those presented with it.
    pub(super) nth: usize,
}

impl Presented {
    fn place(&self) -> (&[FrameNumber], usize) {
        (&self.frames, self.nth)
    }
}

/// The certificates so far. Read by all shards during a round, written between rounds.
#[derive(Default)]
pub(super) struct Book {
    known: Vec<Presented>,
    index: HashTable<usize>,
    hasher: foldhash::fast::RandomState,
}

impl Book {
    /// Whether `presented` says nothing new: the certificate is known from frames before these.
    pub(super) fn has(&self, presented: &Presented) -> bool {
        self.find(presented).is_some_and(|known| known.place() <= presented.place())
    }

    fn find(&self, presented: &Presented) -> Option<&Presented> {
        let hash = self.hasher.hash_one(presented.der.as_slice());
        let at = self.index.find(hash, |at| self.known.get(*at).is_some_and(|it| it.der == presented.der))?;
        self.known.get(*at)
    }

    /// Enters a certificate, or the earlier place of one that is known.
    pub(super) fn enter(&mut self, mut presented: Presented) {
        presented.frames.sort_unstable();
        presented.frames.dedup();
        let hash = self.hasher.hash_one(presented.der.as_slice());
        let known = &mut self.known;
        let found = self.index.find(hash, |at| known.get(*at).is_some_and(|it| it.der == presented.der));
        if let Some(it) = found.and_then(|at| known.get_mut(*at)) {
            if presented.place() < it.place() {
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
        known.sort_by(|one, other| one.place().cmp(&other.place()));
        known
    }
}
