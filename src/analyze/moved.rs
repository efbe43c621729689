//! The packets of QUIC connections that went on between other ports: [`settle`] brings them to the
//! connections that they belong to.
//!
//! A client that changes its network, or whose NAT forgets it, goes on from another address under a
//! connection id that the server gave it (RFC 9000 section 9). Between two ports where no connection
//! began, packets that can be such wait, within a bound, until the capture has ended and the ids of all
//! connections are known; keys then decide whether they open. Without keys nothing waits.

use std::sync::Arc;

use hashbrown::HashMap;

use super::shard::{Datagram, Shard};
use crate::flow::{FlowKey, Origin, Way};
use crate::limits::{QUIC_MOVED_BYTES_MAX, QUIC_MOVED_PACKETS_MAX};
use crate::provenance::{FrameNumber, GapReason};
use crate::quic;

/// The packets of a shard that wait.
#[derive(Default)]
pub(super) struct Moved {
    packets: Vec<Packet>,
    bytes: usize,
    /// The first that found no room.
    is_full: Option<FrameNumber>,
}

struct Packet {
    key: FlowKey,
    way: Way,
    bytes: Vec<u8>,
    origin: Origin,
}

/// Where the packets to a connection id go: the shard, the ports of the connection, the way between them.
type Owner = (usize, FlowKey, Way);

impl Moved {
    /// Keeps a datagram that can be of a connection which began between other ports.
    pub(super) fn keep(&mut self, it: &Datagram<'_>) {
        let is_short = it.payload.first().is_some_and(|first| first & FORM_BITS == SHORT_FORM);
        let Some(frame) = it.frames.last().copied().filter(|_| is_short && it.payload.len() >= SHORTEST_BYTES) else {
            return;
        };
        let bytes = self.bytes.saturating_add(it.payload.len());
        if self.packets.len() >= QUIC_MOVED_PACKETS_MAX || bytes > QUIC_MOVED_BYTES_MAX {
            self.is_full.get_or_insert(frame);
            return;
        }
        self.bytes = bytes;
        let (key, way) = FlowKey::of(it.source, it.destination);
        let origin = Origin { frame, time: it.time };
        self.packets.push(Packet { key, way, bytes: it.payload.to_vec(), origin });
    }
}

/// Brings what waits in all shards to its connections. What one packet shows may name the id of the
/// next: so it is done again as long as something is found, a few times.
pub(super) fn settle(shards: &mut [Shard]) {
    let mut packets: Vec<Packet> = Vec::new();
    let mut full: Option<FrameNumber> = None;
    for shard in shards.iter_mut() {
        let moved = std::mem::take(&mut shard.quic.moved);
        packets.extend(moved.packets);
        full = full.into_iter().chain(moved.is_full).min();
    }
    packets.sort_by_key(|it| it.origin.frame);
    for _ in 0..ROUNDS_MAX {
        let before = packets.len();
        packets = if packets.is_empty() { packets } else { placed(shards, packets) };
        if packets.is_empty() || packets.len() == before {
            break;
        }
    }
    let has_connections = shards.iter().any(|shard| shard.quic.flows().next().is_some());
    if let (Some(frame), true, Some(shard)) = (full, has_connections, shards.first_mut()) {
        let limit = u64::try_from(QUIC_MOVED_PACKETS_MAX).unwrap_or(u64::MAX);
        let what = "packets that can be of QUIC connections which moved to other ports".to_owned();
        shard.found.seldom(GapReason::Limit { what, limit }, frame);
    }
}

/// Gives the packets to the connections whose ids they name; those that stay.
fn placed(shards: &mut [Shard], packets: Vec<Packet>) -> Vec<Packet> {
    let owners = Owners::of(shards);
    // A side whose id is empty is found by what the other side sends between the same ports.
    let mut paths: HashMap<FlowKey, (Owner, Way), foldhash::fast::FixedState> = HashMap::default();
    for it in &packets {
        if let Some(owner) = owners.find(&it.bytes) {
            paths.entry(it.key).or_insert((owner, it.way));
        }
    }
    let mut rest = Vec::new();
    for it in packets {
        let owner = owners.find(&it.bytes).or_else(|| {
            let ((shard, key, way), named) = paths.get(&it.key).copied()?;
            Some((shard, key, if named == it.way { way } else { way.other() }))
        });
        let Some((shard, key, way)) = owner else {
            rest.push(it);
            continue;
        };
        if let Some(shard) = shards.get_mut(shard) {
            let keys = Arc::clone(&shard.keys);
            shard.quic.bring(key, quic::Datagram { way, bytes: &it.bytes, origin: it.origin }, &keys);
        }
    }
    rest
}

/// The connection ids of all connections.
struct Owners {
    by_id: HashMap<Vec<u8>, Owner, foldhash::fast::FixedState>,
    lengths: Vec<usize>,
}

impl Owners {
    fn of(shards: &[Shard]) -> Self {
        let mut it = Self { by_id: HashMap::default(), lengths: Vec::new() };
        for (nth, shard) in shards.iter().enumerate() {
            for (key, flow) in shard.quic.flows() {
                for (way, id) in flow.ids().filter(|(_, id)| id.len() >= ID_BYTES_MIN) {
                    let owner = (nth, *key, way);
                    it.by_id.entry(id.to_vec()).or_insert(owner);
                    if !it.lengths.contains(&id.len()) {
                        it.lengths.push(id.len());
                    }
                }
            }
        }
        it.lengths.sort_unstable_by(|one, other| other.cmp(one));
        it
    }

    fn find(&self, packet: &[u8]) -> Option<Owner> {
        let ids = self.lengths.iter().filter_map(|length| packet.get(1..length.saturating_add(1)));
        ids.filter_map(|id| self.by_id.get(id)).copied().next()
    }
}

/// The bits that tell a short header (RFC 9000 section 17.3).
const FORM_BITS: u8 = 0xc0;
const SHORT_FORM: u8 = 0x40;
/// A packet has 21 bytes and more, lest it be taken for a stateless reset (RFC 9000 section 10.3).
const SHORTEST_BYTES: usize = 21;
/// Shorter ids are met by chance.
const ID_BYTES_MIN: usize = 4;
/// How often ids that were found lead to others.
const ROUNDS_MAX: usize = 4;
