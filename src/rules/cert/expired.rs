//! `cert.expired`: the certificate's validity had ended at the time of the handshake.

use super::dates::{self, Date};
use crate::case::Case;
use crate::evidence::Says;
use crate::rules::{Verdict, declare_rule, outcome};

declare_rule! {
    /// # What it finds
    ///
    /// A certificate whose notAfter lies before the time of the handshake that presented it, or a
    /// client that says so.
    ///
    /// # Why it matters
    ///
    /// Clients refuse it whatever names it covers.
    ///
    /// # What it needs
    ///
    /// The certificate and the handshake's own time with a stated zone, or the client's words. The
    /// clock of the machine that reads the evidence is never used.
    ///
    /// # What to do
    ///
    /// Renew the certificate and deploy it on every node, then look at its dates with
    /// `openssl x509 -noout -dates`.
    ///
    /// # References
    ///
    /// RFC 5280 section 4.1.2.5.
    "cert.expired", "the certificate had expired when it was presented", since "0.1.0", cap 0.97, rank 600
}

fn check(case: &Case<'_>) -> Verdict {
    let date = Date {
        of: |certificate| certificate.not_after,
        is_broken: outcome::is_after,
        says: Says::Expired,
        verb: "expired",
        remedy: "Renew the certificate and deploy it on every node.",
    };
    dates::check(case, &date)
}
