//! Some of a capture's connections: a [`Shard`] follows them in frame order.
//!
//! A connection is joined, and what it showed is found, as soon as nothing more is wanted of it; at the
//! end of the capture for the rest. A connection that is over is still known for a while, so that its
//! later packets cost a look and no more. Both kinds are bounded: beyond [`Bounds`] the connection that
//! was silent longest is joined as it is, and counted. The choice depends on the packets alone.

use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::sync::Arc;

use hashbrown::HashTable;

use super::found::{Ends, Files, Found};
use super::http;
use super::quic::QuicFlows;
use super::round::{Item, ItemKind};
use super::sniff::Sniffer;
use crate::dns::{self, datagram};
use crate::flow::{Assembler, FlowKey, Origin, StreamReader, Way};
use crate::limits;
use crate::provenance::{FrameNumber, GapReason, Time};
use crate::tls;
use crate::tls::keylog::Keys;

/// The number of shards of a capture: fixed, so that the thread count never shows.
pub(super) const SHARDS: usize = 16;

/// A UDP datagram.
pub(super) struct Datagram<'b> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: &'b [u8],
    /// More than one when it was put together from fragments.
    pub(super) frames: &'b [FrameNumber],
    pub(super) time: Option<Time>,
}

/// What a shard may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) flows: usize,
    pub(super) flows_over: usize,
    pub(super) bytes: usize,
}

impl Bounds {
    /// The bounds of one of [`SHARDS`] shards under `--max-memory`.
    pub(super) fn of(memory_bytes: u64) -> Self {
        let bytes = usize::try_from(memory_bytes).unwrap_or(usize::MAX) / SHARDS;
        Self {
            flows: (limits::FLOWS_MAX / SHARDS).min(bytes / SLOT_BYTES).max(1),
            flows_over: (limits::FLOWS_OVER_MAX / SHARDS).min(bytes / SLOT_BYTES).max(1),
            bytes,
        }
    }
}

/// Some of a capture's connections.
pub(super) struct Shard {
    index: HashTable<usize>,
    hasher: foldhash::fast::RandomState,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Where the search for a silent connection goes on.
    hand: usize,
    /// Connections that have begun and are not over.
    alive: usize,
    over: usize,
    held_bytes: usize,
    bounds: Bounds,
    pub(super) quic: QuicFlows,
    queries: dns::queries::Queries,
    /// What can open what is encrypted.
    pub(super) keys: Arc<Keys>,
    pub(super) found: Found,
    /// The last frames of the connections that were given up.
    pub(super) given_up: Vec<FrameNumber>,
    pub(super) given_up_count: u64,
}

struct Slot {
    key: FlowKey,
    state: State,
    /// The initial sequence numbers, by way.
    initial: [Option<u32>; 2],
    /// Another one of the same way, before any byte was here: seldom.
    other_initial: Option<Box<[Option<u32>; 2]>>,
    /// Whether each way wants nothing more.
    is_over: [bool; 2],
    /// Whether a packet came since the search for silent connections passed.
    is_touched: bool,
}

enum State {
    Free,
    /// No byte has come.
    Begun(FrameNumber),
    Open(Box<Flow>),
    Over,
}

struct Flow {
    low: Direction,
    high: Direction,
    last: FrameNumber,
    is_reset: bool,
    held_bytes: usize,
}

struct Direction {
    assembler: Assembler,
    reader: Sniffer,
}

impl Flow {
    fn new(is_keyed: bool) -> Self {
        let direction = || Direction { assembler: Assembler::default(), reader: Sniffer::new(is_keyed) };
        Self { low: direction(), high: direction(), last: FrameNumber::default(), is_reset: false, held_bytes: 0 }
    }

    fn direction(&mut self, way: Way) -> &mut Direction {
        match way {
            Way::FromLow => &mut self.low,
            Way::FromHigh => &mut self.high,
        }
    }
}

impl Direction {
    /// Finds the DNS answers that came this way of a connection since the last time.
    fn answers(&mut self, found: &mut Found, key: &FlowKey, way: Way) {
        if let Some(reader) = self.reader.dns() {
            let (server, client) = key.ends(way);
            for it in std::mem::take(&mut reader.messages) {
                let ends = Ends { time: it.time, client, server };
                found.answer(it.message, &ends, dns::Transport::Tcp, it.frames);
            }
        }
    }

