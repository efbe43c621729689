//! The QUIC connections between two ports: [`Flow`] gives each packet to its connection.
//!
//! A packet belongs to the connection whose keys open it: connection ids only say where to try
//! first, so that a capture without some of the packets that change them is read all the same. What
//! comes before the client's first Initial waits for it, within a bound.

use std::net::SocketAddr;

use hashbrown::HashMap;

use crate::flow::{FlowKey, Origin, Way};
use crate::limits::{QUIC_CONNECTIONS_PER_FLOW_MAX, QUIC_IDS_PER_FLOW_MAX, QUIC_PACKETS_WAITING_MAX};
use crate::provenance::{FrameNumber, GapReason};
use crate::tls::join::{self, Joined};
use crate::tls::{Side, Transport};
use crate::x509::known::Nobody;

use super::Opening;
use super::connection::{Connection, Said};
use super::packet::{self, Long, Packet, Split};
use super::stream::Told;
use super::version::{LongType, Version};

/// A UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'b> {
    /// Which way it goes.
    pub way: Way,
    /// Its payload.
    pub bytes: &'b [u8],
    /// Where it was captured.
    pub origin: Origin,
}

/// The connections between two ports.
#[derive(Debug, Default)]
pub struct Flow {
    connections: Vec<(Way, Connection)>,
    /// The connection that a packet going this way to this id belongs to.
    by_id: HashMap<(Way, Vec<u8>), usize, foldhash::fast::FixedState>,
    /// The lengths of the ids in `by_id`; an id has at most 20 bytes.
    id_lengths: Vec<(Way, usize)>,
    waiting: Vec<Waiting>,
    /// Ids of Initial packets that could not be opened: answers to them may be.
    unopened: Vec<(Way, Vec<u8>)>,
    lost: Vec<FrameNumber>,
    cut: Vec<FrameNumber>,
    limit: Option<FrameNumber>,
    offered: Option<(Vec<Version>, FrameNumber)>,
    unread: Option<(Version, FrameNumber)>,
}

/// A packet whose connection is not known yet.
#[derive(Debug)]
struct Waiting {
    way: Way,
    bytes: Vec<u8>,
    origin: Origin,
}

/// What the connections between two ports showed.
pub struct Shown {
    /// One per connection, in order.
    pub connections: Vec<Joined>,
    /// What read the streams of each connection.
    pub streams: Vec<Vec<Told>>,
    /// What could not be read.
    pub gaps: Vec<(GapReason, Vec<FrameNumber>)>,
}

impl Flow {
    /// Takes the next datagram.
    pub fn take(&mut self, datagram: Datagram<'_>, opening: Opening<'_>) {
        let Split { packets, unread, is_cut } = packet::split(datagram.bytes);
        for it in packets {
            match it {
                Packet::Long(long) => self.long(datagram.way, &long, datagram.origin, opening),
                Packet::Negotiation(versions) => {
                    self.offered.get_or_insert((versions, datagram.origin.frame));
                }
                Packet::CutInitial { destination_id, .. } => self.note_unopened(datagram.way, destination_id),
                Packet::Short(bytes) => self.short(datagram.way, bytes, datagram.origin, opening),
                Packet::Retry { .. } => {}
            }
        }
        if let Some(version) = unread {
            self.unread.get_or_insert((version, datagram.origin.frame));
        }
        if is_cut && self.cut.len() < QUIC_PACKETS_WAITING_MAX {
            self.cut.push(datagram.origin.frame);
        }
    }

    fn long(&mut self, way: Way, it: &Long<'_>, origin: Origin, opening: Opening<'_>) {
        let known = self.by_id.get(&(way, it.destination_id.to_vec())).copied();
        let is_taken = match it.kind {
            LongType::Initial => self.initial(way, it, origin, known, opening),
            LongType::Handshake => self.handshake(way, it, origin, known, opening),
            LongType::ZeroRtt | LongType::Retry => true,
        };
        if is_taken {
            return;
        }
        if it.kind == LongType::Initial {
            self.note_unopened(way, it.destination_id);
        }
        if self.waiting.len() < QUIC_PACKETS_WAITING_MAX {
            self.waiting.push(Waiting { way, bytes: it.bytes.to_vec(), origin });
        } else if self.lost.len() < QUIC_PACKETS_WAITING_MAX {
            self.lost.push(origin.frame);
        }
    }

    fn initial(&mut self, way: Way, it: &Long<'_>, origin: Origin, known: Option<usize>, opening: Opening<'_>) -> bool {
        if known.is_some_and(|at| self.try_initial(at, way, it, origin)) || self.begin(way, it, origin, opening) {
            return true;
        }
        let newest = self.connections.len().saturating_sub(NEWEST_TRIED)..self.connections.len();
        newest.rev().filter(|at| Some(*at) != known).any(|at| self.try_initial(at, way, it, origin))
            || self.begin_by_answer(way, it, origin, opening)
    }

