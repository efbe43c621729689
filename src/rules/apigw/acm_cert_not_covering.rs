//! `apigw.acm_cert_not_covering`: the custom domain presents a certificate that does not cover its name.

use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, config, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// The record leads to an API Gateway domain name or a distribution, and a certificate of the customer
    /// comes back that does not cover the host.
    ///
    /// # Why it matters
    ///
    /// The custom domain exists and answers; the certificate chosen for it was issued for other names: apex
    /// only, www only, a wildcard one level off.
    ///
    /// # What it needs
    ///
    /// The alias, the SNI and the certificate. A certificate of AWS's own rules it out. ACM's own list of
    /// names confirms it.
    ///
    /// # What to do
    ///
    /// Issue or import a certificate that lists the host (in the region of a regional custom domain, in
    /// us-east-1 for an edge-optimized one) and select it on the custom domain.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Get certificates ready in AWS Certificate Manager"; RFC 9525.
    "apigw.acm_cert_not_covering", "the custom domain presents a certificate that does not cover its name",
    since "0.1.0", cap 0.9, rank 540
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|_| !view::is_gone(case)) else {
        return Verdict::NotApplicable;
    };
    let Some((target, cites)) = view::custom_domain_target(case) else {
        return Verdict::NotApplicable;
    };
    let shown = view::shown(case);
    let wrong = || shown.iter().filter(|it| it.is_wrong() && it.connection.asks_for(host));
    let Some(it) = wrong().find(|it| !is_elsewhere(case, host, it)) else {
        if let Some(it) = wrong().next() {
            return Verdict::Unknown {
                missing: format!(
                    "the certificate of {target}: the connection went to {}, an address that DNS does not give",
                    reach::server(it.connection)
                ),
                ask: view::ask_for_certificate(host),
            };
        }
        if let Some(it) = view::covering(case) {
            let because = format!("the certificate presented covers {host}");
            return Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] };
        }
        return Verdict::Unknown {
            missing: format!("the names of the certificate that {target} presents for {host}"),
            ask: view::ask_for_certificate(host),
        };
    };
    if view::is_aws_default(it.leaf) {
        let because = format!("{} is AWS's own certificate, not one of the custom domain", it.label());
        return Verdict::Clear { because, cites: vec![it.leaf.id] };
    }
    found(case, host, &target, cites, it)
}

/// Whether a connection went to an address that was forced and that no answer gives: another server than
/// the record's.
fn is_elsewhere(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>) -> bool {
    let Some(address) = it.connection.server_ip() else { return false };
    let is_given = case.resolutions.iter().any(|answer| answer.has_address(address));
    !is_given && reach::forced(case, host, it.connection, address).is_some()
}

fn found(case: &Case<'_>, host: &Name, target: &Name, cites: Vec<ObservationId>, it: &Shown<'_, '_>) -> Verdict {
    let names = it.leaf.labels().join(", ");
    let strength = if it.shows_identifiers() { Strength::Proven } else { Strength::Strong };
    let mut finding = Finding::new(format!("{host} is served the certificate of {}", it.label()), Severity::Error, strength)
        .because(
            format!("The record leads to a custom domain that answers, but the certificate selected for it names {names} and not {host}."),
            format!("Issue or import a certificate that lists {host} (in the region of a regional custom domain, in us-east-1 for an edge-optimized one) and select it on the custom domain."),
        )
        .verified_by(
            view::ask_for_identifiers(host),
            format!("a name that covers {host}"),
        )
        .reason(format!("{host} leads to {target}"), cites)
        .reason(format!("the client asked for {host}"), [it.connection.id])
        .reason(format!("the certificate presented names {names}"), [it.leaf.id, it.connection.id])
        .mark(view::asked_mark(it.connection.id, host))
        .mark(Mark::new(it.leaf.id, it.label(), Sign::Wrong, format!("does not cover {host}")));
    let serial = it.leaf.certificate.serial.as_deref();
    for (id, acm) in config::acm_certificates(case) {
        let same = acm.sha256.is_some() && acm.sha256 == it.leaf.certificate.sha256
            || acm.serial.is_some() && acm.serial.as_deref() == serial;
        if same {
            finding =
                finding.reason(format!("ACM lists the same certificate with the names {}", acm.names.join(", ")), [id]);
        } else if acm.names.iter().any(|name| crate::name::match_dns(host, name).is_ok()) {
            finding = finding.reason(
                format!(
                    "ACM holds another certificate that covers {host} ({}), and it is not the one presented",
                    acm.names.join(", ")
                ),
                [id],
            );
        }
    }
    finding.found()
}
