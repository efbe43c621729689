//! All DNS answers of the evidence ([`Answers`]), and the walk from an asked name to its addresses.
//!
//! Each answer set is walked on its own, owner by owner (RFC 1034 section 3.6.2). Where it ends in
//! an alias, the walk goes on in the answers that the same client had from the same resolver, or
//! that the same source shows when it is a text. The asked name is never lost.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::HostSource;
use super::resolution::{Alias, Resolution};
use crate::dns::{Answer, Record, Section, Transport};
use crate::evidence::{Evidence, Fact, ObservationId};
use crate::limits::CNAME_CHAIN_MAX;
use crate::name::Name;
use crate::provenance::{Place, SourceId, Time};

/// All answers of the evidence, by the names they speak of.
#[derive(Debug)]
pub struct Answers<'e> {
    all: Vec<Entry<'e>>,
    starts: BTreeMap<&'e Name, Vec<usize>>,
    aliases: HashMap<(&'e Name, Kin), Vec<usize>>,
    held: HashMap<(&'e Name, Kin, Family), Vec<usize>>,
    targets: HashSet<Name>,
    asked_by: AskedBy,
    hosts_at: HashMap<IpAddr, BTreeSet<Arc<Name>>>,
    hosts_in_text_at: HashMap<IpAddr, BTreeSet<Arc<Name>>>,
}

/// What was asked for by address, source and client.
type AskedBy = HashMap<(IpAddr, Option<SourceId>, IpAddr), Vec<Asked>>;

/// Who asked for a name, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The name.
    pub host: Arc<Name>,
    /// When it was answered.
    pub time: Option<Time>,
    /// The answer.
    pub answer: ObservationId,
}

#[derive(Debug)]
struct Entry<'e> {
    id: ObservationId,
    source: Option<SourceId>,
    answer: &'e Answer,
    /// Its aliases and addresses, in the order of the answer.
    held: Vec<Held<'e>>,
}

/// A record that leads on.
#[derive(Debug)]
struct Held<'e> {
    record: &'e Record,
    leads: Leads,
}

#[derive(Debug)]
enum Leads {
    To(Name),
    At(IpAddr),
}

impl<'e> Held<'e> {
    fn of(record: &'e Record) -> Option<Self> {
        let leads = match record.address() {
            Some(address) => Leads::At(address),
            None => Leads::To(record.target()?),
        };
        Some(Self { record, leads })
    }

    fn target(&self) -> Option<&Name> {
        match &self.leads {
            Leads::To(target) => Some(target),
            Leads::At(_) => None,
        }
    }

    fn address(&self) -> Option<IpAddr> {
        match self.leads {
            Leads::At(address) => Some(address),
            Leads::To(_) => None,
        }
    }
}

