//! What DNS said of a host: [`Resolution`], the aliases from the asked name to its addresses.
//!
//! Each answer set is walked on its own, owner by owner (RFC 1034 section 3.6.2). Where it ends in
//! an alias, the walk goes on in the answers that the same client had from the same resolver, or
//! that the same source shows when it is a text. The asked name is never lost.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::HostSource;
use crate::dns::{Answer, Record, Section, Transport};
use crate::evidence::{Evidence, Fact, ObservationId};
use crate::limits::CNAME_CHAIN_MAX;
use crate::name::Name;
use crate::provenance::{Place, SourceId, Time};

/// One answer set: the aliases from the asked name, and the addresses at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The aliases in order; empty when the name has its addresses itself.
    pub aliases: Vec<Alias>,
    /// The addresses at the end, with the answer that holds them.
    pub addresses: Vec<(IpAddr, ObservationId)>,
    /// The response code, in its IANA spelling.
    pub rcode: Option<String>,
    /// The type asked for, where the evidence shows the question.
    pub asked: Option<String>,
    /// Who asked.
    pub client: Option<IpAddr>,
    /// Who answered.
    pub resolver: Option<std::net::SocketAddr>,
    /// When.
    pub time: Option<Time>,
    /// The source that holds it.
    pub source: Option<SourceId>,
    /// The answers it was put together from, in the order of the walk; never empty.
    pub cites: Vec<ObservationId>,
}

/// One alias of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The owner.
    pub owner: Name,
    /// `CNAME` or `DNAME`.
    pub kind: String,
    /// The target.
    pub target: Name,
    /// The time to live in seconds.
    pub ttl: Option<u32>,
    /// The answer that holds it.
    pub cites: ObservationId,
}

impl Resolution {
    /// The name at the end of the aliases.
    pub fn last_target(&self) -> Option<&Name> {
        self.aliases.last().map(|alias| &alias.target)
    }

    /// Whether the answer set holds the address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|(known, _)| *known == address)
    }
}

/// All answers of the evidence, by the names they speak of.
#[derive(Debug)]
pub struct Answers<'e> {
    all: Vec<Entry<'e>>,
    by_owner: BTreeMap<&'e Name, Vec<usize>>,
    targets: BTreeSet<Name>,
    by_address: BTreeMap<IpAddr, Vec<Asked>>,
}

/// Who asked for a name, from where, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The name.
    pub host: Name,
    /// The client.
    pub client: Option<IpAddr>,
    /// When it was answered.
    pub time: Option<Time>,
    /// The source that holds the answer.
    pub source: Option<SourceId>,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'e> {
    id: ObservationId,
    source: Option<SourceId>,
    answer: &'e Answer,
}

impl<'e> Answers<'e> {
    /// Finds them.
    pub fn of(evidence: &'e Evidence) -> Self {
        let all: Vec<Entry<'e>> = evidence
            .numbered()
            .filter_map(|(id, observation)| match &observation.fact {
                Fact::DnsAnswer(answer) => {
                    Some(Entry { id, source: observation.at.first().map(Place::source), answer })
                }
                _ => None,
            })
            .collect();
        let mut answers =
            Self { all, by_owner: BTreeMap::new(), targets: BTreeSet::new(), by_address: BTreeMap::new() };
        answers.index();
        answers
    }

    fn index(&mut self) {
        for (at, entry) in self.all.iter().enumerate() {
            let owners: BTreeSet<&'e Name> = in_answer(entry.answer).map(|record| &record.owner).collect();
            for owner in owners {
                self.by_owner.entry(owner).or_default().push(at);
            }
            self.targets.extend(in_answer(entry.answer).filter_map(Record::target));
        }
        let mut by_address: BTreeMap<IpAddr, Vec<Asked>> = BTreeMap::new();
        let starts: Vec<(Name, usize)> = self
            .all
            .iter()
            .enumerate()
            .flat_map(|(at, entry)| starts(entry.answer).map(move |name| (name, at)))
            .collect();
        for (name, at) in starts {
            if self.targets.contains(&name) || name.is_unstated() {
                continue;
            }
            let Some(resolution) = self.walk(&name, at) else {
                continue;
            };
            let asked =
                Asked { host: name, client: resolution.client, time: resolution.time, source: resolution.source };
            for (address, _) in resolution.addresses {
                by_address.entry(address).or_default().push(asked.clone());
            }
        }
        self.by_address = by_address;
    }

    /// The asked names whose answers hold this address, in the order of the evidence.
    pub fn hosts_at(&self, address: IpAddr) -> impl Iterator<Item = &Asked> {
        self.by_address.get(&address).into_iter().flatten()
    }

    /// Whether the name is the target of some alias.
    pub fn is_target(&self, name: &Name) -> bool {
        self.targets.contains(name)
    }

    /// The names that were asked for and are no alias's target, with how each is known.
    pub fn asked(&self) -> impl Iterator<Item = (Name, HostSource)> {
        self.all.iter().flat_map(|entry| {
            let source = if entry.answer.question.is_some() { HostSource::Asked } else { HostSource::Answer };
            starts(entry.answer)
                .filter(|name| !self.targets.contains(name) && !name.is_unstated())
                .map(move |name| (name, source))
        })
    }

    /// Questions that a resolver's search list made of another host: they failed, and they are that
    /// host with a suffix.
    pub fn search_suffix_questions(&self, hosts: &BTreeMap<Name, HostSource>) -> BTreeSet<Name> {
        let failed = self.all.iter().filter(|entry| entry.answer.rcode.as_deref() == Some("NXDOMAIN"));
        failed
            .filter_map(|entry| entry.answer.question.as_ref())
            .map(|question| question.name.clone())
            .filter(|name| {
                hosts
                    .keys()
                    .any(|host| name.as_str().strip_prefix(host.as_str()).is_some_and(|rest| rest.starts_with('.')))
            })
            .collect()
    }

