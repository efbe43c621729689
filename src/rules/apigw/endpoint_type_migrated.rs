//! `apigw.endpoint_type_migrated`: DNS still leads to the endpoint that the custom domain had before.

use crate::case::Case;
use crate::provider::{cloudfront, execute_api};
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, config, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The record leads to a CloudFront name while the custom domain is regional, or to a regional name
    /// while it is edge-optimized.
    ///
    /// # Why it matters
    ///
    /// A custom domain that was migrated between the two has another API Gateway domain name; the old one
    /// stops serving it.
    ///
    /// # What it needs
    ///
    /// The alias and `get-domain-name`. It is ruled out when the target is one of the custom domain's own
    /// names.
    ///
    /// # What to do
    ///
    /// Point the record at the target of the endpoint type in use.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Migrate a custom domain name to a different API endpoint type".
    "apigw.endpoint_type_migrated", "DNS leads to the endpoint type that the custom domain had before",
    since "0.1.0", cap 0.85, rank 512
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|_| !view::is_gone(case)) else {
        return Verdict::NotApplicable;
    };
    let Some(alias) = view::custom_domain_alias(case) else {
        return Verdict::NotApplicable;
    };
    let targets = config::targets(case);
    let Some((id, expected)) = targets.first() else {
        if view::covering(case).is_some() {
            return Verdict::NotApplicable;
        }
        return Verdict::Unknown {
            missing: format!("the endpoint type of the custom domain {host}, and its own target"),
            ask: format!("aws apigateway get-domain-name --domain-name {host}"),
        };
    };
    if let Some((id, it)) = targets.iter().find(|(_, it)| it.target == alias.target) {
        let because = format!("{} is the custom domain's own target", it.target);
        return Verdict::Clear { because, cites: vec![*id, alias.cites] };
    }
    let is_edge = cloudfront::is_distribution(&alias.target);
    let was_edge = cloudfront::is_distribution(&expected.target);
    if is_edge == was_edge || execute_api::host(&expected.target).is_none() && !was_edge {
        let because = format!("{} and {} are of one endpoint type", alias.target, expected.target);
        return Verdict::Clear { because, cites: vec![alias.cites, *id] };
    }
    let (old, new) = if is_edge { ("edge-optimized", "regional") } else { ("regional", "edge-optimized") };
    let wrong = view::shown(case).into_iter().find(Shown::is_wrong);
    let severity = if wrong.is_some() { Severity::Error } else { Severity::Warning };
    let headline = match &wrong {
        Some(it) => format!("{host} is served the certificate of {}", it.label()),
        None => format!("{host} leads to the {old} endpoint of a custom domain that is {new}"),
    };
    let mut finding = Finding::new(headline, severity, Strength::Proven)
        .because(
            format!("The custom domain {host} is {new}, but the record still leads to an {old} endpoint."),
            format!("Point {} at {}.", alias.owner, expected.target),
        )
        .verified_by(format!("dig +short {} CNAME", alias.owner), format!("{}.", expected.target))
        .reason(format!("{} is a CNAME to {}", alias.owner, alias.target), [alias.cites])
        .reason(format!("get-domain-name says that {} is the target", expected.target), [*id])
        .mark(Mark {
            beside: "CNAME".to_owned(),
            ..Mark::new(alias.cites, alias.target.as_str(), Sign::Wrong, format!("the {old} endpoint"))
        })
        .mark(Mark::new(*id, expected.target.as_str(), Sign::Confirms, "the name that the CNAME should hold"))
        .change(Some(config::change_of_alias(case, &alias.owner, &alias.target, expected.target.as_str())));
    if let Some(it) = wrong {
        finding = finding
            .reason(format!("the certificate presented names only {}", it.label()), [it.leaf.id, it.connection.id]);
    }
    finding.found()
}
