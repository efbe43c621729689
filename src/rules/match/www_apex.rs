//! `match.www_apex`: the certificate has only the other of apex and www.

use super::Miss;
use crate::case::Case;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The certificate names `example.com` and the host is `www.example.com`, or the reverse.
    ///
    /// # Why it matters
    ///
    /// Both names need an identifier of their own; a redirect comes too late, after the handshake.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Reissue the certificate with both names and serve both hosts.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.3.
    "match.www_apex", "the certificate has only the other of apex and www", since "0.1.0", cap 0.95, rank 552
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |host, tried, _| {
        let other = host.as_str().strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
        tried.iter().find(|it| it.presented.eq_ignore_ascii_case(&other)).map(|it| it.presented.clone())
    },
    concerns: |host| host.ip().is_none(),
    cause: "the certificate names {name} and not {host}",
    remedy: "Reissue the certificate with both {host} and {name}.",
    label: "only the other of apex and www",
    told_by: &[],
};
