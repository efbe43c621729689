//! Fragments of a capture's packets, in the order of the frames: [`Fragments`] gives each packet that is
//! whole as an item for its shard, and what is known of those that never become whole.

use std::collections::BTreeMap;

use super::round::{self, Base, Fragment, Item};
use super::shard::{SHARDS, Shard};
use crate::limits;
use crate::packet::{self, Decoded, Defrag, Reassembled};
use crate::provenance::{FrameNumber, GapReason, Time};

/// A packet that was put together, and what it brings to a shard.
pub(super) struct Whole {
    pub(super) shard: usize,
    pub(super) item: Item,
    pub(super) packet: Reassembled,
}

impl Whole {
    pub(super) fn bring_to(&self, shard: &mut Shard) {
        shard.take(&self.item, self.item.payload(self.packet.payload()), &self.packet.frames);
    }
}

/// The first frames that cannot be decoded for one reason, and how many there are.
#[derive(Default)]
struct Undecoded {
    frames: Vec<FrameNumber>,
    count: usize,
}

/// The fragments that wait, and the packets that cannot be decoded.
#[derive(Default)]
pub(super) struct Fragments {
    defrag: Defrag,
    undecoded: BTreeMap<GapReason, Undecoded>,
    incomplete: Vec<(GapReason, Vec<FrameNumber>)>,
}

impl Fragments {
    /// Takes a fragment that stands in `bytes`, the bytes of the round.
    pub(super) fn take(&mut self, it: &Fragment, frame: FrameNumber, bytes: &[u8]) -> Option<Whole> {
        match packet::decode(it.link_type, it.bytes(bytes), it.wire_bytes) {
            Ok(Decoded::Fragment(fragment)) => {
                let whole = self.defrag.push(&fragment, frame, it.time)?;
                self.open(whole, frame, it.time)
            }
            _ => None,
        }
    }

    /// What a packet that was put together brings, a fragment within fragments included.
    fn open(&mut self, whole: Reassembled, frame: FrameNumber, time: Option<Time>) -> Option<Whole> {
        let inner = match whole.decode() {
            Ok(Decoded::Fragment(inner)) => self.defrag.push(&inner, frame, time)?,
            Ok(Decoded::Packet(_)) => whole,
            Ok(Decoded::Other) => return None,
            Err(why) => {
                whole.frames.iter().for_each(|frame| self.undecoded(GapReason::from(why), *frame));
                return None;
            }
        };
        let item = match inner.decode() {
            Ok(Decoded::Packet(packet)) => round::item(&packet, Base { bytes: inner.payload(), offset: 0 }, 0, time),
            _ => None,
        }?;
        Some(Whole { shard: item.key.shard(SHARDS), item, packet: inner })
    }

    /// A frame that cannot be decoded.
    pub(super) fn undecoded(&mut self, why: GapReason, frame: FrameNumber) {
        let known = self.undecoded.entry(why).or_default();
        known.count = known.count.saturating_add(1);
        if known.frames.len() < limits::FRAMES_PER_GAP_MAX {
            known.frames.push(frame);
        }
    }

    /// The beginnings of packets that never became whole, as far as they bring anything.
    pub(super) fn finish(&mut self) -> Vec<Whole> {
        let mut beginnings = Vec::new();
        for it in std::mem::take(&mut self.defrag).finish() {
            if let (Some(beginning), Some(first)) = (it.beginning, it.frames.first()) {
                beginnings.extend(self.open(beginning, *first, it.time));
            }
            let why = "fragments of one datagram are missing".to_owned();
            self.incomplete.push((GapReason::UndecodedPacket(why), it.frames));
        }
        beginnings
    }

    /// What could not be read, after [`Fragments::finish`].
    pub(super) fn gaps(&mut self) -> Vec<(GapReason, Vec<FrameNumber>)> {
        let mut gaps = std::mem::take(&mut self.incomplete);
        for (why, known) in std::mem::take(&mut self.undecoded) {
            if known.count > known.frames.len() {
                let what = format!("{} frames not decoded ({why}), those that are named", known.count);
                let limit = u64::try_from(limits::FRAMES_PER_GAP_MAX).unwrap_or(u64::MAX);
                gaps.push((GapReason::Limit { what, limit }, Vec::new()));
            }
            gaps.push((why, known.frames));
        }
        gaps
    }
}
