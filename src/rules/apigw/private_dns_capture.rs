//! `apigw.private_dns_capture`: the private DNS of a VPC endpoint answers for every execute-api name.

use crate::case::Case;
use crate::name::Name;
use crate::provider::execute_api::Role;
use crate::rules::view::{self, ExecuteApiTarget, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, config, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is an alias of an execute-api name (a stage URL host or an API Gateway domain name) that
    /// resolves to private addresses, and AWS's own certificate comes back.
    ///
    /// # Why it matters
    ///
    /// An interface VPC endpoint for execute-api with private DNS answers for every name below
    /// `execute-api.REGION.amazonaws.com` inside its VPC, API Gateway domain names included. The endpoint
    /// knows no public custom domain: it presents AWS's certificate and answers with a 4xx.
    ///
    /// # What it needs
    ///
    /// The alias, its private addresses and the certificate. `describe-vpc-endpoints` with
    /// `PrivateDnsEnabled` confirms it. It is ruled out by public addresses.
    ///
    /// # What to do
    ///
    /// Publish the host as a Route 53 alias record instead of a CNAME, so that the private zone is never
    /// asked; or use an edge-optimized custom domain; or switch off private DNS on the endpoint. Verify
    /// with `dig HOST` inside the VPC.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Private REST APIs"; RFC 1918.
    "apigw.private_dns_capture", "the private DNS of a VPC endpoint captures the execute-api name",
    since "0.1.0", cap 0.92, rank 490
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|_| !view::is_gone(case)) else {
        return Verdict::NotApplicable;
    };
    let targets = view::execute_api_targets(case);
    let Some(target) = targets.iter().find(|it| matches!(it.target.role, Role::Stage | Role::DomainName)) else {
        return Verdict::NotApplicable;
    };
    let endpoint = config::private_dns_endpoint(case, &target.target.region);
    let Some((address, address_id)) = view::private_address(case) else {
        return public(case, host, endpoint.is_some());
    };
    let shown = view::shown(case);
    if let Some(it) = shown.iter().find(|it| !it.is_wrong() && it.connection.server_ip() == Some(address)) {
        let because = format!("{address} presents a certificate that covers {host}");
        return Verdict::Clear { because, cites: view::cites([it.connection.id, it.leaf.id]) };
    }
    let default = shown.iter().find(|it| it.is_wrong() && view::is_default_of(it.leaf, &target.target));
    let strength = match (default, &endpoint) {
        (Some(it), _) if it.shows_identifiers() => Strength::Proven,
        (Some(_), _) | (None, Some(_)) => Strength::Strong,
        (None, None) => Strength::Consistent,
    };
    let mut finding = about(host, target, default, strength)
        .reason(format!("{} resolves to {address}, a private address", target.alias.target), [address_id])
        .mark(Mark::new(address_id, address.to_string(), Sign::Wrong, "a private address: a VPC endpoint answers"));
    if let Some(it) = default {
        let label = it.label();
        finding = finding
            .reason(format!("the certificate presented names only {label}"), [it.leaf.id, it.connection.id])
            .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")));
    }
    if let Some((id, endpoint)) = endpoint {
        finding = finding.reason(format!("{} has private DNS on", endpoint.id), [id]);
    }
    if let Some((id, status)) = view::client_error(case) {
        finding = finding.reason(format!("the response is {status}"), [id]);
    }
    finding.found()
}

fn public(case: &Case<'_>, host: &Name, has_endpoint: bool) -> Verdict {
    let address = case.resolutions.iter().flat_map(|it| it.addresses.iter()).next();
    match address {
        Some((address, id)) if !has_endpoint => {
            Verdict::Clear { because: format!("{address} is public"), cites: vec![*id] }
        }
        Some((_, id)) if view::shown(case).iter().any(|it| !it.is_wrong()) => {
            Verdict::Clear { because: format!("a certificate that covers {host} was presented"), cites: vec![*id] }
        }
        _ => Verdict::Unknown {
            missing: format!("what {host} resolves to where the client runs: public or private addresses"),
            ask: format!("dig {host}"),
        },
    }
}

fn about(host: &Name, target: &ExecuteApiTarget<'_>, default: Option<&Shown<'_, '_>>, strength: Strength) -> Finding {
    let headline = match default {
        Some(it) => format!("{host} is served the certificate of {}", it.label()),
        None => format!("{host} resolves to a VPC endpoint of API Gateway"),
    };
    let severity = if default.is_some() { Severity::Error } else { Severity::Warning };
    let finding = Finding::new(headline, severity, strength)
        .because(
            format!(
                "The private DNS of a VPC endpoint answers for every name below execute-api.{}.{}, and so for the target of {host} as well. The endpoint knows no public custom domain and presents AWS's own certificate.",
                target.target.region, target.target.suffix
            ),
            format!(
                "Publish {host} as a Route 53 alias record instead of a CNAME: Route 53 resolves an alias to public addresses, and the private zone is never asked. Or use an edge-optimized custom domain, resolve {host} outside the VPC, or switch off private DNS on the endpoint (private APIs are then called as API_ID-VPCE_ID or with a Host header)."
            ),
        )
        .verified_by(format!("dig +short {host}"), "public addresses, where the client runs")
        .reason(
            format!("{} is a CNAME to {}", target.alias.owner, target.alias.target),
            target.resolution.aliases.iter().map(|it| it.cites),
        );
    if default.is_some() {
        return finding;
    }
    finding.confirmed_if(format!("the certificate is only for {}", target.target.default_certificate()))
}
