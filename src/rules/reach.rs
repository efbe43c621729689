//! How a host was reached: through which address and which answer, by which resolver, beside which
//! other handshakes of the same client. What the rules about names, routes and middleboxes share.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::case::{Case, Connection, JoinedBy, Leaf, Resolution};
use crate::evidence::{HttpExchange, ObservationId, Override, OverrideKind, Says};
use crate::limits::NEIGHBOURS_MAX;
use crate::name::Name;
use crate::provenance::{Time, Zone};
use crate::provider::suffix::owner;
use crate::rules::view::{self, Coverage, Shown};
use crate::tls::{ChainState, Side, SniState, Transport};

/// The distinct connections for the host whose certificate is visible.
pub fn shown<'c, 'e>(case: &'c Case<'e>) -> Vec<Shown<'c, 'e>> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    let seen = case.distinct().filter(|it| it.handshake.chain_state == ChainState::Seen);
    seen.filter_map(|connection| view::of_host(case, connection, host)).collect()
}

/// Those that asked for the host and were shown a certificate that does not cover it, or that the
/// client itself refused for its names where a text does not show them.
pub fn wrong<'c, 'e>(case: &'c Case<'e>) -> Vec<Shown<'c, 'e>> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    shown(case).into_iter().filter(|it| it.connection.asks_for(host) && it.is_wrong()).collect()
}

/// Those that asked for the host and were shown a certificate that covers it.
pub fn right<'c, 'e>(case: &'c Case<'e>) -> Vec<Shown<'c, 'e>> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    let is_asked = |it: &Shown<'_, '_>| it.connection.asks_for(host) || host.ip().is_some();
    shown(case).into_iter().filter(|it| it.coverage == Coverage::Covers && is_asked(it)).collect()
}

/// The name of the host, where it is a name.
pub fn named<'c>(case: &'c Case<'_>) -> Option<&'c Name> {
    case.host.as_ref().filter(|host| host.ip().is_none())
}

/// The server of a connection, for people.
pub fn server(connection: &Connection<'_>) -> String {
    connection.handshake.server.map_or_else(|| "the server".to_owned(), |it| it.to_string())
}

/// Whether a certificate names the host's owner or nobody in particular: by registrable domain.
pub fn is_same_owner(leaf: &Leaf<'_>, host: &Name) -> bool {
    let own = owner(host.as_str());
    leaf.labels().iter().any(|label| owner(label) == own)
}

/// The HTTP exchanges that a connection carried, as far as the evidence ties them to it.
pub fn exchanges<'e>(case: &Case<'e>, connection: &Connection<'_>) -> Vec<(ObservationId, &'e HttpExchange)> {
    case.around.exchanges_of(connection).collect()
}

/// The server's clock, by its Date header: `Wed, 25 Nov 2026 01:02:03 GMT` (RFC 9110 section 5.6.7).
pub fn server_clock(exchange: &HttpExchange) -> Option<Time> {
    let text = exchange.headers.get("date")?;
    let civil = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", text.trim()).ok()?.to_datetime().ok()?;
    Some(Time::from_civil(civil, Zone::Stated))
}

/// A server's fatal alert before any certificate.
pub fn refusal(connection: &Connection<'_>) -> Option<(ObservationId, String)> {
    let fatal = connection
        .alerts
        .iter()
        .find(|(_, alert)| alert.from == Side::Server && alert.level.as_deref() != Some("warning") && !alert.encrypted);
    let fatal = fatal.filter(|_| connection.handshake.chain_state == ChainState::Missing)?;
    Some((fatal.0, fatal.1.description.clone().unwrap_or_else(|| "an alert".to_owned())))
}

/// What says that the client refused the certificate of a connection: its own words or its alert.
pub fn complaint(case: &Case<'_>, connection: &Connection<'_>) -> Option<(ObservationId, String)> {
    let said = case.verdicts.iter().find(|(_, it)| it.says == Says::ChainUntrusted);
    if let Some((id, it)) = said {
        return Some((*id, format!("{} says: {}", it.client, it.words)));
    }
    let refuses = |it: &str| matches!(it, "unknown_ca" | "bad_certificate" | "certificate_unknown");
    connection.alerts.iter().find_map(|(id, alert)| {
        let description = alert.description.as_deref().filter(|it| alert.from == Side::Client && refuses(it))?;
        Some((*id, format!("the client answers with the alert {description}")))
    })
}

