//! Handshakes and the names they were meant for: [`Connection`], [`Leaf`].
//!
//! A handshake belongs to the name in its SNI, to the name that a tool dialled, and to the Host
//! header of its run. One without any name belongs to the host that the same client had resolved to
//! that address before, if that is one host; otherwise to nobody, and the report says so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};

use super::answers::Answers;
use crate::evidence::{Evidence, Fact, Observation, ObservationId, Run};
use crate::name::{self, Check, Name, Rejection, Tried};
use crate::provenance::{Place, SourceId, Time, Zone};
use crate::tls::{Alert, Handshake, SniState, Transport};
use crate::x509::Certificate;

/// One handshake of a case.
#[derive(Clone, Debug)]
pub struct Connection<'e> {
    /// The observation of the handshake.
    pub id: ObservationId,
    /// The handshake.
    pub handshake: &'e Handshake,
    /// The source that holds it.
    pub source: SourceId,
    /// How it came to this host.
    pub joined_by: JoinedBy,
    /// The certificates the server sent, in wire order, as far as they are known.
    pub chain: Vec<Leaf<'e>>,
    /// The alerts of both sides.
    pub alerts: Vec<(ObservationId, &'e Alert)>,
    /// The server name asked for, in comparable form.
    sni: Option<Name>,
    /// Whether the certificate covers that name; `None` where a text does not show its identifiers.
    covers_sni: Option<bool>,
}

impl<'e> Connection<'e> {
    /// The certificate of the server itself.
    pub fn leaf(&self) -> Option<&Leaf<'e>> {
        self.chain.first()
    }

    /// Whether the client asked the server for this name.
    pub fn asks_for(&self, host: &Name) -> bool {
        self.handshake.sni_state == SniState::Sent && self.sni.as_ref() == Some(host)
    }

    /// The server name asked for, in comparable form.
    pub fn sni(&self) -> Option<Name> {
        self.sni.clone()
    }

    /// Whether the server name asked for is the host; `None` where none is known.
    pub fn sni_is(&self, host: &Name) -> Option<bool> {
        self.sni.as_ref().map(|sni| sni == host)
    }

    /// Whether the certificate covers the name that was asked for; `None` where no name was asked for,
    /// no certificate is visible, or a text does not show its identifiers.
    pub fn covers_sni(&self) -> Option<bool> {
        self.covers_sni
    }

    /// When the handshake was, where the evidence states the zone.
    pub fn stated_time(&self) -> Option<Time> {
        self.handshake.time.filter(|time| time.zone == Zone::Stated)
    }

    /// The address of the server; none where a proxy stands at the address that the client connected to.
    pub fn server_ip(&self) -> Option<IpAddr> {
        self.handshake.server.map(|server| server.ip()).filter(|_| self.handshake.proxy_host.is_none())
    }

    /// The address of the client.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.handshake.client.map(|client| client.ip())
    }
}

/// How a handshake came to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinedBy {
    /// Its SNI is the host.
    Sni,
    /// A tool was told to connect to the host.
    Dialed,
    /// The Host header, or the authority, of a request in it or in its run is the host.
    Header,
    /// The host had been resolved to the server's address, and the handshake names no host.
    Address,
    /// The host had been resolved to the server's address, and the handshake names one that the client
    /// did not resolve.
    ForeignName,
    /// It names no host, and one was given with `--host`.
    Option,
}

/// A certificate with the observation of it.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'e> {
    /// The observation.
    pub id: ObservationId,
    /// The certificate.
    pub certificate: &'e Certificate,
}

