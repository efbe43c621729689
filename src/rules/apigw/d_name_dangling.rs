//! `apigw.d_name_dangling`: the record leads to an API Gateway domain name that does not exist.

use crate::case::{Case, Resolution};
use crate::provider::execute_api::Role;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is an alias of an API Gateway domain name (`d-…`) that no longer resolves.
    ///
    /// # Why it matters
    ///
    /// The custom domain was deleted or recreated, which gives another d- name. No client reaches a server:
    /// this is no certificate fault, but it is often taken for one.
    ///
    /// # What it needs
    ///
    /// An answer with the CNAME and NXDOMAIN, or NODATA for both A and AAAA. It is ruled out when the name
    /// resolves. NODATA for one family alone is healthy.
    ///
    /// # What to do
    ///
    /// Recreate the custom domain, or point the record at its new API Gateway domain name; or remove the
    /// record.
    ///
    /// # References
    ///
    /// RFC 2308.
    "apigw.d_name_dangling", "the record leads to an API Gateway domain name that does not exist",
    since "0.1.0", cap 0.9, rank 505
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let targets = view::execute_api_targets(case);
    let targets: Vec<_> = targets.iter().filter(|it| it.target.role == Role::DomainName).collect();
    let Some(first) = targets.first() else {
        return Verdict::NotApplicable;
    };
    let resolved = targets.iter().find_map(|it| it.resolution.addresses.first());
    if let Some((address, id)) = resolved {
        let because = format!("{} resolves to {address}", first.alias.target);
        return Verdict::Clear { because, cites: vec![*id] };
    }
    let no_data = |kind: &str| {
        let is = |it: &&Resolution| it.rcode.as_deref() == Some("NOERROR") && it.asked.as_deref() == Some(kind);
        targets.iter().map(|it| it.resolution).find(is)
    };
    let gone = targets.iter().find(|it| it.resolution.rcode.as_deref() == Some("NXDOMAIN"));
    let (why, cites) = match (gone, no_data("A"), no_data("AAAA")) {
        (Some(it), _, _) => ("NXDOMAIN: the name does not exist", it.resolution.cites.clone()),
        (None, Some(a), Some(aaaa)) => ("no A and no AAAA record", [a.cites.clone(), aaaa.cites.clone()].concat()),
        _ => {
            return Verdict::Unknown {
                missing: format!("whether {} exists", first.alias.target),
                ask: format!("dig {} A; dig {} AAAA", first.alias.target, first.alias.target),
            };
        }
    };
    let target = &first.alias.target;
    Finding::new(format!("{host} is an alias of {target}, which does not exist"), Severity::Warning, Strength::Proven)
        .because(
            "The record leads to an API Gateway domain name that does not exist any more: the custom domain was deleted, or recreated under another d- name.",
            format!("Recreate the custom domain {host}, or point {} at its API Gateway domain name; if nobody needs it, remove the record.", first.alias.owner),
        )
        .verified_by(format!("dig {host}"), "a chain that ends in addresses")
        .reason(format!("{} is a CNAME to {target}, and the answer is {why}", first.alias.owner), cites)
        .mark(Mark { beside: "CNAME".to_owned(), ..Mark::new(first.alias.cites, target.as_str(), Sign::Wrong, why) })
        .found()
}
