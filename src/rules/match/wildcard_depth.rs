//! `match.wildcard_depth`: the wildcard would have to stand for several labels.

use super::Miss;
use crate::case::Case;
use crate::name::Rejection;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A presented wildcard `*.P` and a host `a.b.P`.
    ///
    /// # Why it matters
    ///
    /// A wildcard stands for exactly one label. Certificates for `*.example.com` never cover
    /// `a.b.example.com`.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Add the host, or the wildcard of its own parent, to the certificate.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.3.
    "match.wildcard_depth", "the wildcard covers one label only", since "0.1.0", cap 0.97, rank 550
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |_, tried, _| super::rejected(tried, Rejection::TooManyLabels),
    concerns: |host| host.ip().is_none(),
    cause: "{name} stands for exactly one label, and {host} has more",
    remedy: "Add {host}, or the wildcard of its own parent, to the certificate.",
    label: "one label only",
    told_by: &[],
};