impl Leaf<'_> {
    /// The check of its presented identifiers against the host; `None` when a text does not show
    /// them.
    pub fn check(&self, host: &Name) -> Option<Check> {
        let san = self.certificate.san.as_ref()?;
        let mut check = name::check(host, san.dns.iter().map(String::as_str), san.ip.iter().map(String::as_str));
        if let Some(name) = self.certificate.common_name().filter(|_| check.tried.is_empty()) {
            check.tried.push(Tried { presented: name.to_owned(), rejection: Some(Rejection::CommonName) });
        }
        Some(check)
    }

    /// Whether one of its presented identifiers covers the host; `None` when a text does not show
    /// them.
    pub fn covers(&self, host: &Name) -> Option<bool> {
        let san = self.certificate.san.as_ref()?;
        Some(name::is_covered(host, san.dns.iter().map(String::as_str), san.ip.iter().map(String::as_str)))
    }

    /// Whether the common name is the host's: what a text shows where it leaves the identifiers out.
    pub fn is_called(&self, host: &Name) -> bool {
        self.certificate.common_name().is_some_and(|label| name::match_dns(host, label).is_ok())
    }

    /// What to call it by: the first name to show, else its subject.
    pub fn label(&self) -> String {
        let subject = || self.certificate.subject.clone().filter(|subject| !subject.is_empty());
        let first = self.labels().first().map(|label| (*label).to_owned());
        first.or_else(subject).unwrap_or_else(|| "a certificate without names".to_owned())
    }

    /// The names to show: the presented identifiers, or the common name as a label.
    pub fn labels(&self) -> Vec<&str> {
        match &self.certificate.san {
            Some(san) if !san.dns.is_empty() => san.dns.iter().map(String::as_str).collect(),
            Some(san) if !san.ip.is_empty() => san.ip.iter().map(String::as_str).collect(),
            _ => self.certificate.common_name().into_iter().collect(),
        }
    }
}

/// All handshakes of the evidence, with the hosts they were meant for.
#[derive(Debug)]
pub struct Handshakes<'e> {
    all: Vec<Connection<'e>>,
    by_host: HashMap<Name, Vec<(usize, JoinedBy)>>,
    of_nobody: Vec<usize>,
    named: HashSet<(SourceId, IpAddr, Name)>,
}

impl<'e> Handshakes<'e> {
    /// Finds them; [`Handshakes::join`] finds their hosts.
    pub fn of(evidence: &'e Evidence) -> Self {
        let certificates = Certificates::of(evidence);
        let alerts = alerts_by_connection(evidence);
        let mut all: Vec<Connection<'e>> = Vec::new();
        let mut checked: HashMap<(&str, &str), Option<bool>> = HashMap::new();
        for (id, observation) in evidence.numbered() {
            let Fact::TlsHandshake(handshake) = &*observation.fact else {
                continue;
            };
            let source = source_of(observation);
            let chain: Vec<Leaf<'e>> = handshake.chain.iter().filter_map(|it| certificates.find(source, it)).collect();
            let sni = handshake.sni.as_deref().and_then(Name::parse);
            let covers_sni = sni.as_ref().zip(chain.first()).and_then(|(sni, leaf)| {
                let key = (handshake.sni.as_deref().unwrap_or_default(), leaf.certificate.id());
                *checked.entry(key).or_insert_with(|| leaf.covers(sni))
            });
            let key = (source, handshake.client, handshake.server, handshake.run);
            let alerts = alerts.get(&key).cloned().unwrap_or_default();
            all.push(Connection { id, handshake, source, joined_by: JoinedBy::Sni, chain, alerts, sni, covers_sni });
        }
        let named = all.iter().filter_map(|it| Some((it.source, it.client_ip()?, it.sni()?))).collect();
        Self { all, by_host: HashMap::new(), of_nobody: Vec::new(), named }
    }

    /// Joins each to its hosts.
    pub fn join(&mut self, evidence: &Evidence, answers: &Answers<'_>, selected: &[Name]) {
        let headers = hosts_of_requests(evidence);
        for (at, connection) in self.all.iter().enumerate() {
            let hosts = self.hosts_of(connection, answers, &headers, selected);
            if hosts.is_empty() {
                self.of_nobody.push(at);
            }
            for (host, by) in hosts {
                let known = self.by_host.entry(host).or_default();
                if known.last().is_none_or(|(last, _)| *last != at) {
                    known.push((at, by));
                }
            }
        }
    }

    fn hosts_of(
        &self,
        connection: &Connection<'_>,
        answers: &Answers<'_>,
        headers: &HashMap<ConnectionKey, Vec<Name>>,
        selected: &[Name],
    ) -> Vec<(Name, JoinedBy)> {
        let handshake = connection.handshake;
        let mut hosts: Vec<(Name, JoinedBy)> = Vec::new();
        hosts.extend(connection.sni().map(|sni| (sni, JoinedBy::Sni)));
        let dialed = handshake.dialed.as_deref().and_then(Name::parse);
        hosts.extend(dialed.clone().filter(|name| name.ip().is_none()).map(|name| (name, JoinedBy::Dialed)));
        let key = match handshake.run {
            Some(run) => (connection.source, None, None, Some(run)),
            None => (connection.source, handshake.client, handshake.server, None),
        };
        hosts.extend(headers.get(&key).into_iter().flatten().map(|name| (name.clone(), JoinedBy::Header)));
        if hosts.is_empty() {
            hosts.extend(host_at_address(connection, answers).map(|name| (name, JoinedBy::Address)));
        }
        if hosts.is_empty() {
            hosts.extend(dialed.map(|name| (name, JoinedBy::Dialed)));
        }
        if let ([], [host], Transport::Text) = (hosts.as_slice(), selected, handshake.transport) {
            hosts.push((host.clone(), JoinedBy::Option));
        }
        hosts.extend(self.host_behind(connection, answers).map(|name| (name, JoinedBy::ForeignName)));
        let mut seen: Vec<Name> = Vec::new();
        hosts.retain(|(name, _)| {
            let is_new = !seen.contains(name);
            seen.extend(is_new.then(|| name.clone()));
            is_new
        });
        hosts
    }

