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
    /// The name that it begins with: the question.
    pub start: Name,
    /// The aliases in order; empty when the name has its addresses itself.
    pub aliases: Vec<Alias>,
    /// The addresses at the end, with the answer that holds them.
    pub addresses: Vec<(IpAddr, ObservationId)>,
    /// The least time to live of its aliases and addresses, in seconds.
    pub ttl: Option<u32>,
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
    /// The run of a transcript that printed it.
    pub run: Option<u32>,
    /// The answer that it begins with.
    pub answer: ObservationId,
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
    starts: BTreeMap<Name, Vec<usize>>,
    aliases: BTreeMap<(&'e Name, Kin), Vec<usize>>,
    held: BTreeMap<(&'e Name, Kin, Family), Vec<usize>>,
    targets: BTreeSet<Name>,
    asked_by: BTreeMap<(IpAddr, Option<SourceId>, IpAddr), Vec<Asked>>,
    hosts_at: BTreeMap<IpAddr, BTreeSet<Name>>,
    hosts_in_text_at: BTreeMap<IpAddr, BTreeSet<Name>>,
}

/// Who asked for a name, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The name.
    pub host: Name,
    /// When it was answered.
    pub time: Option<Time>,
    /// The answer.
    pub answer: ObservationId,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'e> {
    id: ObservationId,
    source: Option<SourceId>,
    answer: &'e Answer,
}