/// Whether nothing shows that the client accepted the certificate of a connection: a text without a word
/// about it. A capture shows a refusal as an alert.
pub fn is_untold(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    let accepts = |it: &crate::evidence::ClientVerdict| matches!(it.says, Says::ChainTrusted | Says::NameMatches);
    connection.handshake.transport == Transport::Text && !case.verdicts.iter().any(|(_, it)| accepts(it))
}

/// What forced the address of a connection: its own command, or a hosts file that names the address.
pub fn forced<'e>(
    case: &Case<'e>,
    host: &Name,
    connection: &Connection<'_>,
    address: IpAddr,
) -> Option<(ObservationId, &'e Override)> {
    let is_forced =
        |it: &Override| matches!(it.by, OverrideKind::Resolve | OverrideKind::ConnectTo | OverrideKind::ConnectIp);
    let own = case
        .around
        .overrides_of(connection.source, connection.handshake.run)
        .find(|(_, it)| is_forced(it) && it.host.as_ref().is_none_or(|name| name == host));
    own.or_else(|| {
        let is_hosts = |it: &Override| {
            it.by == OverrideKind::Hosts && it.to.as_deref().and_then(|to| to.parse().ok()) == Some(address)
        };
        case.overrides.iter().find(|(_, it)| is_hosts(it)).copied()
    })
}

/// Who gave an answer: the resolver's address, the server that a command named, or the place it ran at.
pub fn resolver(case: &Case<'_>, resolution: &Resolution) -> String {
    if let Some(resolver) = resolution.resolver {
        return resolver.ip().to_string();
    }
    let Some(source) = resolution.source else {
        return "the resolver".to_owned();
    };
    let named = case.around.overrides_of(source, resolution.run).find(|(_, it)| it.by == OverrideKind::Server);
    if let Some(to) = named.and_then(|(_, it)| it.to.clone()) {
        return to;
    }
    let vantage = case.around.run(source, resolution.run).and_then(|(_, run)| run.vantage.clone());
    vantage.unwrap_or_else(|| path_of(case, source))
}

fn path_of(case: &Case<'_>, source: crate::provenance::SourceId) -> String {
    let at = usize::try_from(source.0).unwrap_or(usize::MAX);
    case.evidence.sources.get(at).map_or_else(|| "the resolver".to_owned(), |it| format!("the resolver of {}", it.path))
}

/// The answers of one resolver.
#[derive(Clone, Debug)]
pub struct View<'c> {
    /// The resolver, for people.
    pub by: String,
    /// Its answers with an address or an alias, in the order of the evidence.
    pub answers: Vec<&'c Resolution>,
    /// The commands that asked for them, which name the resolver where an answer does not.
    runs: Vec<ObservationId>,
}

impl View<'_> {
    /// The command that asks this resolver; where its address is not known, to be run at its place.
    pub fn ask(&self, host: &Name) -> String {
        let is_address = self.by.parse::<IpAddr>().is_ok();
        if is_address { format!("dig @{} {host}", self.by) } else { format!("dig {host}") }
    }

    /// Whether one of its answers holds the address.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.answers.iter().any(|it| it.has_address(address))
    }

    /// All addresses in its answers.
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        self.answers.iter().flat_map(|it| it.addresses.iter().map(|address| address.0)).collect()
    }

    /// The observations of its answers, of the first few, and of the command that asked.
    pub fn cites(&self) -> Vec<ObservationId> {
        let answers = self.answers.iter().take(4).flat_map(|it| it.cites.iter().copied());
        view::cites(answers.chain(self.runs.first().copied()))
    }
}

/// The answers for the host, by resolver; at most as many resolvers as are worth comparing.
pub fn views<'c>(case: &'c Case<'_>) -> Vec<View<'c>> {
    let mut views: Vec<View<'c>> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for it in case.resolutions.iter().filter(|it| !it.addresses.is_empty() || !it.aliases.is_empty()) {
        let by = resolver(case, it);
        let at = *known.entry(by.clone()).or_insert_with(|| {
            views.push(View { by, answers: Vec::new(), runs: Vec::new() });
            views.len().saturating_sub(1)
        });
        if let Some(view) = views.get_mut(at) {
            view.answers.push(it);
            view.runs.extend(it.source.and_then(|source| case.around.run(source, it.run)).map(|(id, _)| id));
        }
    }
    views
}

