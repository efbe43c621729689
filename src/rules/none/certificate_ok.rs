//! `none.certificate_ok`: the name of the outcome `ok`.

use crate::case::Case;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// Nothing wrong: a certificate was seen whose presented identifiers cover the host, and no
    /// client and no date speaks against it.
    ///
    /// # Why it matters
    ///
    /// The fault lies elsewhere: in HTTP, in a client's trust store, at another address or behind
    /// another resolver.
    ///
    /// # What it needs
    ///
    /// The certificate of a handshake that asked for the host, or a client that says it matches.
    ///
    /// # What to do
    ///
    /// Ask whoever still sees another certificate for `dig` and `openssl s_client` from there.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.
    "none.certificate_ok", "the certificate presented covers the host", since "0.1.0", cap 0.95, rank 900
}

/// Never a finding: the outcome says it.
fn check(_case: &Case<'_>) -> Verdict {
    Verdict::NotApplicable
}
