//! `panel.default_certificate`: the certificate that a panel, a distribution or a web server came with.

use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::defaults::{self, Family};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The client asked for the host and was shown a certificate that comes with the software: of Plesk,
    /// of a shared hosting server, of a distribution's packages (`localhost.localdomain`,
    /// `SomeOrganization`), or of a web server's example files.
    ///
    /// # Why it matters
    ///
    /// The server is reached, and nobody has assigned a certificate to this name there.
    ///
    /// # What it needs
    ///
    /// The certificate, and the SNI. Without a server name it says unknown. Another certificate rules it
    /// out. The patterns are data with a date: `whycert data`.
    ///
    /// # What to do
    ///
    /// Install the host's certificate and assign it to the site in the panel or the server's
    /// configuration, reload, and verify with `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// The documentation of the product that the certificate names.
    "panel.default_certificate", "a panel, distribution or web server presents the certificate it came with",
    since "0.1.0", cap 0.9, rank 402
}

fn check(case: &Case<'_>) -> Verdict {
    defaults::check(case, &FAMILY)
}

static FAMILY: Family = Family {
    kind: Kind::Panel,
    what: "the default certificate",
    cause: "The server is reached and presents what comes with {provider}: no certificate is assigned to {host} there.",
    remedy: "Install the certificate of {host}, assign it to the site (in the panel, or with ssl_certificate / SSLCertificateFile), and reload the server.",
    is_nearby: false,
};