/// Other handshakes of the same client, or of the same text: what its network does to other names.
pub fn neighbours<'c, 'e>(case: &'c Case<'e>, connection: &Connection<'_>) -> Vec<&'c Connection<'e>> {
    let all: Vec<&Connection<'e>> = match connection.client_ip() {
        Some(client) => case.around.of_client(connection.source, client).take(NEIGHBOURS_MAX).collect(),
        None => case
            .around
            .handshakes
            .all()
            .iter()
            .filter(|it| it.source == connection.source)
            .take(NEIGHBOURS_MAX)
            .collect(),
    };
    all.into_iter().filter(|it| it.id != connection.id && is_near(it, connection)).collect()
}

/// Whether two handshakes happened within the minutes in which a network does not change.
pub fn is_near(one: &Connection<'_>, other: &Connection<'_>) -> bool {
    match (one.handshake.time, other.handshake.time) {
        (Some(one), Some(other)) => one.seconds.abs_diff(other.seconds) <= NEAR_SECONDS,
        _ => true,
    }
}

/// Whether the certificate of a connection covers the name that it asked for.
pub fn is_right(connection: &Connection<'_>) -> bool {
    connection.handshake.sni_state == SniState::Sent && connection.covers_sni() == Some(true)
}

/// Whether the certificate of a connection was seen not to cover the name that it asked for.
pub fn is_wrong(connection: &Connection<'_>) -> bool {
    connection.covers_sni() == Some(false)
}

/// The address of a connection; of a saved output without one, the only address that the evidence has
/// of the host, or the one that the last answer before it in the same text gives.
pub fn address_of(case: &Case<'_>, connection: &Connection<'_>) -> Option<IpAddr> {
    connection.server_ip().or_else(|| {
        let is_dialed =
            connection.joined_by == JoinedBy::Sni && connection.handshake.dialed == connection.handshake.sni;
        if !is_dialed {
            return None;
        }
        let known: BTreeSet<IpAddr> =
            case.resolutions.iter().flat_map(|it| it.addresses.iter().map(|it| it.0)).collect();
        let family = family_of(case, connection);
        let of_family: Vec<&IpAddr> = known.iter().filter(|ip| family.is_none_or(|v4| ip.is_ipv4() == v4)).collect();
        if let [] | [_] = of_family.as_slice() {
            return of_family.first().copied().copied();
        }
        let is_before = |it: &&Resolution| it.source == Some(connection.source) && it.answer < connection.id;
        let last = case.resolutions.iter().rfind(|it| is_before(it) && !it.addresses.is_empty())?;
        last.addresses.first().map(|it| it.0).filter(|_| last.addresses.len() == 1)
    })
}

/// Whether a connection goes by IPv4: by its address, or by what its command was told.
pub fn family(case: &Case<'_>, connection: &Connection<'_>) -> Option<bool> {
    connection.server_ip().map(|ip| ip.is_ipv4()).or_else(|| family_of(case, connection))
}

/// Whether the command of a run was told to use IPv4, or IPv6.
fn family_of(case: &Case<'_>, connection: &Connection<'_>) -> Option<bool> {
    let (_, run) = case.around.run(connection.source, connection.handshake.run)?;
    let command = run.command.as_deref()?;
    let has = |options: &[&str]| command.split_whitespace().any(|word| options.contains(&word));
    match (has(&["-4", "--ipv4"]), has(&["-6", "--ipv6"])) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// The command that shows what an address serves for the host.
pub fn ask_address(host: &Name, address: IpAddr) -> String {
    let at = std::net::SocketAddr::new(address, 443);
    format!("openssl s_client -connect {at} -servername {host} </dev/null | openssl x509 -noout -ext subjectAltName")
}

/// The command that shows the certificate of the host, with the check of its name.
pub fn check_host(host: &Name) -> String {
    format!("openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host} </dev/null")
}

/// Ten minutes: a captive portal, a filter or a proxy does not come and go faster.
pub const NEAR_SECONDS: u64 = 600;
