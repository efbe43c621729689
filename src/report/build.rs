//! Puts a [`Report`] together from evidence, cases and judgements: numbers become entries, nothing
//! is decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::pasted::Unpasted;
use super::{
    AlertEntry, CaseEntry, ChainEntry, ConnectionEntry, Counters, DataSet, FactEntry, FindingEntry, GapEntry, Mark,
    NameCheckEntry, ObservationEntry, Outcome, PlaceEntry, ReasonEntry, Report, ResolutionEntry, RuledOut, Sign,
    SourceEntry, Step, Tool, TriedEntry, Undecided, shown, ways,
};
use crate::case::{Case, Connection, Leaf, Resolution};
use crate::evidence::{Evidence, Fact, Observation, ObservationId, Says};
use crate::name::Name;
use crate::provenance::{Place, SourceId};
use crate::provider::Knowledge;
use crate::provider::execute_api::Role;
use crate::rules::{self, Judgement, Reason, Verdict};
use crate::tls::{ChainState, Transport};
use crate::x509::{self, Certificate};

/// The report over all cases, worst first.
pub fn report(evidence: &Arc<Evidence>, known: &Knowledge, mut cases: Vec<CaseEntry>) -> Report {
    cases.sort_by(|one, other| {
        let confidence = |case: &CaseEntry| case.findings.first().map_or(0.0, |finding| finding.confidence);
        (one.outcome.cmp(&other.outcome))
            .then(confidence(other).total_cmp(&confidence(one)))
            .then(one.host.cmp(&other.host))
    });
    for case in &mut cases {
        shown::settle(case, evidence);
    }
    Report {
        schema: "whycert.report/1",
        tool: tool(known),
        partial: evidence.gaps.iter().any(|gap| gap.reason.is_stop()).then_some(true),
        sources: sources(evidence),
        cases,
        left_out: None,
        observations: evidence.numbered().map(|(id, it)| observation_entry(evidence, id, it)).collect(),
        gaps: evidence
            .gaps
            .iter()
            .map(|gap| GapEntry { at: folded(places(&gap.at)), reason: gap.reason.to_string() })
            .collect(),
        counters: counters(evidence),
        quotes: evidence.quotes.iter().map(|((id, line), text)| ((id.0, *line), text.clone())).collect(),
    }
}

/// What made the report.
pub fn tool(known: &Knowledge) -> Tool {
    Tool {
        name: "whycert",
        version: env!("CARGO_PKG_VERSION"),
        rules: rules::VERSION,
        data: known.data_sets().into_iter().map(|set| DataSet { name: set.name, as_of: set.as_of }).collect(),
    }
}

fn sources(evidence: &Evidence) -> Vec<SourceEntry> {
    let ids = (0..).map(SourceId);
    ids.zip(&evidence.sources)
        .map(|(id, source)| SourceEntry {
            id: id.0,
            path: source.path.clone(),
            kind: source.kind.clone(),
            bytes: source.bytes,
            sha256: source.sha256.clone(),
            frames: source.frames,
            lines: source.lines,
            gaps: u64::try_from(evidence.gaps_of(id).count()).unwrap_or(u64::MAX),
            first: source.first,
            last: source.last,
        })
        .collect()
}

fn counters(evidence: &Evidence) -> Counters {
    let count = |is: fn(&Fact) -> bool| {
        u64::try_from(evidence.observations.iter().filter(|it| is(&it.fact)).count()).unwrap_or(u64::MAX)
    };
    Counters {
        frames: evidence.sources.iter().filter_map(|source| source.frames).sum(),
        dns_responses: count(|fact| matches!(fact, Fact::DnsAnswer(_))),
        client_hellos: evidence.counts.iter().map(|counts| counts.client_hellos).sum(),
        server_hellos: evidence.counts.iter().map(|counts| counts.server_hellos).sum(),
        certificates: count(|fact| matches!(fact, Fact::Certificate(_))),
        quic_connections: count(|fact| matches!(fact, Fact::TlsHandshake(it) if it.transport == Transport::Quic)),
        gaps: u64::try_from(evidence.gaps.len()).unwrap_or(u64::MAX),
    }
}