/// Whose answers belong together: those of one source, to one client, from one resolver. A text tells
/// neither client nor resolver apart.
type Kin = (Option<SourceId>, Option<IpAddr>, Option<IpAddr>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    V4,
    V6,
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
        let mut answers = Self {
            all,
            starts: BTreeMap::new(),
            aliases: BTreeMap::new(),
            held: BTreeMap::new(),
            targets: BTreeSet::new(),
            asked_by: BTreeMap::new(),
            hosts_at: BTreeMap::new(),
            hosts_in_text_at: BTreeMap::new(),
        };
        answers.index_records();
        answers.index_addresses();
        answers
    }

    fn index_records(&mut self) {
        for (at, entry) in self.all.iter().enumerate() {
            let kin = kin_of(entry);
            for name in starts(entry.answer) {
                push(self.starts.entry(name).or_default(), at);
            }
            for record in in_answer(entry.answer) {
                if let Some(target) = record.target() {
                    push(self.aliases.entry((&record.owner, kin)).or_default(), at);
                    self.targets.insert(target);
                } else if let Some(address) = record.address() {
                    push(self.held.entry((&record.owner, kin, family(address))).or_default(), at);
                }
            }
        }
    }

    fn index_addresses(&mut self) {
        let mut asked_by: BTreeMap<(IpAddr, Option<SourceId>, IpAddr), Vec<Asked>> = BTreeMap::new();
        let (mut hosts_at, mut in_text): (BTreeMap<_, BTreeSet<_>>, BTreeMap<_, BTreeSet<_>>) = Default::default();
        let known: &Self = self;
        let begun = known.starts.iter().filter(|(name, _)| !known.targets.contains(*name) && !name.is_unstated());
        for (name, resolution) in
            begun.flat_map(|(name, entries)| entries.iter().filter_map(move |at| Some((name, known.walk(name, *at)?))))
        {
            let asked = Asked { host: name.clone(), time: resolution.time, answer: resolution.answer };
            for (address, _) in &resolution.addresses {
                hosts_at.entry(*address).or_default().insert(name.clone());
                match resolution.client {
                    Some(client) => {
                        asked_by.entry((*address, resolution.source, client)).or_default().push(asked.clone());
                    }
                    None => {
                        in_text.entry(*address).or_default().insert(name.clone());
                    }
                }
            }
        }
        for asked in asked_by.values_mut() {
            asked.sort_by_key(|it| (it.time, it.answer));
        }
        self.asked_by = asked_by;
        self.hosts_at = hosts_at;
        self.hosts_in_text_at = in_text;
    }

    /// The asked names whose answers hold this address, whoever asked.
    pub fn hosts_at(&self, address: IpAddr) -> impl Iterator<Item = &Name> {
        self.hosts_at.get(&address).into_iter().flatten()
    }

    /// The asked names whose answers hold this address, where the evidence does not show who asked.
    pub fn hosts_in_text_at(&self, address: IpAddr) -> impl Iterator<Item = &Name> {
        self.hosts_in_text_at.get(&address).into_iter().flatten()
    }

    /// The name that this client of this source had resolved to the address last, at that time.
    pub fn asked_before(
        &self,
        address: IpAddr,
        source: SourceId,
        client: IpAddr,
        time: Option<Time>,
    ) -> Option<&Asked> {
        let asked = self.asked_by.get(&(address, Some(source), client))?;
        let end = time.map_or(asked.len(), |time| asked.partition_point(|it| !is_later(it.time, time)));
        asked.get(end.checked_sub(1)?)
    }

    /// Whether the name is the target of some alias.
    pub fn is_target(&self, name: &Name) -> bool {
        self.targets.contains(name)
    }

    /// Whether an answer to a question for this name is here, whatever it says.
    pub fn is_asked(&self, name: &Name) -> bool {
        self.starts.contains_key(name)
    }

    /// The names that were asked for and are no alias's target, with how each is known.
    pub fn asked(&self) -> impl Iterator<Item = (Name, HostSource)> {
        self.starts.iter().filter(|(name, _)| !self.targets.contains(*name) && !name.is_unstated()).map(
            |(name, entries)| {
                let is_question = |at: &usize| self.all.get(*at).is_some_and(|entry| entry.answer.question.is_some());
                let source = if entries.iter().any(is_question) { HostSource::Asked } else { HostSource::Answer };
                (name.clone(), source)
            },
        )
    }

    /// Questions that a resolver's search list made of another host: that host with a suffix. One that
    /// was answered counts only behind a name of several labels that a client meant.
    pub fn search_suffix_questions(
        &self,
        hosts: &BTreeMap<Name, HostSource>,
        meant: &BTreeSet<Name>,
    ) -> BTreeSet<Name> {
        let is_suffixed = |name: &Name, entries: &[usize]| {
            let is_failed = entries.iter().any(|at| self.rcode(*at) == Some("NXDOMAIN"));
            beginnings(name).any(|host| {
                (is_failed && hosts.contains_key(&host)) || (host.as_str().contains('.') && meant.contains(&host))
            })
        };
        let asked = self.starts.iter().filter(|(name, entries)| is_suffixed(name, entries));
        asked.map(|(name, _)| name.clone()).collect()
    }

    fn rcode(&self, at: usize) -> Option<&str> {
        self.all.get(at)?.answer.rcode.as_deref()
    }

    /// What DNS says of the host with a search suffix behind it.
    pub fn suffixed(&self, host: &Name) -> Vec<Resolution> {
        // the first and the last string that begin with the host and a dot: `!` is the least printable
        // character, `/` follows the dot
        let (Some(from), Some(to)) = (Name::parse(&format!("{host}.!")), Name::parse(&format!("{host}/"))) else {
            return Vec::new();
        };
        let below = self.starts.range(from..to).filter(|(name, _)| {
            name.as_str().strip_prefix(host.as_str()).is_some_and(|rest| rest.starts_with('.'))
                && !self.targets.contains(*name)
        });
        let walked = below.flat_map(|(name, entries)| entries.iter().filter_map(|at| self.walk(name, *at)));
        let mut found: Vec<Resolution> = walked.collect();
        found.sort_by_key(|it| it.answer);
        found
    }

    /// Follows the aliases from `host` in the answer at `at`, and on in its kin.
    fn walk(&self, host: &Name, at: usize) -> Option<Resolution> {
        let first = *self.all.get(at)?;
        let mut resolution = Resolution {
            start: host.clone(),
            aliases: Vec::new(),
            addresses: Vec::new(),
            ttl: None,
            rcode: first.answer.rcode.clone(),
            asked: first.answer.question.as_ref().map(|question| question.kind.clone()),
            client: first.answer.client.map(|client| client.ip()),
            resolver: first.answer.server,
            time: first.answer.time,
            source: first.source,
            run: first.answer.run,
            answer: first.id,
            cites: vec![first.id],
        };
        let mut seen: BTreeSet<Name> = BTreeSet::from([host.clone()]);
        let mut owner = host.clone();
        for _ in 0..CNAME_CHAIN_MAX {
            let Some((entry, alias)) = self.alias_of(&owner, at) else {
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
        let mut ttl = resolution.aliases.iter().filter_map(|alias| alias.ttl).min();
        for (entry, address, of_address) in self.addresses_of(&owner, at) {
            if !resolution.has_address(address) {
                resolution.addresses.push((address, entry.id));
                ttl = ttl.into_iter().chain(of_address).min();
                note(&mut resolution.cites, entry.id);
            }
        }
        resolution.ttl = ttl;
        Some(resolution)
    }

    fn alias_of(&self, owner: &Name, at: usize) -> Option<(Entry<'e>, &'e Record)> {
        let first = *self.all.get(at)?;
        let of = |entry: Entry<'e>| {
            in_answer(entry.answer)
                .find(|record| record.owner == *owner && record.target().is_some())
                .map(|record| (entry, record))
        };
        of(first).or_else(|| {
            let kin = self.aliases.get(&(owner, kin_of(&first))).filter(|_| !owner.is_unstated())?;
            of(*self.all.get(self.nearest(kin, at)?)?)
        })
    }

    /// The addresses of a name: those of the answer itself, else those of the nearest answer of its kin
    /// that holds some, of each family.
    fn addresses_of(&self, owner: &Name, at: usize) -> Vec<(Entry<'e>, IpAddr, Option<u32>)> {
        let Some(first) = self.all.get(at).copied() else {
            return Vec::new();
        };
        let held = |entry: Entry<'e>| -> Vec<(Entry<'e>, IpAddr, Option<u32>)> {
            in_answer(entry.answer)
                .filter(|record| record.owner == *owner)
                .filter_map(|record| record.address().map(|address| (entry, address, record.ttl)))
                .collect()
        };
        let own = held(first);
        if !own.is_empty() || owner.is_unstated() {
            return own;
        }
        let kin = [Family::V4, Family::V6].into_iter().filter_map(|family| {
            let kin = self.held.get(&(owner, kin_of(&first), family))?;
            self.nearest(kin, at)
        });
        let mut nearest: Vec<usize> = kin.collect();
        nearest.sort_unstable();
        nearest.dedup();
        nearest.into_iter().filter_map(|at| self.all.get(at).copied()).flat_map(held).collect()
    }

    /// Of entries in the order of the evidence, the one nearest to `at` in time, the later one where
    /// times do not tell.
    fn nearest(&self, entries: &[usize], at: usize) -> Option<usize> {
        let split = entries.partition_point(|entry| *entry < at);
        let before = split.checked_sub(1).and_then(|it| entries.get(it)).copied();
        let after = entries.get(split..)?.iter().copied().find(|it| *it != at);
        let (Some(before), Some(after)) = (before, after) else {
            return after.or(before);
        };
        let seconds = |at: usize| self.all.get(at).and_then(|entry| entry.answer.time).map(|time| time.seconds);
        match (seconds(before), seconds(at), seconds(after)) {
            (Some(before_at), Some(own), Some(after_at)) if own.abs_diff(before_at) < after_at.abs_diff(own) => {
                Some(before)
            }
            _ => Some(after),
        }
    }
}

