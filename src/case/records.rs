//! What DNS says beside addresses ([`Records`]): HTTPS records, reverse names, wildcards, and which
//! names are aliases of which.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;
use smol_str::SmolStr;

use crate::dns::endpoint::Svcb;
use crate::dns::{Record, Section};
use crate::evidence::{Evidence, Fact, ObservationId};
use crate::limits::CNAME_CHAIN_MAX;
use crate::name::Name;

/// Records of all answers, by owner.
#[derive(Debug, Default)]
pub struct Records {
    https: BTreeMap<Name, Vec<(ObservationId, SmolStr)>>,
    asked_https: BTreeMap<Name, ObservationId>,
    ech: BTreeMap<Name, Vec<(u8, ObservationId)>>,
    reverse: BTreeMap<IpAddr, (ObservationId, Name)>,
    owners: HashMap<Name, Vec<(Name, ObservationId)>>,
    wildcards: BTreeMap<Name, Vec<(ObservationId, SmolStr)>>,
}

impl Records {
    /// Finds them.
    pub fn of(evidence: &Evidence) -> Self {
        let mut all = Self::default();
        for (id, observation) in evidence.numbered() {
            let Fact::DnsAnswer(answer) = &*observation.fact else { continue };
            if let Some(question) = answer.question.as_ref().filter(|it| it.kind == "HTTPS") {
                all.asked_https.entry(question.name.clone()).or_insert(id);
            }
            for record in answer.records.iter().filter(|record| record.section == Section::Answer) {
                all.take(id, record);
            }
        }
        all
    }

    fn take(&mut self, id: ObservationId, record: &Record) {
        match record.kind.as_str() {
            "HTTPS" => {
                for (number, public) in Svcb::parse(&record.data).map(|it| it.ech_configs()).unwrap_or_default() {
                    add(self.ech.entry(public).or_default(), (number, id));
                }
                add(self.https.entry(record.owner.clone()).or_default(), (id, record.data.clone()));
            }
            "PTR" => {
                if let (Some(address), Some(name)) = (reversed(&record.owner), Name::parse(&record.data)) {
                    self.reverse.entry(address).or_insert((id, name));
                }
            }
            _ => {}
        }
        if let Some(target) = record.target() {
            let owners = self.owners.entry(target).or_default();
            if owners.len() < OWNERS_MAX {
                owners.push((record.owner.clone(), id));
            }
        }
        let is_data = || record.target().is_some() || record.address().is_some();
        if record.owner.as_str().starts_with("*.") && is_data() {
            add(self.wildcards.entry(record.owner.clone()).or_default(), (id, record.data.clone()));
        }
    }

    /// The data of the HTTPS records of a host.
    pub fn https(&self, host: &Name) -> Vec<(ObservationId, SmolStr)> {
        self.https.get(host).cloned().unwrap_or_default()
    }

    /// The answer to a question for the HTTPS records of a host.
    pub fn asked_https(&self, host: &Name) -> Option<ObservationId> {
        self.asked_https.get(host).copied()
    }

    /// The Encrypted ClientHello configurations with this public name: the number of each, and the answer
    /// whose HTTPS record announces it.
    pub fn ech(&self, public_name: &Name) -> &[(u8, ObservationId)] {
        self.ech.get(public_name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The reverse name of an address.
    pub fn reverse(&self, address: IpAddr) -> Option<&(ObservationId, Name)> {
        self.reverse.get(&address)
    }

    /// What the wildcard above a host holds, where somebody asked for `*` itself.
    pub fn wildcard_above(&self, host: &Name) -> Option<(Name, &[(ObservationId, SmolStr)])> {
        let mut rest = host.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            let wildcard = Name::parse(&format!("*.{parent}"))?;
            if let Some(held) = self.wildcards.get(&wildcard) {
                return Some((wildcard, held));
            }
            rest = parent;
        }
        None
    }

    /// The names that lead to a target by aliases, the nearest first, each with the alias next to it.
    pub fn aliases_of(&self, target: &Name) -> Vec<(Name, ObservationId)> {
        let mut found: Vec<(Name, ObservationId)> = Vec::new();
        let mut seen: BTreeSet<Name> = BTreeSet::from([target.clone()]);
        let mut level = vec![target.clone()];
        for _ in 0..CNAME_CHAIN_MAX {
            let owners = level.iter().filter_map(|name| self.owners.get(name)).flatten();
            let fresh: Vec<(Name, ObservationId)> =
                owners.filter(|(owner, _)| seen.insert(owner.clone())).cloned().collect();
            if fresh.is_empty() || found.len() > OWNERS_MAX {
                break;
            }
            level = fresh.iter().map(|(owner, _)| owner.clone()).collect();
            found.extend(fresh);
        }
        found
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, it: T) {
    if all.len() < OWNERS_MAX && !all.contains(&it) {
        all.push(it);
    }
}

/// The address of a name below `in-addr.arpa` (RFC 1035 section 3.5) or `ip6.arpa` (RFC 3596).
fn reversed(name: &Name) -> Option<IpAddr> {
    if let Some(octets) = name.as_str().strip_suffix(".in-addr.arpa") {
        let octets: Vec<&str> = octets.split('.').rev().collect();
        return octets.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let nibbles: String = name.as_str().strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    let value = (nibbles.len() == 32).then(|| u128::from_str_radix(&nibbles, 16).ok())??;
    Some(IpAddr::V6(Ipv6Addr::from(value)))
}

/// More owners of one target, or more records of one owner, say nothing new of a case.
const OWNERS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_names_give_their_address() {
        for (name, address) in [
            ("7.100.51.198.in-addr.arpa", "198.51.100.7"),
            ("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::7"),
        ] {
            assert_eq!(reversed(&Name::parse(name).unwrap()), address.parse().ok(), "{name}");
        }
        for name in ["in-addr.arpa", "1.2.3.in-addr.arpa", "www.example.com", "1.2.ip6.arpa"] {
            assert_eq!(reversed(&Name::parse(name).unwrap()), None, "{name}");
        }
    }
}
