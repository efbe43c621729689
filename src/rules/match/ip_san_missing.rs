//! `match.ip_san_missing`: an address in the URL, and no iPAddress entry.

use super::Miss;
use crate::case::Case;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is an IP address, and the certificate holds no iPAddress entry for it.
    ///
    /// # Why it matters
    ///
    /// An address is covered only by an iPAddress entry; an address written as a name does not count.
    ///
    /// # What it needs
    ///
    /// The presented identifiers. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Use the host's name in the URL, or reissue the certificate with the address as an iPAddress entry.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.4; RFC 5280 section 4.2.1.6.
    "match.ip_san_missing", "an address in the URL, and no iPAddress entry in the certificate", since "0.1.0", cap 0.95, rank 547
}

fn check(case: &Case<'_>) -> Verdict {
    super::check(case, &MISS)
}

static MISS: Miss = Miss {
    of: |_, tried, it| tried.first().map(|first| first.presented.clone()).or_else(|| Some(it?.label())),
    concerns: |host| host.ip().is_some(),
    cause: "{host} is an address, and the certificate has no iPAddress entry for it",
    remedy: "Use the host's name in the URL, or reissue the certificate with {host} as an iPAddress entry.",
    label: "an address needs an iPAddress entry",
    told_by: &[
        "contain any ip sans",
        "is not in the cert's list:",
        "no subject alternative names matching ip address",
        "no subject alternative names present",
    ],
};
