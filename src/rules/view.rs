//! What several rules ask of a case: which connection shows what, which alias leads where.

use std::net::IpAddr;

use crate::case::{Alias, Case, Connection, Leaf, Resolution};
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::Name;
use crate::provider::{cloudfront, execute_api};
use crate::rules::{Mark, Sign};
use crate::tls::{ChainState, SniState};

/// What a certificate says of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// A presented identifier covers it.
    Covers,
    /// None covers it.
    DoesNotCover,
    /// Only a label is known, and it is a provider's default that cannot cover the host.
    ProviderDefault,
    /// Only a text describes the certificate, without its presented identifiers.
    Unknown,
}

/// What a certificate says of a host.
pub fn coverage(leaf: &Leaf<'_>, host: &Name) -> Coverage {
    match leaf.check(host) {
        Some(check) if check.matches() => Coverage::Covers,
        Some(_) => Coverage::DoesNotCover,
        None if default_of(leaf).is_some_and(|(label, ..)| !is_covered_by_label(&label, host)) => {
            Coverage::ProviderDefault
        }
        None => Coverage::Unknown,
    }
}

fn is_covered_by_label(label: &str, host: &Name) -> bool {
    crate::name::match_dns(host, label).is_ok()
}

/// The API Gateway default that a certificate is: its label, region and suffix. A certificate that
/// presents other names as well is somebody's own.
pub fn default_of(leaf: &Leaf<'_>) -> Option<(String, String, String)> {
    let labels = leaf.labels();
    let (region, suffix) = execute_api::default_certificate(labels.first()?)?;
    let all = labels.iter().all(|label| execute_api::default_certificate(label).is_some());
    all.then(|| (labels.first().map(|label| (*label).to_owned()).unwrap_or_default(), region, suffix))
}

/// A connection whose certificate is visible.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'c, 'e> {
    /// The connection.
    pub connection: &'c Connection<'e>,
    /// Its certificate.
    pub leaf: &'c Leaf<'e>,
    /// What the certificate says of the host.
    pub coverage: Coverage,
}

/// The connections that asked for the host, or for no name, and whose certificate is visible. One
/// that asked for another name says nothing of this host.
pub fn shown<'c, 'e>(case: &'c Case<'e>) -> Vec<Shown<'c, 'e>> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    case.connections
        .iter()
        .filter(|connection| connection.handshake.chain_state == ChainState::Seen)
        .filter(|connection| connection.sni().is_none_or(|sni| sni == *host))
        .filter_map(|connection| {
            let leaf = connection.leaf()?;
            Some(Shown { connection, leaf, coverage: coverage(leaf, host) })
        })
        .collect()
}

/// The certificates that a text shows for the host without a handshake.
pub fn shown_without_handshake<'c, 'e>(case: &'c Case<'e>) -> Vec<(&'c Leaf<'e>, Coverage)> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    case.certificates.iter().map(|leaf| (leaf, coverage(leaf, host))).collect()
}

impl Shown<'_, '_> {
    /// Whether the certificate is seen not to cover the host.
    pub fn is_wrong(&self) -> bool {
        matches!(self.coverage, Coverage::DoesNotCover | Coverage::ProviderDefault)
    }

    /// Whether every byte or word that names the certificate is in the evidence.
    pub fn shows_identifiers(&self) -> bool {
        self.leaf.certificate.san.is_some()
    }
}

/// Whether the client is known to have sent no server name.
pub fn sent_no_name(connection: &Connection<'_>) -> bool {
    connection.handshake.sni_state == SniState::Absent
}

/// An alias that ends under execute-api.
#[derive(Clone, Debug)]
pub struct ExecuteApiTarget<'c> {
    /// The resolution that holds it.
    pub resolution: &'c Resolution,
    /// The alias.
    pub alias: &'c Alias,
    /// What its target is.
    pub target: execute_api::Host,
}

/// The aliases of a case that end under execute-api: per resolution the last such target.
pub fn execute_api_targets<'c>(case: &'c Case<'_>) -> Vec<ExecuteApiTarget<'c>> {
    case.resolutions
        .iter()
        .filter_map(|resolution| {
            resolution.aliases.iter().rev().find_map(|alias| {
                execute_api::host(&alias.target).map(|target| ExecuteApiTarget { resolution, alias, target })
            })
        })
        .collect()
}

/// The alias of a case whose target is a CloudFront distribution.
pub fn cloudfront_target<'c>(case: &'c Case<'_>) -> Option<&'c Alias> {
    let aliases = case.resolutions.iter().flat_map(|resolution| &resolution.aliases);
    aliases.into_iter().find(|alias| cloudfront::is_distribution(&alias.target))
}

/// What a client said of the host's name in its own words.
pub fn said<'c, 'e>(case: &'c Case<'e>, says: Says) -> Vec<(ObservationId, &'c &'e ClientVerdict)> {
    case.verdicts.iter().filter(|(_, verdict)| verdict.says == says).map(|(id, verdict)| (*id, verdict)).collect()
}

/// Whether an address belongs to a private network: RFC 1918, RFC 6598, RFC 4193, link-local.
/// Documentation addresses count as public; loopback is neutral and not private.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => {
            let [first, ..] = v6.segments();
            first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
        }
    }
}

/// The execute-api target that led a connection to its server: of the resolutions that the same
/// client had, one that holds the server's address before others, the latest before others.
pub fn target_for<'c>(
    targets: &'c [ExecuteApiTarget<'c>],
    connection: &Connection<'_>,
) -> Option<&'c ExecuteApiTarget<'c>> {
    let client = connection.handshake.client.map(|client| client.ip());
    targets.iter().filter(|it| may_lead(it.resolution, connection)).max_by_key(|it| {
        let same_client = client.is_some() && it.resolution.client == client;
        let holds = connection.server_ip().is_some_and(|ip| it.resolution.has_address(ip));
        (same_client, holds, it.resolution.time)
    })
}

/// Whether a resolution came before a connection, as far as both times are known.
fn may_lead(resolution: &Resolution, connection: &Connection<'_>) -> bool {
    match (resolution.time, connection.handshake.time) {
        (Some(answered), Some(opened))
            if resolution.source == Some(connection.source) && resolution.client.is_some() =>
        {
            (answered.seconds, answered.nanos) <= (opened.seconds, opened.nanos)
        }
        _ => true,
    }
}

/// The private address of a resolution or of a server, with the observation that holds it.
pub fn private_address(case: &Case<'_>) -> Option<(IpAddr, ObservationId)> {
    let resolved = case.resolutions.iter().flat_map(|resolution| resolution.addresses.iter().copied());
    let contacted =
        case.connections.iter().filter_map(|connection| connection.server_ip().map(|ip| (ip, connection.id)));
    resolved.chain(contacted).find(|(address, _)| is_private(*address))
}

/// The mark under the server name that a client asked for: in a command line the word behind
/// `-servername`.
pub fn asked_mark(connection: ObservationId, host: &Name) -> Mark {
    Mark {
        on: connection,
        beside: "-servername".to_owned(),
        words: host.to_string(),
        sign: Sign::Right,
        label: "the right name was asked for".to_owned(),
    }
}

/// Cites without repeats, in the order given.
pub fn cites(ids: impl IntoIterator<Item = ObservationId>) -> Vec<ObservationId> {
    let mut all: Vec<ObservationId> = Vec::new();
    for id in ids {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all
}
