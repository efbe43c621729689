//! A shard of a capture's connections: [`Shard`] follows them in frame order, [`Found`] is what they
//! showed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hashbrown::HashMap;

use super::http;
use super::quic::QuicFlows;
use super::sniff::Sniffer;
use crate::dns::{self, datagram, wire};
use crate::evidence::{Counts, Fact, Observation};
use crate::flow::{Assembler, FlowKey, Origin, Way};
use crate::limits::FLOWS_MAX;
use crate::provenance::{FrameNumber, Gap, GapReason, Place, SourceId, Time};
use crate::tls;
use crate::tls::keylog::Keys;

/// What one packet brings to a shard.
pub(super) enum Item<'b> {
    /// A UDP datagram.
    Datagram(Datagram<'b>),
    /// A TCP segment.
    Segment(TcpItem<'b>),
}

/// A UDP datagram.
pub(super) struct Datagram<'b> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Cow<'b, [u8]>,
    pub(super) frames: Vec<FrameNumber>,
    pub(super) time: Option<Time>,
}

/// A TCP segment that begins a stream or holds bytes.
pub(super) struct TcpItem<'b> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) payload: Cow<'b, [u8]>,
    pub(super) origin: Origin,
}

impl Item<'_> {
    /// The same with bytes of its own, for a datagram that was put together from these frames.
    pub(super) fn into_owned(self, frames: &[FrameNumber]) -> Item<'static> {
        match self {
            Self::Datagram(it) => {
                Item::Datagram(Datagram { payload: Cow::Owned(it.payload.into_owned()), frames: frames.to_vec(), ..it })
            }
            Self::Segment(it) => Item::Segment(TcpItem { payload: Cow::Owned(it.payload.into_owned()), ..it }),
        }
    }
}

/// What connections showed.
#[derive(Default)]
pub(super) struct Found {
    pub(super) observations: Vec<Observation>,
    pub(super) certificates: Vec<(Vec<u8>, Vec<FrameNumber>)>,
    pub(super) gaps: Vec<Gap>,
    pub(super) counts: Counts,
    /// What is said once in a source, with the first frame that shows it.
    pub(super) seldom: BTreeMap<GapReason, FrameNumber>,
    /// The beginnings of the client randoms whose records stay closed for want of keys.
    pub(super) unopened: Vec<u64>,
}

impl Found {
    /// Both together.
    pub(super) fn and(mut self, mut other: Self) -> Self {
        self.observations.append(&mut other.observations);
        self.certificates.append(&mut other.certificates);
        self.gaps.append(&mut other.gaps);
        self.counts.client_hellos += other.counts.client_hellos;
        self.counts.server_hellos += other.counts.server_hellos;
        for (what, frame) in other.seldom {
            self.seldom(what, frame);
        }
        self.unopened.append(&mut other.unopened);
        self
    }

    /// Something that is said once in a source.
    pub(super) fn seldom(&mut self, reason: GapReason, frame: FrameNumber) {
        let first = self.seldom.entry(reason).or_insert(frame);
        *first = frame.min(*first);
    }

    /// Whether nothing in the connections is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    pub(super) fn observe(&mut self, fact: Fact, frames: Vec<FrameNumber>) {
        self.observations.push(Observation { at: vec![Place::in_frames(SourceId(0), frames)], fact });
    }

    pub(super) fn gap(&mut self, reason: GapReason, frames: Vec<FrameNumber>) {
        let source = SourceId(0);
        let at = if frames.is_empty() { Place::Whole { source } } else { Place::in_frames(source, frames) };
        self.gaps.push(Gap::new(at, reason));
    }

    /// What a connection showed.
    pub(super) fn joined(&mut self, joined: tls::join::Joined) {
        self.counts.client_hellos += joined.client_hellos;
        self.counts.server_hellos += joined.server_hellos;
        self.certificates.extend(joined.certificates);
        self.unopened.extend(joined.unopened);
        if let Some((handshake, _)) = joined.handshakes.first()
            && let (Some(client), Some(server)) = (handshake.client, handshake.server)
        {
            http::inside_tls(self, (client, server), joined.inner);
        }
        for (handshake, frames) in joined.handshakes {
            self.hidden_resolver(&handshake, &frames);
            self.observe(Fact::TlsHandshake(handshake), frames);
        }
        for (alert, frames) in joined.alerts {
            self.observe(Fact::TlsAlert(alert), frames);
        }
        for (reason, frames) in joined.gaps {
            self.gap(reason, frames);
        }
    }

    /// Names may have been resolved where no key lets anybody look: said once of each resolver.
    fn hidden_resolver(&mut self, it: &tls::Handshake, frames: &[FrameNumber]) {
        let (Some(server), None, Some(frame)) = (it.server, &it.keys, frames.first()) else {
            return;
        };
        let is_quic = it.transport == tls::Transport::Quic;
        let how = match dns::encrypted::transport(server.port(), it.sni.as_deref(), &it.alpn, is_quic) {
            Some(dns::Transport::Dot) => "TLS",
            Some(dns::Transport::Doq) => "QUIC",
            Some(_) => "HTTPS",
            None => return,
        };
        let resolver = it.sni.clone().unwrap_or_else(|| server.ip().to_string());
        self.seldom(GapReason::EncryptedResolver { resolver, how }, *frame);
    }

    fn undecoded_dns(&mut self, why: &str, frames: Vec<FrameNumber>) {
        self.gap(GapReason::Undecoded { what: "DNS message".to_owned(), why: why.to_owned() }, frames);
    }

    pub(super) fn answer(
        &mut self,
        message: wire::Message,
        ends: &Ends,
        transport: dns::Transport,
        frames: Vec<FrameNumber>,
    ) {
        for problem in &message.problems {
            self.undecoded_dns(problem, frames.clone());
        }
        if let Some(answer) = message.into_answer(ends.time, ends.client, ends.server, transport) {
            self.observe(Fact::DnsAnswer(answer), frames);
        }
    }
}

