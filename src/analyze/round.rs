//! What the packets of a stretch become: a [`Part`] of it, decoded by one worker, with an [`Item`] per
//! packet that some connection wants, queued for that connection's shard.
//!
//! A packet of a connection that wants nothing more ends here, after one look at the shards as they
//! were before the round. Items hold places in the bytes of the round, not the bytes, so that their
//! queues are used again.

use hashbrown::HashSet;

use super::shard::{SHARDS, Shard};
use crate::capture::{Frame, LinkType, Piece, Stretch, Walked};
use crate::flow::{FlowKey, Way};
use crate::packet::{self, Decoded, Packet, Segment, Transport, Undecoded};
use crate::provenance::{FrameNumber, Time};

/// What one packet brings to a shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) key: FlowKey,
    pub(super) way: Way,
    pub(super) kind: ItemKind,
    /// Where the payload stands in the bytes of the round, or of the reassembled packet.
    pub(super) start: u32,
    pub(super) length: u32,
    /// Counted from 1 in its part.
    pub(super) frame: u32,
    pub(super) time: Option<Time>,
}

/// A UDP datagram, or a TCP segment with what moves its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    Datagram,
    Segment { sequence: u32, syn: bool, fin: bool, rst: bool },
}

/// A fragment of an IP packet, to be read again in the order of the frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) link_type: LinkType,
    pub(super) wire_bytes: u32,
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) frame: u32,
    pub(super) time: Option<Time>,
}

/// What one worker made of its part of a round.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Where the walk began.
    pub(super) begin: usize,
    /// How many frames of the capture come before it.
    pub(super) before: u64,
    pub(super) walked: Walked,
    /// The items, by shard.
    pub(super) queues: Vec<Vec<Item>>,
    pub(super) fragments: Vec<Fragment>,
    pub(super) undecoded: Vec<(Undecoded, u32)>,
    /// The connections that were over before the round and seem to begin anew.
    pub(super) reused: HashSet<FlowKey>,
}

impl Part {
    /// Reads a piece and walks its whole records, from the beginning of the first to the end of the
    /// last; forgets what it held before.
    pub(super) fn walk_piece(&mut self, piece: &mut Piece<'_, '_>, shards: &[Shard]) {
        piece.read();
        self.clear();
        let stretch = piece.stretch();
        let offset = piece.offset();
        let begin = if offset == 0 { 0 } else { stretch.boundary(0) };
        self.begin = offset.saturating_add(begin);
        self.walked = self.walk_records(&stretch, (begin, usize::MAX), offset, shards);
        self.walked.end = self.walked.end.saturating_add(offset);
    }

    /// Walks the records of `stretch` that begin in `from..until`; forgets what it held before.
    pub(super) fn walk(&mut self, stretch: &Stretch<'_>, from: usize, until: usize, shards: &[Shard]) {
        self.clear();
        self.begin = from;
        self.walked = self.walk_records(stretch, (from, until), 0, shards);
    }

    /// Walks its records once more, because connections that were over begin anew in the parts before it.
    pub(super) fn walk_again(&mut self, stretch: &Stretch<'_>, reused: &HashSet<FlowKey>, shards: &[Shard]) {
        let (begin, until) = (self.begin, self.walked.end);
        self.clear();
        self.reused.clone_from(reused);
        self.walked = self.walk_records(stretch, (begin, until), 0, shards);
    }

    fn walk_records(
        &mut self,
        stretch: &Stretch<'_>,
        (from, until): (usize, usize),
        offset: usize,
        shards: &[Shard],
    ) -> Walked {
        let base = Base { bytes: stretch.bytes(), offset: u32::try_from(offset).unwrap_or(u32::MAX) };
        stretch.walk(from, until, |frame, bytes| self.take(base, frame, bytes, shards))
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.queues.resize_with(SHARDS, Vec::new);
        self.queues.iter_mut().for_each(Vec::clear);
        self.fragments.clear();
        self.undecoded.clear();
        self.reused.clear();
        self.walked = Walked::default();
    }