    fn note_unopened(&mut self, way: Way, id: &[u8]) {
        if self.unopened.len() < UNOPENED_MAX && !self.unopened.iter().any(|known| known.0 == way && known.1 == id) {
            self.unopened.push((way, id.to_vec()));
        }
    }

    fn begin_by_answer(&mut self, way: Way, it: &Long<'_>, origin: Origin, opening: Opening<'_>) -> bool {
        let mut ids = self.unopened.iter().filter(|(sent, _)| *sent == back(way));
        let Some(connection) = ids.find_map(|(_, id)| Connection::begin_by_answer(id, it, origin)) else {
            return false;
        };
        if let Some(at) = self.add(back(way), connection, origin, opening) {
            self.remember(at, way, it.destination_id);
            self.remember(at, back(way), it.source_id);
        }
        true
    }

    fn try_initial(&mut self, at: usize, way: Way, it: &Long<'_>, origin: Origin) -> bool {
        let Some((client, connection)) = self.connections.get_mut(at) else {
            return false;
        };
        let side = if way == *client { Side::Client } else { Side::Server };
        let is_opened = connection.initial(side, it, origin);
        if is_opened {
            self.remember(at, back(way), it.source_id);
        }
        is_opened
    }

    /// Begins a connection, and gives it what waited.
    fn begin(&mut self, way: Way, it: &Long<'_>, origin: Origin, opening: Opening<'_>) -> bool {
        let Some(connection) = Connection::begin(it, origin) else {
            return false;
        };
        if let Some(at) = self.add(way, connection, origin, opening) {
            self.remember(at, way, it.destination_id);
            self.remember(at, back(way), it.source_id);
        }
        true
    }

    /// Adds a connection within the limit, and gives it what waited.
    fn add(&mut self, client: Way, connection: Connection, origin: Origin, opening: Opening<'_>) -> Option<usize> {
        if self.connections.len() >= QUIC_CONNECTIONS_PER_FLOW_MAX {
            self.limit.get_or_insert(origin.frame);
            return None;
        }
        let at = self.connections.len();
        self.connections.push((client, connection));
        for earlier in std::mem::take(&mut self.waiting) {
            if !self.replay(at, &earlier, opening) {
                self.waiting.push(earlier);
            }
        }
        Some(at)
    }

    fn replay(&mut self, at: usize, earlier: &Waiting, opening: Opening<'_>) -> bool {
        let split = packet::split(&earlier.bytes);
        let Some(Packet::Long(it)) = split.packets.first() else {
            return true;
        };
        match it.kind {
            LongType::Initial => self.try_initial(at, earlier.way, it, earlier.origin),
            _ => self.handshake(earlier.way, it, earlier.origin, Some(at), opening),
        }
    }

    fn handshake(
        &mut self,
        way: Way,
        it: &Long<'_>,
        origin: Origin,
        known: Option<usize>,
        opening: Opening<'_>,
    ) -> bool {
        let at = known.or(self.connections.len().checked_sub(1));
        let Some((client, connection)) = at.and_then(|at| self.connections.get_mut(at)) else {
            return false;
        };
        let side = if way == *client { Side::Client } else { Side::Server };
        connection.handshake(side, it, origin, opening);
        true
    }

    /// A packet with a short header is of interest only where keys are: the ids of its way say how
    /// long the one in it is.
    fn short(&mut self, way: Way, bytes: &[u8], origin: Origin, opening: Opening<'_>) {
        if opening.keys.is_empty() {
            return;
        }
        let id_of = |length: usize| bytes.get(1..length.saturating_add(1));
        let lengths = self.id_lengths.iter().filter(|(of, _)| *of == way).map(|(_, length)| *length);
        let mut known = lengths.clone().filter_map(|length| {
            let id = id_of(length)?;
            self.by_id.get(&(way, id.to_vec())).map(|at| (*at, length))
        });
        let newest = || Some((self.connections.len().checked_sub(1)?, lengths.clone().next()?));
        let Some((at, length)) = known.next().or_else(newest) else {
            return;
        };
        drop(known);
        let Some((client, connection)) = self.connections.get_mut(at) else {
            return;
        };
        let client = *client;
        let side = if way == client { Side::Client } else { Side::Server };
        connection.application(side, bytes, length, origin, opening);
        for (owner, id) in connection.take_new_ids() {
            let to_owner = if owner == Side::Client { back(client) } else { client };
            self.remember(at, to_owner, &id);
        }
    }