    /// The host that the client had resolved to the server's address, where the handshake names one
    /// that it never asked DNS for and no handshake of the client names the host itself: the client
    /// sent another name than the one it dialled.
    fn host_behind(&self, connection: &Connection<'_>, answers: &Answers<'_>) -> Option<Name> {
        let (sni, client) = (connection.sni()?, connection.client_ip()?);
        if answers.is_asked(&sni) || answers.is_target(&sni) {
            return None;
        }
        let before =
            answers.asked_before(connection.server_ip()?, connection.source, client, connection.handshake.time)?;
        let is_suffixed = before.host.as_str().strip_prefix(sni.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let key = (connection.source, client, Name::clone(&before.host));
        (!is_suffixed && !self.named.contains(&key)).then_some(key.2)
    }

    /// The handshakes meant for a host.
    pub fn of_host(&self, host: &Name) -> Vec<Connection<'e>> {
        let known = self.by_host.get(host).into_iter().flatten();
        // Those that were opened for another name and used again for this one say less: they come last.
        let is_own =
            |by: &JoinedBy, at: &Connection<'_>| *by != JoinedBy::Header || at.handshake.transport == Transport::Text;
        let all = known.filter_map(|(at, by)| Some((by, self.all.get(*at)?)));
        let (own, shared): (Vec<_>, Vec<_>) = all.partition(|(by, connection)| is_own(by, connection));
        let joined = own.into_iter().chain(shared);
        joined.map(|(by, connection)| Connection { joined_by: *by, ..connection.clone() }).collect()
    }

    /// All handshakes, in the order of the evidence.
    pub fn all(&self) -> &[Connection<'e>] {
        &self.all
    }

    /// The handshakes that no host can be found for.
    pub fn of_nobody(&self) -> Vec<Connection<'e>> {
        self.of_nobody.iter().filter_map(|at| self.all.get(*at).cloned()).collect()
    }
}

/// The one host that this client had resolved to the server's address before, the latest first; of
/// a text, the one host that the evidence resolves to it.
fn host_at_address(connection: &Connection<'_>, answers: &Answers<'_>) -> Option<Name> {
    let address = connection.server_ip()?;
    if let Some(client) = connection.client_ip() {
        let asked = answers.asked_before(address, connection.source, client, connection.handshake.time);
        if let Some(asked) = asked {
            return Some(Name::clone(&asked.host));
        }
        let mut hosts = answers.hosts_in_text_at(address);
        return hosts.next().filter(|_| hosts.next().is_none()).cloned();
    }
    let mut hosts = answers.hosts_at(address);
    hosts.next().filter(|_| hosts.next().is_none()).cloned()
}

/// The hosts that requests name, by their run, or by their connection where a capture shows it.
fn hosts_of_requests(evidence: &Evidence) -> HashMap<ConnectionKey, Vec<Name>> {
    let mut hosts: HashMap<ConnectionKey, Vec<Name>> = HashMap::new();
    for observation in &evidence.observations {
        let Fact::HttpExchange(it) = &*observation.fact else { continue };
        let source = source_of(observation);
        let key = match (it.run, it.client, it.server) {
            (Some(run), ..) => (source, None, None, Some(run)),
            (None, Some(client), Some(server)) => (source, Some(client), Some(server), None),
            _ => continue,
        };
        let Some(host) = &it.host else { continue };
        let known = hosts.entry(key).or_default();
        if it.run.is_some() {
            known.clear(); // of a run that follows redirects the last request is that of its last handshake
        }
        if !known.contains(host) {
            known.push(host.clone());
        }
    }
    hosts
}

