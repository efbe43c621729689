//! `override.hosts_or_resolve`: the address came from a hosts file or an option, not from DNS.

use std::net::IpAddr;

use crate::case::{Case, Connection, Origin};
use crate::dns::endpoint::Svcb;
use crate::evidence::{ObservationId, Override, OverrideKind};
use crate::name::Name;
use crate::rules::view::Shown;
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
    for it in reach::wrong(case) {
        let Some(address) = it.connection.server_ip() else { continue };
        let dns = case.resolutions.iter().find(|answer| answer.has_address(address));
        let hinted = case
            .around
            .records
            .https(host)
            .into_iter()
            .find(|(_, data)| Svcb::parse(data).is_some_and(|record| record.hints.contains(&address)));
        if let Some((id, _)) = hinted {
            let because = format!("the HTTPS record of {host} gives {address}");
            other = other.or(Some(Verdict::Clear { because, cites: vec![id, it.connection.id] }));
            continue;
        }
        let forced = forced(case, host, it.connection, address);
        let verdict = match (forced, dns) {
            (Some(_), Some(answer)) => Verdict::Clear {
                because: format!("DNS gives {address} for {host} as well"),
                cites: vec![answer.answer, it.connection.id],
            },
            (Some(forced), None) => judge(case, host, &it, address, forced),
            (None, None) if matches!(case.origin(it.connection), Some(Origin::NotAmong(_) | Origin::Unanswered)) => {
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
    other.unwrap_or(Verdict::NotApplicable)
}

/// What forced the address of a connection: its own command, or a hosts file that names the address.
fn forced<'e>(
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

fn judge(
    case: &Case<'_>,
    host: &Name,
    it: &Shown<'_, '_>,
    address: IpAddr,
    (id, forced): (ObservationId, &Override),
) -> Verdict {
    let answers = case.resolutions.iter().find(|answer| answer.addresses_like(address).next().is_some());
    if answers.is_none() && forced.by == OverrideKind::ConnectIp {
        return Verdict::Unknown {
            missing: format!("whether {address} is an address of {host}: the check was given the address"),
            ask: format!("dig {host}"),
        };
    }
    let is_rotating = answers.is_some_and(|answer| answer.is_rotating(host));
    let strength = match (answers, is_rotating) {
        (Some(_), false) => Strength::Proven,
        (None, _) => Strength::Strong,
        (Some(_), true) => Strength::Consistent,
    };
    let how = words(forced.by);
    let expected = answers.and_then(|answer| answer.addresses_like(address).next());
    let mut finding = Finding::new(format!("{host} is served the certificate of {} at an address that was forced", it.label()), Severity::Error, strength)
        .because(
            format!("The address {address} came from {how}, not from DNS. The server there presents {}; nothing follows for clients that ask DNS.", it.label()),
            format!("Remove {how} for {host}{}.", expected.map_or_else(String::new, |ip| format!(", or correct it to {ip}"))),
        )
        .verified_by(format!("dig +short {host}; curl -v https://{host}/"), "a connection to an address that DNS gives")
        .reason(format!("{how} gives {address} for {host}"), [id])
        .reason(format!("the certificate presented names {}", it.label()), view::cites([it.leaf.id, it.connection.id]))
        .mark(Mark::new(id, address.to_string(), Sign::Wrong, format!("from {how}")))
        .mark(Mark::new(it.leaf.id, it.label(), Sign::Wrong, format!("does not cover {host}")));
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
