//! The QUIC connections of a shard: [`QuicFlows`] takes the datagrams that are QUIC.

use hashbrown::HashMap;

use super::found::Found;
use super::http;
use super::moved::Moved;
use super::shard::{Datagram, SHARDS};
use crate::flow::{FlowKey, Origin};
use crate::http::h3::Stream;
use crate::limits::FLOWS_MAX;
use crate::provenance::{FrameNumber, GapReason};
use crate::quic::{self, Flow, Version};
use crate::tls::keylog::Keys;

/// The QUIC connections by their two ports.
#[derive(Default)]
pub(super) struct QuicFlows {
    flows: HashMap<FlowKey, Flow, foldhash::fast::FixedState>,
    google: Vec<(Version, FrameNumber)>,
    is_full: Option<FrameNumber>,
    /// What can be of connections that began between other ports.
    pub(super) moved: Moved,
}

impl QuicFlows {
    /// Takes a datagram; false when it is no QUIC.
    pub(super) fn take(&mut self, it: &Datagram<'_>, keys: &Keys) -> bool {
        if is_dns_port(it.source.port()) || is_dns_port(it.destination.port()) {
            return false;
        }
        if !quic::looks_like(it.payload) {
            return self.take_known(it, keys);
        }
        let Some(frame) = it.frames.last().copied() else {
            return false;
        };
        if let Some(version) = quic::google(it.payload) {
            if !self.google.iter().any(|(known, _)| *known == version) && self.google.len() < GOOGLE_VERSIONS_MAX {
                self.google.push((version, frame));
            }
            return true;
        }
        let (key, way) = FlowKey::of(it.source, it.destination);
        if self.flows.len() >= FLOWS_MAX / SHARDS && !self.flows.contains_key(&key) {
            self.is_full.get_or_insert(frame);
            return true;
        }
        let origin = Origin { frame, time: it.time };
        self.flows.entry(key).or_default().take(quic::Datagram { way, bytes: it.payload, origin }, opening(keys));
        true
    }

    /// Takes a datagram of a connection that is known already; it matters only where keys are.
    fn take_known(&mut self, it: &Datagram<'_>, keys: &Keys) -> bool {
        if keys.is_empty() {
            return false;
        }
        let (key, way) = FlowKey::of(it.source, it.destination);
        let flow = self.flows.get_mut(&key).filter(|flow| flow.has_connections());
        let (Some(flow), Some(frame)) = (flow, it.frames.last().copied()) else {
            self.moved.keep(it);
            return false;
        };
        let origin = Origin { frame, time: it.time };
        flow.take(quic::Datagram { way, bytes: it.payload, origin }, opening(keys));
        true
    }

    /// The connections, by their two ports, in no order.
    pub(super) fn flows(&self) -> impl Iterator<Item = (&FlowKey, &Flow)> {
        self.flows.iter()
    }

    /// Brings a datagram that was captured between other ports to its connection.
    pub(super) fn bring(&mut self, key: FlowKey, it: quic::Datagram<'_>, keys: &Keys) {
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.take(it, opening(keys));
        }
    }

    /// Ends all connections.
    pub(super) fn finish(self, found: &mut Found, keys: &Keys) {
        let mut flows: Vec<(FlowKey, Flow)> = self.flows.into_iter().collect();
        flows.sort_by_key(|(key, _)| *key);
        for (key, flow) in flows {
            let shown = flow.finish(key, opening(keys));
            for (joined, streams) in shown.connections.into_iter().zip(shown.streams) {
                if let Some((handshake, _)) = joined.handshakes.first()
                    && let (Some(client), Some(server)) = (handshake.client, handshake.server)
                {
                    http::streams(found, client, server, streams);
                }
                found.joined(joined);
            }
            for (reason, frames) in shown.gaps {
                found.gap(reason, frames);
            }
        }
        for (version, frame) in self.google {
            let why = format!("Google's QUIC from before the standard ({version}) carries no TLS and is not read");
            found.seldom(GapReason::Undecoded { what: "QUIC".to_owned(), why }, frame);
        }
        if let Some(frame) = self.is_full {
            let limit = u64::try_from(FLOWS_MAX).unwrap_or(u64::MAX);
            found.seldom(GapReason::Limit { what: "open QUIC connections".to_owned(), limit }, frame);
        }
    }
}

fn opening(keys: &Keys) -> quic::Opening<'_> {
    quic::Opening { keys, stream: |id| Box::new(Stream::new(id)) }
}

fn is_dns_port(port: u16) -> bool {
    matches!(port, 53 | 5353 | 5355)
}

/// The versions of Google's QUIC that are told apart.
const GOOGLE_VERSIONS_MAX: usize = 32;
