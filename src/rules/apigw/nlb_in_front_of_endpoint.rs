//! `apigw.nlb_in_front_of_endpoint`: a load balancer passes TLS on to API Gateway.

use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provider::elb;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is the name of a load balancer, or an alias of one, and API Gateway's own certificate comes
    /// back.
    ///
    /// # Why it matters
    ///
    /// The balancer passes TLS on to API Gateway (often to a VPC endpoint), which knows neither the
    /// balancer's name nor the host's.
    ///
    /// # What it needs
    ///
    /// The name or the alias, and the certificate. It is ruled out when the balancer presents another
    /// certificate.
    ///
    /// # What to do
    ///
    /// End TLS on the balancer with a certificate for the host, or call the API by its own name; in an
    /// integration set its URI to the API's host.
    ///
    /// # References
    ///
    /// Elastic Load Balancing user guide, "TLS listeners".
    "apigw.nlb_in_front_of_endpoint", "a load balancer passes TLS on to API Gateway under another name",
    since "0.1.0", cap 0.85, rank 518
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let Some((balancer, cites)) = balancer(case, host) else {
        return Verdict::NotApplicable;
    };
    let shown = view::shown(case);
    let Some(it) = shown.iter().find(|it| view::default_of(it.leaf).is_some()) else {
        if let Some(it) = shown.first() {
            let because = format!("the certificate {} is not API Gateway's own", it.label());
            return Verdict::Clear { because, cites: vec![it.leaf.id] };
        }
        return Verdict::Unknown {
            missing: format!("the certificate that {balancer} presents"),
            ask: view::ask_for_certificate(host),
        };
    };
    let label = it.label();
    let strength = if it.shows_identifiers() { Strength::Proven } else { Strength::Strong };
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("{balancer} is a load balancer that passes TLS on to API Gateway, which knows no custom domain of this name."),
            format!("End TLS on the balancer with a certificate for {host}, or call the API by its own name; an integration sets its URI to the API's host."),
        )
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -subject"),
            format!("a certificate that covers {host}"),
        )
        .reason(format!("the certificate presented names only {label}"), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")));
    let at = if cites.is_empty() { vec![it.connection.id] } else { cites };
    if let Some(id) = at.first() {
        finding = finding.mark(Mark::new(*id, balancer.as_str(), Sign::Wrong, "a load balancer"));
    }
    finding.reason(format!("{balancer} is the name of a load balancer"), at).found()
}

/// The balancer's name, with what holds it.
fn balancer(case: &Case<'_>, host: &Name) -> Option<(Name, Vec<ObservationId>)> {
    if elb::is_balancer(host) {
        return Some((host.clone(), case.resolutions.iter().flat_map(|it| it.cites.iter().copied()).take(1).collect()));
    }
    let aliases = case.resolutions.iter().flat_map(|it| &it.aliases);
    aliases.into_iter().find(|it| elb::is_balancer(&it.target)).map(|it| (it.target.clone(), vec![it.cites]))
}
