//! `tls.parameters_refused`: the server refuses the handshake for its TLS parameters.

use super::parameters::{self, Server};
use crate::case::Case;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The server ends the handshake before a certificate with an alert about versions or ciphers
    /// (protocol_version, insufficient_security), or with handshake_failure where another version is
    /// answered.
    ///
    /// # Why it matters
    ///
    /// It is no fault of the certificate: client and server have no version or cipher suite in common.
    ///
    /// # What it needs
    ///
    /// The ClientHello and the alert; a handshake of another version that is answered proves it.
    /// handshake_failure alone leaves it unknown. Another alert, or a client without a server name, rules it
    /// out. Where DNS shows API Gateway it is `apigw.tls_policy_rejects`.
    ///
    /// # What to do
    ///
    /// Compare what the client offers with a client that works; upgrade the client or widen the server's
    /// policy. Verify with `openssl s_client -tls1_2`.
    ///
    /// # References
    ///
    /// RFC 8446 section 6.2; RFC 8996.
    "tls.parameters_refused", "the server refuses the TLS versions or ciphers of the client",
    since "0.1.0", cap 0.7, rank 185
}

fn check(case: &Case<'_>) -> Verdict {
    parameters::check(case, &SERVER)
}

static SERVER: Server = Server {
    cause: "The client offers no TLS version or cipher suite that the server accepts.",
    remedy: "Upgrade the client's TLS library or its settings, or let the server accept what the client offers.",
    is_apigw: false,
};
