//! What makes output deterministic: readings of single sources become [`Evidence`] in a fixed order.
//!
//! Sources are numbered by name. Observations and gaps are ordered by source, then by the first
//! frame or line of their first place; what starts at the same place keeps its reader's order.

use std::collections::BTreeMap;

use super::{Evidence, Observation, Reading};
use crate::provenance::{Gap, Place, SourceId};

impl Evidence {
    /// Puts readings together. A source that was read twice (in two facts files) counts once; two
    /// sources of one name and different bytes are told apart by a number.
    pub fn gather(mut readings: Vec<Reading>) -> Self {
        readings.sort_by(|a, b| {
            (&a.source.path, &a.source.sha256, a.source.bytes).cmp(&(&b.source.path, &b.source.sha256, b.source.bytes))
        });
        readings.dedup_by(|later, earlier| later.source == earlier.source && later.source.sha256.is_some());
        let mut ids: BTreeMap<String, SourceId> = BTreeMap::new();
        for (id, reading) in (0..).map(SourceId).zip(&readings) {
            ids.entry(reading.source.path.clone()).or_insert(id);
        }
        tell_apart(&mut readings);
        let mut evidence = Self::default();
        for (id, reading) in (0..).map(SourceId).zip(readings) {
            let others: Vec<SourceId> =
                reading.others.iter().map(|name| ids.get(name).copied().unwrap_or(id)).collect();
            evidence.take(id, &others, reading);
        }
        evidence
    }

    fn take(&mut self, id: SourceId, others: &[SourceId], reading: Reading) {
        let mut observations = reading.observations;
        for observation in &mut observations {
            move_to(&mut observation.at, id, others);
        }
        if !observations.is_sorted_by_key(first_place) {
            observations.sort_by_key(first_place);
        }
        if self.observations.is_empty() {
            self.observations = observations;
        } else {
            self.observations.append(&mut observations);
        }
        let mut gaps = reading.gaps;
        for gap in &mut gaps {
            move_to(&mut gap.at, id, others);
        }
        gaps.sort_by_key(|gap| (gap.at.first().map_or(0, Place::start), gap.reason.to_string()));
        self.gaps.append(&mut gaps);
        self.quotes.extend(reading.quotes.into_iter().map(|(line, text)| ((id, line), text)));
        self.counts.push(reading.counts);
        self.sources.push(reading.source);
    }

    /// The gaps of one source.
    pub fn gaps_of(&self, id: SourceId) -> impl Iterator<Item = &Gap> {
        let start = self.gaps.partition_point(|gap| source_of(&gap.at) < id);
        self.gaps.iter().skip(start).take_while(move |gap| source_of(&gap.at) == id)
    }

    /// The observations of one source.
    pub fn observations_of(&self, id: SourceId) -> impl Iterator<Item = &Observation> {
        let start = self.observations.partition_point(|observation| source_of(&observation.at) < id);
        self.observations.iter().skip(start).take_while(move |observation| source_of(&observation.at) == id)
    }
}

fn tell_apart(readings: &mut [Reading]) {
    let mut number = 1_u32;
    for at in 1..readings.len() {
        let Some([earlier, later]) =
            readings.get_mut(at - 1..=at).and_then(|pair| <&mut [Reading; 2]>::try_from(pair).ok())
        else {
            continue;
        };
        let base = earlier.source.path.split(" (").next().unwrap_or_default();
        if later.source.path == base {
            number = number.saturating_add(1);
            later.source.path = format!("{base} ({number})");
        } else {
            number = 1;
        }
    }
}

fn first_place(observation: &Observation) -> u64 {
    observation.at.first().map_or(0, Place::start)
}

fn source_of(at: &[Place]) -> SourceId {
    at.first().map_or(SourceId(0), Place::source)
}

/// Gives places their final sources: 0 becomes `id`, other numbers are counted from 1 in `others`.
fn move_to(at: &mut [Place], id: SourceId, others: &[SourceId]) {
    for place in at {
        let other = usize::try_from(place.source().0).unwrap_or(0).checked_sub(1);
        let to = other.and_then(|at| others.get(at)).copied().unwrap_or(id);
        place.move_to(to);
    }
}
