//! `match.unsupported_wildcard`: a wildcard in a form that clients refuse.

use super::Miss;
use crate::case::Case;
use crate::name::{Name, Rejection};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A presented identifier with a `*` that is not the whole left-most label, or that stands for a
    /// top-level domain, and that would otherwise fit the host.
    ///
    /// # Why it matters
    ///
    /// Clients accept `*` only as the whole left-most label.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Reissue the certificate with a whole left-most label `*`, or with the host itself.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.3.
    "match.unsupported_wildcard", "a wildcard in a form that clients refuse", since "0.1.0", cap 0.8, rank 553
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |host, tried, _| {
        let odd = tried.iter().filter(|it| it.rejection == Some(Rejection::UnsupportedWildcard));
        odd.map(|it| it.presented.clone()).find(|presented| would_fit(host, presented))
    },
    concerns: |host| host.ip().is_none(),
    cause: "{name} has a * that clients refuse: a wildcard is the whole left-most label",
    remedy: "Reissue the certificate with a whole left-most label *, or with {host} itself.",
    label: "a wildcard is the whole left-most label",
};

/// Whether the pattern would fit if `*` stood for any characters of a label.
fn would_fit(host: &Name, presented: &str) -> bool {
    let lower = presented.to_ascii_lowercase();
    let pattern: Vec<&str> = lower.split('.').collect();
    let labels: Vec<&str> = host.labels().collect();
    pattern.len() == labels.len()
        && pattern.iter().zip(labels).all(|(part, label)| match part.split_once('*') {
            Some((before, after)) => {
                label.len() >= before.len() + after.len() && label.starts_with(before) && label.ends_with(after)
            }
            None => *part == label,
        })
}
