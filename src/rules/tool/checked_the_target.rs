//! `tool.checked_the_target`: the name that was tested is where the alias leads, not the site.

use crate::case::Case;
use crate::name::Name;
use crate::provider::{cloudfront, elb, execute_api};
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A check of a name that is only the target of an alias, such as a load balancer's own name, which
    /// is served the certificate of the site behind it.
    ///
    /// # Why it matters
    ///
    /// Users ask for the site's name. That the balancer's own name is not in the certificate is as it
    /// should be and says nothing of the site.
    ///
    /// # What it needs
    ///
    /// The check and the certificate. An alias of a site that leads to the tested name and whose name the
    /// certificate covers proves it; a provider's own name makes it strong. A certificate that covers the
    /// tested name rules it out.
    ///
    /// # What to do
    ///
    /// Test the site's own name: `openssl s_client -connect HOST:443 -servername HOST`.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.1: the reference identifier is the name the user meant, not where DNS leads.
    "tool.checked_the_target", "the name that was tested is where the alias leads, not the site",
    since "0.1.0", cap 0.8, rank 120
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let is_own = is_provider_name(host);
    let is_target = case.around.answers.is_target(host);
    if !is_own && !is_target {
        return Verdict::NotApplicable;
    }
    if let Some(it) = reach::right(case).first() {
        let because = format!("the certificate presented covers {host}");
        return Verdict::Clear { because, cites: vec![it.leaf.id, it.connection.id] };
    }
    let wrong = reach::wrong(case);
    let Some(it) = wrong.iter().find(|it| it.coverage == Coverage::DoesNotCover && !view::is_aws_default(it.leaf))
    else {
        let is_checked = case.connections.iter().any(|it| it.asks_for(host));
        return if is_checked && wrong.is_empty() {
            Verdict::Unknown {
                missing: format!("the presented identifiers of the certificate that {host} serves"),
                ask: view::ask_for_identifiers(host),
            }
        } else {
            Verdict::NotApplicable
        };
    };
    let site = case
        .around
        .records
        .aliases_of(host)
        .into_iter()
        .find(|(owner, _)| view::coverage(it.leaf, owner) == Coverage::Covers);
    let strength = match (&site, is_own) {
        (Some(_), _) => Strength::Proven,
        (None, true) => Strength::Strong,
        (None, false) => Strength::Consistent,
    };
    let kind = if is_target { "the target of an alias" } else { "a provider's own name" };
    let real = site.as_ref().map_or_else(|| it.label(), |(owner, _)| owner.to_string());
    let mut finding = Finding::new(format!("{host}, {kind}, is served the certificate of {}", it.label()), Severity::Error, strength)
        .because(
            format!("{host} is {kind}, not a site. The server presents the certificate of the site behind it, which does not list that name, and need not."),
            format!("Test the site's own name: openssl s_client -connect {real}:443 -servername {real}"),
        )
        .verified_by(format!("openssl s_client -connect {real}:443 -servername {real} -verify_hostname {real} </dev/null"), format!("a certificate that covers {real}"))
        .reason(format!("the check asked {} for {host}", reach::server(it.connection)), [it.connection.id])
        .reason(format!("the certificate presented names {}", it.label()), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.connection.id, host.as_str(), Sign::Wrong, "a target's own name, not a site's"))
        .mark(Mark::new(it.leaf.id, it.label(), Sign::Confirms, "the site's certificate"));
    if let Some((owner, id)) = site {
        finding = finding
            .reason(format!("{owner} is an alias of {host}, and the certificate covers {owner}"), [id, it.leaf.id]);
    }
    finding.found()
}

/// Whether a name is a provider's own for something that sites lead to.
fn is_provider_name(host: &Name) -> bool {
    elb::is_balancer(host)
        || cloudfront::is_distribution(host)
        || execute_api::host(host).is_some()
        || TARGETS.iter().any(|suffix| host.as_str().ends_with(suffix))
}

/// What the names of edge providers end in that sites lead to and nobody visits.
const TARGETS: &[&str] = &[
    ".fastly.net",
    ".edgekey.net",
    ".edgesuite.net",
    ".akamaiedge.net",
    ".akamai.net",
    ".herokudns.com",
    ".cdn.cloudflare.net",
    ".trafficmanager.net",
    ".azurefd.net",
    ".awsglobalaccelerator.com",
];
