//! `traefik.default_certificate`: Traefik presents its generated certificate.

use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::defaults::{self, Family};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The client asked for the host and was shown "TRAEFIK DEFAULT CERT", which Traefik generates for
    /// itself at its start.
    ///
    /// # Why it matters
    ///
    /// No router and no certificate store of Traefik has a certificate for this name, or the certificate
    /// resolver has not been issued one yet.
    ///
    /// # What it needs
    ///
    /// The certificate and the SNI. Without a server name Traefik always answers so: that is `sni.absent`,
    /// and this rule then says unknown. Another certificate rules it out.
    ///
    /// # What to do
    ///
    /// Give the router of the host a rule that names it and a `certResolver`, or define a default
    /// certificate; look for ACME errors in Traefik's log. Verify with `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// Traefik documentation, "TLS" and "Let's Encrypt".
    "traefik.default_certificate", "Traefik presents its generated certificate",
    since "0.1.0", cap 0.97, rank 401
}

fn check(case: &Case<'_>) -> Verdict {
    defaults::check(case, &FAMILY)
}

static FAMILY: Family = Family {
    kind: Kind::Traefik,
    what: "the generated certificate",
    cause: "{provider} answers and has no certificate for {host}: no router with TLS names the host, or its resolver has not been issued one.",
    remedy: "Give the router of {host} a rule that names it and a certResolver (or a certificate in the store), and look for ACME errors in Traefik's log.",
    is_nearby: false,
};
