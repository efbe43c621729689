//! `match.wildcard_not_apex`: the wildcard does not cover its base domain.

use super::Miss;
use crate::case::Case;
use crate::name::Rejection;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A presented wildcard `*.P` and the host `P` itself.
    ///
    /// # Why it matters
    ///
    /// A wildcard does not stand for no label at all.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Add the base domain itself to the certificate.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.3.
    "match.wildcard_not_apex", "the wildcard does not cover its base domain", since "0.1.0", cap 0.97, rank 551
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |_, tried, _| super::rejected(tried, Rejection::TooFewLabels),
    concerns: |host| host.ip().is_none(),
    cause: "{name} does not cover its base domain {host}",
    remedy: "Add {host} itself to the certificate.",
    label: "does not cover its base domain",
    told_by: &[],
};
