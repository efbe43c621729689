//! Whole IP packets from fragments that come in any order: [`Defrag`].
//!
//! A fragment that repeats what is there is passed over. One that contradicts it belongs to a later
//! packet, because a sender's 16-bit numbers come round again within a capture: the earlier packet
//! is then given up. Parts that wait never exceed [`limits::FRAGMENTS_PENDING_BYTES_MAX`]; the
//! packets that began first are given up for it. Of a packet that never became whole the part from
//! its beginning up to the first hole is still decoded. RFC 791 section 3.2, RFC 8200 section 4.5.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use etherparse::IpNumber;

use crate::limits;
use crate::packet::ip::Body;
use crate::packet::{Decoded, Fragment, FragmentKey, Inside, Undecoded, walk};
use crate::provenance::{FrameNumber, Time};

/// The fragments of one source that wait for the rest of their packets.
#[derive(Debug, Default)]
pub struct Defrag {
    waiting: BTreeMap<FragmentKey, Parts>,
    /// The waiting packets in the order in which they began.
    began: BTreeSet<(FrameNumber, FragmentKey)>,
    bytes: usize,
    given_up: Vec<Incomplete>,
}

/// The parts of one packet so far.
#[derive(Debug)]
struct Parts {
    began: FrameNumber,
    time: Option<Time>,
    payload: Vec<u8>,
    /// What of the payload is there: in order, never touching.
    present: Vec<Range<usize>>,
    end: Option<usize>,
    frames: Vec<FrameNumber>,
}

/// A packet that never became whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The frames that hold parts of it, in order.
    pub frames: Vec<FrameNumber>,
    /// When the first of them was captured.
    pub time: Option<Time>,
    /// What stands before its first hole, with the frames of all parts; `None` when the beginning
    /// is missing.
    pub beginning: Option<Reassembled>,
}

/// A packet that was put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassembled {
    key: FragmentKey,
    payload: Vec<u8>,
    /// Bytes of it that no frame holds.
    cut_bytes: u32,
    /// The frames that held its parts, in order.
    pub frames: Vec<FrameNumber>,
}

impl Reassembled {
    /// The payload of the packet.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Decodes what the packet carries.
    pub fn decode(&self) -> Result<Decoded<'_>, Undecoded> {
        let body = Body {
            source: self.key.source,
            destination: self.key.destination,
            protocol: IpNumber(self.key.protocol),
            payload: &self.payload,
            cut_bytes: self.cut_bytes,
        };
        match body.inside()? {
            Inside::Decoded(decoded) => Ok(decoded),
            Inside::Layer(layer, cut_bytes) => walk(layer, cut_bytes),
        }
    }
}

impl Defrag {
    /// Takes the fragment that is in `frame`; gives the packet that is whole with it.
    pub fn push(&mut self, fragment: &Fragment<'_>, frame: FrameNumber, time: Option<Time>) -> Option<Reassembled> {
        let key = fragment.key;
        let waiting = self.waiting.get(&key);
        if waiting.is_some_and(|parts| parts.is_contradicted_by(fragment)) {
            self.give_up(&key);
        }
        let mut parts = self.take(&key).unwrap_or_else(|| Parts::begun_in(frame, time));
        parts.add(fragment, frame);
        if parts.is_whole() {
            return Some(parts.into_packet(key));
        }
        self.bytes = self.bytes.saturating_add(parts.cost());
        self.began.insert((parts.began, key));
        self.waiting.insert(key, parts);
        while self.bytes > limits::FRAGMENTS_PENDING_BYTES_MAX {
            let (_, oldest) = *self.began.first()?;
            self.give_up(&oldest);
        }
        None
    }

    /// The packets that never became whole, as many as there are gaps for.
    pub fn finish(mut self) -> Vec<Incomplete> {
        while let Some((_, oldest)) = self.began.first().copied() {
            self.give_up(&oldest);
        }
        self.given_up.sort_by(|one, other| one.frames.cmp(&other.frames));
        self.given_up
    }

    fn take(&mut self, key: &FragmentKey) -> Option<Parts> {
        let parts = self.waiting.remove(key)?;
        self.began.remove(&(parts.began, *key));
        self.bytes = self.bytes.saturating_sub(parts.cost());
        Some(parts)
    }

    fn give_up(&mut self, key: &FragmentKey) {
        let parts = self.take(key);
        if let Some(parts) = parts.filter(|_| self.given_up.len() < limits::GAPS_PER_SOURCE_MAX) {
            self.given_up.push(parts.into_incomplete(*key));
        }
    }
}

impl Parts {
    fn begun_in(frame: FrameNumber, time: Option<Time>) -> Self {
        Self { began: frame, time, payload: Vec::new(), present: Vec::new(), end: None, frames: Vec::new() }
    }

