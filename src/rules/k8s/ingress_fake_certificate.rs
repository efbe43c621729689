//! `k8s.ingress_fake_certificate`: an ingress controller presents its fallback certificate.

use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::defaults::{self, Family};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The client asked for the host and was shown an ingress controller's own certificate: ingress-nginx's
    /// "Kubernetes Ingress Controller Fake Certificate" (`ingress.local`), or the default of an OpenShift
    /// router.
    ///
    /// # Why it matters
    ///
    /// The controller answers, but has no usable certificate for this name: no rule names the host, the
    /// secret is missing, lies in another namespace, has other keys than tls.crt and tls.key, or its
    /// certificate has no subject alternative name for the host.
    ///
    /// # What it needs
    ///
    /// The certificate and the SNI. Without a server name the controller always answers so: that is
    /// `sni.absent`, and this rule then says unknown. Another certificate rules it out.
    ///
    /// # What to do
    ///
    /// Compare `tls.hosts` and the secret of the Ingress (`kubectl get ingress,secret -n NAMESPACE`), look
    /// for the host in the controller's log, then repeat `openssl s_client` with `-servername`.
    ///
    /// # References
    ///
    /// ingress-nginx user guide, "TLS/HTTPS"; OpenShift documentation, "Replacing the default ingress
    /// certificate".
    "k8s.ingress_fake_certificate", "an ingress controller presents its fallback certificate",
    since "0.1.0", cap 0.97, rank 400
}

fn check(case: &Case<'_>) -> Verdict {
    defaults::check(case, &FAMILY)
}

static FAMILY: Family = Family {
    kind: Kind::Ingress,
    what: "the fallback certificate",
    cause: "{provider} answers and has no usable certificate for {host}: no rule names the host, or its secret is missing, in another namespace, or holds a certificate without this name.",
    remedy: "Let tls.hosts of the Ingress name {host} and its secret (same namespace, keys tls.crt and tls.key) hold a certificate with that subject alternative name; the controller's log says what it refused.",
    is_nearby: false,
};