type ConnectionKey = (SourceId, Option<std::net::SocketAddr>, Option<std::net::SocketAddr>, Option<u32>);

/// Alerts by connection. Handshakes of one reused tuple share what came on it.
fn alerts_by_connection(evidence: &Evidence) -> HashMap<ConnectionKey, Vec<(ObservationId, &Alert)>> {
    let mut alerts: HashMap<ConnectionKey, Vec<(ObservationId, &Alert)>> = HashMap::new();
    for (id, observation) in evidence.numbered() {
        if let Fact::TlsAlert(alert) = &*observation.fact {
            let key = (source_of(observation), alert.client, alert.server, alert.run);
            alerts.entry(key).or_default().push((id, alert));
        }
    }
    alerts
}

/// All certificates, found by what handshakes call them: in the same source first.
#[derive(Debug)]
struct Certificates<'e> {
    in_source: HashMap<(&'e str, SourceId), Leaf<'e>>,
    anywhere: HashMap<&'e str, Leaf<'e>>,
}

impl<'e> Certificates<'e> {
    fn of(evidence: &'e Evidence) -> Self {
        let mut certificates = Self { in_source: HashMap::new(), anywhere: HashMap::new() };
        for (id, observation) in evidence.numbered() {
            if let Fact::Certificate(certificate) = &*observation.fact {
                let leaf = Leaf { id, certificate };
                certificates.in_source.entry((certificate.id(), source_of(observation))).or_insert(leaf);
                certificates.anywhere.entry(certificate.id()).or_insert(leaf);
            }
        }
        certificates
    }

    fn find(&self, source: SourceId, id: &str) -> Option<Leaf<'e>> {
        self.in_source.get(&(id, source)).or_else(|| self.anywhere.get(id)).copied()
    }
}

/// The certificates that a text shows without a handshake, such as the output of x509.
#[derive(Debug)]
pub struct BareCertificates<'e> {
    by_run: BTreeMap<(SourceId, u32), Vec<Leaf<'e>>>,
    /// Of each source the first, the leaf, when no run with a host printed it.
    of_nobody: Vec<Leaf<'e>>,
}

impl<'e> BareCertificates<'e> {
    /// Finds them.
    pub fn of(evidence: &'e Evidence) -> Self {
        let mut with_host: BTreeSet<(SourceId, u32)> = BTreeSet::new();
        let mut in_chain: HashSet<&str> = HashSet::new();
        for observation in &evidence.observations {
            match &*observation.fact {
                Fact::Run(run) if run.host.is_some() => {
                    with_host.insert((source_of(observation), run.run));
                }
                Fact::TlsHandshake(handshake) => in_chain.extend(handshake.chain.iter().map(String::as_str)),
                _ => {}
            }
        }
        let mut bare = Self { by_run: BTreeMap::new(), of_nobody: Vec::new() };
        let mut adopted: Option<SourceId> = None;
        for (id, observation) in evidence.numbered() {
            let Fact::Certificate(certificate) = &*observation.fact else {
                continue;
            };
            if matches!(observation.at.first(), Some(Place::Frames { .. })) || in_chain.contains(certificate.id()) {
                continue;
            }
            let source = source_of(observation);
            let run = certificate.run.map(|run| (source, run));
            let leaf = Leaf { id, certificate };
            if let Some(run) = run {
                bare.by_run.entry(run).or_default().push(leaf);
            }
            if run.is_none_or(|run| !with_host.contains(&run)) && adopted != Some(source) {
                adopted = Some(source);
                bare.of_nobody.push(leaf);
            }
        }
        bare
    }

    /// Those that a run of the host printed; with `--host` also those of nobody's run.
    pub fn of_host(
        &self,
        evidence: &Evidence,
        runs: &[(ObservationId, &Run)],
        is_only_selected: bool,
    ) -> Vec<Leaf<'e>> {
        let runs = runs
            .iter()
            .filter_map(|(id, run)| evidence.observation(*id).map(|observation| (source_of(observation), run.run)));
        let mut found: Vec<Leaf<'e>> = runs.filter_map(|run| self.by_run.get(&run)).flatten().copied().collect();
        if is_only_selected {
            found.extend(&self.of_nobody);
        }
        found.sort_by_key(|leaf| leaf.id);
        found.dedup_by_key(|leaf| leaf.id);
        found
    }
}

fn source_of(observation: &Observation) -> SourceId {
    observation.at.first().map_or(SourceId(u32::MAX), Place::source)
}