fn observation_entry(evidence: &Arc<Evidence>, id: ObservationId, it: &Observation) -> ObservationEntry {
    ObservationEntry { id, kind: it.fact.kind(), at: places(&it.at), fact: FactEntry::of(evidence, id) }
}

pub(super) fn places(at: &[Place]) -> Vec<PlaceEntry> {
    at.iter()
        .map(|place| match place {
            Place::Frames { source, frames } => PlaceEntry::Frames {
                source: source.0,
                frames: frames.iter().map(|frame| frame.0).collect(),
                more: None,
            },
            Place::Lines { source, first, last, columns } => PlaceEntry::Lines {
                source: source.0,
                lines: [*first, *last],
                columns: columns.map(|(from, to)| [from, to]),
            },
            Place::Whole { source } => PlaceEntry::Whole { source: source.0 },
        })
        .collect()
}

/// The places of a gap: of many frames the first, and how many follow.
fn folded(mut at: Vec<PlaceEntry>) -> Vec<PlaceEntry> {
    for place in &mut at {
        if let PlaceEntry::Frames { frames, more, .. } = place {
            *more = u64::try_from(frames.len().saturating_sub(FRAMES_OF_GAP)).ok().filter(|more| *more > 0);
            frames.truncate(FRAMES_OF_GAP);
        }
    }
    at
}

/// So many frames of a gap are listed: enough to look at some of them.
const FRAMES_OF_GAP: usize = 20;

/// The entries of all certificates in the evidence, shared by the chains that hold them, and the labels that
/// no command may hold.
#[derive(Debug)]
pub struct Certificates(BTreeMap<ObservationId, Arc<ChainEntry>>, Unpasted);

impl Certificates {
    /// Reads them.
    pub fn of(evidence: &Evidence) -> Self {
        let entries = evidence.numbered().filter_map(|(id, it)| match &*it.fact {
            Fact::Certificate(certificate) => Some((id, Arc::new(chain_entry(id, certificate)))),
            _ => None,
        });
        Self(entries.collect(), Unpasted::everywhere(evidence))
    }

    fn entry(&self, leaf: &Leaf<'_>) -> Arc<ChainEntry> {
        self.0.get(&leaf.id).map_or_else(|| Arc::new(chain_entry(leaf.id, leaf.certificate)), Arc::clone)
    }
}

/// One case as the report shows it.
pub fn case_entry(case: &Case<'_>, judgement: &Judgement, certificates: &Certificates) -> CaseEntry {
    let unpasted = certificates.1.with(case);
    let findings = judgement.findings().into_iter().map(|(rule, finding)| FindingEntry {
        rule: rule.id,
        severity: finding.severity,
        strength: finding.strength,
        confidence: rules::confidence(rule, finding),
        cause: x509::readable(&finding.cause),
        remedy: x509::readable(&unpasted.without(&finding.remedy)),
        verify: unpasted.without(&finding.verify),
        reasons: finding.reasons.iter().map(reason_entry).collect(),
        marks: finding.marks.clone(),
        change: finding.change.as_ref().map(|it| unpasted.change(it)),
        expect: finding.expect.clone(),
        confirmed_if: finding.confirmed_if.clone(),
        headline: x509::readable(&finding.headline),
    });
    let mut ruled_out = Vec::new();
    let mut undecided = Vec::new();
    for (rule, verdict) in &judgement.verdicts {
        match verdict {
            Verdict::Clear { because, cites } => {
                ruled_out.push(RuledOut { rule: rule.id, because: x509::readable(because), cites: cites.clone() });
            }
            Verdict::Unknown { missing, ask } => {
                undecided.push(Undecided {
                    rule: rule.id,
                    missing: x509::readable(missing),
                    ask: unpasted.without(ask),
                });
            }
            Verdict::NotApplicable | Verdict::Found(_) => {}
        }
    }
    CaseEntry {
        host: case.host.as_ref().map(ToString::to_string),
        host_source: case.host_source,
        outcome: judgement.outcome,
        findings: findings.collect(),
        ignored: Vec::new(),
        accepted: false,
        ruled_out,
        undecided,
        ask_for: asked(ways::with_others(case.host.as_ref(), &judgement.ask_for, &unpasted)),
        beware: judgement.beware.iter().map(reason_entry).collect(),
        resolutions: case.resolutions.iter().map(resolution_entry).collect(),
        connections: connections(case, certificates),
        marks: marks(case, judgement.outcome),
        shown: BTreeMap::new(),
        is_unserved: case.connections.is_empty() && case.verdicts.is_empty() && !case.certificates.is_empty(),
        no_address: rules::view::lacks_address(case),
        covering: covering_file(case),
    }
}

