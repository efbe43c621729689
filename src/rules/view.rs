//! What several rules ask of a case: which connection shows what, which alias leads where.

use std::net::IpAddr;

use crate::case::{Alias, Case, Connection, Leaf, Resolution};
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::Name;
use crate::provenance::Place;
use crate::provider::table::Kind;
use crate::provider::{cloudfront, execute_api};
use crate::rules::{Mark, Sign};
use crate::tls::{ChainState, SniState, Transport};

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
    match leaf.covers(host) {
        Some(true) => Coverage::Covers,
        Some(false) => Coverage::DoesNotCover,
        None if is_aws_default(leaf) && !leaf.labels().iter().any(|label| is_covered_by_label(label, host)) => {
            Coverage::ProviderDefault
        }
        None => Coverage::Unknown,
    }
}

/// A connection with what its certificate says of the host, unless it asked for another name.
pub fn of_host<'c, 'e>(case: &Case<'e>, connection: &'c Connection<'e>, host: &Name) -> Option<Shown<'c, 'e>> {
    let leaf = connection.leaf()?;
    let coverage = match (connection.sni_is(host), connection.covers_sni()) {
        (Some(false), _) => return None,
        (Some(true), Some(true)) => Coverage::Covers,
        (Some(true), Some(false)) => Coverage::DoesNotCover,
        _ => told_coverage(case, connection, leaf, host),
    };
    Some(Shown { connection, leaf, coverage })
}

/// What the certificate of a connection says of the host; where a text does not show its presented
/// identifiers, what the client of the same run said of them.
fn told_coverage(case: &Case<'_>, connection: &Connection<'_>, leaf: &Leaf<'_>, host: &Name) -> Coverage {
    let own = coverage(leaf, host);
    if !matches!(own, Coverage::Unknown | Coverage::ProviderDefault) {
        return own;
    }
    let said = case.around.compared_in(connection.source, connection.handshake.run, host);
    match (own, said) {
        (_, Some(Says::NameMatches)) => Coverage::Covers,
        (Coverage::Unknown, Some(Says::NameMismatch)) => Coverage::DoesNotCover,
        (Coverage::Unknown, None) if is_known_default(case, leaf, host) => Coverage::ProviderDefault,
        _ => own,
    }
}

/// Whether a certificate that a text describes without its identifiers is one that software presents when
/// it has no other: it signed itself, its issuer is the device's maker, or it is a platform's wildcard for the
/// names that it gives itself. Nobody issues those for a host.
fn is_known_default(case: &Case<'_>, leaf: &Leaf<'_>, host: &Name) -> bool {
    let certificate = leaf.certificate;
    let is_self_issued = certificate.subject.is_some() && certificate.subject == certificate.issuer;
    let organization = |name: &Option<String>| {
        let held = crate::x509::attributes(name.as_deref()?);
        held.into_iter().find(|(kind, _)| kind == "O").map(|(_, value)| value)
    };
    let maker = organization(&certificate.issuer);
    let is_makers = maker.is_some() && maker == organization(&certificate.subject);
    let kinds = [Kind::NoServerName, Kind::Ingress, Kind::Traefik, Kind::Panel, Kind::Appliance];
    let Some(common) = certificate.common_name().filter(|name| !is_covered_by_label(name, host)) else { return false };
    let is_platforms = || {
        let row = case.known.providers.presenting(&[common.to_owned()], Kind::Hosting);
        row.is_some_and(|row| !row.is_shared() && common.starts_with("*."))
    };
    is_platforms()
        || (is_self_issued || is_makers)
            && kinds.into_iter().any(|kind| case.known.providers.own_certificate(certificate, kind).is_some())
}

fn is_covered_by_label(label: &str, host: &Name) -> bool {
    crate::name::match_dns(host, label).is_ok()
}

/// The API Gateway default that a certificate is: its label, region and suffix. A certificate that
/// presents other names as well is somebody's own.
pub fn default_of(leaf: &Leaf<'_>) -> Option<(String, String, String)> {
    let labels = leaf.labels();
    let (label, (region, suffix)) =
        labels.iter().find_map(|label| Some((*label, execute_api::default_certificate(label)?)))?;
    let is_own =
        |label: &&str| execute_api::default_certificate(label).is_some() || execute_api::is_endpoint_certificate(label);
    labels.iter().all(is_own).then(|| (label.to_owned(), region, suffix))
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
        .filter_map(|connection| of_host(case, connection, host))
        .collect()
}

