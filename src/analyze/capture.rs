//! One capture: batches of frames are decoded in parallel, routed to shards by their connection, and
//! each shard follows its connections in frame order.
//!
//! The number of shards is fixed, so the thread count never shows.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rayon::prelude::*;

use super::shard::{Datagram, Found, Item, Shard, TcpItem};
use crate::capture::{Batch, Frame, Kind, Reader};
use crate::evidence::{Fact, Observation, Reading, Source};
use crate::flow::{FlowKey, Origin};
use crate::input::Window;
use crate::limits::GAPS_PER_SOURCE_MAX;
use crate::packet::{self, Decoded, Defrag, Packet, Reassembled, Transport};
use crate::provenance::{FrameNumber, Gap, GapReason, Place, SourceId};
use crate::tls::keylog::Keys;
use crate::x509;

/// What a capture gave.
pub(super) struct Read {
    pub(super) reading: Reading,
    /// The keys that stand in the capture itself.
    pub(super) keys: Keys,
    /// The beginnings of the client randoms whose records stay closed for want of keys.
    pub(super) unopened: Vec<u64>,
}

/// Reads a capture.
pub(super) fn read(name: &str, window: Window, kind: Kind, keys: &Arc<Keys>, progress: &(dyn Fn(u64) + Sync)) -> Read {
    let mut own = Keys::default();
    let mut reader = Reader::new(window, kind);
    let mut reading = Reading::of(Source::named(name, kind.name(), 0));
    let mut pipeline = Pipeline::default();
    pipeline.give(keys);
    let mut batch = Batch::default();
    while reader.next_batch(&mut batch) {
        reading.gaps.append(&mut batch.gaps);
        if !batch.key_logs.is_empty() {
            batch.key_logs.iter().for_each(|log| drop(own.read(name, log)));
            let mut all = Keys::clone(keys);
            all.add(&own);
            pipeline.give(&Arc::new(all));
        }
        pipeline.take(&batch);
        progress(batch.frames().map(|(frame, _)| u64::from(frame.captured_bytes)).sum());
    }
    let (summary, window) = reader.finish();
    let mut found = pipeline.finish(&mut reading);
    let unopened = std::mem::take(&mut found.unopened);
    reading.source.frames = Some(summary.frames);
    reading.source.link_types = summary.link_types.iter().map(ToString::to_string).collect();
    reading.source.first = summary.first;
    reading.source.last = summary.last;
    reading.source.dropped = summary.dropped;
    reading.source.capture = Some(name.to_owned());
    let snaplen = summary.snaplen.filter(|_| summary.cut_frames > 0 && !found.is_whole());
    if let Some(snaplen) = snaplen {
        whole(&mut reading, GapReason::Snaplen(snaplen));
    }
    settle(&mut reading, found);
    match window.finish() {
        Ok(finished) => super::close(&mut reading, finished),
        Err(error) => whole(&mut reading, GapReason::Unreadable(crate::input::reason(&error))),
    }
    if !reading.holds_evidence() {
        whole(&mut reading, GapReason::NoEvidence);
    }
    limit_gaps(&mut reading.gaps);
    Read { reading, keys: own, unopened }
}

fn whole(reading: &mut Reading, reason: GapReason) {
    reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, reason));
}

/// The stages between frames and shards.
struct Pipeline {
    shards: Vec<Shard>,
    defrag: Defrag,
    undecoded: BTreeMap<String, Vec<FrameNumber>>,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            defrag: Defrag::default(),
            undecoded: BTreeMap::new(),
        }
    }
}

/// What one frame became.
enum Routed<'b> {
    To(usize, Item<'b>),
    Fragment(packet::Fragment<'b>, Origin),
    Undecoded(String, FrameNumber),
    Nothing,
}

impl Pipeline {
    /// Connections that begin from now on are opened with these keys.
    fn give(&mut self, keys: &Arc<Keys>) {
        for shard in &mut self.shards {
            shard.keys = Arc::clone(keys);
        }
    }

    fn take(&mut self, batch: &Batch) {
        let frames: Vec<(&Frame, &[u8])> = batch.frames().collect();
        let routed: Vec<Routed<'_>> = frames.par_iter().map(|(frame, bytes)| route(frame, bytes)).collect();
        let mut queues: Vec<Vec<Item<'_>>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for it in routed {
            match it {
                Routed::To(shard, item) => {
                    if let Some(queue) = queues.get_mut(shard) {
                        queue.push(item);
                    }
                }
                Routed::Fragment(fragment, origin) => self.fragment(&fragment, origin, &mut queues),
                Routed::Undecoded(why, frame) => self.undecoded.entry(why).or_default().push(frame),
                Routed::Nothing => {}
            }
        }
        self.shards.par_iter_mut().zip(queues).for_each(|(shard, queue)| {
            for item in queue {
                shard.take(item);
            }
        });
    }

    /// A whole datagram goes to its shard behind what is queued, with the bytes that it owns.
    fn fragment<'b>(&mut self, fragment: &packet::Fragment<'b>, origin: Origin, queues: &mut [Vec<Item<'b>>]) {
        let Some(whole) = self.defrag.push(fragment, origin.frame, origin.time) else {
            return;
        };
        if let Some((shard, item)) = self.reassembled(&whole, origin)
            && let Some(queue) = queues.get_mut(shard)
        {
            queue.push(item);
        }
    }

    /// What a packet that was put together brings, a fragment within fragments included.
    fn reassembled(&mut self, whole: &Reassembled, origin: Origin) -> Option<(usize, Item<'static>)> {
        match whole.decode() {
            Ok(Decoded::Packet(packet)) => {
                let (shard, item) = item(&packet, origin)?;
                Some((shard, item.into_owned(&whole.frames)))
            }
            Ok(Decoded::Fragment(inner)) => {
                let inner = self.defrag.push(&inner, origin.frame, origin.time)?;
                let Ok(Decoded::Packet(packet)) = inner.decode() else {
                    return None;
                };
                let (shard, item) = item(&packet, origin)?;
                Some((shard, item.into_owned(&inner.frames)))
            }
            Ok(Decoded::Other) => None,
            Err(why) => {
                self.undecoded.entry(why.to_string()).or_default().extend(&whole.frames);
                None
            }
        }
    }

    /// What is known of packets of which fragments are missing, and a gap for each.
    fn incomplete(&mut self, reading: &mut Reading) {
        for it in std::mem::take(&mut self.defrag).finish() {
            if let Some(beginning) = &it.beginning
                && let Some(first) = it.frames.first()
            {
                let origin = Origin { frame: *first, time: it.time };
                if let Some((shard, item)) = self.reassembled(beginning, origin)
                    && let Some(shard) = self.shards.get_mut(shard)
                {
                    shard.take(item);
                }
            }
            let reason = GapReason::UndecodedPacket("fragments of one datagram are missing".to_owned());
            reading.gaps.push(Gap::new(Place::in_frames(SourceId(0), it.frames), reason));
        }
    }

    fn finish(mut self, reading: &mut Reading) -> Found {
        self.incomplete(reading);
        for (why, frames) in self.undecoded {
            let reason = GapReason::UndecodedPacket(why);
            reading.gaps.push(Gap::new(Place::in_frames(SourceId(0), frames), reason));
        }
        let found: Vec<Found> = self.shards.into_par_iter().map(Shard::finish).collect();
        found.into_iter().fold(Found::default(), Found::and)
    }
}

