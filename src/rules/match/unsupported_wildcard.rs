//! `match.unsupported_wildcard`: a wildcard in a form that clients refuse.

use super::Miss;
use crate::case::Case;
use crate::evidence::Says;
use crate::name::{Name, Rejection};
use crate::provider::suffix;
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A presented identifier with a `*` that is not the whole left-most label, or that stands for a
    /// top-level domain, and that would otherwise fit the host; a wildcard over a public suffix such as
    /// `*.co.uk` that alone covers it.
    ///
    /// # Why it matters
    ///
    /// Clients accept `*` only as the whole left-most label. A wildcard over a public suffix spans many
    /// owners: Chrome and Java refuse it, OpenSSL does not.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A certificate that covers the host by another identifier rules it out. A
    /// wildcard over a public suffix is a warning unless a client refuses it.
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
    match view::covering(case).and_then(|it| Some((over_suffix(case, &it)?, it))) {
        Some((name, it)) => spans_suffix(case, &name, &it),
        None => super::check(case, &MISS),
    }
}

/// The identifier that covers the host, where all that do are wildcards over a public suffix.
fn over_suffix(case: &Case<'_>, it: &Shown<'_, '_>) -> Option<String> {
    let host = case.host.as_ref()?;
    let tried = it.leaf.check(host)?.tried;
    let mut covering = tried.iter().filter(|tried| tried.rejection.is_none()).map(|tried| tried.presented.as_str());
    let first = covering.clone().next()?;
    let is_over = |name: &str| name.strip_prefix("*.").is_some_and(suffix::is_icann_suffix);
    covering.all(is_over).then(|| first.to_owned())
}

/// A fault for certain where a client says so; else a warning, since not all clients look at it.
fn spans_suffix(case: &Case<'_>, name: &str, it: &Shown<'_, '_>) -> Verdict {
    let Some(host) = &case.host else { return Verdict::NotApplicable };
    let refused = view::said(case, Says::NameMismatch);
    let severity = if refused.is_empty() { Severity::Warning } else { Severity::Error };
    Finding::new(format!("{host} is served the certificate of {name}"), severity, Strength::Strong)
        .because(
            format!("{name} stands for the names of every owner below a public suffix (public suffix list {}). Chrome and Java refuse such a wildcard, OpenSSL accepts it.", suffix::VERSION),
            format!("Issue a certificate for {host} itself."),
        )
        .verified_by(view::ask_for_identifiers(host), format!("{host} among the names"))
        .reason(format!("only {name} covers {host}"), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.leaf.id, name, Sign::Doubtful, "a wildcard over a public suffix"))
        .found()
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
    told_by: &[],
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
