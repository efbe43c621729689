//! `apigw.a_record_static_ip`: the record holds addresses of API Gateway's front end.

use crate::case::Case;
use crate::rules::apigw::addresses::{self, Reading};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host has address records and no alias, and the server behind them presents AWS's own certificate
    /// `*.execute-api.REGION.amazonaws.com`.
    ///
    /// # Why it matters
    ///
    /// The addresses of API Gateway change every minute and belong to all customers. A fixed one leads to
    /// the front end, but not for long, and not to a custom domain by right.
    ///
    /// # What it needs
    ///
    /// The addresses and the certificate. A Route 53 alias and a CNAME that the DNS host flattens look the
    /// same in DNS answers: only the hosted zone separates the three readings, so without it all stand as
    /// consistent. It is ruled out by a CNAME in the answers and by an alias in the hosted zone.
    ///
    /// # What to do
    ///
    /// Delete the address records and create an alias (Route 53) or a CNAME to the API Gateway domain name.
    /// `aws route53 list-resource-record-sets` shows which reading is right.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Custom domain names"; Route 53 developer guide, "Choosing between
    /// alias and non-alias records".
    "apigw.a_record_static_ip", "the record holds fixed addresses of API Gateway's front end",
    since "0.1.0", cap 0.6, rank 520
}

fn check(case: &Case<'_>) -> Verdict {
    match addresses::reading(case) {
        Reading::Of(of) => of.found_as_fixed(case),
        Reading::Otherwise(verdict) => verdict,
    }
}