fn route<'b>(frame: &Frame, bytes: &'b [u8]) -> Routed<'b> {
    let origin = Origin { frame: frame.number, time: frame.time };
    match packet::decode(frame.link_type, bytes, frame.wire_bytes) {
        Ok(Decoded::Packet(packet)) => {
            item(&packet, origin).map_or(Routed::Nothing, |(shard, item)| Routed::To(shard, item))
        }
        Ok(Decoded::Fragment(fragment)) => Routed::Fragment(fragment, origin),
        Ok(_) => Routed::Nothing,
        Err(why) => Routed::Undecoded(why.to_string(), frame.number),
    }
}

fn item<'b>(packet: &Packet<'b>, origin: Origin) -> Option<(usize, Item<'b>)> {
    let end = |port: u16, address| SocketAddr::new(address, port);
    let (source, destination, item) = match packet.transport {
        Transport::Udp { source_port, destination_port, payload, .. } => {
            let (source, destination) = (end(source_port, packet.source), end(destination_port, packet.destination));
            let datagram = Datagram {
                source,
                destination,
                payload: payload.into(),
                frames: vec![origin.frame],
                time: origin.time,
            };
            (source, destination, Item::Datagram(datagram))
        }
        Transport::Tcp(segment) => {
            let source = end(segment.source_port, packet.source);
            let destination = end(segment.destination_port, packet.destination);
            let it = TcpItem {
                source,
                destination,
                sequence: segment.sequence,
                syn: segment.syn,
                payload: segment.payload.into(),
                origin,
            };
            if !segment.syn && segment.payload.is_empty() {
                return None;
            }
            (source, destination, Item::Segment(it))
        }
    };
    let (key, _) = FlowKey::of(source, destination);
    Some((key.shard(SHARDS), item))
}

/// What the shards found, in one order, with every certificate once.
fn settle(reading: &mut Reading, mut found: Found) {
    reading.counts = found.counts;
    found.certificates.sort_by(|one, other| one.1.cmp(&other.1));
    let mut seen = std::collections::BTreeSet::new();
    for (der, frames) in found.certificates {
        let (certificate, _) = x509::der::read(&der);
        if seen.insert(certificate.sha256.clone()) {
            let at = vec![Place::in_frames(SourceId(0), frames)];
            found.observations.push(Observation { at, fact: Fact::Certificate(certificate) });
        }
    }
    let kind = |fact: &Fact| KINDS.iter().position(|kind| *kind == fact.kind());
    found.observations.sort_by(|one, other| one.at.cmp(&other.at).then(kind(&one.fact).cmp(&kind(&other.fact))));
    reading.observations = found.observations;
    for (reason, frame) in found.seldom {
        found.gaps.push(Gap::new(Place::in_frames(SourceId(0), [frame]), reason));
    }
    found.gaps.sort();
    reading.gaps.append(&mut found.gaps);
}

fn limit_gaps(gaps: &mut Vec<Gap>) {
    if gaps.len() > GAPS_PER_SOURCE_MAX {
        gaps.truncate(GAPS_PER_SOURCE_MAX);
        let limit = u64::try_from(GAPS_PER_SOURCE_MAX).unwrap_or(u64::MAX);
        let reason = GapReason::Limit { what: "gaps of this source".to_owned(), limit };
        gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, reason));
    }
}

/// The order of facts that stand at the same place.
const KINDS: &[&str] = &["dns.answer", "certificate", "tls.handshake", "tls.alert", "http.exchange"];

/// Fixed, so that the thread count never shows.
const SHARDS: usize = 16;
