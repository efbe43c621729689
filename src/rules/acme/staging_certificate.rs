//! `acme.staging_certificate`: a certificate of a test environment is deployed.

use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::issuers::{self, Authorities};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The certificate was issued by the test environment of an authority: "(STAGING) …" or "Fake LE …" of
    /// Let's Encrypt, Pebble and the like.
    ///
    /// # Why it matters
    ///
    /// It covers the host, so everything looks right, and no client trusts it. The ACME client was pointed
    /// at the staging directory, often to try it out, and left there.
    ///
    /// # What it needs
    ///
    /// The certificate with its issuer. Another issuer rules it out; a client's refusal without a
    /// certificate leaves it unknown.
    ///
    /// # What to do
    ///
    /// Remove `--staging` / `--test-cert`, or set the production directory, and have it issued again
    /// (`certbot renew --force-renewal`). Verify the issuer with `openssl x509 -noout -issuer`.
    ///
    /// # References
    ///
    /// Let's Encrypt documentation, "Staging Environment"; RFC 8555.
    "acme.staging_certificate", "a certificate of a test environment is deployed",
    since "0.1.0", cap 0.97, rank 410
}

fn check(case: &Case<'_>) -> Verdict {
    issuers::check(case, &AUTHORITIES)
}

static AUTHORITIES: Authorities = Authorities {
    kind: Kind::TestAuthority,
    headline: "is served a certificate of {provider}",
    cause: "The certificate of {host} was issued by {provider}, whose root no client trusts.",
    remedy: "Point the ACME client at the production directory (no --staging, no --test-cert), have the certificate issued again and reload the server.",
    expect: "an issuer without (STAGING)",
};
