//! `cdn.origin_cert_exposed`: a client sees the certificate that only the CDN trusts.

use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::issuers::{self, Authorities};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The certificate was issued by an origin authority, such as Cloudflare Origin CA: made for the way
    /// from the CDN to the server, trusted by the CDN alone.
    ///
    /// # Why it matters
    ///
    /// The client has reached the origin itself: the record is not proxied ("DNS only"), an address was
    /// forced, or an old record leads to the origin.
    ///
    /// # What it needs
    ///
    /// The certificate with its issuer. The server's address outside the CDN's own is a further hint.
    /// Another issuer rules it out.
    ///
    /// # What to do
    ///
    /// Proxy the record again, or install a certificate of a public authority at the origin. Verify with
    /// `dig HOST` and `openssl x509 -noout -issuer`.
    ///
    /// # References
    ///
    /// Cloudflare documentation, "Cloudflare origin CA".
    "cdn.origin_cert_exposed", "a client sees the certificate that only the CDN trusts",
    since "0.1.0", cap 0.95, rank 411
}

fn check(case: &Case<'_>) -> Verdict {
    issuers::check(case, &AUTHORITIES)
}

static AUTHORITIES: Authorities = Authorities {
    kind: Kind::OriginAuthority,
    headline: "is served by its origin, with a certificate that only the CDN trusts",
    cause: "The certificate of {host} was issued by {provider}, which is for the way between the CDN and the origin: the client has reached the origin and not the CDN.",
    remedy: "Proxy the record of {host} through the CDN again, or install a certificate of a public authority at the origin.",
    expect: "the issuer of a public authority",
};
