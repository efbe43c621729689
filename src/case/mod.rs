//! Everything known about one host: [`Case`], with its resolutions, connections and what clients said.
//!
//! Every name that a client meant makes a case: a DNS question that begins a chain, an SNI, a
//! dialled name, a URL, a Host header, a client's own words. A name that is only the target of an
//! alias makes none. [`answers`] walks the aliases from the asked name, [`join`] brings
//! handshakes to the names they were meant for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::evidence::{
    ClientVerdict, CloudMapping, Evidence, Fact, HttpExchange, Mapping, ObservationId, Override, Run,
};
use crate::name::Name;
use crate::provenance::Time;
use crate::provider::Knowledge;

pub mod answers;
pub mod delegation;
pub mod join;
pub mod origin;
pub mod records;
pub mod resolution;
pub mod surroundings;

pub use delegation::Delegation;
pub use join::{Connection, JoinedBy, Leaf};
pub use origin::Origin;
pub use resolution::{Alias, Resolution};
pub use surroundings::Surroundings;

/// Everything known about one host.
#[derive(Clone, Debug)]
pub struct Case<'e> {
    /// The name a client asked for; `None` for handshakes that no name can be found for.
    pub host: Option<Name>,
    /// How it is known.
    pub host_source: Option<HostSource>,
    /// What DNS said of it, in the order of the evidence.
    pub resolutions: Vec<Resolution>,
    /// What DNS said of it with a search suffix behind it.
    pub suffixed: Vec<Resolution>,
    /// The handshakes meant for it, in the order of the evidence.
    pub connections: Vec<Connection<'e>>,
    /// What clients said of its certificate.
    pub verdicts: Vec<(ObservationId, &'e ClientVerdict)>,
    /// What clients said of a host that they do not name, where this is the only one of the evidence.
    pub unnamed: Vec<(ObservationId, &'e ClientVerdict)>,
    /// The HTTP exchanges with it.
    pub exchanges: Vec<(ObservationId, &'e HttpExchange)>,
    /// What forced its resolution.
    pub overrides: Vec<(ObservationId, &'e Override)>,
    /// The commands that speak of it.
    pub runs: Vec<(ObservationId, &'e Run)>,
    /// Certificates that a text shows for it without a handshake, such as the output of x509.
    pub certificates: Vec<Leaf<'e>>,
    /// What exported configuration says of it, of the names above it, and of no host.
    pub cloud: Vec<(ObservationId, &'e CloudMapping)>,
    /// Who answers for its zone.
    pub delegation: Option<Delegation>,
    /// All evidence, for what belongs to no case.
    pub evidence: &'e Evidence,
    /// What the evidence shows beside this case, indexed.
    pub around: Arc<Surroundings<'e>>,
    /// What is known beyond the evidence.
    pub known: &'e Knowledge,
    /// The places of [`Case::distinct`].
    distinct: OnceLock<Vec<usize>>,
}

impl<'e> Case<'e> {
    /// The first and the last connection of each kind: thousands of the same client to the same address
    /// say no more.
    pub fn distinct(&self) -> impl Iterator<Item = &Connection<'e>> {
        let places = self.distinct.get_or_init(|| {
            let mut kinds = BTreeMap::new();
            for (at, it) in self.connections.iter().enumerate() {
                let handshake = it.handshake;
                let names = (handshake.sni.as_deref(), handshake.sni_state, handshake.dialed.as_deref());
                let seen = (handshake.chain.as_slice(), handshake.chain_state, it.alerts.len());
                let kind = (it.source, it.client_ip(), handshake.server, names, seen);
                kinds.entry(kind).and_modify(|(_, last)| *last = at).or_insert((at, at));
            }
            let kept: BTreeSet<usize> = kinds.into_values().flat_map(|(first, last)| [first, last]).collect();
            kept.into_iter().collect()
        });
        places.iter().filter_map(|at| self.connections.get(*at))
    }

    /// The time to judge a certificate of a handshake at: the one that was asked for, else the
    /// handshake's own where the evidence states its zone.
    pub fn time_of(&self, connection: &Connection<'_>) -> Option<Time> {
        self.known.as_of.or_else(|| connection.stated_time())
    }
}

/// How the name of a case is known; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostSource {
    /// A DNS question.
    Asked,
    /// A tool was told to connect to it.
    Dialed,
    /// A ClientHello named it.
    Sni,
    /// A URL.
    Url,
    /// A Host header.
    Header,
    /// A command line or a client's words.
    Command,
    /// `--host`.
    Option,
    /// The owner of an answer without a question.
    Answer,
    /// A custom domain in exported configuration.
    Configuration,
}

/// What is indexed of the evidence beside its answers, and without them.
pub struct Beside<'e> {
    handshakes: join::Handshakes<'e>,
    records: records::Records,
    spoken: Spoken<'e>,
    bare: join::BareCertificates<'e>,
    delegations: delegation::Delegations,
}

impl<'e> Beside<'e> {
    /// Indexes it.
    pub fn of(evidence: &'e Evidence) -> Self {
        Self {
            handshakes: join::Handshakes::of(evidence),
            records: records::Records::of(evidence),
            spoken: Spoken::of(evidence),
            bare: join::BareCertificates::of(evidence),
            delegations: delegation::Delegations::of(evidence),
        }
    }
}

/// The cases of the evidence, each put together when it is asked for.
pub struct Cases<'e> {
    evidence: &'e Evidence,
    around: Arc<Surroundings<'e>>,
    spoken: Spoken<'e>,
    bare: join::BareCertificates<'e>,
    delegations: delegation::Delegations,
    selected: Vec<Name>,
    known: &'e Knowledge,
    hosts: Vec<(Name, HostSource)>,
    has_nameless: bool,
}

impl<'e> Cases<'e> {
    /// Finds the hosts, or takes the selected ones, and indexes what is known of them.
    pub fn of(evidence: &'e Evidence, selected: &[Name], known: &'e Knowledge) -> Self {
        Self::of_indexes(evidence, (answers::Answers::of(evidence), Beside::of(evidence)), selected, known)
    }

    /// The same from indexes that were made before, perhaps at the same time.
    pub fn of_indexes(
        evidence: &'e Evidence,
        (answers, beside): (answers::Answers<'e>, Beside<'e>),
        selected: &[Name],
        known: &'e Knowledge,
    ) -> Self {
        let mut hosts = hosts_in(evidence, &answers);
        if !selected.is_empty() {
            hosts.retain(|host, _| selected.contains(host));
            for host in selected {
                hosts.entry(host.clone()).or_insert(HostSource::Option);
            }
        }
        let mut handshakes = beside.handshakes;
        handshakes.join(evidence, &answers, selected);
        let around = Arc::new(Surroundings::of(evidence, answers, handshakes, beside.records));
        Self {
            evidence,
            has_nameless: selected.is_empty()
                && (!around.handshakes.of_nobody().is_empty()
                    || (hosts.len() != 1 && beside.spoken.verdicts.contains_key(&None))),
            around,
            spoken: beside.spoken,
            bare: beside.bare,
            delegations: beside.delegations,
            selected: selected.to_vec(),
            known,
            hosts: hosts.into_iter().collect(),
        }
    }

    /// The hosts, by name.
    pub fn hosts(&self) -> impl Iterator<Item = &Name> {
        self.hosts.iter().map(|(host, _)| host)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = Case<'e>> {
        (0..self.len()).filter_map(|at| self.case(at))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.hosts.len().saturating_add(usize::from(self.has_nameless))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them: by name, and last that of the handshakes that no name can be found for.
    pub fn case(&self, at: usize) -> Option<Case<'e>> {
        match self.hosts.get(at) {
            Some((host, source)) => Some(self.of_host(host.clone(), *source)),
            None => (at == self.hosts.len() && self.has_nameless).then(|| self.nameless()),
        }
    }

    fn of_host(&self, host: Name, host_source: HostSource) -> Case<'e> {
        let is_only_selected = self.selected == [host.clone()];
        let spoken = &self.spoken;
        let nameless = is_only_selected.then_some(&None);
        let verdicts = spoken.verdicts.get(&Some(host.clone())).into_iter();
        let verdicts = verdicts.chain(nameless.and_then(|none| spoken.verdicts.get(none)));
        let mut verdicts: Vec<(ObservationId, &ClientVerdict)> = verdicts.flatten().copied().collect();
        verdicts.sort_by_key(|(id, _)| *id);
        let is_alone = self.selected.is_empty() && self.hosts.len() == 1;
        let unnamed = spoken.verdicts.get(&None).filter(|_| is_alone).cloned().unwrap_or_default();
        let runs = spoken.runs.get(&host).cloned().unwrap_or_default();
        Case {
            resolutions: self.around.answers.resolutions(&host, &self.selected),
            suffixed: self.around.answers.suffixed(&host),
            connections: self.around.handshakes.of_host(&host),
            verdicts,
            unnamed,
            exchanges: spoken.exchanges.get(&host).cloned().unwrap_or_default(),
            overrides: spoken.overrides.get(&host).cloned().unwrap_or_default(),
            certificates: self.bare.of_host(self.evidence, &runs, is_only_selected),
            cloud: spoken.cloud_of(&host),
            delegation: self.delegations.of_host(&host).cloned(),
            runs,
            host: Some(host),
            host_source: Some(host_source),
            evidence: self.evidence,
            around: Arc::clone(&self.around),
            known: self.known,
            distinct: OnceLock::new(),
        }
    }

    /// The case of handshakes that no name can be found for, and of a client's words that name no host.
    fn nameless(&self) -> Case<'e> {
        Case {
            host: None,
            host_source: None,
            resolutions: Vec::new(),
            suffixed: Vec::new(),
            connections: self.around.handshakes.of_nobody(),
            verdicts: self.spoken.verdicts.get(&None).filter(|_| self.hosts.len() != 1).cloned().unwrap_or_default(),
            unnamed: Vec::new(),
            exchanges: Vec::new(),
            overrides: Vec::new(),
            runs: Vec::new(),
            certificates: Vec::new(),
            cloud: Vec::new(),
            delegation: None,
            evidence: self.evidence,
            around: Arc::clone(&self.around),
            known: self.known,
            distinct: OnceLock::new(),
        }
    }
}