/// The certificates that a text shows for the host without a handshake.
pub fn shown_without_handshake<'c, 'e>(case: &'c Case<'e>) -> Vec<(&'c Leaf<'e>, Coverage)> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    case.certificates.iter().map(|leaf| (leaf, coverage(leaf, host))).collect()
}

/// Why no answer gives an address of a host, where it was asked for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// The name does not exist.
    Gone,
    /// Its aliases lead back to themselves.
    Circle,
    /// The answers hold none.
    Nothing,
}

/// Whether the answers for the host hold no address, and why. A question for another type says nothing of addresses.
pub fn lacks_address(case: &Case<'_>) -> Option<NoAddress> {
    let all = &case.resolutions;
    let is_gone = |it: &Resolution| it.rcode.as_deref() == Some("NXDOMAIN");
    let is_circle = |it: &Resolution| {
        let target = it.aliases.last().map(|alias| &alias.target);
        target.is_some_and(|target| it.aliases.iter().any(|alias| alias.owner == *target))
    };
    let asks = |it: &Resolution| it.asked.as_deref().is_none_or(|kind| ["A", "AAAA", "ANY"].contains(&kind));
    match all.as_slice() {
        [] => None,
        _ if all.iter().any(|it| !it.addresses.is_empty()) => None,
        _ if all.iter().all(is_gone) => Some(NoAddress::Gone),
        _ if all.iter().any(is_circle) => Some(NoAddress::Circle),
        _ => all.iter().any(asks).then_some(NoAddress::Nothing),
    }
}

/// Whether all that is here of the host is certificates of files: nothing shows that a server presents them.
pub fn is_of_files(case: &Case<'_>) -> bool {
    let is_of_file = |leaf: &Leaf<'_>| match leaf.certificate.run {
        None => true,
        Some(run) => {
            let source = case.evidence.observation(leaf.id).and_then(|it| it.at.first().map(Place::source));
            let run = source.and_then(|source| case.around.run(source, Some(run)));
            run.and_then(|(_, run)| run.value("-in")).is_some_and(|file| !file.starts_with("/dev/"))
        }
    };
    let is_alone = case.connections.is_empty() && case.verdicts.is_empty() && !case.certificates.is_empty();
    is_alone && case.certificates.iter().all(is_of_file)
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

impl Shown<'_, '_> {
    /// The first name that the certificate shows, or its common name.
    pub fn label(&self) -> String {
        self.leaf.label()
    }
}

/// The connection that asked for the host and was shown a covering certificate.
pub fn covering<'c, 'e>(case: &'c Case<'e>) -> Option<Shown<'c, 'e>> {
    let host = case.host.as_ref()?;
    let is_asked = |it: &Shown<'_, '_>| it.connection.asks_for(host) || host.ip().is_some();
    shown(case).into_iter().find(|it| it.coverage == Coverage::Covers && is_asked(it))
}

/// Whether a certificate is the one that API Gateway presents for unknown names in a target's region.
pub fn is_default_of(leaf: &Leaf<'_>, target: &execute_api::Host) -> bool {
    default_of(leaf).is_some_and(|(label, ..)| label.eq_ignore_ascii_case(&target.default_certificate()))
}

/// Whether a certificate is CloudFront's own.
pub fn is_cloudfront_default(leaf: &Leaf<'_>) -> bool {
    let labels = leaf.labels();
    !labels.is_empty() && labels.iter().all(|label| matches!(*label, "*.cloudfront.net" | "cloudfront.net"))
}

/// Whether a certificate is API Gateway's or CloudFront's own, not a customer's.
pub fn is_aws_default(leaf: &Leaf<'_>) -> bool {
    default_of(leaf).is_some() || is_cloudfront_default(leaf)
}

/// The connection that was shown CloudFront's own certificate.
pub fn cloudfront_default<'c, 'e>(case: &'c Case<'e>) -> Option<Shown<'c, 'e>> {
    shown(case).into_iter().find(|it| it.coverage != Coverage::Covers && is_cloudfront_default(it.leaf))
}

/// A response of the host with a status of 400 to 499.
pub fn client_error(case: &Case<'_>) -> Option<(ObservationId, u16)> {
    case.exchanges.iter().find_map(|(id, it)| it.status.filter(|it| (400..500).contains(it)).map(|it| (*id, it)))
}

