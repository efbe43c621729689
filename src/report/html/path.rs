//! The path from the asked name to the certificate, as its first finding tells it: nodes, links, the
//! link that is broken, and the whole in sentences.

use serde_json::Value;

use crate::evidence::ObservationId;
use crate::report::{
    CaseEntry, ConnectionEntry, Outcome, PlaceEntry, RecordChange, Report, ResolutionEntry, Severity, words,
};

/// What a node of the path is; its shape says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Address,
    Connection,
    Certificate,
}

/// A node of the path.
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) caption: String,
    pub(super) text: String,
    pub(super) is_bad: bool,
    /// How the node before leads here.
    pub(super) link: Link,
}

#[derive(Default)]
pub(super) struct Link {
    pub(super) label: String,
    pub(super) place: String,
    pub(super) is_broken: bool,
}

/// The path of one host.
pub(super) struct Path {
    pub(super) nodes: Vec<Node>,
    /// `does not cover www.example.com`.
    pub(super) symptom: Option<String>,
    /// Which node the broken link leaves, and where it should lead.
    pub(super) should_be: Option<(usize, String)>,
    /// The whole path in sentences.
    pub(super) words: Vec<String>,
}

/// Whether there is a path to draw.
pub(super) fn has_path(case: &CaseEntry) -> bool {
    case.host.is_some() && !(case.resolutions.is_empty() && case.connections.is_empty())
}

/// The path of a case as its first finding tells it.
pub(super) fn path_of(report: &Report, case: &CaseEntry) -> Path {
    let host = case.host.clone().unwrap_or_default();
    let finding = case.findings.first().filter(|it| it.severity != Severity::Note);
    let connection = shown_connection(case);
    let resolution = shown_resolution(case, connection);
    let change = finding.and_then(|it| Some((it.change.as_ref()?, it.severity == Severity::Error)));
    let is_client = finding.is_some_and(|it| CLIENT_FAULTS.contains(&it.rule));
    let mut path = Path {
        nodes: vec![Node {
            kind: Kind::Name,
            caption: "asked name".to_owned(),
            text: host.clone(),
            is_bad: false,
            link: Link::default(),
        }],
        symptom: None,
        should_be: None,
        words: vec![format!("{host} was asked for.")],
    };
    if let Some(resolution) = resolution {
        aliases(report, &mut path, resolution, change);
        address(report, &mut path, resolution, connection);
    }
    if let Some(connection) = connection {
        handshake(report, &mut path, connection, is_client);
        certificate(report, &mut path, case, connection, &host);
    }
    path
}

/// The connection that shows the finding: one with a certificate before one without.
fn shown_connection(case: &CaseEntry) -> Option<&ConnectionEntry> {
    let cited: Vec<_> = case.findings.first().into_iter().flat_map(|it| &it.reasons).flat_map(|it| &it.cites).collect();
    let is_cited = |it: &&ConnectionEntry| it.cites.iter().any(|id| cited.contains(&id));
    let all = || case.connections.iter();
    let with_chain = |it: &&ConnectionEntry| !it.chain.is_empty();
    all()
        .filter(is_cited)
        .find(with_chain)
        .or_else(|| all().find(is_cited))
        .or_else(|| all().find(with_chain))
        .or_else(|| all().next())
}

/// The answer that holds the address of the connection, else the first with addresses.
fn shown_resolution<'c>(case: &'c CaseEntry, connection: Option<&ConnectionEntry>) -> Option<&'c ResolutionEntry> {
    let server = connection.and_then(|it| it.server);
    let holds = |it: &&ResolutionEntry| server.is_some_and(|server| it.addresses.contains(&server.ip()));
    let all = || case.resolutions.iter();
    all().find(holds).or_else(|| all().find(|it| !it.addresses.is_empty())).or_else(|| all().next())
}

fn aliases(report: &Report, path: &mut Path, resolution: &ResolutionEntry, change: Option<(&RecordChange, bool)>) {
    let place = place_of(report, &resolution.cites, "dns.answer");
    let hidden = resolution.steps.len().saturating_sub(ALIASES_MAX);
    for (nth, step) in resolution.steps.iter().enumerate() {
        let step_text = format!("{} {}.", step.kind, step.target);
        let meant = change.filter(|(it, _)| it.old.contains(&step_text));
        let is_broken = meant.is_some_and(|(_, is_error)| is_error);
        if nth > 0 && nth <= hidden && meant.is_none() {
            continue;
        }
        if let Some((change, _)) = meant.filter(|_| is_broken) {
            let target = change.new.split_whitespace().last().unwrap_or_default();
            path.should_be = Some((path.nodes.len().saturating_sub(1), target.trim_end_matches('.').to_owned()));
        }
        path.words.push(format!("Its {} record, {place}, leads to {}.", step.kind, step.target));
        if is_broken {
            path.words.push("This link is broken.".to_owned());
        }
        path.nodes.push(Node {
            kind: Kind::Name,
            caption: match (is_broken, meant) {
                (true, _) => "leads to the wrong target".to_owned(),
                (false, Some(_)) => "leads to (suspicious)".to_owned(),
                (false, None) => "leads to".to_owned(),
            },
            text: step.target.to_string(),
            is_bad: is_broken,
            link: Link { label: step.kind.to_string(), place: place.clone(), is_broken },
        });
    }
}

