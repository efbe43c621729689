//! Where a certificate stands in the connection that is judged.
//!
//! Evidence holds a certificate once, at its first presentation in a source. A reader who follows a claim
//! about a later connection wants that connection: the claim then cites its handshake as well, and the
//! certificate is shown at the frames that presented it there.

use std::collections::{BTreeMap, BTreeSet};

use super::{CaseEntry, ConnectionEntry, PlaceEntry, ReasonEntry, RuledOut, build};
use crate::evidence::{Evidence, Fact, ObservationId};
use crate::provenance::{FrameNumber, Place, SourceId};

/// A certificate in a connection: the observation of its handshake, and the places there.
pub(super) type Shown = (ObservationId, Vec<PlaceEntry>);

/// Finds where each certificate of a case stands in it, and has the claims cite it.
pub(super) fn settle(case: &mut CaseEntry, evidence: &Evidence) {
    let shown = all(case, evidence);
    for finding in &mut case.findings {
        finding.reasons.iter_mut().for_each(|it| cite(&mut it.cites, &shown, evidence));
    }
    case.beware.iter_mut().for_each(|ReasonEntry { cites, .. }| cite(cites, &shown, evidence));
    case.ruled_out.iter_mut().for_each(|RuledOut { cites, .. }| cite(cites, &shown, evidence));
    case.shown = shown;
}

/// The certificates that were first presented elsewhere, in the connection that what heads the case cites,
/// else in the first that presents them.
fn all(case: &CaseEntry, evidence: &Evidence) -> BTreeMap<ObservationId, Shown> {
    let reasons = case.headed_by().iter().flat_map(|it| &it.reasons);
    let cited: BTreeSet<ObservationId> = reasons.flat_map(|it| it.cites.iter().copied()).collect();
    let is_cited = |it: &&ConnectionEntry| it.cites.iter().any(|id| cited.contains(id) && is_handshake(evidence, *id));
    let (first, rest): (Vec<&ConnectionEntry>, Vec<&ConnectionEntry>) = case.connections.iter().partition(is_cited);
    let mut known: BTreeSet<ObservationId> = BTreeSet::new();
    let mut shown = BTreeMap::new();
    for connection in first.into_iter().chain(rest) {
        let handshake = connection.cites.iter().find(|id| is_handshake(evidence, **id));
        for id in connection.chain.iter().filter_map(|it| it.observation).filter(|id| known.insert(*id)) {
            let places = handshake.and_then(|handshake| Some((*handshake, places_in(evidence, *handshake, id)?)));
            shown.extend(places.map(|it| (id, it)));
        }
    }
    shown
}

fn is_handshake(evidence: &Evidence, id: ObservationId) -> bool {
    evidence.observation(id).is_some_and(|it| matches!(*it.fact, Fact::TlsHandshake(_)))
}

/// The frames of a handshake that presented its chain; `None` where the certificate stands there anyway,
/// and where no frame is known.
fn places_in(evidence: &Evidence, handshake: ObservationId, certificate: ObservationId) -> Option<Vec<PlaceEntry>> {
    let it = evidence.observation(handshake)?;
    let Fact::TlsHandshake(fact) = &*it.fact else { return None };
    let all = frames(&it.at);
    let own = frames(&evidence.observation(certificate)?.at);
    if own.is_empty() || own.iter().all(|frame| all.contains(frame)) {
        return None;
    }
    let chain = all.get(usize::try_from(fact.chain_from?).ok()?..)?;
    let mut places: Vec<Place> = Vec::new();
    for of_source in chain.chunk_by(|(one, _), (other, _)| one == other) {
        let (source, _) = of_source.first()?;
        places.push(Place::in_frames(*source, of_source.iter().map(|(_, frame)| *frame)));
    }
    Some(build::places(&places))
}

/// All frames with their sources, in order.
fn frames(at: &[Place]) -> Vec<(SourceId, FrameNumber)> {
    let of_place = |place: &Place| match place {
        Place::Frames { source, frames } => frames.iter().map(|frame| (*source, *frame)).collect(),
        Place::Lines { .. } | Place::Whole { .. } => Vec::new(),
    };
    at.iter().flat_map(of_place).collect()
}

/// Adds the handshake of each certificate that is cited without any that presents it.
fn cite(cites: &mut Vec<ObservationId>, shown: &BTreeMap<ObservationId, Shown>, evidence: &Evidence) {
    let presents = |handshake: &ObservationId, digest: &Option<String>| {
        let fact = evidence.observation(*handshake).map(|it| &*it.fact);
        matches!((fact, digest), (Some(Fact::TlsHandshake(it)), Some(digest)) if it.chain.contains(digest))
    };
    let mut missing: Vec<ObservationId> = Vec::new();
    for (id, handshake) in cites.iter().filter_map(|id| Some((*id, shown.get(id)?.0))) {
        let digest = match evidence.observation(id).map(|it| &*it.fact) {
            Some(Fact::Certificate(it)) => it.sha256.clone(),
            _ => None,
        };
        let is_there = cites.iter().chain(&missing).any(|it| presents(it, &digest));
        if !is_there {
            missing.push(handshake);
        }
    }
    cites.extend(missing);
}
