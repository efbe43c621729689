//! `appliance.factory_certificate`: a device answers with the certificate it came with.

use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::defaults::{self, Family};
use crate::rules::{Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The client asked for the host and was shown the factory certificate of a device: a NAS, a router,
    /// a firewall, a management controller, a hypervisor.
    ///
    /// # Why it matters
    ///
    /// The connection ends on the device itself, not on the server: the record holds its address, a port
    /// is not forwarded, or the public address is reached from inside without hairpin NAT.
    ///
    /// # What it needs
    ///
    /// The certificate and the SNI; an address of a private network confirms it. A subject proves nothing
    /// where a public authority issued it. Another certificate rules it out. The patterns are data with a
    /// date: `whycert data`.
    ///
    /// # What to do
    ///
    /// Compare `dig HOST` with the server's address and look at the port forwarding; from inside use split
    /// DNS. Verify with `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// RFC 4787 section 6 (hairpinning).
    "appliance.factory_certificate", "a device answers with its factory certificate",
    since "0.1.0", cap 0.9, rank 403
}

fn check(case: &Case<'_>) -> Verdict {
    defaults::check(case, &FAMILY)
}

static FAMILY: Family = Family {
    kind: Kind::Appliance,
    what: "the factory certificate",
    cause: "The connection ends on {provider}, not on the server of {host}: the address, the port forwarding or hairpin NAT leads to the device.",
    remedy: "Correct the address in DNS or the port forwarding so that {host} leads to its server; from inside use split DNS instead of hairpin NAT.",
    is_nearby: true,
};