/// Who asked and who answered, and when.
pub(super) struct Ends {
    pub(super) time: Option<Time>,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
}

/// Some of a capture's connections.
#[derive(Default)]
pub(super) struct Shard {
    flows: HashMap<FlowKey, Flow, foldhash::fast::FixedState>,
    quic: QuicFlows,
    queries: dns::queries::Queries,
    found: Found,
    is_full: bool,
    /// What can open what is encrypted.
    pub(super) keys: Arc<Keys>,
}

struct Flow {
    low: Direction,
    high: Direction,
}

impl Flow {
    fn new(is_keyed: bool) -> Self {
        let direction = || Direction { assembler: Assembler::default(), reader: Sniffer::new(is_keyed) };
        Self { low: direction(), high: direction() }
    }
}

struct Direction {
    assembler: Assembler,
    reader: Sniffer,
}

impl Shard {
    /// Takes the next packet.
    pub(super) fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Datagram(datagram) => self.datagram(datagram),
            Item::Segment(segment) => self.segment(&segment),
        }
    }

    fn datagram(&mut self, it: Datagram<'_>) {
        if self.quic.take(&it, &self.keys) {
            return;
        }
        match datagram::read(it.source, it.destination, &it.payload) {
            datagram::Datagram::Message(mut message, transport) => {
                let ends = Ends { time: it.time, client: it.destination, server: it.source };
                let mut frames = it.frames;
                if transport == dns::Transport::Udp {
                    frames.extend(self.queries.see(it.source, it.destination, &mut message, &frames));
                }
                self.found.answer(message, &ends, transport, frames);
            }
            datagram::Datagram::Damaged(why) => self.found.undecoded_dns(why, it.frames),
            datagram::Datagram::Other => {}
        }
    }

    fn segment(&mut self, it: &TcpItem<'_>) {
        let (key, way) = FlowKey::of(it.source, it.destination);
        if it.syn {
            self.end_if_reused(key, way, it.sequence);
        }
        if self.flows.len() >= FLOWS_MAX / SHARDS_ABOUT && !self.flows.contains_key(&key) {
            if !self.is_full {
                self.is_full = true;
                let limit = u64::try_from(FLOWS_MAX).unwrap_or(u64::MAX);
                self.found.gap(GapReason::Limit { what: "open connections".to_owned(), limit }, vec![it.origin.frame]);
            }
            return;
        }
        let is_keyed = !self.keys.is_empty();
        let flow = self.flows.entry(key).or_insert_with(|| Flow::new(is_keyed));
        let direction = if way == Way::FromLow { &mut flow.low } else { &mut flow.high };
        let mut sequence = it.sequence;
        if it.syn {
            direction.assembler.syn(sequence);
            sequence = sequence.wrapping_add(1);
        }
        direction.assembler.segment(sequence, &it.payload, it.origin, &mut direction.reader);
        if direction.reader.is_keyed {
            tls::connection::pair(flow.low.reader.tls(), flow.high.reader.tls(), &self.keys);
        }
    }

    /// A SYN with another initial sequence number on a connection that held bytes begins a new one.
    fn end_if_reused(&mut self, key: FlowKey, way: Way, sequence: u32) {
        let Some(flow) = self.flows.get(&key) else {
            return;
        };
        let direction = if way == Way::FromLow { &flow.low } else { &flow.high };
        let is_other = direction.assembler.initial.is_some_and(|initial| initial != sequence);
        if is_other
            && direction.assembler.has_bytes()
            && let Some(flow) = self.flows.remove(&key)
        {
            end(&mut self.found, key, flow, &self.keys);
        }
    }

    /// Ends all connections.
    pub(super) fn finish(mut self) -> Found {
        let mut flows: Vec<(FlowKey, Flow)> = self.flows.drain().collect();
        flows.sort_by_key(|(key, _)| *key);
        for (key, flow) in flows {
            end(&mut self.found, key, flow, &self.keys);
        }
        self.quic.finish(&mut self.found, &self.keys);
        self.found
    }
}

/// What a connection showed, once it is over.
fn end(found: &mut Found, key: FlowKey, mut flow: Flow, keys: &Arc<Keys>) {
    for direction in [&mut flow.low, &mut flow.high] {
        direction.assembler.finish(&mut direction.reader);
        direction.reader.settle();
    }
    if flow.low.reader.is_keyed {
        tls::connection::pair(flow.low.reader.tls(), flow.high.reader.tls(), keys);
        tls::connection::give_up(flow.low.reader.tls(), flow.high.reader.tls());
    }
    let mut low = flow.low.reader;
    let mut high = flow.high.reader;
    for (reader, server, client) in [(&mut low, key.low, key.high), (&mut high, key.high, key.low)] {
        if let Some(reader) = reader.dns() {
            for (why, frames) in std::mem::take(&mut reader.lost) {
                found.undecoded_dns(why, frames);
            }
            for it in std::mem::take(&mut reader.messages) {
                let ends = Ends { time: it.time, client, server };
                found.answer(it.message, &ends, dns::Transport::Tcp, it.frames);
            }
        }
    }
    if let (Some(one), Some(other)) = (low.http(), high.http()) {
        http::exchanges(found, (key.low, one), (key.high, other));
    }
    let (low, high) = (low.into_tls(), high.into_tls());
    if low.is_none() && high.is_none() {
        return;
    }
    found.joined(tls::join::join((key.low, low), (key.high, high)));
}

/// Connections are spread over about this many shards.
pub(super) const SHARDS_ABOUT: usize = 16;
