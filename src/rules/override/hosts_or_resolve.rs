//! `override.hosts_or_resolve`: the address came from a hosts file or an option, not from DNS.

use std::net::IpAddr;

use crate::case::{Case, Connection, Leaf, Origin, Resolution};
use crate::dns::endpoint::Svcb;
use crate::evidence::{ObservationId, Override, OverrideKind, Says};
use crate::name::Name;
use crate::provenance::Place;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach, view};

declare_rule! {
    /// # What it finds
    ///
    /// A connection whose address was forced, by the hosts file, by `curl --resolve` or `--connect-to`, or
    /// by an address in `-connect`, and that is served a certificate which does not cover the host.
    ///
    /// # Why it matters
    ///
    /// The test speaks to another server than DNS names. Nothing follows for other clients.
    ///
    /// # What it needs
    ///
    /// What forced the address. An answer of DNS that does not hold it proves it; one that holds it rules
    /// it out. A missing DNS query alone shows nothing: a cache, or a capture that began late, looks the
    /// same.
    ///
    /// # What to do
    ///
    /// Remove the hosts entry or the option, or correct it. Compare with `dig HOST`.
    ///
    /// # References
    ///
    /// hosts(5); curl(1), `--resolve` and `--connect-to`.
    "override.hosts_or_resolve", "the address came from a hosts file or an option, not from DNS",
    since "0.1.0", cap 0.8, rank 130
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let mut other: Option<Verdict> = None;
    for (connection, it) in refused(case, host) {
        let Some(address) = connection.server_ip() else { continue };
        let dns = case.resolutions.iter().find(|answer| answer.has_address(address));
        let hinted = case
            .around
            .records
            .https(host)
            .into_iter()
            .find(|(_, data)| Svcb::parse(data).is_some_and(|record| record.hints.contains(&address)));
        if let Some((id, _)) = hinted {
            let because = format!("the HTTPS record of {host} gives {address}");
            other = other.or(Some(Verdict::Clear { because, cites: vec![id, connection.id] }));
            continue;
        }
        let forced = reach::forced(case, host, connection, address);
        let verdict = match (forced, dns) {
            (Some(_), Some(answer)) => Verdict::Clear {
                because: format!("DNS gives {address} for {host} as well"),
                cites: vec![answer.answer, connection.id],
            },
            (Some(forced), None) => judge(case, host, &it, address, forced, Strength::Proven),
            (None, None)
                if it.leaf.is_some()
                    && matches!(case.origin(connection), Some(Origin::NotAmong(_) | Origin::Unanswered)) =>
            {
                Verdict::Unknown {
                    missing: format!("where the client got {address} for {host} from"),
                    ask: format!("getent ahosts {host}; grep -i {host} /etc/hosts; dig {host}"),
                }
            }
            _ => continue,
        };
        if matches!(verdict, Verdict::Found(_)) {
            return verdict;
        }
        other = other.or(Some(verdict));
    }
    other.or_else(|| by_hosts_file(case, host)).unwrap_or(Verdict::NotApplicable)
}

/// Where nothing shows the connection: a hosts file that gives another address than DNS, and a client that was
/// shown another name.
fn by_hosts_file(case: &Case<'_>, host: &Name) -> Option<Verdict> {
    let said = view::said(case, Says::NameMismatch);
    let (id, _) = said.first().filter(|_| case.connections.is_empty())?;
    let mut entries = case.overrides.iter().filter(|(_, it)| it.by == OverrideKind::Hosts);
    let ((entry, forced), address) = entries
        .find_map(|it| Some((*it, it.1.to.as_deref()?.parse::<IpAddr>().ok().filter(|ip| !ip.is_loopback())?)))?;
    let is_other = |it: &Resolution| it.addresses_like(address).next().is_some() && !it.has_address(address);
    let differs = case.resolutions.iter().any(is_other) && !case.resolutions.iter().any(|it| it.has_address(address));
    let it = Refused { leaf: None, cites: vec![*id] };
    differs.then(|| judge(case, host, &it, address, (entry, forced), Strength::Consistent))
}

/// A certificate that does not cover the host: seen, or in the client's words alone.
struct Refused<'c, 'e> {
    leaf: Option<&'c Leaf<'e>>,
    cites: Vec<ObservationId>,
}

