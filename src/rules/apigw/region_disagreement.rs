//! `apigw.region_disagreement`: the certificate is of another region than the target.

use crate::case::Case;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is an alias of an execute-api name of one region, and API Gateway's own certificate of
    /// another region comes back.
    ///
    /// # Why it matters
    ///
    /// The client is not where DNS sends it: a stale answer, a hosts file, a forced address, or a latency
    /// record that changed between the question and the connection.
    ///
    /// # What it needs
    ///
    /// The alias and the certificate. It is ruled out when the regions agree or the certificate covers the
    /// host.
    ///
    /// # What to do
    ///
    /// Find where the client got the address: flush its caches, look at its hosts file and at latency or
    /// geolocation records of the host.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Custom domain names"; Route 53 developer guide, "Latency-based
    /// routing".
    "apigw.region_disagreement", "the certificate is of another region than the DNS target",
    since "0.1.0", cap 0.8, rank 495
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|_| !view::is_gone(case)) else {
        return Verdict::NotApplicable;
    };
    let targets = view::execute_api_targets(case);
    let Some(first) = targets.first() else {
        return Verdict::NotApplicable;
    };
    let shown = view::shown(case);
    let default = shown.iter().find_map(|it| view::default_of(it.leaf).map(|(label, region, _)| (it, label, region)));
    let Some((it, label, region)) = default else {
        if let Some(it) = view::covering(case) {
            let because = format!("the certificate presented covers {host}");
            return Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] };
        }
        if let Some(it) = shown.first() {
            let because = format!("the certificate {} is not API Gateway's own", it.label());
            return Verdict::Clear { because, cites: vec![it.leaf.id] };
        }
        return Verdict::Unknown {
            missing: format!("the region of the certificate that {host} is served"),
            ask: view::ask_for_certificate(host),
        };
    };
    if let Some(same) = targets.iter().find(|target| target.target.region == region) {
        let because = format!("the target and the certificate are both of {region}");
        return Verdict::Clear { because, cites: view::cites([same.alias.cites, it.leaf.id]) };
    }
    let asked = it.connection.asks_for(host) && it.shows_identifiers();
    let strength = if asked { Strength::Proven } else { Strength::Strong };
    let from = it.connection.server_ip().map_or_else(|| "the server".to_owned(), |ip| ip.to_string());
    Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("DNS sends {host} to {}, but a front end of {region} answered: {from} is not where that name leads.", first.target.region),
            format!("Find where the client got {from}: flush its caches, look at its hosts file and at --resolve, and at latency or geolocation records of {host}."),
        )
        .verified_by(format!("dig {host}"), format!("addresses other than {from}, of {}", first.target.region))
        .reason(
            format!("{} is a CNAME to {}, in {}", first.alias.owner, first.alias.target, first.target.region),
            first.resolution.aliases.iter().map(|it| it.cites),
        )
        .reason(format!("the certificate presented is {label}, of {region}"), [it.leaf.id, it.connection.id])
        .mark(Mark { beside: "CNAME".to_owned(), ..Mark::new(first.alias.cites, first.target.region.as_str(), Sign::Wrong, "one region") })
        .mark(Mark::new(it.leaf.id, &region, Sign::Wrong, "another region"))
        .found()
}