/// Of a case that files alone make: whether one of their certificates covers the host.
fn covering_file(case: &Case<'_>) -> Option<bool> {
    let host = case.host.as_ref().filter(|_| rules::view::is_of_files(case))?;
    let all: Vec<Option<bool>> = case.certificates.iter().map(|leaf| leaf.covers(host)).collect();
    if all.contains(&Some(true)) { Some(true) } else { all.contains(&Some(false)).then_some(false) }
}

/// The same with their names as people write them.
fn asked(mut all: Vec<rules::AskFor>) -> Vec<rules::AskFor> {
    for tells in all.iter_mut().flat_map(|it| &mut it.tells) {
        *tells = x509::readable(tells);
    }
    all
}

fn reason_entry(reason: &Reason) -> ReasonEntry {
    ReasonEntry { text: x509::readable(&reason.text), cites: reason.cites.clone() }
}

/// What DNS and the first connection, or a certificate without one, show of the host.
fn marks(case: &Case<'_>, outcome: Outcome) -> Vec<Mark> {
    let Some(host) = &case.host else {
        return marks_of_nobody(case, outcome);
    };
    let mut marks = if outcome == Outcome::Ok { marks_of_dns(case) } else { Vec::new() };
    if let Some(connection) = case.connections.first() {
        if connection.asks_for(host) {
            marks.push(rules::view::asked_mark(connection.id, host));
        }
        if connection.handshake.chain_state == ChainState::Encrypted {
            let label = "TLS 1.3 hides it, and no key for this session is here";
            marks.push(new(connection.id, "? encrypted", Sign::Doubtful, label));
        }
    }
    let said = rules::view::said(case, Says::NameMismatch);
    marks.extend(said.first().map(|(id, verdict)| {
        let words = verdict.presented.first().map_or(host.as_str(), String::as_str);
        new(*id, words, Sign::Wrong, &format!("{} says that it does not cover {host}", verdict.client))
    }));
    if said.is_empty() && matches!(outcome, Outcome::InvalidCertificate | Outcome::HandshakeFailed) {
        marks.extend(refusal(case));
    }
    let leaf = case.connections.iter().find_map(|it| it.leaf()).or(case.certificates.first());
    marks.extend(leaf.and_then(|leaf| name_mark(leaf, host)));
    marks
}

/// The words that set the outcome where no host is named.
fn marks_of_nobody(case: &Case<'_>, outcome: Outcome) -> Vec<Mark> {
    if outcome == Outcome::Inconclusive {
        return Vec::new();
    }
    let mismatch = rules::view::said(case, Says::NameMismatch);
    let mismatch = mismatch.first().map(|(id, it)| (*id, it.words.clone(), it.client.clone()));
    let mark = mismatch.map(|(id, words, client)| new(id, &words, Sign::Wrong, &format!("{client}'s own words")));
    mark.or_else(|| refusal(case)).into_iter().collect()
}

/// The first words with which a client refuses what it was served.
fn refusal(case: &Case<'_>) -> Option<Mark> {
    let refuses = |says: Says| !matches!(says, Says::NameMatches | Says::NameMismatch | Says::ChainTrusted);
    let (id, verdict) = case.verdicts.iter().find(|(_, it)| refuses(it.says))?;
    Some(new(*id, &verdict.words, Sign::Wrong, &format!("{}'s own words", verdict.client)))
}

