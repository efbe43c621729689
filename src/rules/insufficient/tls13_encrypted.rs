//! `insufficient.tls13_encrypted`: TLS 1.3 hides the certificate, and no key is here.

use crate::case::Case;
use crate::rules::{Outcome, Verdict, declare_rule, outcome, view};
use crate::tls::ChainState;

declare_rule! {
    /// # What it finds
    ///
    /// The only handshakes for the host are TLS 1.3, which encrypts the Certificate message, and
    /// neither a key nor a transcript shows the certificate.
    ///
    /// # Why it matters
    ///
    /// Such a capture proves neither a wrong certificate nor a right one.
    ///
    /// # What it needs
    ///
    /// A ServerHello whose supported_versions says TLS 1.3.
    ///
    /// # What to do
    ///
    /// Ask for the output of `openssl s_client` or `curl -v` from the same place.
    ///
    /// # References
    ///
    /// RFC 8446 sections 2 and 4.4.2.
    "insufficient.tls13_encrypted", "TLS 1.3 hides the certificate and no key is here", since "0.1.0", cap 1.0, rank 910
}

fn check(case: &Case<'_>) -> Verdict {
    let encrypted = case.connections.iter().any(|it| it.handshake.chain_state == ChainState::Encrypted);
    match &case.host {
        Some(host) if encrypted && outcome::of(case) == Outcome::Inconclusive => Verdict::Unknown {
            missing: format!("which certificate {host} was served: TLS 1.3 encrypts it, and no key is here"),
            ask: view::ask_for_certificate(host),
        },
        _ => Verdict::NotApplicable,
    }
}
