//! A capture whose last packet was read becomes readings: one for each of its files, with what was
//! found in them in a fixed order. Where facts are written while they are found, the lines that are
//! left go out here, and the readings hold the gaps alone.

use std::io;

use rayon::prelude::*;

use super::capture::{Capture, whole};
use crate::capture::Summary;
use crate::evidence::{Counts, Fact, Observation, Reading, facts};
use crate::limits::GAPS_PER_SOURCE_MAX;
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::x509;

/// The readings of a capture, in the order of its files.
pub(super) fn readings(mut capture: Capture<'_>) -> io::Result<Vec<Reading>> {
    let mut gaps = gaps(&mut capture);
    let counts = counts(&capture);
    let certificates = certificates(&mut capture, &mut gaps);
    let is_evidence = !certificates.is_empty() || capture.shards.iter().any(|shard| shard.found.is_evidence);
    let mut parts = vec![certificates];
    parts.extend(capture.shards.iter_mut().map(|shard| std::mem::take(&mut shard.found.observations)));
    let observations = Ordered::of(parts);
    if capture.lines.are_begun() {
        write(&mut capture, observations);
        return sum_up(capture, Ordered::of(Vec::new()), (gaps, counts), is_evidence);
    }
    sum_up(capture, observations, (gaps, counts), is_evidence)
}

/// Gives each file its own.
fn sum_up(
    mut capture: Capture<'_>,
    observations: Ordered,
    (mut gaps, counts): (Vec<Gap>, Counts),
    is_evidence: bool,
) -> io::Result<Vec<Reading>> {
    std::mem::take(&mut capture.lines).finish()?;
    let mut all = sources(&mut capture, !gaps.is_empty(), is_evidence);
    if let Some(first) = all.first_mut() {
        first.counts = counts;
    }
    if let [only] = all.as_mut_slice() {
        only.observations.reserve_exact(observations.len());
    }
    for observation in observations {
        let own = own(&observation.at);
        if let Some(reading) = all.get_mut(own) {
            reading.observations.push(Observation { at: relative(observation.at, own), fact: observation.fact });
        }
    }
    gaps.sort();
    for gap in gaps {
        let own = own(&gap.at);
        if let Some(reading) = all.get_mut(own) {
            reading.gaps.push(Gap { at: relative(gap.at, own), reason: gap.reason });
        }
    }
    for reading in &mut all {
        limit_gaps(&mut reading.gaps);
    }
    Ok(all)
}

/// Observations in the order of their places, and of their kinds at one place. Each is moved once: they
/// are large, and there may be many.
struct Ordered {
    parts: Vec<Vec<Option<Observation>>>,
    /// Which part, and where in it.
    order: std::vec::IntoIter<(usize, usize)>,
}

impl Ordered {
    fn of(parts: Vec<Vec<Observation>>) -> Self {
        let kind = |fact: &Fact| KINDS.iter().position(|kind| *kind == fact.kind());
        let mut keys: Vec<(&[Place], Option<usize>, usize, usize)> = Vec::new();
        for (part, of_part) in parts.iter().enumerate() {
            keys.extend(of_part.iter().enumerate().map(|(at, it)| (it.at.as_slice(), kind(&it.fact), part, at)));
        }
        keys.sort_unstable();
        let order: Vec<(usize, usize)> = keys.into_iter().map(|(_, _, part, at)| (part, at)).collect();
        let parts = parts.into_iter().map(|part| part.into_iter().map(Some).collect()).collect();
        Self { parts, order: order.into_iter() }
    }

    fn len(&self) -> usize {
        self.order.len()
    }
}

impl Iterator for Ordered {
    type Item = Observation;

    fn next(&mut self) -> Option<Observation> {
        let (part, at) = self.order.next()?;
        self.parts.get_mut(part)?.get_mut(at)?.take()
    }
}

/// One reading per file, without observations.
fn sources(capture: &mut Capture<'_>, is_lossy: bool, is_evidence: bool) -> Vec<Reading> {
    let names = &capture.files.names;
    let ring = names.first().filter(|_| names.len() > 1).cloned();
    let mut all = Vec::new();
    for (mut reading, summary) in std::mem::take(&mut capture.read) {
        if let Some(summary) = summary {
            describe(&mut reading, &summary);
            let snaplen = summary.snaplen.filter(|_| summary.cut_frames > 0 && is_lossy);
            reading.gaps.extend(snaplen.map(|snaplen| whole(GapReason::Snaplen(snaplen))));
            if !is_evidence {
                reading.gaps.push(whole(GapReason::NoEvidence));
            }
        }
        if let Some(ring) = &ring {
            reading.source.capture = Some(ring.clone());
            reading.others.clone_from(names);
        }
        all.push(reading);
    }
    all
}

fn describe(reading: &mut Reading, summary: &Summary) {
    let source = &mut reading.source;
    source.frames = Some(summary.frames);
    source.link_types = summary.link_types.iter().map(ToString::to_string).collect();
    source.first = summary.first;
    source.last = summary.last;
    source.dropped = summary.dropped;
    source.capture = Some(source.path.clone());
}

