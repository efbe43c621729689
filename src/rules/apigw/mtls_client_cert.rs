//! `apigw.mtls_client_cert`: the custom domain requires a client certificate.

use crate::case::Case;
use crate::rules::tls::client_certificate::{self, Server};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// API Gateway asks for a client certificate, the client has none to send, and the connection ends or
    /// 403 comes back.
    ///
    /// # Why it matters
    ///
    /// Mutual TLS is switched on for the custom domain. The certificate that it presents is right; the
    /// missing one is the client's.
    ///
    /// # What it needs
    ///
    /// The CertificateRequest, the alert or the status, and an AWS name or header. A client certificate
    /// that was sent rules it out.
    ///
    /// # What to do
    ///
    /// Configure the client with a certificate of an authority in the truststore of the custom domain, and
    /// switch the default endpoint off so that it cannot be gone round. Verify with
    /// `curl --cert CERT --key KEY`.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "How to turn on mutual TLS authentication".
    "apigw.mtls_client_cert", "the custom domain requires a client certificate",
    since "0.1.0", cap 0.85, rank 186
}

fn check(case: &Case<'_>) -> Verdict {
    client_certificate::check(case, &SERVER)
}

static SERVER: Server = Server {
    remedy: "Configure the client with a certificate issued by an authority in the truststore of {host}; switch the default endpoint off so that it cannot be gone round.",
    is_apigw: true,
};