    /// Takes one frame, whose bytes stand within `base`.
    pub(super) fn take(&mut self, base: Base<'_>, frame: &Frame, bytes: &[u8], shards: &[Shard]) {
        // A SYN may begin a connection anew: it is always looked at closely.
        let seen = packet::glance(frame.link_type, bytes).filter(|seen| !seen.syn);
        if seen.is_some_and(|seen| seen.is_bare || !self.wants(&seen, shards)) {
            return;
        }
        let number = u32::try_from(frame.number.0).unwrap_or(u32::MAX);
        match packet::decode(frame.link_type, bytes, frame.wire_bytes) {
            Ok(Decoded::Packet(packet)) => {
                if let Some(item) = item(&packet, base, number, frame.time)
                    && (seen.is_some() || self.wants_item(&item, shards))
                    && let Some(queue) = self.queues.get_mut(item.key.shard(SHARDS))
                {
                    queue.push(item);
                }
            }
            Ok(Decoded::Fragment(_)) => {
                let (start, length) = base.place(bytes);
                let (link_type, wire_bytes) = (frame.link_type, frame.wire_bytes);
                self.fragments.push(Fragment { link_type, wire_bytes, start, length, frame: number, time: frame.time });
            }
            Ok(Decoded::Other) => {}
            Err(why) => self.undecoded.push((why, number)),
        }
    }

    /// Whether the connection wants bytes that go the way of this packet.
    fn wants(&self, seen: &packet::Glance, shards: &[Shard]) -> bool {
        let (key, way) = FlowKey::between(seen.source, seen.destination);
        self.wants_bytes(&key, way, shards)
    }

    fn wants_bytes(&self, key: &FlowKey, way: Way, shards: &[Shard]) -> bool {
        shards.get(key.shard(SHARDS)).is_some_and(|it| it.wants(key, way)) || self.reused.contains(key)
    }

    /// The same of a decoded packet. A SYN is always wanted, and tells that a connection begins anew.
    fn wants_item(&mut self, item: &Item, shards: &[Shard]) -> bool {
        let (key, way) = (&item.key, item.way);
        match item.kind {
            ItemKind::Segment { syn: false, .. } => self.wants_bytes(key, way, shards),
            ItemKind::Segment { .. } => {
                let of = shards.get(key.shard(SHARDS));
                if of.is_some_and(|it| !it.wants(key, way) || !it.wants(key, way.other())) {
                    self.reused.insert(*key);
                }
                true
            }
            ItemKind::Datagram => true,
        }
    }
}

/// The item of a packet whose payload stands within `base`; `None` for an empty segment that moves
/// nothing.
pub(super) fn item(packet: &Packet<'_>, base: Base<'_>, frame: u32, time: Option<Time>) -> Option<Item> {
    let (ports, payload, kind) = match packet.transport {
        Transport::Udp { source_port, destination_port, payload, .. } => {
            ((source_port, destination_port), payload, ItemKind::Datagram)
        }
        Transport::Tcp(Segment { syn, fin, rst, sequence, payload, source_port, destination_port, .. }) => {
            if payload.is_empty() && !(syn || fin || rst) {
                return None;
            }
            ((source_port, destination_port), payload, ItemKind::Segment { sequence, syn, fin, rst })
        }
    };
    let (key, way) = FlowKey::between((packet.source, ports.0), (packet.destination, ports.1));
    let (start, length) = base.place(payload);
    Some(Item { key, way, kind, start, length, frame, time })
}

/// Bytes that frames stand in, and where they begin in the bytes of the round.
#[derive(Clone, Copy)]
pub(super) struct Base<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) offset: u32,
}

impl Base<'_> {
    /// Where `part`, which stands in these bytes, stands in those of the round.
    fn place(self, part: &[u8]) -> (u32, u32) {
        let start = part.as_ptr().addr().saturating_sub(self.bytes.as_ptr().addr());
        let start = u32::try_from(start).unwrap_or(u32::MAX).saturating_add(self.offset);
        (start, u32::try_from(part.len()).unwrap_or(0))
    }
}

impl Item {
    /// The payload in the bytes it stands in.
    pub(super) fn payload<'b>(&self, base: &'b [u8]) -> &'b [u8] {
        bytes_at(base, self.start, self.length)
    }
}

impl Fragment {
    /// The bytes of its frame.
    pub(super) fn bytes<'b>(&self, base: &'b [u8]) -> &'b [u8] {
        bytes_at(base, self.start, self.length)
    }
}

fn bytes_at(base: &[u8], start: u32, length: u32) -> &[u8] {
    let (start, length) = (usize::try_from(start).unwrap_or(usize::MAX), usize::try_from(length).unwrap_or(0));
    base.get(start..start.saturating_add(length)).unwrap_or_default()
}

/// The number of a frame in the capture, from the number of frames before its part.
pub(super) fn numbered(before: u64, frame: u32) -> FrameNumber {
    FrameNumber(before.saturating_add(u64::from(frame)))
}
