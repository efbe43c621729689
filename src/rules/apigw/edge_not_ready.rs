//! `apigw.edge_not_ready`: the edge-optimized custom domain is still being made.

use crate::case::Case;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, config, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The record leads to a CloudFront distribution, CloudFront does not know the name yet, and the
    /// configuration says that the edge-optimized custom domain is not `AVAILABLE`.
    ///
    /// # Why it matters
    ///
    /// A new or changed edge-optimized custom domain takes up to about 40 minutes to be known everywhere.
    ///
    /// # What it needs
    ///
    /// The status in `get-domain-name`. On the wire it looks as `cloudfront.alternate_name_missing`. It is
    /// ruled out by `AVAILABLE`.
    ///
    /// # What to do
    ///
    /// Wait until the custom domain is AVAILABLE, then test again.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Edge-optimized custom domain names".
    "apigw.edge_not_ready", "the edge-optimized custom domain is not available yet",
    since "0.1.0", cap 0.5, rank 525
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let wrong = view::cloudfront_default(case);
    let Some((id, target)) =
        config::targets(case).into_iter().find(|(_, it)| it.endpoint_type.as_deref() == Some("EDGE"))
    else {
        if view::cloudfront_target(case).is_some() && wrong.is_some() {
            return Verdict::Unknown {
                missing: format!("whether an edge-optimized custom domain {host} exists and is AVAILABLE"),
                ask: format!("aws apigateway get-domain-name --domain-name {host}"),
            };
        }
        return Verdict::NotApplicable;
    };
    let Some(status) = target.status.as_deref() else {
        return Verdict::Unknown {
            missing: format!("the status of the custom domain {host}"),
            ask: format!("aws apigateway get-domain-name --domain-name {host}"),
        };
    };
    if status == "AVAILABLE" {
        return Verdict::Clear { because: format!("the custom domain {host} is AVAILABLE"), cites: vec![id] };
    }
    let severity = if wrong.is_some() { Severity::Error } else { Severity::Warning };
    let leads_there = view::cloudfront_target(case).is_some_and(|alias| alias.target == target.target);
    let strength = if wrong.is_some() && leads_there { Strength::Proven } else { Strength::Strong };
    let mut finding = Finding::new(
        format!("the edge-optimized custom domain {host} is {status}"),
        severity,
        strength,
    )
    .because(
        format!("The custom domain is {status}: CloudFront does not know {host} everywhere yet."),
        "Wait until the custom domain is AVAILABLE (about 40 minutes after it was made or changed), then test again.",
    )
    .verified_by(format!("aws apigateway get-domain-name --domain-name {host}"), "domainNameStatus is AVAILABLE")
    .reason(format!("get-domain-name says {status}"), [id])
    .mark(Mark::new(id, status, Sign::Doubtful, "not AVAILABLE yet"));
    if wrong.is_none() {
        finding = finding.confirmed_if("the certificate names only *.cloudfront.net");
    }
    if let Some(it) = wrong {
        finding = finding
            .reason(format!("the certificate presented names only {}", it.label()), [it.leaf.id, it.connection.id]);
    }
    finding.found()
}