/// The alias that leads to an API Gateway domain name or to a distribution.
pub fn custom_domain_alias<'c>(case: &'c Case<'_>) -> Option<&'c Alias> {
    let is_domain_name = |alias: &Alias| {
        execute_api::host(&alias.target).is_some_and(|it| it.role == execute_api::Role::DomainName)
            || cloudfront::is_distribution(&alias.target)
    };
    case.resolutions.iter().flat_map(|resolution| &resolution.aliases).find(|alias| is_domain_name(alias))
}

/// The API Gateway domain name that the host leads to, with what says so: the alias, or a distribution
/// that is known as a custom domain's own.
pub fn custom_domain_target(case: &Case<'_>) -> Option<(Name, Vec<ObservationId>)> {
    let alias = custom_domain_alias(case)?;
    if execute_api::host(&alias.target).is_some() {
        return Some((alias.target.clone(), vec![alias.cites]));
    }
    let known = super::config::targets(case).into_iter().find(|(_, it)| it.target == alias.target)?;
    Some((alias.target.clone(), vec![alias.cites, known.0]))
}

/// Whether an answer says that the name at the end of the aliases does not exist.
pub fn is_gone(case: &Case<'_>) -> bool {
    let all = &case.resolutions;
    case.connections.is_empty() && !all.is_empty() && all.iter().all(|it| it.rcode.as_deref() == Some("NXDOMAIN"))
}

/// The same words with a capital letter, as a sentence begins.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The name that shows the server to be API Gateway or CloudFront, with what says so.
pub fn aws_target(case: &Case<'_>) -> Option<(Name, Vec<ObservationId>)> {
    let aliases = case.resolutions.iter().flat_map(|resolution| &resolution.aliases);
    let is_aws = |name: &Name| execute_api::host(name).is_some() || cloudfront::is_distribution(name);
    aliases.into_iter().find(|alias| is_aws(&alias.target)).map(|alias| (alias.target.clone(), vec![alias.cites]))
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
/// client had, one that holds the server's address before others, in a text the last one that stands
/// before the connection, else the latest.
pub fn target_for<'c>(
    targets: &'c [ExecuteApiTarget<'c>],
    connection: &Connection<'_>,
) -> Option<&'c ExecuteApiTarget<'c>> {
    let client = connection.handshake.client.map(|client| client.ip());
    targets.iter().filter(|it| may_lead(it.resolution, connection)).max_by_key(|it| {
        let same_client = client.is_some() && it.resolution.client == client;
        let holds = connection.server_ip().is_some_and(|ip| it.resolution.has_address(ip));
        (same_client, holds, stands_before(it.resolution, connection), it.resolution.time)
    })
}

/// Whether a check dialled a name that no alias of the host leads to: its server is not the one that DNS names.
pub fn is_dialed_elsewhere(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    let dialed = connection.handshake.dialed.as_deref().and_then(Name::parse).filter(|name| name.ip().is_none());
    let Some(dialed) = dialed.filter(|dialed| case.host.as_ref() != Some(dialed)) else {
        return false;
    };
    let mut aliases = case.resolutions.iter().flat_map(|resolution| &resolution.aliases).peekable();
    aliases.peek().is_some() && !aliases.any(|alias| alias.target == dialed || alias.owner == dialed)
}

/// Where an answer stands that a text shows before the connection.
fn stands_before(resolution: &Resolution, connection: &Connection<'_>) -> Option<ObservationId> {
    let is_text = connection.handshake.transport == Transport::Text && resolution.source == Some(connection.source);
    (is_text && resolution.answer < connection.id).then_some(resolution.answer)
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

/// The command that shows the certificates a host sends; an address has no server name.
pub fn ask_for_certificate(host: &Name) -> String {
    match host.ip() {
        Some(_) => format!("openssl s_client -connect {host}:443 -showcerts </dev/null"),
        None => format!("openssl s_client -connect {host}:443 -servername {host} -showcerts </dev/null"),
    }
}

/// The command that shows the identifiers a host presents.
pub fn ask_for_identifiers(host: &Name) -> String {
    let show = "openssl x509 -noout -ext subjectAltName";
    match host.ip() {
        Some(_) => format!("openssl s_client -connect {host}:443 </dev/null | {show}"),
        None => format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | {show}"),
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
