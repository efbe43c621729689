//! What the evidence shows beside one case ([`Surroundings`]): all answers and handshakes, indexed, so
//! that a rule about one host can look at the others without reading everything again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hashbrown::{HashMap, HashSet};

use super::answers::Answers;
use super::join::{Connection, Handshakes, Leaf};
use super::records::Records;
use crate::evidence::{ClientVerdict, Evidence, Fact, HttpExchange, ObservationId, Override, Run, Says};
use crate::limits::NEIGHBOURS_MAX;
use crate::name::Name;
use crate::provenance::{Place, SourceId};
use crate::provider::suffix;
use crate::tls::SniState;
use crate::x509::Certificate;
use crate::x509::path::{self, Path};
use crate::x509::roots::Roots;

type Exchanges<'e> = Vec<(ObservationId, &'e HttpExchange)>;

/// All answers and handshakes of the evidence, and what belongs to runs.
#[derive(Debug)]
pub struct Surroundings<'e> {
    /// All DNS answers.
    pub answers: Answers<'e>,
    /// All handshakes.
    pub handshakes: Handshakes<'e>,
    /// What DNS says beside addresses.
    pub records: Records,
    /// The certificates that a text shows and no handshake presented.
    pub loose: Vec<(ObservationId, SourceId, &'e Certificate)>,
    /// The mail exchanges that DNS names.
    pub exchangers: Vec<(ObservationId, Name)>,
    /// The redirects of requests in clear by which clients find out whether a network wants a login.
    pub redirected_checks: Vec<(ObservationId, SourceId, &'e HttpExchange)>,
    by_leaf: HashMap<&'e str, Vec<usize>>,
    owners: BTreeMap<&'e str, Vec<usize>>,
    paths: Mutex<HashMap<Vec<ObservationId>, Arc<Path>>>,
    by_server: HashMap<SocketAddr, Vec<usize>>,
    by_address: HashMap<IpAddr, Vec<usize>>,
    by_client: HashMap<(SourceId, IpAddr), Vec<usize>>,
    runs: BTreeMap<(SourceId, u32), (ObservationId, &'e Run)>,
    compared: BTreeMap<(SourceId, u32), Vec<&'e ClientVerdict>>,
    exchanges: BTreeMap<(SourceId, u32), Exchanges<'e>>,
    /// Those that captures show, by source, client and server.
    carried: BTreeMap<(SourceId, SocketAddr, SocketAddr), Exchanges<'e>>,
    overrides: BTreeMap<(SourceId, u32), Vec<(ObservationId, &'e Override)>>,
}

impl<'e> Surroundings<'e> {
    /// Indexes them.
    pub fn of(evidence: &'e Evidence, answers: Answers<'e>, handshakes: Handshakes<'e>, records: Records) -> Self {
        let mut around = Self {
            answers,
            handshakes,
            records,
            loose: Vec::new(),
            exchangers: Vec::new(),
            redirected_checks: Vec::new(),
            by_leaf: HashMap::new(),
            owners: BTreeMap::new(),
            paths: Mutex::default(),
            by_server: HashMap::new(),
            by_address: HashMap::new(),
            by_client: HashMap::new(),
            runs: BTreeMap::new(),
            compared: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            carried: BTreeMap::new(),
            overrides: BTreeMap::new(),
        };
        for (at, connection) in around.handshakes.all().iter().enumerate() {
            if let Some(leaf) = connection.leaf() {
                around.by_leaf.entry(leaf.certificate.id()).or_default().push(at);
            }
            if let Some(server) = connection.handshake.server {
                around.by_server.entry(server).or_default().push(at);
                around.by_address.entry(server.ip()).or_default().push(at);
            }
            if let Some(client) = connection.client_ip() {
                around.by_client.entry((connection.source, client)).or_default().push(at);
            }
        }
        around.index_owners();
        around.index_runs(evidence);
        around.index_loose(evidence);
        around
    }

    /// Of each issuer one handshake per owner of the names that its certificates cover.
    fn index_owners(&mut self) {
        let mut names: HashSet<(&'e str, &'e str)> = HashSet::new();
        let mut known: BTreeSet<(&'e str, String)> = BTreeSet::new();
        for (at, connection) in self.handshakes.all().iter().enumerate() {
            let (Some(leaf), Some(sni)) = (connection.leaf(), connection.handshake.sni.as_deref()) else { continue };
            let is_named = || Name::parse(sni).is_some_and(|sni| leaf.is_called(&sni));
            let is_right =
                connection.handshake.sni_state == SniState::Sent && connection.covers_sni().unwrap_or_else(is_named);
            let issuer = leaf.certificate.issuer.as_deref().unwrap_or_default();
            if is_right && names.insert((issuer, sni)) && known.insert((issuer, suffix::owner(sni))) {
                self.owners.entry(issuer).or_default().push(at);
            }
        }
    }

    fn index_loose(&mut self, evidence: &'e Evidence) {
        let chains = self.handshakes.all().iter().flat_map(|connection| &connection.handshake.chain);
        let presented: HashSet<&str> = chains.map(String::as_str).collect();
        for (id, observation) in evidence.numbered() {
            let source = observation.at.first().map_or(SourceId(u32::MAX), Place::source);
            match &*observation.fact {
                Fact::Certificate(it) if !presented.contains(it.id()) => self.loose.push((id, source, it)),
                Fact::DnsAnswer(answer) => {
                    let exchanges = answer.records.iter().filter(|record| record.kind == "MX");
                    let names = exchanges.filter_map(|record| Name::parse(record.data.split_whitespace().last()?));
                    self.exchangers.extend(names.map(|name| (id, name)));
                }
                _ => {}
            }
        }
    }

    fn index_runs(&mut self, evidence: &'e Evidence) {
        for (id, observation) in evidence.numbered() {
            let source = observation.at.first().map_or(SourceId(u32::MAX), Place::source);
            match &*observation.fact {
                Fact::Run(it) => {
                    self.runs.insert((source, it.run), (id, it));
                }
                Fact::HttpExchange(it) => {
                    if is_redirected_check(it) && self.redirected_checks.len() < NEIGHBOURS_MAX {
                        self.redirected_checks.push((id, source, it));
                    }
                    if let Some(run) = it.run {
                        self.exchanges.entry((source, run)).or_default().push((id, it));
                    } else if let Some((client, server)) = it.client.zip(it.server) {
                        self.carried.entry((source, client, server)).or_default().push((id, it));
                    }
                }
                Fact::Override(it) => {
                    if let Some(run) = it.run {
                        self.overrides.entry((source, run)).or_default().push((id, it));
                    }
                }
                Fact::ClientVerdict(it) if matches!(it.says, Says::NameMatches | Says::NameMismatch) => {
                    if let Some(run) = it.run {
                        self.compared.entry((source, run)).or_default().push(it);
                    }
                }
                _ => {}
            }
        }
    }

    /// What the client of a run said of a host's name.
    pub fn compared_in(&self, source: SourceId, run: Option<u32>, host: &Name) -> Option<Says> {
        let said = self.compared.get(&(source, run?))?;
        said.iter().find(|it| it.host.as_ref().is_none_or(|about| about == host)).map(|it| it.says)
    }

    /// The run that printed a fact.
    pub fn run(&self, source: SourceId, run: Option<u32>) -> Option<(ObservationId, &'e Run)> {
        self.runs.get(&(source, run?)).copied()
    }

    /// The HTTP exchanges of a connection: those of its run, or those that a capture shows in it.
    pub fn exchanges_of(&self, connection: &Connection<'_>) -> impl Iterator<Item = (ObservationId, &'e HttpExchange)> {
        let source = connection.source;
        let (run, ends) = (connection.handshake.run, connection.handshake.client.zip(connection.handshake.server));
        let of_run = run.and_then(|run| self.exchanges.get(&(source, run)));
        let carried =
            || ends.filter(|_| run.is_none()).and_then(|(client, server)| self.carried.get(&(source, client, server)));
        of_run.or_else(carried).into_iter().flatten().copied()
    }

    /// What a run forced.
    pub fn overrides_of(
        &self,
        source: SourceId,
        run: Option<u32>,
    ) -> impl Iterator<Item = (ObservationId, &'e Override)> {
        run.and_then(|run| self.overrides.get(&(source, run))).into_iter().flatten().copied()
    }

    /// The path that certificates sent together make, against the roots of this diagnosis: hosts share
    /// chains, and each is verified once.
    pub fn path(&self, sent: &[Leaf<'_>], roots: &Roots) -> Arc<Path> {
        let key: Vec<ObservationId> = sent.iter().map(|it| it.id).collect();
        let known = self.paths.lock().ok().and_then(|paths| paths.get(&key).cloned());
        known.unwrap_or_else(|| {
            let sent: Vec<&Certificate> = sent.iter().map(|it| it.certificate).collect();
            let path = Arc::new(path::build(&sent, roots));
            if let Ok(mut paths) = self.paths.lock() {
                paths.insert(key, Arc::clone(&path));
            }
            path
        })
    }

    /// The handshakes in which this certificate was presented.
    pub fn presenting(&self, leaf: &str) -> impl Iterator<Item = &Connection<'e>> {
        self.pick(self.by_leaf.get(leaf))
    }

    /// Of the handshakes whose certificate names this issuer and covers the name asked for, the first of
    /// each owner of a name.
    pub fn owners_of(&self, issuer: &str) -> impl Iterator<Item = &Connection<'e>> {
        self.pick(self.owners.get(issuer))
    }

    /// The handshakes with a server's address and port.
    pub fn with_server(&self, server: SocketAddr) -> impl Iterator<Item = &Connection<'e>> {
        self.pick(self.by_server.get(&server))
    }

    /// The handshakes with a server's address, on any port.
    pub fn at_address(&self, address: IpAddr) -> impl Iterator<Item = &Connection<'e>> {
        self.pick(self.by_address.get(&address))
    }

    /// The handshakes of a client of a capture.
    pub fn of_client(&self, source: SourceId, client: IpAddr) -> impl Iterator<Item = &Connection<'e>> {
        self.pick(self.by_client.get(&(source, client)))
    }

    fn pick(&self, at: Option<&Vec<usize>>) -> impl Iterator<Item = &Connection<'e>> {
        at.into_iter().flatten().filter_map(|at| self.handshakes.all().get(*at))
    }
}

/// Whether a check of connectivity was led to a host of another owner.
fn is_redirected_check(exchange: &HttpExchange) -> bool {
    let host = exchange.host.as_ref().filter(|host| CONNECTIVITY_CHECKS.contains(&host.as_str()));
    let to = exchange.redirect();
    host.zip(to).is_some_and(|(host, to)| suffix::owner(to.as_str()) != suffix::owner(host.as_str()))
}

/// Hosts that operating systems and browsers ask in clear, and that answer nobody with a redirect.
const CONNECTIVITY_CHECKS: &[&str] = &[
    "captive.apple.com",
    "clients3.google.com",
    "connectivity-check.ubuntu.com",
    "connectivitycheck.gstatic.com",
    "detectportal.firefox.com",
    "nmcheck.gnome.org",
    "www.msftncsi.com",
];
