//! `apigw.alias_target_wrong`: the Route 53 alias leads to the wrong name.

use crate::case::Case;
use crate::rules::apigw::addresses::{self, Reading};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is a Route 53 alias record whose target is a stage URL host, or an API Gateway or
    /// CloudFront name that is not the custom domain's own.
    ///
    /// # Why it matters
    ///
    /// An alias is answered with addresses: nothing in DNS answers shows where it leads, and AWS's own
    /// certificate comes back.
    ///
    /// # What it needs
    ///
    /// The record set of the hosted zone proves it, with `get-domain-name` where the target has the right
    /// form. Without it an alias, fixed addresses and a flattened CNAME all fit, and all stand as
    /// consistent. It is ruled out by a CNAME in the answers and by an alias to the right name.
    ///
    /// # What to do
    ///
    /// Edit the alias so that its target is the API Gateway domain name of the custom domain, with that
    /// name's hosted zone id.
    ///
    /// # References
    ///
    /// Route 53 developer guide, "Values specific for simple alias records".
    "apigw.alias_target_wrong", "the Route 53 alias leads to a name that is not the custom domain's",
    since "0.1.0", cap 0.95, rank 515
}

fn check(case: &Case<'_>) -> Verdict {
    match addresses::reading(case) {
        Reading::Of(of) => of.found_as_alias(case),
        Reading::Otherwise(verdict) => verdict,
    }
}
