//! Display filters that show in Wireshark what a case rests on.

use std::collections::{BTreeMap, BTreeSet};

use super::{CaseEntry, PlaceEntry, Report, words};
use crate::evidence::ObservationId;

impl Report {
    /// For each source that holds what heads a case: a Wireshark display filter for exactly its frames.
    /// Without an error that is what was seen of the host.
    pub fn display_filters(&self, case: &CaseEntry) -> Vec<(&str, String)> {
        let mut frames: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
        for place in shown(case).iter().flat_map(|id| self.places_of(case, *id)) {
            if let PlaceEntry::Frames { source, frames: here, .. } = place {
                frames.entry(*source).or_default().extend(here);
            }
        }
        let sources = self.sources.iter();
        sources
            .filter_map(|source| {
                let list: Vec<String> = frames.get(&source.id)?.iter().map(ToString::to_string).collect();
                Some((source.path.as_str(), format!("frame.number in {{{}}}", list.join(", "))))
            })
            .collect()
    }
}

fn shown(case: &CaseEntry) -> BTreeSet<ObservationId> {
    let headed = case.headed_by().iter().filter(|it| !words::is_beside(case, it));
    let mut ids: BTreeSet<ObservationId> =
        headed.flat_map(|it| &it.reasons).flat_map(|it| &it.cites).copied().collect();
    if !words::is_error(case) {
        ids.extend(case.resolutions.first().into_iter().flat_map(|it| &it.cites));
        ids.extend(case.connections.first().into_iter().flat_map(|it| &it.cites));
    }
    ids
}
