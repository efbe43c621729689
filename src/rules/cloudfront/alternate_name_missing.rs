//! `cloudfront.alternate_name_missing`: no distribution has the host among its alternate domain names.

use crate::case::{Alias, Case};
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::Name;
use crate::provider::execute_api::Role;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, config, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host leads to CloudFront, the client asked for it, and CloudFront's own certificate
    /// `*.cloudfront.net` comes back.
    ///
    /// # Why it matters
    ///
    /// CloudFront chooses the certificate by the server name among all alternate domain names. The host is
    /// on none of them: it was never added, or the edge-optimized custom domain does not exist.
    ///
    /// # What it needs
    ///
    /// The alias or the certificate, and the SNI. It is ruled out when the certificate covers the host.
    /// With a stage URL host in the chain the record is the fault (`apigw.cname_to_stage_url`).
    ///
    /// # What to do
    ///
    /// Add the host to the distribution's alternate domain names with an ACM certificate of us-east-1 that
    /// covers it, or repair the edge-optimized custom domain; then wait for the deployment.
    ///
    /// # References
    ///
    /// CloudFront developer guide, "Use custom URLs by adding alternate domain names (CNAMEs)".
    "cloudfront.alternate_name_missing", "no CloudFront distribution has the host as an alternate domain name",
    since "0.1.0", cap 0.95, rank 535
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let alias = view::cloudfront_target(case);
    let default = view::cloudfront_default(case);
    let named = named_by_client(case);
    if alias.is_none() && default.is_none() && (named.is_none() || host.ip().is_some()) {
        return Verdict::NotApplicable;
    }
    if let Some(it) = view::execute_api_targets(case).iter().find(|it| it.target.role == Role::Stage) {
        let because = format!("{} is a stage URL host: the record is the fault", it.alias.target);
        return Verdict::Clear { because, cites: vec![it.alias.cites] };
    }
    let Some(it) = default else {
        if let Some(it) = view::shown(case).into_iter().next() {
            let because = format!("the certificate {} is not CloudFront's own", it.label());
            return Verdict::Clear { because, cites: vec![it.leaf.id] };
        }
        if let Some((id, said)) = named {
            return told(host, alias, id, said);
        }
        return Verdict::Unknown {
            missing: format!("the certificate that CloudFront presents for {host}"),
            ask: view::ask_for_certificate(host),
        };
    };
    let label = it.label();
    // A custom domain of API Gateway that is known says more: not ready yet, or no longer of this kind.
    let is_plain = config::targets(case).is_empty();
    let strength = match (alias, it.connection.asks_for(host) && it.shows_identifiers()) {
        (Some(_), true) if is_plain => Strength::Proven,
        _ => Strength::Strong,
    };
    let mut finding = headed(host, &label, strength);
    if let Some(alias) = alias {
        finding = finding
            .reason(format!("{} is a CNAME to {}, a CloudFront distribution", alias.owner, alias.target), [alias.cites])
            .mark(distribution_mark(alias));
        finding = to_its_own(case, host, alias, finding);
        if let Some((id, aliases)) = config::distribution(case, &alias.target) {
            let listed = if aliases.is_empty() { "no alternate domain name".to_owned() } else { aliases.join(", ") };
            finding = finding.reason(format!("{} lists {listed}", alias.target), [id]);
        }
    }
    if it.connection.asks_for(host) {
        finding = finding
            .reason(format!("the client asked for {host}"), [it.connection.id])
            .mark(view::asked_mark(it.connection.id, host));
    }
    finding
        .reason(format!("the certificate presented names only {label}"), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")))
        .found()
}

/// Where the custom domain of the host is known and has another distribution, the record is the fault.
fn to_its_own(case: &Case<'_>, host: &Name, alias: &Alias, finding: Finding) -> Finding {
    let targets = config::targets(case);
    let Some((id, own)) = targets.first().filter(|_| targets.iter().all(|(_, it)| it.target != alias.target)) else {
        return finding;
    };
    finding
        .because(
            format!(
                "The record leads to {}, which is not the target of the custom domain {host}: that is {}.",
                alias.target, own.target
            ),
            format!("Point {} at {}.", alias.owner, own.target),
        )
        .verified_by(format!("dig +short {} CNAME", alias.owner), format!("{}.", own.target))
        .reason(format!("get-domain-name says that {} is the target", own.target), [*id])
        .mark(Mark::new(*id, own.target.as_str(), Sign::Confirms, "the name that the CNAME should hold"))
        .change(Some(config::change_of_alias(case, &alias.owner, &alias.target, own.target.as_str())))
}

/// The words of a client that names CloudFront's own certificate as the only one it was shown.
fn named_by_client<'c>(case: &'c Case<'_>) -> Option<(ObservationId, &'c ClientVerdict)> {
    let said = view::said(case, Says::NameMismatch).into_iter().map(|(id, said)| (id, *said));
    let is_own = |name: &String| matches!(name.as_str(), "*.cloudfront.net" | "cloudfront.net");
    said.into_iter().find(|(_, said)| !said.presented.is_empty() && said.presented.iter().all(is_own))
}

/// No certificate was seen, but a client names it. Without the alias another client's missing server name, or
/// an address that is not the host's, fits as well.
fn told(host: &Name, alias: Option<&Alias>, id: ObservationId, said: &ClientVerdict) -> Verdict {
    let label = said.presented.first().cloned().unwrap_or_default();
    let strength = if alias.is_some() { Strength::Strong } else { Strength::Consistent };
    let mut finding = headed(host, &label, strength);
    if let Some(alias) = alias {
        finding = finding
            .reason(format!("{} is a CNAME to {}, a CloudFront distribution", alias.owner, alias.target), [alias.cites])
            .mark(distribution_mark(alias));
    }
    finding
        .reason(format!("{} says that the certificate is from {label}", said.client), [id])
        .mark(Mark::new(id, &label, Sign::Wrong, format!("does not cover {host}")))
        .found()
}

fn distribution_mark(alias: &Alias) -> Mark {
    Mark {
        beside: "CNAME".to_owned(),
        ..Mark::new(alias.cites, alias.target.as_str(), Sign::Right, "a CloudFront distribution")
    }
}

/// The finding without its reasons.
fn headed(host: &Name, label: &str, strength: Strength) -> Finding {
    Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("CloudFront answers, but no distribution has {host} among its alternate domain names, so it presents its own certificate."),
            format!("Add {host} to the distribution's alternate domain names with an ACM certificate of us-east-1 that covers it (or repair the edge-optimized custom domain of API Gateway), then wait for the deployment."),
        )
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -subject"),
            format!("a certificate that covers {host}"),
        )
}
