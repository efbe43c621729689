//! `tls.client_certificate_required`: the server asks for a client certificate and gets none.

use super::client_certificate::{self, Server};
use crate::case::Case;
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The server sends a CertificateRequest, the client has no certificate to send, and the server ends
    /// the connection or answers with a client error.
    ///
    /// # Why it matters
    ///
    /// The errors speak of certificates, and the server's own is right: the missing one is the client's.
    ///
    /// # What it needs
    ///
    /// The CertificateRequest and the alert or the status; the alert certificate_required says it by
    /// itself. A status of 400 or 496 without an alert is a warning. A 403 alone, which has many reasons, is
    /// only a note: it stands beside what came of the host and never heads it. Without either it is unknown,
    /// since many servers ask and go on. A client certificate that was sent rules it out. Where DNS shows API
    /// Gateway it is `apigw.mtls_client_cert`.
    ///
    /// # What to do
    ///
    /// Configure the client with a certificate of an authority that the server's list accepts, and verify
    /// with `curl --cert CERT --key KEY`.
    ///
    /// # References
    ///
    /// RFC 8446 sections 4.3.2 and 6.2.
    "tls.client_certificate_required", "the server asks for a client certificate and gets none",
    since "0.1.0", cap 0.85, rank 187
}

fn check(case: &Case<'_>) -> Verdict {
    client_certificate::check(case, &SERVER)
}

static SERVER: Server = Server {
    remedy: "Configure the client of {host} with a certificate and key that the server's list of authorities accepts.",
    is_apigw: false,
};