fn address(report: &Report, path: &mut Path, resolution: &ResolutionEntry, connection: Option<&ConnectionEntry>) {
    let server = connection.and_then(|it| it.server).map(|it| it.ip());
    let Some(ip) = server.or_else(|| resolution.addresses.first().copied()) else { return };
    let is_named = resolution.addresses.contains(&ip);
    let kind = if ip.is_ipv6() { "AAAA" } else { "A" };
    let place = if is_named { place_of(report, &resolution.cites, "dns.answer") } else { "in no answer".to_owned() };
    path.words.push(format!("The address is {ip}, {place}."));
    path.nodes.push(Node {
        kind: Kind::Address,
        caption: "address".to_owned(),
        text: ip.to_string(),
        is_bad: false,
        link: Link { label: if is_named { kind.to_owned() } else { String::new() }, place, is_broken: false },
    });
}

fn handshake(report: &Report, path: &mut Path, connection: &ConnectionEntry, is_broken: bool) {
    let port = connection.server.map_or_else(String::new, |it| format!(":{}", it.port()));
    let sni = match connection.sni_state {
        crate::tls::SniState::Sent => connection.sni.clone().unwrap_or_default(),
        crate::tls::SniState::Absent => "no SNI".to_owned(),
        crate::tls::SniState::Unknown => "SNI unknown".to_owned(),
    };
    let place = place_of(report, &connection.cites, "tls.handshake");
    path.words.push(format!("The client connected and sent: {sni}, {place}."));
    path.nodes.push(Node {
        kind: Kind::Connection,
        caption: "connection, SNI".to_owned(),
        text: sni,
        is_bad: is_broken,
        link: Link { label: port, place, is_broken },
    });
}

fn certificate(report: &Report, path: &mut Path, case: &CaseEntry, connection: &ConnectionEntry, host: &str) {
    let leaf = connection.chain.first();
    let name = leaf.and_then(|it| {
        let covering = connection
            .name_check
            .as_ref()
            .and_then(|check| check.tried.iter().find(|it| it.rejected_because.is_none()));
        let san = it.san.as_ref().and_then(|names| names.first()).cloned();
        covering.map(|it| it.presented.clone()).or(san).or_else(|| it.subject.clone())
    });
    let is_wrong = case.outcome == Outcome::WrongCertificate
        && connection.name_check.as_ref().is_none_or(|it| !it.matches)
        && leaf.is_some();
    let shown = connection.cites.iter().find_map(|id| case.shown.get(id)?.1.first());
    let place = shown.map_or_else(|| place_of(report, &connection.cites, "certificate"), first_of);
    let text = name.unwrap_or_else(|| match connection.chain_state {
        crate::tls::ChainState::Encrypted => "? encrypted".to_owned(),
        crate::tls::ChainState::Resumed => "none: resumed".to_owned(),
        _ => "none seen".to_owned(),
    });
    path.words.push(format!("The certificate: {text}, {place}."));
    if is_wrong {
        path.symptom = Some(format!("does not cover {host}"));
        path.words.push(format!("It does not cover {host}."));
    }
    path.nodes.push(Node {
        kind: Kind::Certificate,
        caption: "certificate".to_owned(),
        text,
        is_bad: is_wrong,
        link: Link { label: String::new(), place, is_broken: false },
    });
}

/// The place of the first cited observation of a kind.
fn place_of(report: &Report, cites: &[ObservationId], kind: &str) -> String {
    let mut observed = cites.iter().filter_map(|id| report.observation(*id));
    let it = observed.find(|it| it.kind == kind);
    match it.and_then(|it| it.at.first()) {
        Some(place) => first_of(place),
        None => it.and_then(|it| it.fact.get("time")).and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// The beginning of a place.
fn first_of(place: &PlaceEntry) -> String {
    match place {
        PlaceEntry::Frames { frames, .. } => frames.first().map_or_else(String::new, |frame| format!("frame {frame}")),
        place => words::place(place),
    }
}

/// Faults of the client or of the check: the link to the server is the broken one.
const CLIENT_FAULTS: &[&str] = &[
    "sni.absent",
    "sni.differs_from_host",
    "sni.ip_literal_url",
    "sni.unrelated_to_dialed_host",
    "tool.no_servername",
    "apigw.sni_required",
    "sni.required",
];
const ALIASES_MAX: usize = 3;
