//! `lb.default_certificate`: a load balancer presents the default certificate of its listener.

use crate::case::{Alias, Case};
use crate::evidence::{Mapping, ObservationId};
use crate::name::Name;
use crate::provider::table::Kind;
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host leads to a load balancer by its own name (`….elb.amazonaws.com`, …), the client asked for
    /// the host, and a certificate for other names comes back.
    ///
    /// # Why it matters
    ///
    /// A listener presents its default certificate when none of its others covers the server name. The
    /// certificate of this host was never added to the listener, or the wrong one was made the default.
    ///
    /// # What it needs
    ///
    /// The alias, the SNI and the certificate. Another server name that is served another certificate at
    /// the same address proves it. A covering certificate rules it out, and so does API Gateway's own: then
    /// the balancer passes TLS on (`apigw.nlb_in_front_of_endpoint`).
    ///
    /// # What to do
    ///
    /// Add a certificate for the host to the listener's list (or correct the order of certificate ARNs,
    /// whose first is the default), and verify with `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// Elastic Load Balancing user guides, "SSL certificates" of a listener.
    "lb.default_certificate", "a load balancer presents the default certificate of its listener",
    since "0.1.0", cap 0.7, rank 560
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    let Some((alias, name)) = balancer(case) else {
        return Verdict::NotApplicable;
    };
    if let Some(it) = view::covering(case) {
        let because = format!("the certificate presented covers {host}");
        return Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] };
    }
    let shown = view::shown(case);
    let Some(it) = shown.iter().find(|it| it.is_wrong() && it.connection.asks_for(host)) else {
        return Verdict::Unknown {
            missing: format!("the certificate that {} presents for {host}", alias.target),
            ask: view::ask_for_certificate(host),
        };
    };
    if let Some(because) = belongs_elsewhere(case, it) {
        return Verdict::Clear { because, cites: vec![it.leaf.id, it.connection.id] };
    }
    found(case, host, (alias, &name), it)
}

/// The alias that leads to a balancer, and what it is called.
fn balancer<'c>(case: &'c Case<'_>) -> Option<(&'c Alias, String)> {
    let aliases = case.resolutions.iter().flat_map(|resolution| &resolution.aliases);
    aliases.into_iter().find_map(|alias| {
        let of_table = case.known.providers.of_host(&alias.target);
        let of_table = of_table.filter(|(row, _)| row.kind == Kind::Balancer).map(|(row, _)| row.name.clone());
        of_table
            .or_else(|| exported(case, &alias.target).map(|_| "a load balancer".to_owned()))
            .map(|name| (alias, name))
    })
}

/// A balancer of this name in exported configuration.
fn exported(case: &Case<'_>, name: &Name) -> Option<ObservationId> {
    let is_it = |mapping: &Mapping| matches!(mapping, Mapping::LoadBalancer { domain, .. } if domain == name);
    case.cloud.iter().find(|(_, it)| is_it(&it.says)).map(|(id, _)| *id)
}

/// Whose certificate it is, where it is not one of the balancer's owner.
fn belongs_elsewhere(case: &Case<'_>, it: &Shown<'_, '_>) -> Option<String> {
    if view::is_aws_default(it.leaf) {
        return Some(format!("{} is AWS's own certificate: the balancer passes TLS on", it.label()));
    }
    let row = case.known.providers.of_certificate(it.leaf.certificate)?;
    Some(format!("{} is the own certificate of {}: the balancer passes TLS on", it.label(), row.name))
}

fn found(case: &Case<'_>, host: &Name, (alias, name): (&Alias, &str), it: &Shown<'_, '_>) -> Verdict {
    let other = other_name(case, it);
    let passes_on = alias.target.as_str().contains(".elb.") && !alias.target.as_str().contains(".elb.amazonaws.");
    let strength = match other {
        Some(_) if it.shows_identifiers() => Strength::Proven,
        _ if passes_on => Strength::Consistent,
        _ => Strength::Strong,
    };
    let label = it.label();
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("{name} answers with a certificate that does not name {host}: none of its listener's certificates covers the host, so it presents the default one."),
            format!("Add a certificate for {host} to the certificates of the listener on port 443, or make the right one its default (the first ARN for the AWS load balancer controller)."),
        )
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"))
        .reason(format!("{} is a {} to {}, a name of {name}", alias.owner, alias.kind, alias.target), [alias.cites])
        .reason(format!("the client asked for {host}"), [it.connection.id])
        .reason(format!("the certificate presented names {}", it.leaf.labels().join(", ")), [it.leaf.id, it.connection.id])
        .mark(Mark { beside: alias.kind.to_string(), ..Mark::new(alias.cites, alias.target.as_str(), Sign::Right, "a load balancer") })
        .mark(view::asked_mark(it.connection.id, host))
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")));
    if let Some((connection, name)) = other {
        let cites = view::cites(std::iter::once(connection.id).chain(connection.leaf().map(|leaf| leaf.id)));
        finding = finding.reason(format!("at the same address {name} is served a certificate of its own"), cites);
    }
    finding.found()
}

/// Another server name that the same address answers with another certificate, which covers it.
fn other_name<'c, 'e>(case: &'c Case<'e>, it: &Shown<'_, '_>) -> Option<(&'c crate::case::Connection<'e>, Name)> {
    let own = it.leaf.certificate.id();
    case.around.at_address(it.connection.server_ip()?).find_map(|other| {
        let (name, leaf) = (other.sni()?, other.leaf()?);
        let covers = other.covers_sni() == Some(true);
        (covers && leaf.certificate.id() != own).then_some((other, name))
    })
}

/// Whether a case leads to a balancer, for rules that then have nothing to say.
pub(in crate::rules) fn leads_here(case: &Case<'_>) -> bool {
    balancer(case).is_some()
}