    /// Follows the aliases from `host` in the answer at `at`, and on in its kin.
    fn walk(&self, host: &Name, at: usize) -> Option<Resolution> {
        let first = *self.all.get(at)?;
        let mut resolution = Resolution {
            aliases: Vec::new(),
            addresses: Vec::new(),
            rcode: first.answer.rcode.clone(),
            asked: first.answer.question.as_ref().map(|question| question.kind.clone()),
            client: first.answer.client.map(|client| client.ip()),
            resolver: first.answer.server,
            time: first.answer.time,
            source: first.source,
            cites: vec![first.id],
        };
        let mut seen: BTreeSet<Name> = BTreeSet::from([host.clone()]);
        let mut owner = host.clone();
        for _ in 0..CNAME_CHAIN_MAX {
            let Some((entry, alias)) = self.alias_of(&owner, first) else {
                break;
            };
            let Some(target) = alias.target() else { break };
            note(&mut resolution.cites, entry.id);
            let alias = Alias {
                owner: owner.clone(),
                kind: alias.kind.clone(),
                target: target.clone(),
                ttl: alias.ttl,
                cites: entry.id,
            };
            resolution.aliases.push(alias);
            if !seen.insert(target.clone()) {
                break;
            }
            owner = target;
        }
        for (entry, address) in self.addresses_of(&owner, first) {
            if !resolution.has_address(address) {
                resolution.addresses.push((address, entry.id));
                note(&mut resolution.cites, entry.id);
            }
        }
        Some(resolution)
    }

    fn alias_of(&self, owner: &Name, first: Entry<'e>) -> Option<(Entry<'e>, &'e Record)> {
        self.kin(owner, first).find_map(|entry| {
            in_answer(entry.answer)
                .find(|record| record.owner == *owner && record.target().is_some())
                .map(|record| (entry, record))
        })
    }

    fn addresses_of(&self, owner: &Name, first: Entry<'e>) -> Vec<(Entry<'e>, IpAddr)> {
        let held = |entry: Entry<'e>| -> Vec<(Entry<'e>, IpAddr)> {
            in_answer(entry.answer)
                .filter(|record| record.owner == *owner)
                .filter_map(|record| record.address().map(|address| (entry, address)))
                .collect()
        };
        let own = held(first);
        if own.is_empty() { self.kin(owner, first).flat_map(held).collect() } else { own }
    }

    /// The answers that speak of `owner` to the same client from the same resolver, the first one
    /// itself before the others.
    fn kin(&self, owner: &Name, first: Entry<'e>) -> impl Iterator<Item = Entry<'e>> {
        let others = self.by_owner.get(owner).into_iter().flatten().filter_map(|at| self.all.get(*at).copied());
        let stated = !owner.is_unstated();
        let kin = others.filter(move |entry| stated && entry.id != first.id && are_kin(first, *entry));
        std::iter::once(first).chain(kin)
    }
}

fn are_kin(one: Entry<'_>, other: Entry<'_>) -> bool {
    let ip = |address: Option<std::net::SocketAddr>| address.map(|address| address.ip());
    one.source == other.source
        && ip(one.answer.client) == ip(other.answer.client)
        && (one.answer.transport == Transport::Text || ip(one.answer.server) == ip(other.answer.server))
}

fn note(cites: &mut Vec<ObservationId>, id: ObservationId) {
    if !cites.contains(&id) {
        cites.push(id);
    }
}

fn in_answer(answer: &Answer) -> impl Iterator<Item = &Record> {
    answer.records.iter().filter(|record| record.section == Section::Answer)
}

/// The names that an answer begins a chain for: its question, or without one the owners that are
/// no target within it.
fn starts(answer: &Answer) -> impl Iterator<Item = Name> {
    let names: Vec<Name> = match &answer.question {
        Some(question) if ASKED_BY_CLIENTS.contains(&question.kind.as_str()) => {
            vec![question.name.clone()]
        }
        Some(_) => Vec::new(),
        None => {
            let targets: BTreeSet<Name> = in_answer(answer).filter_map(Record::target).collect();
            let owners: BTreeSet<&Name> = in_answer(answer)
                .filter(|record| record.target().is_some() || record.address().is_some())
                .map(|record| &record.owner)
                .collect();
            owners.into_iter().filter(|owner| !targets.contains(owner)).cloned().collect()
        }
    };
    names.into_iter()
}

/// The resolutions of a host, one per answer set, in the order of the evidence. With `--host` an
/// answer whose first owner is not stated is that host's.
pub fn resolutions(answers: &Answers<'_>, host: &Name, selected: &[Name]) -> Vec<Resolution> {
    let mut found: Vec<Resolution> = Vec::new();
    for (at, entry) in answers.all.iter().enumerate() {
        let is_adopted = selected == [host.clone()] && starts(entry.answer).any(|name| name.is_unstated());
        let begins = starts(entry.answer).any(|name| name == *host);
        let start = if is_adopted { Some(Name::unstated()) } else { begins.then(|| host.clone()) };
        let Some(mut resolution) = start.and_then(|name| answers.walk(&name, at)) else {
            continue;
        };
        for alias in resolution.aliases.iter_mut().filter(|alias| alias.owner.is_unstated()) {
            alias.owner = host.clone();
        }
        found.push(resolution);
    }
    found
}

/// The question types that a client asks on its way to a server.
const ASKED_BY_CLIENTS: &[&str] = &["A", "AAAA", "CNAME", "HTTPS", "ANY"];