/// Where DNS leads, when that is right.
fn marks_of_dns(case: &Case<'_>) -> Vec<Mark> {
    let targets = rules::view::execute_api_targets(case);
    let own = targets.iter().find(|it| it.target.role == Role::DomainName);
    let contacted = |address: IpAddr| {
        case.connections.iter().any(|it| it.handshake.server.is_some_and(|server| server.ip() == address))
    };
    let answers = case.resolutions.iter().flat_map(|it| &it.addresses);
    let address = answers.clone().find(|(address, _)| contacted(*address));
    let own = own.map(|it| new(it.alias.cites, it.alias.target.as_str(), Sign::Confirms, "an API Gateway domain name"));
    let address =
        address.map(|(ip, id)| new(*id, &ip.to_string(), Sign::Confirms, "the address that the client connected to"));
    own.into_iter().chain(address).collect()
}

fn name_mark(leaf: &Leaf<'_>, host: &Name) -> Option<Mark> {
    let check = leaf.check(host)?;
    if let Some(tried) = check.tried.iter().find(|tried| tried.rejection.is_none()) {
        return Some(new(leaf.id, &tried.presented, Sign::Confirms, &format!("covers {host}")));
    }
    let tried = check.tried.first()?;
    let why = tried.rejection.map_or_else(String::new, |rejection| format!(": {rejection}"));
    Some(new(leaf.id, &tried.presented, Sign::Wrong, &format!("does not cover {host}{why}")))
}

fn new(on: ObservationId, words: &str, sign: Sign, label: &str) -> Mark {
    Mark { on, beside: String::new(), words: words.to_owned(), sign, label: label.to_owned() }
}

fn resolution_entry(resolution: &Resolution) -> ResolutionEntry {
    let steps = resolution.aliases.iter().map(|alias| Step {
        owner: alias.owner.clone(),
        kind: alias.kind.clone(),
        target: alias.target.clone(),
        ttl: alias.ttl,
    });
    ResolutionEntry {
        steps: steps.collect(),
        addresses: resolution.addresses.iter().map(|(address, _)| *address).collect(),
        rcode: resolution.rcode.clone(),
        resolver: resolution.resolver,
        time: resolution.time,
        cites: resolution.cites.clone(),
    }
}

fn connections(case: &Case<'_>, certificates: &Certificates) -> Vec<ConnectionEntry> {
    let mut checks: BTreeMap<ObservationId, Option<Arc<NameCheckEntry>>> = BTreeMap::new();
    let all = case.connections.iter().map(|connection| {
        let check = connection.leaf().zip(case.host.as_ref()).and_then(|(leaf, host)| {
            checks.entry(leaf.id).or_insert_with(|| name_check(leaf, host).map(Arc::new)).clone()
        });
        connection_entry(connection, certificates, check)
    });
    all.collect()
}

fn connection_entry(
    connection: &Connection<'_>,
    certificates: &Certificates,
    name_check: Option<Arc<NameCheckEntry>>,
) -> ConnectionEntry {
    let handshake = connection.handshake;
    ConnectionEntry {
        client: handshake.client,
        server: handshake.server,
        sni: handshake.sni.clone(),
        sni_state: handshake.sni_state,
        version: handshake.version.clone(),
        chain_state: handshake.chain_state,
        chain: connection.chain.iter().map(|leaf| certificates.entry(leaf)).collect(),
        alerts: connection
            .alerts
            .iter()
            .map(|(_, alert)| AlertEntry {
                from: alert.from,
                level: alert.level.clone(),
                description: alert.description.clone(),
            })
            .collect(),
        name_check,
        cites: std::iter::once(connection.id)
            .chain(connection.chain.iter().map(|leaf| leaf.id))
            .chain(connection.alerts.iter().map(|(id, _)| *id))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    }
}

fn chain_entry(id: ObservationId, certificate: &Certificate) -> ChainEntry {
    ChainEntry {
        sha256: certificate.sha256.clone(),
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        san: certificate.san.as_ref().map(|san| san.dns.iter().chain(&san.ip).cloned().collect()),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        serial: certificate.serial.clone(),
        details: x509::details::of(certificate),
        observation: Some(id),
    }
}

fn name_check(leaf: &Leaf<'_>, host: &Name) -> Option<NameCheckEntry> {
    let check = leaf.check(host)?;
    Some(NameCheckEntry {
        matches: check.matches(),
        tried: check
            .tried
            .iter()
            .map(|tried| TriedEntry {
                presented: tried.presented.clone(),
                rejected_because: tried.rejection.map(|rejection| rejection.to_string()),
            })
            .collect(),
    })
}