fn is_later(one: Option<Time>, time: Time) -> bool {
    one.is_some_and(|it| (it.seconds, it.nanos) > (time.seconds, time.nanos))
}

fn family(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

fn kin_of(entry: &Entry<'_>) -> Kin {
    let ip = |address: Option<std::net::SocketAddr>| address.map(|address| address.ip());
    let server = ip(entry.answer.server).filter(|_| entry.answer.transport != Transport::Text);
    (entry.source, ip(entry.answer.client), server)
}

/// Adds the number of an entry once.
fn push(entries: &mut Vec<usize>, at: usize) {
    if entries.last() != Some(&at) {
        entries.push(at);
    }
}

/// The names that a name begins with, label by label, the shortest first.
fn beginnings(name: &Name) -> impl Iterator<Item = Name> {
    let text = name.as_str();
    text.match_indices('.').filter_map(move |(at, _)| text.get(..at).and_then(Name::parse))
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
    let walk = |name: &Name| -> Vec<Resolution> {
        let entries = answers.starts.get(name).into_iter().flatten();
        entries.filter_map(|at| answers.walk(name, *at)).collect()
    };
    let mut found = walk(host);
    if selected == [host.clone()] {
        for mut resolution in walk(&Name::unstated()) {
            for alias in resolution.aliases.iter_mut().filter(|alias| alias.owner.is_unstated()) {
                alias.owner = host.clone();
            }
            found.push(resolution);
        }
        found.sort_by_key(|it| it.answer);
    }
    found
}

/// The question types that a client asks on its way to a server.
const ASKED_BY_CLIENTS: &[&str] = &["A", "AAAA", "CNAME", "HTTPS", "ANY"];