/// Those with a certificate first.
fn refused<'c, 'e>(case: &'c Case<'e>, host: &Name) -> Vec<(&'c Connection<'e>, Refused<'c, 'e>)> {
    let seen = reach::wrong(case)
        .into_iter()
        .map(|it| (it.connection, Refused { leaf: Some(it.leaf), cites: view::cites([it.leaf.id, it.connection.id]) }));
    let told = case.distinct().filter_map(|connection| {
        let is_unseen = connection.leaf().is_none() && connection.asks_for(host);
        let run = connection.handshake.run.filter(|_| is_unseen);
        case.around.compared_in(connection.source, run, host).filter(|says| *says == Says::NameMismatch)?;
        let is_here = |id| {
            case.evidence.observation(id).and_then(|it| it.at.first()).map(Place::source) == Some(connection.source)
        };
        let (id, _) =
            case.verdicts.iter().find(|(id, it)| it.says == Says::NameMismatch && it.run == run && is_here(*id))?;
        Some((connection, Refused { leaf: None, cites: vec![*id, connection.id] }))
    });
    seen.chain(told).collect()
}

fn judge(
    case: &Case<'_>,
    host: &Name,
    it: &Refused<'_, '_>,
    address: IpAddr,
    (id, forced): (ObservationId, &Override),
    best: Strength,
) -> Verdict {
    let answers = case.resolutions.iter().find(|answer| answer.addresses_like(address).next().is_some());
    if answers.is_none() && forced.by == OverrideKind::ConnectIp {
        return Verdict::Unknown {
            missing: format!("whether {address} is an address of {host}: the check was given the address"),
            ask: format!("dig {host}"),
        };
    }
    // Another address of a rotating target is neutral, unless a certificate comes that its provider would
    // not present to a name it does not know.
    let is_neutral = answers.is_some_and(|answer| answer.is_rotating(host)) && it.leaf.is_none_or(view::is_aws_default);
    let strength = match answers {
        None => Strength::Consistent,
        Some(_) if is_neutral => Strength::Consistent,
        Some(answer) if it.leaf.is_none() || answer.is_rotating(host) => Strength::Strong,
        Some(_) => Strength::Proven,
    };
    let strength = strength.max(best);
    let how = words(forced.by);
    let expected = answers.and_then(|answer| answer.addresses_like(address).next());
    let label = it.leaf.map(Leaf::label);
    let served = label
        .as_ref()
        .map_or_else(|| "a certificate of other names".to_owned(), |label| format!("the certificate of {label}"));
    let named = label.as_ref().map_or_else(
        || format!("the client says that the certificate does not cover {host}"),
        |label| format!("the certificate presented names {label}"),
    );
    let mut finding = Finding::new(format!("{host} is served {served} at an address that was forced"), Severity::Error, strength)
        .because(
            format!("The address {address} came from {how}, not from DNS. The server there presents {served}; nothing follows for clients that ask DNS."),
            format!("Remove {} for {host}{}.", if forced.by == OverrideKind::Hosts { "the hosts file's entry" } else { how }, expected.map_or_else(String::new, |ip| format!(", or correct it to {ip}"))),
        )
        .verified_by(format!("dig +short {host}; curl -v https://{host}/"), "a connection to an address that DNS gives")
        .reason(format!("{how} gives {address} for {host}"), view::cites(std::iter::once(id).chain(it.cites.iter().copied())))
        .reason(named, it.cites.clone())
        .mark(Mark::new(id, address.to_string(), Sign::Wrong, format!("from {how}")));
    if let (Some(leaf), Some(label)) = (it.leaf, label) {
        finding = finding.mark(Mark::new(leaf.id, label, Sign::Wrong, format!("does not cover {host}")));
    }
    if let Some(answer) = answers {
        finding = finding.reason(format!("DNS gives other addresses for {host}"), answer.cites.clone());
    }
    finding.found()
}

fn words(by: OverrideKind) -> &'static str {
    match by {
        OverrideKind::Resolve => "curl --resolve",
        OverrideKind::ConnectTo => "curl --connect-to",
        OverrideKind::ConnectIp => "the address in -connect",
        OverrideKind::Server => "the resolver that the command names",
        OverrideKind::Hosts => "the hosts file",
        OverrideKind::HostHeader => "the Host header",
        OverrideKind::Proxy => "the proxy",
    }
}
