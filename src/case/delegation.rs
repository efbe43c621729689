//! Who answers for the zone of a host ([`Delegation`]): NS records of any answer, the list of the
//! registrar or registry, the record sets of a hosted zone.

use std::collections::BTreeMap;

use crate::evidence::{Evidence, Fact, Mapping, ObservationId};
use crate::name::Name;

/// The name servers of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The zone.
    pub zone: Name,
    /// Its name servers.
    pub servers: Vec<Name>,
    /// The observations that list them.
    pub cites: Vec<ObservationId>,
}

/// All delegations of the evidence, by zone.
#[derive(Debug, Default)]
pub struct Delegations(BTreeMap<Name, Delegation>);

impl Delegations {
    /// Finds them.
    pub fn of(evidence: &Evidence) -> Self {
        let mut all = Self::default();
        for (id, observation) in evidence.numbered() {
            match &*observation.fact {
                Fact::DnsAnswer(answer) => {
                    for record in answer.records.iter().filter(|record| record.kind == "NS") {
                        all.add(&record.owner, Name::parse(&record.data), id);
                    }
                }
                Fact::CloudMapping(it) => match &it.says {
                    Mapping::NameServers { domain, servers, .. } => {
                        for server in servers {
                            all.add(domain, Some(server.clone()), id);
                        }
                    }
                    Mapping::Record(set) if set.kind == "NS" => {
                        for value in &set.values {
                            all.add(&set.owner, Name::parse(value), id);
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        all
    }

    fn add(&mut self, zone: &Name, server: Option<Name>, id: ObservationId) {
        let Some(server) = server else { return };
        let fresh = || Delegation { zone: zone.clone(), servers: Vec::new(), cites: Vec::new() };
        let known = self.0.entry(zone.clone()).or_insert_with(fresh);
        if !known.servers.contains(&server) {
            known.servers.push(server);
        }
        if !known.cites.contains(&id) {
            known.cites.push(id);
        }
    }

    /// That of the closest zone at or above a host.
    pub fn of_host(&self, host: &Name) -> Option<&Delegation> {
        let mut at = host.as_str();
        loop {
            if let Some(found) = Name::parse(at).and_then(|zone| self.0.get(&zone)) {
                return (found.zone.as_str().contains('.')).then_some(found);
            }
            at = at.split_once('.')?.1;
        }
    }
}