    /// Whether the fragment has other bytes at a place that is there, or ends elsewhere.
    fn is_contradicted_by(&self, fragment: &Fragment<'_>) -> bool {
        let range = fragment.range();
        let past_the_end = self.end.is_some_and(|end| range.end > end);
        let other_end =
            fragment.end().is_some_and(|end| end < self.payload.len() || self.end.is_some_and(|old| old != end));
        past_the_end
            || other_end
            || self.present.iter().any(|present| {
                let overlap = present.start.max(range.start)..present.end.min(range.end);
                let here = self.payload.get(overlap.clone());
                let there = overlap.start.checked_sub(range.start).and_then(|start| {
                    let end = overlap.end.checked_sub(range.start)?;
                    fragment.payload.get(start..end)
                });
                !overlap.is_empty() && here != there
            })
    }

    fn add(&mut self, fragment: &Fragment<'_>, frame: FrameNumber) {
        self.end = self.end.or(fragment.end());
        let range = fragment.range();
        let is_known = |present: &Range<usize>| present.start <= range.start && range.end <= present.end;
        if range.is_empty() || self.present.iter().any(is_known) {
            return;
        }
        if self.payload.len() < range.end {
            self.payload.resize(range.end, 0);
        }
        if let Some(room) = self.payload.get_mut(range.clone()) {
            room.copy_from_slice(fragment.payload);
        }
        self.frames.push(frame);
        self.cover(range);
    }

    /// Adds a range to those that are there; those that it touches become one with it.
    fn cover(&mut self, mut range: Range<usize>) {
        self.present.retain(|present| {
            let touches = present.start <= range.end && range.start <= present.end;
            if touches {
                range = present.start.min(range.start)..present.end.max(range.end);
            }
            !touches
        });
        let at = self.present.partition_point(|present| present.start < range.start);
        self.present.insert(at, range);
    }

    fn is_whole(&self) -> bool {
        let [present] = self.present.as_slice() else {
            return false;
        };
        present.start == 0 && Some(present.end) == self.end
    }

    /// The bytes it takes, roughly: hostile fragments are small.
    fn cost(&self) -> usize {
        let frames = self.frames.len().saturating_mul(size_of::<FrameNumber>());
        let ranges = self.present.len().saturating_mul(size_of::<Range<usize>>());
        self.payload
            .len()
            .saturating_add(frames)
            .saturating_add(ranges)
            .saturating_add(size_of::<(FragmentKey, Self)>())
    }

    fn into_packet(self, key: FragmentKey) -> Reassembled {
        Reassembled { key, payload: self.payload, cut_bytes: 0, frames: sorted(self.frames) }
    }

    fn into_incomplete(mut self, key: FragmentKey) -> Incomplete {
        let frames = sorted(self.frames);
        let beginning = self.present.first().filter(|present| present.start == 0).map(|present| {
            let all = self.end.unwrap_or(0).max(self.payload.len());
            let missing = all.saturating_sub(present.end).max(1);
            self.payload.truncate(present.end);
            let cut_bytes = u32::try_from(missing).unwrap_or(u32::MAX);
            Reassembled { key, payload: self.payload, cut_bytes, frames: frames.clone() }
        });
        Incomplete { frames, time: self.time, beginning }
    }
}

impl Fragment<'_> {
    /// Where its captured bytes are in the packet.
    fn range(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.payload.len())
    }

    /// Where the packet ends, when this is its last fragment.
    fn end(&self) -> Option<usize> {
        let cut = usize::try_from(self.cut_bytes).unwrap_or(usize::MAX);
        self.is_last.then_some(self.range().end.saturating_add(cut))
    }
}

fn sorted(mut frames: Vec<FrameNumber>) -> Vec<FrameNumber> {
    frames.sort_unstable();
    frames.dedup();
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_that_never_end_are_bounded() {
        let mut defrag = Defrag::default();
        let source = std::net::IpAddr::from([192, 0, 2, 1]);
        for number in 0..3000 {
            let fragment = Fragment {
                key: FragmentKey { source, destination: source, identification: number, protocol: 17 },
                offset: 65_528,
                is_last: false,
                payload: &[1; 8],
                cut_bytes: 0,
            };
            assert_eq!(defrag.push(&fragment, FrameNumber(number.into()), None), None);
            assert!(defrag.bytes <= limits::FRAGMENTS_PENDING_BYTES_MAX);
        }
        assert_eq!(defrag.waiting.len(), defrag.began.len());
        assert_eq!(defrag.finish().len(), limits::GAPS_PER_SOURCE_MAX);
    }
}
