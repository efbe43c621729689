//! What the rules about an authority that clients never trust share: the issuer is a row of the provider
//! table, and the certificate is wrong whatever it covers.

use crate::case::Case;
use crate::name::Name;
use crate::provider::Provider;
use crate::provider::table::{Basis, Kind};
use crate::rules::presented::{self, Presented};
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict};

/// Authorities of one kind.
pub(super) struct Authorities {
    /// The rows of the table.
    pub(super) kind: Kind,
    /// The headline after the host; `{provider}` is replaced.
    pub(super) headline: &'static str,
    /// The cause.
    pub(super) cause: &'static str,
    /// The cure.
    pub(super) remedy: &'static str,
    /// What to expect of the issuer afterwards.
    pub(super) expect: &'static str,
}

/// What they say of a case.
pub(super) fn check(case: &Case<'_>, authorities: &Authorities) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let all = presented::of(case);
    let own = |it: &Presented<'_, '_>| row_of(case, it, authorities.kind);
    if let Some((it, row)) = all.iter().filter(|it| !it.is_silent()).find_map(|it| Some((it, own(it)?))) {
        return found(case, host, it, row, authorities);
    }
    if let Some((_, row)) = all.iter().find_map(|it| Some((it, own(it)?))) {
        return Verdict::Unknown {
            missing: format!("what {host} is served when its name is sent; without one the issuer is {}", row.name),
            ask: view::ask_for_certificate(host),
        };
    }
    let Some((id, words)) = presented::distrust(case) else {
        return Verdict::NotApplicable;
    };
    let known = all.iter().find_map(|it| Some((it, it.leaf.certificate.issuer.clone()?)));
    match known {
        Some((it, issuer)) => Verdict::Clear {
            because: format!("the issuer is {issuer} (providers {})", case.known.providers.as_of),
            cites: view::cites(it.cites().into_iter().chain([id])),
        },
        None => Verdict::Unknown {
            missing: format!("the issuer of the certificate that the client refuses: {words}"),
            ask: view::ask_for_certificate(host),
        },
    }
}

fn row_of<'c>(case: &Case<'c>, it: &Presented<'_, '_>, kind: Kind) -> Option<&'c Provider> {
    case.known.providers.own_certificate(it.leaf.certificate, kind).filter(|_| !it.is_publicly_issued(case))
}

/// Whether a certificate comes from an authority that no public client trusts: it is invalid for them,
/// whatever it covers.
pub(in crate::rules) fn is_untrusted_by_all(case: &Case<'_>, it: &Presented<'_, '_>) -> bool {
    [Kind::TestAuthority, Kind::OriginAuthority].into_iter().any(|kind| row_of(case, it, kind).is_some())
}

fn found(case: &Case<'_>, host: &Name, it: &Presented<'_, '_>, row: &Provider, authorities: &Authorities) -> Verdict {
    let fill = |text: &str| text.replace("{host}", host.as_str()).replace("{provider}", &row.name);
    let issuer = it.leaf.certificate.issuer.clone().unwrap_or_default();
    let strength = match it.strength(host) {
        _ if row.basis == Basis::Recall => Strength::Strong,
        Strength::Strong if it.connection.is_some_and(|connection| connection.asks_for(host)) => Strength::Proven,
        strength => strength,
    };
    let mut finding = Finding::new(format!("{host} {}", fill(authorities.headline)), Severity::Error, strength)
        .because(fill(authorities.cause), fill(row.remedy.as_deref().unwrap_or(authorities.remedy)))
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer"),
            fill(authorities.expect),
        )
        .reason(format!("the issuer is {issuer}: {} (providers {})", row.name, case.known.providers.as_of), it.cites())
        .mark(Mark::new(it.leaf.id, common_name(&issuer), Sign::Wrong, "clients do not trust this issuer"));
    if let Some((address, id, name)) = edge_address(case) {
        finding = finding.reason(format!("{address} is no address of {name} (a hint only)"), [id]);
    }
    if let Some((id, words)) = presented::distrust(case) {
        finding = finding.reason(words, [id]);
    }
    finding.found()
}

/// The address of the server, where the certificate is a CDN's for its origins and the address is not
/// one of the CDN's own.
fn edge_address(case: &Case<'_>) -> Option<(std::net::IpAddr, crate::evidence::ObservationId, String)> {
    let connection = case.connections.iter().find(|it| it.server_ip().is_some())?;
    let address = connection.server_ip()?;
    let is_origin = presented::of(case).iter().any(|it| row_of(case, it, Kind::OriginAuthority).is_some());
    let edge = case.known.providers.by_id("cloudflare.edge")?;
    let outside = case.known.providers.of_address(address).is_none_or(|(row, _)| row.id != edge.id);
    (is_origin && outside).then(|| (address, connection.id, edge.name.clone()))
}

fn common_name(issuer: &str) -> String {
    let held = crate::x509::attributes(issuer);
    let pick = |kind: &str| held.iter().find(|(own, _)| own == kind).map(|(_, value)| value.clone());
    pick("CN").or_else(|| pick("OU")).unwrap_or_else(|| issuer.to_owned())
}
