//! `match.idn`: an internationalised name in the wrong form.

use super::Miss;
use crate::case::Case;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A presented identifier in Unicode whose A-label form is the host.
    ///
    /// # Why it matters
    ///
    /// Certificates and SNI carry internationalised names as A-labels (`xn--…`). A Unicode form compares
    /// equal to nothing.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Reissue the certificate with the `xn--` form.
    ///
    /// # References
    ///
    /// RFC 9525 section 4.2; RFC 5890 section 2.3.
    "match.idn", "an internationalised name is presented in Unicode", since "0.1.0", cap 0.7, rank 546
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |host, tried, _| {
        let same = |it: &&crate::name::Tried| {
            !it.presented.is_ascii() && a_label(&it.presented).as_deref() == Some(host.as_str())
        };
        tried.iter().find(same).map(|it| it.presented.clone())
    },
    concerns: |host| host.as_str().contains("xn--"),
    cause: "{name} is the Unicode form of {host}; clients compare A-labels only",
    remedy: "Reissue the certificate with the name {host}.",
    label: "Unicode, where an A-label belongs",
    told_by: &[],
};

/// The A-label form of a name (RFC 5891 section 4).
fn a_label(presented: &str) -> Option<String> {
    idna::domain_to_ascii(presented).ok()
}
