//! Which connection a packet belongs to, and which way it goes: [`FlowKey`].

use std::hash::{BuildHasher, Hash};
use std::net::SocketAddr;

/// Both ends of a connection, the smaller first: the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// The smaller end.
    pub low: SocketAddr,
    /// The greater end.
    pub high: SocketAddr,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the smaller end.
    FromLow,
    /// From the greater end.
    FromHigh,
}

impl FlowKey {
    /// The key of a packet, and its way.
    pub fn of(source: SocketAddr, destination: SocketAddr) -> (Self, Way) {
        if source <= destination {
            (Self { low: source, high: destination }, Way::FromLow)
        } else {
            (Self { low: destination, high: source }, Way::FromHigh)
        }
    }

    /// The shard of `count` that the connection belongs to; the same in every run.
    pub fn shard(&self, count: usize) -> usize {
        let hash = foldhash::fast::FixedState::with_seed(0x7768_7963).hash_one(self);
        let count = u64::try_from(count.max(1)).unwrap_or(1);
        usize::try_from(hash % count).unwrap_or(0)
    }
}
