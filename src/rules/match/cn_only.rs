//! `match.cn_only`: the certificate has no presented identifier; the name stands in the common name.

use super::Miss;
use crate::case::Case;
use crate::name::Rejection;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A certificate without subjectAltName whose common name is the host.
    ///
    /// # Why it matters
    ///
    /// Browsers have ignored the common name since 2017, Go since 1.15 (RFC 9525 forbids to compare it): to
    /// them the certificate names nobody. Clients with OpenSSL still fall back to it where there is no other
    /// identifier, so that one client may work while another fails.
    ///
    /// # What it needs
    ///
    /// The certificate itself. A subjectAltName rules it out.
    ///
    /// # What to do
    ///
    /// Reissue the certificate with the host as a subjectAltName.
    ///
    /// # References
    ///
    /// RFC 9525 section 2; RFC 6125 appendix B.2.
    "match.cn_only", "the name stands in the common name only", since "0.1.0", cap 0.95, rank 545
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |host, tried, it| {
        let name = it?.leaf.certificate.common_name()?;
        let is_only = tried.iter().all(|it| it.rejection == Some(Rejection::CommonName))
            && crate::name::match_dns(host, name).is_ok();
        is_only.then(|| name.to_owned())
    },
    concerns: |host| host.ip().is_none(),
    cause: "the certificate has no subjectAltName, and {name} stands in the common name, which RFC 9525 forbids to compare: browsers and Go refuse it, while curl and others with OpenSSL may still take it",
    remedy: "Reissue the certificate with {host} as a subjectAltName.",
    label: "a common name is not compared (RFC 9525)",
    told_by: &["legacy common name field", "no subject alternative names present"],
};
