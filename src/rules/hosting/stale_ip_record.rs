//! `hosting.stale_ip_record`: an address record still leads to a platform that no longer serves the host.

use std::net::IpAddr;

use super::Served;
use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provider::table::Kind;
use crate::provider::{Provider, Role};
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// An address record of the host leads to a hosting platform that presents its own certificate there,
    /// while another address serves the right one; or it holds an address that the platform gave up.
    ///
    /// # Why it matters
    ///
    /// Which address a client takes changes from one connection to the next, so the fault comes and goes.
    ///
    /// # What it needs
    ///
    /// The address records and a handshake with each address. With one address and the platform's own
    /// certificate, a name that is not attached looks the same (`hosting.custom_domain_not_bound`). It is
    /// ruled out when a CNAME leads to the platform, or when all addresses serve covering certificates.
    ///
    /// # What to do
    ///
    /// Remove the outdated address records; prefer a CNAME or alias. Verify each address with
    /// `openssl s_client -connect ADDRESS:443 -servername HOST`.
    ///
    /// # References
    ///
    /// The platform's documentation on custom domains.
    "hosting.stale_ip_record", "an address record leads to a platform that no longer serves the host",
    since "0.1.0", cap 0.8, rank 531
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    let platform = super::of(case);
    let records: Vec<(IpAddr, ObservationId)> = case
        .resolutions
        .iter()
        .filter(|it| it.aliases.is_empty())
        .flat_map(|it| it.addresses.iter().copied())
        .collect();
    if let Some((alias, _)) = platform.as_ref().and_then(|it| it.alias).filter(|_| records.is_empty()) {
        let because = format!("{} is a {} to {}, no address record", alias.owner, alias.kind, alias.target);
        return Verdict::Clear { because, cites: vec![alias.cites] };
    }
    let served = platform.as_ref().and_then(|it| Some((it.provider, it.served.as_ref()?)));
    if let Some((provider, Served::Shown(it))) = served
        && let Some(connection) = it.connection.filter(|_| !it.is_silent())
    {
        return of_served(case, host, provider, connection, &it.label(), it.leaf.id);
    }
    of_records(case, host, &records)
}

/// The platform's own certificate was seen at an address.
fn of_served(
    case: &Case<'_>,
    host: &Name,
    provider: &Provider,
    wrong: &crate::case::Connection<'_>,
    label: &str,
    leaf: ObservationId,
) -> Verdict {
    let held = |address: IpAddr| {
        let all = case.resolutions.iter().flat_map(|it| &it.addresses);
        all.into_iter().find(|(known, _)| *known == address).map(|(_, id)| *id)
    };
    let Some((address, record)) = reach::address_of(case, wrong).and_then(|address| Some((address, held(address)?)))
    else {
        return Verdict::Unknown {
            missing: format!("whether the address that presents {label} is in a record of {host}"),
            ask: format!("dig {host} A {host} AAAA"),
        };
    };
    let right = view::shown(case).into_iter().find(|it| {
        it.coverage == Coverage::Covers && it.connection.asks_for(host) && it.connection.server_ip() != Some(address)
    });
    let strength = if right.is_some() { Strength::Proven } else { Strength::Consistent };
    let there = if wrong.server_ip().is_some() { "there" } else { "to the client, which had no other address of it" };
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("The record of {host} holds {address}, where {} answers and no longer serves this host.", provider.name),
            format!("Remove {address} from the records of {host}; where {} still serves it, use the CNAME or alias that the platform shows instead of an address.", provider.name),
        )
        .verified_by(format!("dig +short {host} A {host} AAAA"), format!("no {address}"))
        .reason(format!("a record of {host} holds {address}"), [record])
        .reason(
            format!("{label}, presented {there}, is the own certificate of {} (providers {})", provider.name, case.known.providers.as_of),
            [leaf, wrong.id],
        )
        .mark(Mark::new(record, address.to_string(), Sign::Wrong, format!("{} answers here", provider.name)))
        .mark(Mark::new(leaf, label, Sign::Wrong, format!("does not cover {host}")));
    if let Some(it) = right {
        let other = it.connection.server_ip().map_or_else(String::new, |ip| ip.to_string());
        finding = finding
            .reason(format!("{other} serves {}, which covers {host}", it.label()), [it.connection.id, it.leaf.id]);
    }
    finding.found()
}

/// Only records: an address that a platform gave up, or addresses of a platform that nobody looked at.
fn of_records(case: &Case<'_>, host: &Name, records: &[(IpAddr, ObservationId)]) -> Verdict {
    let known = records.iter().filter_map(|(address, id)| {
        let (provider, role) = case.known.providers.of_address(*address)?;
        (provider.kind == Kind::Hosting).then_some((*address, *id, provider, role))
    });
    let Some((address, id, provider, role)) = known.min_by_key(|it| it.3 != Role::Legacy) else {
        return Verdict::NotApplicable;
    };
    let tested = view::shown(case).into_iter().find(|it| it.connection.server_ip() == Some(address));
    if let Some(it) = tested.filter(|it| it.coverage == Coverage::Covers) {
        let because = format!("{address} serves {}, which covers {host}", it.label());
        return Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] };
    }
    if role != Role::Legacy {
        return Verdict::Unknown {
            missing: format!("what {address}, an address of {}, presents for {host}", provider.name),
            ask: format!("openssl s_client -connect {address}:443 -servername {host} -showcerts </dev/null"),
        };
    }
    Finding::new(
        format!("a record of {host} holds an address that {} gave up", provider.name),
        Severity::Warning,
        Strength::Strong,
    )
    .because(
        format!("{address} is an address that {} no longer gives out.", provider.name),
        format!("Remove {address} from the records of {host} and set the ones that {} documents.", provider.name),
    )
    .verified_by(format!("dig +short {host}"), format!("no {address}"))
    .reason(
        format!("{address} is an old address of {} (providers {})", provider.name, case.known.providers.as_of),
        [id],
    )
    .mark(Mark::new(id, address.to_string(), Sign::Wrong, format!("an old address of {}", provider.name)))
    .confirmed_if(format!("the certificate does not cover {host}"))
    .found()
}