/// What is said of a host outside DNS and TLS, by host.
#[derive(Default)]
struct Spoken<'e> {
    verdicts: BTreeMap<Option<Name>, Vec<(ObservationId, &'e ClientVerdict)>>,
    exchanges: BTreeMap<Name, Vec<(ObservationId, &'e HttpExchange)>>,
    overrides: BTreeMap<Name, Vec<(ObservationId, &'e Override)>>,
    runs: BTreeMap<Name, Vec<(ObservationId, &'e Run)>>,
    cloud: BTreeMap<Option<Name>, Vec<(ObservationId, &'e CloudMapping)>>,
}

impl<'e> Spoken<'e> {
    fn of(evidence: &'e Evidence) -> Self {
        let mut spoken = Self::default();
        for (id, observation) in evidence.numbered() {
            match &*observation.fact {
                Fact::ClientVerdict(it) => spoken.verdicts.entry(it.host.clone()).or_default().push((id, it)),
                Fact::CloudMapping(it) => spoken.cloud.entry(it.host().cloned()).or_default().push((id, it)),
                Fact::HttpExchange(it) => add(&mut spoken.exchanges, it.host.as_ref(), id, it),
                Fact::Override(it) => add(&mut spoken.overrides, it.host.as_ref(), id, it),
                Fact::Run(it) => add(&mut spoken.runs, it.host.as_ref(), id, it),
                _ => {}
            }
        }
        spoken
    }

    /// The configuration of a host, of the wildcard and the zones above it, and what names no host.
    fn cloud_of(&self, host: &Name) -> Vec<(ObservationId, &'e CloudMapping)> {
        let mut keys = vec![None, Some(host.clone())];
        let mut rest = host.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            keys.push(Name::parse(parent));
            keys.push(Name::parse(&format!("*.{parent}")));
            rest = parent;
        }
        let mut found: Vec<(ObservationId, &CloudMapping)> =
            keys.iter().filter_map(|key| self.cloud.get(key)).flatten().copied().collect();
        found.sort_by_key(|(id, _)| *id);
        found
    }
}

fn add<'e, T>(
    map: &mut BTreeMap<Name, Vec<(ObservationId, &'e T)>>,
    host: Option<&Name>,
    id: ObservationId,
    fact: &'e T,
) {
    if let Some(host) = host {
        map.entry(host.clone()).or_default().push((id, fact));
    }
}

/// The names that clients meant, each with how it is known.
fn hosts_in(evidence: &Evidence, answers: &answers::Answers<'_>) -> BTreeMap<Name, HostSource> {
    let mut hosts: BTreeMap<Name, HostSource> = BTreeMap::new();
    let mut add = |name: Name, source: HostSource| {
        hosts.entry(name).and_modify(|known| *known = (*known).min(source)).or_insert(source);
    };
    for (name, source) in answers.asked() {
        add(name, source);
    }
    let mut meant: BTreeSet<Name> = BTreeSet::new();
    for observation in &evidence.observations {
        for (name, source) in meant_by(&observation.fact, answers) {
            meant.insert(name.clone());
            add(name, source);
        }
    }
    if hosts.is_empty() {
        hosts.extend(configured(evidence));
    }
    hosts.retain(|name, _| !name.as_str().contains('*'));
    let suffixed: BTreeSet<Name> = answers.search_suffix_questions(&hosts, &meant);
    hosts.retain(|name, source| *source != HostSource::Asked || !suffixed.contains(name));
    hosts
}

/// The custom domains of exported configuration: hosts only where no client names one.
fn configured(evidence: &Evidence) -> impl Iterator<Item = (Name, HostSource)> {
    evidence.observations.iter().filter_map(|observation| match &*observation.fact {
        Fact::CloudMapping(it) if matches!(it.says, Mapping::CustomDomain(_) | Mapping::NoCustomDomain { .. }) => {
            let host = it.host().filter(|host| !host.as_str().contains('*'))?;
            Some((host.clone(), HostSource::Configuration))
        }
        _ => None,
    })
}

fn meant_by(fact: &Fact, answers: &answers::Answers<'_>) -> Vec<(Name, HostSource)> {
    let name = |text: Option<&String>| text.and_then(|text| Name::parse(text));
    match fact {
        Fact::TlsHandshake(it) => {
            let sni = name(it.sni.as_ref());
            let dialed = name(it.dialed.as_ref()).filter(|dialed| dialed.ip().is_none());
            let lone_address = name(it.dialed.as_ref()).filter(|dialed| {
                sni.is_none() && dialed.ip().is_some_and(|address| answers.hosts_at(address).next().is_none())
            });
            let dialed = dialed.or(lone_address).map(|name| (name, HostSource::Dialed));
            sni.map(|name| (name, HostSource::Sni)).into_iter().chain(dialed).collect()
        }
        Fact::ClientVerdict(it) => it.host.iter().map(|name| (name.clone(), HostSource::Command)).collect(),
        Fact::Run(it) if NAMED_BY.contains(&it.tool.as_str()) => {
            let named = it.host.iter().filter(|host| host.ip().is_none());
            named.map(|name| (name.clone(), HostSource::Command)).collect()
        }
        Fact::HttpExchange(it) => it.host.iter().map(|name| (name.clone(), HostSource::Url)).collect(),
        _ => Vec::new(),
    }
}

/// Tools whose command names a host although nothing of the connection is shown: it failed before, or its
/// certificate alone was kept.
const NAMED_BY: &[&str] =
    &["openssl x509", "curl", "wget", "go", "node", "python", "java", "ruby", "php", ".NET", "rust", "git"];