    fn held_bytes(&self) -> usize {
        self.assembler.held_bytes().saturating_add(self.reader.held_bytes())
    }
}

impl Shard {
    /// A shard without connections.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            index: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            alive: 0,
            over: 0,
            held_bytes: 0,
            bounds,
            quic: QuicFlows::default(),
            queries: dns::queries::Queries::default(),
            keys: Arc::default(),
            found: Found::default(),
            given_up: Vec::new(),
            given_up_count: 0,
        }
    }

    /// Another file of the capture has begun.
    pub(super) fn begin_file(&mut self, files: &Arc<Files>) {
        self.found.begin_file(Arc::clone(files));
    }

    /// Whether bytes that go this way matter.
    pub(super) fn wants(&self, key: &FlowKey, way: Way) -> bool {
        let slot = self.find(key).and_then(|at| self.slots.get(at));
        slot.and_then(|slot| slot.is_over.get(index(way))).is_none_or(|is_over| !is_over)
    }

    /// Takes the next packet.
    pub(super) fn take(&mut self, item: &Item, payload: &[u8], frames: &[FrameNumber]) {
        match item.kind {
            ItemKind::Datagram => {
                let (source, destination) = item.key.ends(item.way);
                self.datagram(&Datagram { source, destination, payload, frames, time: item.time });
            }
            ItemKind::Segment { .. } => {
                let frame = frames.last().copied().unwrap_or_default();
                self.segment(item, payload, Origin { frame, time: item.time });
            }
        }
    }

    fn datagram(&mut self, it: &Datagram<'_>) {
        if self.quic.take(it, &self.keys) {
            return;
        }
        match datagram::read(it.source, it.destination, it.payload) {
            datagram::Datagram::Message(mut message, transport) => {
                let ends = Ends { time: it.time, client: it.destination, server: it.source };
                let mut frames = it.frames.to_vec();
                if transport == dns::Transport::Udp {
                    frames.extend(self.queries.see(it.source, it.destination, &mut message, it.frames));
                }
                self.found.answer(message, &ends, transport, frames);
            }
            datagram::Datagram::Damaged(why) => self.found.undecoded_dns(why, it.frames.to_vec()),
            datagram::Datagram::Other => {
                if let Some(frame) = it.frames.first().filter(|_| tls::dtls::is_hello(it.payload)) {
                    self.found.seldom(GapReason::Dtls, *frame);
                }
            }
        }
    }

    fn segment(&mut self, item: &Item, payload: &[u8], origin: Origin) {
        let ItemKind::Segment { sequence, syn, fin, rst } = item.kind else {
            return;
        };
        let at = match self.find(&item.key) {
            Some(at) => at,
            None if syn || !payload.is_empty() => self.begin(item.key, origin.frame),
            None => return,
        };
        if syn {
            self.end_if_reused(at, item.way, sequence, origin.frame);
        }
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        slot.is_touched = true;
        let first = if syn { sequence.wrapping_add(1) } else { sequence };
        if let (true, Some(initial)) = (syn, slot.initial.get_mut(index(item.way))) {
            let before = initial.replace(sequence).filter(|before| *before != sequence);
            if let Some(before) = before
                && let Some(other) = slot.other_initial.get_or_insert_default().get_mut(index(item.way))
            {
                *other = Some(before);
            }
        }
        if let (State::Begun(_), false) = (&slot.state, payload.is_empty()) {
            let mut flow = Box::new(Flow::new(!self.keys.is_empty()));
            for (way, direction) in [&mut flow.low, &mut flow.high].into_iter().enumerate() {
                let other = slot.other_initial.as_ref().and_then(|other| other.get(way));
                for initial in [other, slot.initial.get(way)].into_iter().flatten().flatten() {
                    direction.assembler.syn(*initial);
                }
            }
            slot.state = State::Open(flow);
        }
        let State::Open(flow) = &mut slot.state else {
            return;
        };
        flow.last = origin.frame;
        flow.is_reset |= rst;
        let direction = flow.direction(item.way);
        if syn {
            direction.assembler.syn(sequence);
        }
        direction.assembler.segment(first, payload, origin, &mut direction.reader);
        if fin {
            direction.assembler.fin(first, payload.len());
        }
        let is_keyed = direction.reader.is_keyed;
        direction.answers(&mut self.found, &slot.key, item.way);
        if let Some(is_over) = slot.is_over.get_mut(index(item.way)) {
            *is_over = direction.assembler.is_over();
        }
        if is_keyed {
            tls::connection::pair(flow.low.reader.tls(), flow.high.reader.tls(), &self.keys);
        }
        let held_bytes = FLOW_BYTES.saturating_add(flow.low.held_bytes()).saturating_add(flow.high.held_bytes());
        let before = std::mem::replace(&mut flow.held_bytes, held_bytes);
        let is_over = slot.is_over == [true, true];
        self.held_bytes = self.held_bytes.saturating_sub(before).saturating_add(held_bytes);
        if is_over {
            self.end(at);
        }
        self.keep_bounds();
    }

    fn find(&self, key: &FlowKey) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        self.index.find(hash, |at| self.slots.get(*at).is_some_and(|slot| slot.key == *key)).copied()
    }

    /// A slot for a new connection.
    fn begin(&mut self, key: FlowKey, frame: FrameNumber) -> usize {
        let slot = Slot {
            key,
            state: State::Begun(frame),
            initial: [None; 2],
            other_initial: None,
            is_over: [false; 2],
            is_touched: true,
        };
        let at = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(at) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash_of = |at: &usize| slots.get(*at).map_or(0, |slot| hasher.hash_one(slot.key));
        self.index.insert_unique(hasher.hash_one(key), at, hash_of);
        self.alive = self.alive.saturating_add(1);
        self.keep_bounds();
        at
    }

    /// A SYN on a connection that held bytes of another one begins a new one.
    fn end_if_reused(&mut self, at: usize, way: Way, sequence: u32, frame: FrameNumber) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let initial = slot.initial.get(index(way)).copied().flatten();
        let is_reused = match &mut slot.state {
            State::Open(flow) => flow.direction(way).assembler.is_of_another(sequence),
            State::Over => initial != Some(sequence),
            State::Begun(_) | State::Free => false,
        };
        if !is_reused {
            return;
        }
        self.end(at);
        if let Some(slot) = self.slots.get_mut(at) {
            slot.state = State::Begun(frame);
            slot.initial = [None; 2];
            slot.other_initial = None;
            slot.is_over = [false; 2];
            self.over = self.over.saturating_sub(1);
            self.alive = self.alive.saturating_add(1);
        }
    }

    /// Joins a connection; its slot says that it is over.
    fn end(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        slot.is_over = [true; 2];
        slot.other_initial = None;
        match std::mem::replace(&mut slot.state, State::Over) {
            State::Open(flow) => {
                self.alive = self.alive.saturating_sub(1);
                self.over = self.over.saturating_add(1);
                self.held_bytes = self.held_bytes.saturating_sub(flow.held_bytes);
                end(&mut self.found, slot.key, *flow, &self.keys);
            }
            State::Begun(_) => {
                self.alive = self.alive.saturating_sub(1);
                self.over = self.over.saturating_add(1);
            }
            State::Over => {}
            State::Free => slot.state = State::Free,
        }
    }

    /// Gives up the connections that were silent longest, as many as the bounds demand.
    fn keep_bounds(&mut self) {
        while self.held_bytes > self.bounds.bytes || self.alive > self.bounds.flows {
            let Some(at) = self.silent(|state| matches!(state, State::Begun(_) | State::Open(_))) else {
                break;
            };
            self.give_up(at);
        }
        while self.over > self.bounds.flows_over {
            let Some(at) = self.silent(|state| matches!(state, State::Over)) else {
                break;
            };
            self.forget(at);
        }
    }

    /// The connection of that kind that was silent longest, about: every connection that the search
    /// passes has one more chance (the clock algorithm).
    fn silent(&mut self, is_wanted: impl Fn(&State) -> bool) -> Option<usize> {
        for _ in 0..self.slots.len().saturating_mul(2) {
            let at = self.hand;
            self.hand = if at.saturating_add(1) < self.slots.len() { at.saturating_add(1) } else { 0 };
            let slot = self.slots.get_mut(at)?;
            if is_wanted(&slot.state) && !std::mem::take(&mut slot.is_touched) {
                return Some(at);
            }
        }
        None
    }

    fn give_up(&mut self, at: usize) {
        let lost = match self.slots.get(at).map(|slot| &slot.state) {
            Some(State::Begun(frame)) => Some(*frame),
            Some(State::Open(flow)) if !flow.is_reset => Some(flow.last),
            _ => None,
        };
        if let Some(frame) = lost {
            self.given_up_count = self.given_up_count.saturating_add(1);
            if self.given_up.len() < limits::GAPS_PER_SOURCE_MAX {
                self.given_up.push(frame);
            }
        }
        self.end(at);
        self.forget(at);
    }

    /// Frees the slot of a connection that is over.
    fn forget(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        slot.state = State::Free;
        self.over = self.over.saturating_sub(1);
        let hash = self.hasher.hash_one(slot.key);
        if let Ok(entry) = self.index.find_entry(hash, |known| *known == at) {
            entry.remove();
            self.free.push(at);
        }
    }

    /// The capture has ended: all connections do, in the order in which their slots were taken.
    pub(super) fn finish(&mut self) {
        for at in 0..self.slots.len() {
            self.end(at);
        }
        std::mem::take(&mut self.quic).finish(&mut self.found, &self.keys);
    }
}

