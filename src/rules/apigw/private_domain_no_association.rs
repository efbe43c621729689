//! `apigw.private_domain_no_association`: the VPC endpoint does not know the private custom domain.

use crate::case::Case;
use crate::name::Name;
use crate::provider::execute_api::{self, Role};
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is an alias of a VPC endpoint's own name, and the endpoint presents AWS's own certificate.
    ///
    /// # Why it matters
    ///
    /// A private custom domain is served by a VPC endpoint only after a domain name access association has
    /// been made between the two.
    ///
    /// # What it needs
    ///
    /// The alias, the certificate and, to be sure, `get-domain-name-access-associations`. It is ruled out
    /// when the certificate covers the host.
    ///
    /// # What to do
    ///
    /// Create a domain name access association between the private custom domain and this VPC endpoint, and
    /// allow the endpoint in the domain's policy.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Custom domain names for private APIs".
    "apigw.private_domain_no_association", "the VPC endpoint is not associated with the private custom domain",
    since "0.1.0", cap 0.6, rank 530
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let targets = view::execute_api_targets(case);
    let Some(target) = targets.iter().find(|it| it.target.role == Role::VpcEndpoint) else {
        return by_address(case, host);
    };
    if let Some(it) = view::covering(case) {
        let because = format!("the certificate presented covers {host}");
        return Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] };
    }
    let shown = view::shown(case);
    let Some(it) = shown.iter().find(|it| it.is_wrong() && view::default_of(it.leaf).is_some()) else {
        return Verdict::Unknown {
            missing: format!("the certificate that {} presents for {host}", target.alias.target),
            ask: view::ask_for_certificate(host),
        };
    };
    let label = it.label();
    Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, Strength::Strong)
        .because(
            format!("The record leads to a VPC endpoint, and the endpoint does not know the private custom domain {host}: no domain name access association joins them, or the custom domain does not exist."),
            format!("Create a domain name access association between the private custom domain {host} and this VPC endpoint, and allow the endpoint in the domain's policy."),
        )
        .verified_by("aws apigateway get-domain-name-access-associations", format!("an association of {host} with the endpoint"))
        .reason(
            format!("{} is a CNAME to {}, a VPC endpoint", target.alias.owner, target.alias.target),
            target.resolution.aliases.iter().map(|it| it.cites),
        )
        .reason(format!("the certificate presented names only {label}"), [it.leaf.id, it.connection.id])
        .mark(Mark { beside: "CNAME".to_owned(), ..Mark::new(target.alias.cites, target.target.id.as_str(), Sign::Right, "a VPC endpoint") })
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")))
        .found()
}

/// A record of private addresses, behind which API Gateway answers: an interface of a VPC endpoint, or a
/// balancer before one.
fn by_address(case: &Case<'_>, host: &Name) -> Verdict {
    let resolved: Vec<_> = case.resolutions.iter().flat_map(|it| it.addresses.iter().copied()).collect();
    let is_plain = case.resolutions.iter().all(|it| it.aliases.is_empty());
    let Some((address, record)) = resolved.first().copied().filter(|_| is_plain) else {
        return Verdict::NotApplicable;
    };
    if host.ip().is_some() || execute_api::host(host).is_some() || !resolved.iter().all(|it| view::is_private(it.0)) {
        return Verdict::NotApplicable;
    }
    let shown = view::shown(case);
    let Some(it) = shown.iter().find(|it| it.is_wrong() && view::default_of(it.leaf).is_some()) else {
        return Verdict::NotApplicable;
    };
    let label = it.label();
    Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, Strength::Consistent)
        .because(
            format!("The record holds the private address {address}, where API Gateway answers: a VPC endpoint, or a balancer before one. It does not know the private custom domain {host}."),
            format!("Create the private custom domain {host} and a domain name access association between it and this VPC endpoint; let the record be an alias of the endpoint's name, not its address."),
        )
        .verified_by("aws apigateway get-domain-name-access-associations", format!("an association of {host} with the endpoint"))
        .reason(format!("{host} has the private address {address} and no alias"), [record])
        .reason(format!("the certificate presented names only {label}"), [it.leaf.id, it.connection.id])
        .mark(Mark::new(record, address.to_string(), Sign::Doubtful, "an address in a VPC"))
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")))
        .found()
}