    /// Whether a connection began between these ports.
    pub fn has_connections(&self) -> bool {
        !self.connections.is_empty()
    }

    /// The ids that packets of these connections name, with the way that they go.
    pub fn ids(&self) -> impl Iterator<Item = (Way, &[u8])> {
        self.by_id.keys().map(|(way, id)| (*way, id.as_slice()))
    }

    fn remember(&mut self, at: usize, way: Way, id: &[u8]) {
        if self.by_id.len() < QUIC_IDS_PER_FLOW_MAX {
            self.by_id.insert((way, id.to_vec()), at);
            if !self.id_lengths.contains(&(way, id.len())) {
                self.id_lengths.push((way, id.len()));
            }
        }
    }

    /// The capture has ended.
    pub fn finish(mut self, key: FlowKey, opening: Opening<'_>) -> Shown {
        for it in std::mem::take(&mut self.waiting) {
            let split = packet::split(&it.bytes);
            if let Some(Packet::Long(long)) = split.packets.first() {
                self.long(it.way, long, it.origin, opening);
            }
        }
        let mut gaps = self.gaps();
        let mut shown: Vec<Joined> = Vec::new();
        let mut streams: Vec<Vec<Told>> = Vec::new();
        for (way, connection) in self.merged() {
            let (client, server) = ends(key, way);
            let mut said = connection.finish(opening);
            streams.push(std::mem::take(&mut said.streams));
            shown.push(joined(said, client, server));
        }
        if let Some((versions, frame)) = self.offered.take()
            && shown.iter().all(|it| it.server_hellos == 0)
        {
            let names: Vec<String> = versions.iter().filter(|it| !it.is_reserved()).map(Version::to_string).collect();
            let why = format!("the server speaks other versions: {}", names.join(", "));
            gaps.push((GapReason::Undecoded { what: "QUIC connection".to_owned(), why }, vec![frame]));
        }
        Shown { connections: shown, streams, gaps }
    }

    fn gaps(&mut self) -> Vec<(GapReason, Vec<FrameNumber>)> {
        let undecoded = |why: &str| GapReason::Undecoded { what: "QUIC packet".to_owned(), why: why.to_owned() };
        let mut gaps = Vec::new();
        let mut lost: Vec<FrameNumber> = self.waiting.drain(..).map(|it| it.origin.frame).collect();
        lost.append(&mut self.lost);
        if !lost.is_empty() {
            lost.sort_unstable();
            lost.dedup();
            gaps.push((undecoded("the client's first Initial packet is not in the capture, or it is damaged"), lost));
        }
        if !self.cut.is_empty() {
            gaps.push((undecoded("cut when it was captured"), std::mem::take(&mut self.cut)));
        }
        if let Some(frame) = self.limit {
            let limit = u64::try_from(QUIC_CONNECTIONS_PER_FLOW_MAX).unwrap_or(u64::MAX);
            let what = "QUIC connections between two ports".to_owned();
            gaps.push((GapReason::Limit { what, limit }, vec![frame]));
        }
        if let Some((version, frame)) = self.unread {
            gaps.push((undecoded(&format!("QUIC version {version} is not read")), vec![frame]));
        }
        gaps
    }

    /// A client that was asked to come back (Retry, another version) begins again with the same
    /// ClientHello: what both attempts showed is one handshake, and the later one holds the answer.
    fn merged(&mut self) -> Vec<(Way, Connection)> {
        let mut kept: Vec<(Way, Connection)> = Vec::new();
        for (way, connection) in self.connections.drain(..) {
            let same = kept.iter_mut().find(|(other, earlier)| {
                *other == way
                    && !earlier.is_answered()
                    && earlier.random().is_some()
                    && earlier.random() == connection.random()
            });
            match same {
                Some((_, earlier)) => *earlier = connection,
                None => kept.push((way, connection)),
            }
        }
        kept
    }
}

fn joined(said: Said, client: SocketAddr, server: SocketAddr) -> Joined {
    let mut joined = join::join((client, Some(said.client)), (server, Some(said.server)), &Nobody);
    for (handshake, _) in &mut joined.handshakes {
        handshake.transport = Transport::Quic;
    }
    for (alert, _) in &mut joined.alerts {
        alert.transport = Transport::Quic;
    }
    joined.gaps.extend(said.gaps);
    joined
}

fn ends(key: FlowKey, client: Way) -> (SocketAddr, SocketAddr) {
    key.ends(client)
}

fn back(way: Way) -> Way {
    if way == Way::FromLow { Way::FromHigh } else { Way::FromLow }
}

/// How many connections are tried for a packet that no known id leads to.
const NEWEST_TRIED: usize = 4;
/// Ids of packets that could not be opened, of one pair of ports.
const UNOPENED_MAX: usize = 8;