/// What a connection showed, once it is over.
fn end(found: &mut Found, key: FlowKey, mut flow: Flow, keys: &Arc<Keys>) {
    let has_both = [&flow.low, &flow.high].iter().all(|it| it.assembler.initial.is_some());
    let missing = flow.low.assembler.missing_at_start().max(flow.high.assembler.missing_at_start());
    for direction in [&mut flow.low, &mut flow.high] {
        direction.assembler.finish(&mut direction.reader);
        direction.reader.settle();
    }
    if flow.low.reader.is_keyed {
        tls::connection::pair(flow.low.reader.tls(), flow.high.reader.tls(), keys);
        tls::connection::give_up(flow.low.reader.tls(), flow.high.reader.tls(), keys);
    }
    let (low_end, high_end) = (key.low(), key.high());
    flow.low.answers(found, &key, Way::FromLow);
    flow.high.answers(found, &key, Way::FromHigh);
    for direction in [&mut flow.low, &mut flow.high] {
        let lost = direction.reader.dns().map(|reader| std::mem::take(&mut reader.lost));
        for (why, frames) in lost.into_iter().flatten() {
            found.undecoded_dns(why, frames);
        }
        let is_read = direction.reader.dns().is_some() || direction.reader.tls().is_some();
        if let Some(frame) = direction.assembler.conflict.filter(|_| is_read) {
            found.gap(GapReason::Conflict, vec![frame]);
        }
    }
    if let (Some(one), Some(other)) = (flow.low.reader.http(), flow.high.reader.http()) {
        http::exchanges(found, (low_end, one), (high_end, other));
    }
    let (low, high) = (flow.low.reader.into_tls(), flow.high.reader.into_tls());
    if low.is_some() || high.is_some() {
        let mut joined = tls::join::join((low_end, low), (high_end, high), found.known());
        if has_both {
            joined.gaps = joined.gaps.into_iter().filter_map(|gap| not_of_one_direction(gap, missing)).collect();
        }
        found.joined(joined);
    }
}

/// Where the SYNs of both sides are here, none is missing: one that sent nothing has closed, and one whose first
/// bytes are lost is not whole.
fn not_of_one_direction(
    (reason, frames): (GapReason, Vec<FrameNumber>),
    missing: u64,
) -> Option<(GapReason, Vec<FrameNumber>)> {
    match reason {
        GapReason::OneDirection(_) if missing == 0 => None,
        GapReason::OneDirection(_) => {
            let lost = "the beginning of what one side sent".to_owned();
            Some((GapReason::MissingSegment { missing, lost }, frames))
        }
        reason => Some((reason, frames)),
    }
}

fn index(way: Way) -> usize {
    match way {
        Way::FromLow => 0,
        Way::FromHigh => 1,
    }
}

/// About what an open connection takes beside the bytes that it holds.
const FLOW_BYTES: usize = size_of::<Flow>();
/// About what any connection takes.
const SLOT_BYTES: usize = size_of::<Slot>() + 2 * size_of::<usize>();