/// What could not be read, of all files.
fn gaps(capture: &mut Capture<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (reason, frames) in capture.fragments.gaps() {
        gaps.push(if frames.is_empty() { whole(reason) } else { Gap { at: capture.files.places(frames), reason } });
    }
    let mut left_out = 0_u64;
    let mut given_up = (0_u64, Vec::new());
    for shard in &mut capture.shards {
        gaps.append(&mut shard.found.gaps);
        left_out = left_out.saturating_add(shard.found.gaps_left_out);
        given_up.0 = shard.given_up_count.saturating_add(given_up.0);
        given_up.1.append(&mut shard.given_up);
    }
    let mut seldom = std::collections::BTreeMap::new();
    for shard in &mut capture.shards {
        for (reason, frame) in std::mem::take(&mut shard.found.seldom) {
            let first = seldom.entry(reason).or_insert(frame);
            *first = frame.min(*first);
        }
    }
    gaps.extend(seldom.into_iter().map(|(reason, frame)| Gap { at: capture.files.places(vec![frame]), reason }));
    if given_up.0 > 0 {
        given_up.1.sort_unstable();
        given_up.1.truncate(GAPS_PER_SOURCE_MAX);
        gaps.push(Gap { at: capture.files.places(given_up.1), reason: GapReason::GivenUp(given_up.0) });
    }
    if left_out > 0 {
        let limit = u64::try_from(GAPS_PER_SOURCE_MAX).unwrap_or(u64::MAX);
        gaps.push(whole(GapReason::Limit { what: format!("gaps of this source, {left_out} more"), limit }));
    }
    gaps
}

fn counts(capture: &Capture<'_>) -> Counts {
    let mut counts = Counts::default();
    for shard in &capture.shards {
        counts.client_hellos = counts.client_hellos.saturating_add(shard.found.counts.client_hellos);
        counts.server_hellos = counts.server_hellos.saturating_add(shard.found.counts.server_hellos);
    }
    counts
}

/// Every certificate once, at its first presentation.
fn certificates(capture: &mut Capture<'_>, gaps: &mut Vec<Gap>) -> Vec<Observation> {
    let presented = capture.certificates();
    let files = &capture.files;
    let read: Vec<_> = presented
        .into_par_iter()
        .with_min_len(64)
        .map(|it| {
            let (certificate, problem) = x509::der::read(&it.der);
            (files.places(it.frames), certificate, problem)
        })
        .collect();
    let mut observations = Vec::with_capacity(read.len());
    for (at, certificate, problem) in read {
        if let Some(why) = problem {
            let reason = GapReason::Undecoded { what: "certificate".to_owned(), why };
            gaps.push(Gap { at: at.clone(), reason });
        }
        observations.push(Observation { at, fact: Box::new(Fact::Certificate(certificate)) });
    }
    observations
}

/// Writes what is left as lines: some of it at a time, each part of that by one worker.
fn write(capture: &mut Capture<'_>, mut observations: Ordered) {
    capture.lines.take(&mut capture.shards);
    capture.lines.flush();
    let names = &capture.files.names;
    let mut some = Vec::with_capacity(WRITTEN_TOGETHER);
    loop {
        some.extend(observations.by_ref().take(WRITTEN_TOGETHER));
        if some.is_empty() {
            break;
        }
        let lines = |some: &[Observation]| {
            let mut lines = Vec::new();
            for it in some {
                facts::write_fact(&mut lines, &it.fact, &it.at, names);
            }
            lines
        };
        let parts: Vec<Vec<u8>> = some.par_chunks(WRITTEN_TOGETHER / LINE_PARTS).map(lines).collect();
        for lines in &parts {
            capture.lines.write(lines);
        }
        some.clear();
    }
}

/// The file of the first place.
fn own(at: &[Place]) -> usize {
    at.first().and_then(|place| usize::try_from(place.source().0).ok()).unwrap_or(0)
}

/// The same places for the reading of one of the files: 0 is that file, the others are counted from 1.
fn relative(at: Vec<Place>, own: usize) -> Vec<Place> {
    let renumber = |place: Place| {
        let file = place.source().0;
        let is_own = usize::try_from(file).is_ok_and(|file| file == own);
        place.moved_to(if is_own { SourceId(0) } else { SourceId(file.saturating_add(1)) })
    };
    at.into_iter().map(renumber).collect()
}

fn limit_gaps(gaps: &mut Vec<Gap>) {
    if gaps.len() > GAPS_PER_SOURCE_MAX {
        gaps.truncate(GAPS_PER_SOURCE_MAX);
        let limit = u64::try_from(GAPS_PER_SOURCE_MAX).unwrap_or(u64::MAX);
        gaps.push(whole(GapReason::Limit { what: "gaps of this source".to_owned(), limit }));
    }
}

/// So many facts are written together at the end, in so many parts.
const WRITTEN_TOGETHER: usize = 256;
const LINE_PARTS: usize = 8;

/// The order of facts that stand at the same place.
const KINDS: &[&str] = &["dns.answer", "certificate", "tls.handshake", "tls.alert", "http.exchange"];
