//! `apigw.tls_policy_rejects`: the custom domain's security policy refuses the client.

use crate::case::Case;
use crate::rules::tls::parameters::{self, Server};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// API Gateway or CloudFront ends the handshake before a certificate with an alert about versions or
    /// ciphers.
    ///
    /// # Why it matters
    ///
    /// The security policy of the custom domain (TLS_1_2, SecurityPolicy_TLS13_…) accepts only what it
    /// names. Older clients cannot connect, whatever the certificate.
    ///
    /// # What it needs
    ///
    /// The alert, the ClientHello, and an AWS name or header. handshake_failure alone leaves it unknown:
    /// CloudFront answers an unknown name in the same way. Another alert, or a client without a server name,
    /// rules it out.
    ///
    /// # What to do
    ///
    /// Upgrade the client, or choose a policy that still allows it
    /// (`aws apigateway get-domain-name --domain-name HOST` shows `securityPolicy`).
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Choose a security policy for your custom domain".
    "apigw.tls_policy_rejects", "the security policy of the custom domain refuses the client",
    since "0.1.0", cap 0.8, rank 184
}

fn check(case: &Case<'_>) -> Verdict {
    parameters::check(case, &SERVER)
}

static SERVER: Server = Server {
    cause: "The security policy of the endpoint does not accept the TLS versions or cipher suites that the client offers.",
    remedy: "Upgrade the client's TLS, or, on a custom domain, choose a security policy that still allows it.",
    is_apigw: true,
};