/// Whose answers belong together: those of one source, to one client, from one resolver. A text tells
/// neither client nor resolver apart.
type Kin = (Option<SourceId>, Option<IpAddr>, Option<IpAddr>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Family {
    V4,
    V6,
}

impl<'e> Answers<'e> {
    /// Finds them.
    pub fn of(evidence: &'e Evidence) -> Self {
        let all: Vec<Entry<'e>> = evidence
            .numbered()
            .filter_map(|(id, observation)| match &*observation.fact {
                Fact::DnsAnswer(answer) => {
                    let source = observation.at.first().map(Place::source);
                    Some(Entry { id, source, answer, held: in_answer(answer).filter_map(Held::of).collect() })
                }
                _ => None,
            })
            .collect();
        let mut answers = Self {
            all,
            starts: BTreeMap::new(),
            aliases: HashMap::new(),
            held: HashMap::new(),
            targets: HashSet::new(),
            asked_by: HashMap::new(),
            hosts_at: HashMap::new(),
            hosts_in_text_at: HashMap::new(),
        };
        answers.index_records();
        answers.index_addresses();
        answers
    }

    fn index_records(&mut self) {
        let mut starts: HashMap<&'e Name, Vec<usize>> = HashMap::new();
        for (at, entry) in self.all.iter().enumerate() {
            let kin = kin_of(entry);
            for name in starts_of(entry.answer) {
                push(starts.entry(name).or_default(), at);
            }
            for Held { record, leads } in &entry.held {
                match leads {
                    Leads::To(target) => {
                        push(self.aliases.entry((&record.owner, kin)).or_default(), at);
                        self.targets.get_or_insert_with(target, Name::clone);
                    }
                    Leads::At(address) => {
                        push(self.held.entry((&record.owner, kin, family(*address))).or_default(), at);
                    }
                }
            }
        }
        self.starts = starts.into_iter().collect();
    }

    fn index_addresses(&mut self) {
        let mut asked_by = AskedBy::new();
        let mut hosts_at: HashMap<IpAddr, BTreeSet<Arc<Name>>> = HashMap::new();
        let mut in_text: HashMap<IpAddr, BTreeSet<Arc<Name>>> = HashMap::new();
        let known: &Self = self;
        let begun = known.starts.iter().filter(|(name, _)| !known.targets.contains(**name) && !name.is_unstated());
        for (name, entries) in begun {
            let host = Arc::new(Name::clone(name));
            let mut told: Vec<(IpAddr, bool)> = Vec::new();
            for (at, entry) in entries.iter().filter_map(|at| Some((*at, known.all.get(*at)?))) {
                let client = entry.answer.client.map(|client| client.ip());
                let asked = || Asked { host: Arc::clone(&host), time: entry.answer.time, answer: entry.id };
                let mut seen: Vec<IpAddr> = Vec::new();
                for (_, address, _) in known.addresses_of(known.end_of(name, at), at) {
                    if seen.contains(&address) {
                        continue;
                    }
                    seen.push(address);
                    if !told.contains(&(address, client.is_some())) {
                        told.push((address, client.is_some()));
                        hosts_at.entry(address).or_default().insert(Arc::clone(&host));
                        if client.is_none() {
                            in_text.entry(address).or_default().insert(Arc::clone(&host));
                        }
                    }
                    if let Some(client) = client {
                        asked_by.entry((address, entry.source, client)).or_default().push(asked());
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
        self.hosts_at.get(&address).into_iter().flatten().map(Arc::as_ref)
    }

    /// The asked names whose answers hold this address, where the evidence does not show who asked.
    pub fn hosts_in_text_at(&self, address: IpAddr) -> impl Iterator<Item = &Name> {
        self.hosts_in_text_at.get(&address).into_iter().flatten().map(Arc::as_ref)
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

    /// The names that were asked for and are no alias's target, or only their own in a circle, with how each is known.
    pub fn asked(&self) -> impl Iterator<Item = (Name, HostSource)> {
        let is_first =
            |name: &Name, entries: &[usize]| !self.targets.contains(name) || self.is_in_circle(name, entries);
        self.starts.iter().filter(move |(name, entries)| !name.is_unstated() && is_first(name, entries)).map(
            |(name, entries)| {
                let is_question = |at: &usize| self.all.get(*at).is_some_and(|entry| entry.answer.question.is_some());
                let source = if entries.iter().any(is_question) { HostSource::Asked } else { HostSource::Answer };
                (Name::clone(name), source)
            },
        )
    }

    /// Whether the aliases of a name lead back to it: then being a target makes it no less the name that was asked for.
    fn is_in_circle(&self, name: &Name, entries: &[usize]) -> bool {
        let leads_back = |at: &usize| self.aliases_from(name, *at).iter().any(|(_, _, target)| *target == name);
        entries.iter().any(leads_back)
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
        asked.map(|(name, _)| Name::clone(name)).collect()
    }

    fn rcode(&self, at: usize) -> Option<&str> {
        self.all.get(at)?.answer.rcode.as_deref()
    }

    /// The resolutions of a host, one per answer set, in the order of the evidence. With `--host` an
    /// answer whose first owner is not stated is that host's.
    pub fn resolutions(&self, host: &Name, selected: &[Name]) -> Vec<Resolution> {
        let walk = |name: &Name| -> Vec<Resolution> {
            let entries = self.starts.get(name).into_iter().flatten();
            entries.filter_map(|at| self.walk(name, *at)).collect()
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

    /// What DNS says of the host with a search suffix behind it.
    pub fn suffixed(&self, host: &Name) -> Vec<Resolution> {
        // the first and the last string that begin with the host and a dot: `!` is the least printable
        // character, `/` follows the dot
        let (Some(from), Some(to)) = (Name::parse(&format!("{host}.!")), Name::parse(&format!("{host}/"))) else {
            return Vec::new();
        };
        let below = self.starts.range(from..to).filter(|(name, _)| {
            name.as_str().strip_prefix(host.as_str()).is_some_and(|rest| rest.starts_with('.'))
                && !self.targets.contains(**name)
        });
        let walked = below.flat_map(|(name, entries)| entries.iter().filter_map(|at| self.walk(name, *at)));
        let mut found: Vec<Resolution> = walked.collect();
        found.sort_by_key(|it| it.answer);
        found
    }

    /// Follows the aliases from `host` in the answer at `at`, and on in its kin.
    fn walk(&self, host: &Name, at: usize) -> Option<Resolution> {
        let first = self.all.get(at)?;
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
        let mut owner = host;
        let mut is_partial = first.answer.is_partial();
        for (entry, alias, target) in self.aliases_from(host, at) {
            is_partial |= entry.answer.is_partial();
            note(&mut resolution.cites, entry.id);
            resolution.aliases.push(Alias {
                owner: owner.clone(),
                kind: alias.kind.clone(),
                target: target.clone(),
                ttl: alias.ttl,
                cites: entry.id,
            });
            owner = target;
        }
        let mut ttl = resolution.aliases.iter().filter_map(|alias| alias.ttl).min();
        for (entry, address, of_address) in self.addresses_of(owner, at) {
            if !resolution.has_address(address) {
                resolution.addresses.push((address, entry.id));
                ttl = ttl.into_iter().chain(of_address).min();
                note(&mut resolution.cites, entry.id);
            }
        }
        resolution.ttl = ttl;
        // That there is nothing more is said by a whole answer only.
        resolution.rcode = resolution.rcode.filter(|rcode| !is_partial || rcode != "NOERROR");
        Some(resolution)
    }

    /// The aliases from a name on, each with the answer that holds it; the last may lead back.
    fn aliases_from<'a>(&'a self, host: &'a Name, at: usize) -> Vec<(&'a Entry<'e>, &'e Record, &'a Name)> {
        let mut found: Vec<(&Entry<'e>, &'e Record, &Name)> = Vec::new();
        let mut owner = host;
        while let Some((entry, alias, target)) = self.alias_of(owner, at).filter(|_| found.len() < CNAME_CHAIN_MAX) {
            let is_seen = target == host || found.iter().any(|(_, _, known)| *known == target);
            found.push((entry, alias, target));
            if is_seen {
                break;
            }
            owner = target;
        }
        found
    }

    /// The name at the end of the aliases from a name on.
    fn end_of<'a>(&'a self, host: &'a Name, at: usize) -> &'a Name {
        self.aliases_from(host, at).last().map_or(host, |(_, _, target)| *target)
    }

    fn alias_of(&self, owner: &Name, at: usize) -> Option<(&Entry<'e>, &'e Record, &Name)> {
        let first = self.all.get(at)?;
        let of = |entry: &'_ Entry<'e>| -> Option<usize> {
            entry.held.iter().position(|it| it.target().is_some() && it.record.owner == *owner)
        };
        let (entry, place) = of(first).map(|place| (first, place)).or_else(|| {
            let kin = self.aliases.get(&(owner, kin_of(first))).filter(|_| !owner.is_unstated())?;
            let entry = self.all.get(self.nearest(kin, at)?)?;
            Some((entry, of(entry)?))
        })?;
        let held = entry.held.get(place)?;
        Some((entry, held.record, held.target()?))
    }

    /// The addresses of a name: those of the answer itself, else those of the nearest answer of its kin
    /// that holds some, of each family.
    fn addresses_of(&self, owner: &Name, at: usize) -> Vec<(&Entry<'e>, IpAddr, Option<u32>)> {
        let Some(first) = self.all.get(at) else {
            return Vec::new();
        };
        let own = addresses_in(first, owner);
        if !own.is_empty() || owner.is_unstated() {
            return own;
        }
        let kin = [Family::V4, Family::V6].into_iter().filter_map(|family| {
            let kin = self.held.get(&(owner, kin_of(first), family))?;
            self.nearest(kin, at)
        });
        let mut nearest: Vec<usize> = kin.collect();
        nearest.sort_unstable();
        nearest.dedup();
        nearest.into_iter().filter_map(|at| self.all.get(at)).flat_map(|entry| addresses_in(entry, owner)).collect()
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

/// The addresses that an answer holds of a name.
fn addresses_in<'a, 'e>(entry: &'a Entry<'e>, owner: &Name) -> Vec<(&'a Entry<'e>, IpAddr, Option<u32>)> {
    let own = entry.held.iter().filter(|it| it.record.owner == *owner);
    own.filter_map(|it| it.address().map(|address| (entry, address, it.record.ttl))).collect()
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
fn starts_of(answer: &Answer) -> impl Iterator<Item = &Name> {
    let names: Vec<&Name> = match &answer.question {
        Some(question) if ASKED_BY_CLIENTS.contains(&question.kind.as_str()) => {
            vec![&question.name]
        }
        Some(_) => Vec::new(),
        None => {
            let targets: BTreeSet<Name> = in_answer(answer).filter_map(Record::target).collect();
            let owners: BTreeSet<&Name> = in_answer(answer)
                .filter(|record| record.target().is_some() || record.address().is_some())
                .map(|record| &record.owner)
                .collect();
            owners.into_iter().filter(|owner| !targets.contains(*owner)).collect()
        }
    };
    names.into_iter()
}

/// The question types that a client asks on its way to a server.
const ASKED_BY_CLIENTS: &[&str] = &["A", "AAAA", "CNAME", "HTTPS", "ANY"];
