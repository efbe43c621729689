//! `dns.ipv6_differs`: the host's IPv6 and IPv4 addresses lead to different servers.

use super::{served, served_right};
use crate::case::Case;
use crate::rules::view::{self, Shown};
use crate::rules::{Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// Two connections for the host, one by IPv4 and one by IPv6, of which one is served a covering
    /// certificate and the other is not.
    ///
    /// # Why it matters
    ///
    /// Browsers prefer IPv6, many tools and monitors use IPv4: the fault comes and goes with the client.
    /// Mostly the AAAA record is a leftover, or the listener for IPv6 has no certificate.
    ///
    /// # What it needs
    ///
    /// A certificate by each family. Two covering certificates rule it out; one family alone says
    /// nothing.
    ///
    /// # What to do
    ///
    /// Mend or remove the AAAA (or A) record, or install the certificate on the other listener. Compare
    /// `curl -4` and `curl -6`.
    ///
    /// # References
    ///
    /// RFC 8305 (Happy Eyeballs); RFC 3596.
    "dns.ipv6_differs", "the host's IPv6 and IPv4 addresses lead to different servers", since "0.1.0", cap 0.95, rank 310
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let (wrong, right) = (reach::wrong(case), reach::right(case));
    let is_v4 = |it: &Shown<'_, '_>| reach::family(case, it.connection);
    let of = |all: &[Shown<'_, '_>], v4: bool| all.iter().any(|it| is_v4(it) == Some(v4));
    for v4 in [false, true] {
        let is_split = of(&wrong, v4) && !of(&right, v4) && of(&right, !v4) && !of(&wrong, !v4);
        let bad = wrong.iter().find(|it| is_split && is_v4(it) == Some(v4));
        let good = right.iter().find(|it| is_split && is_v4(it) == Some(!v4));
        if let (Some(bad), Some(good)) = (bad, good) {
            let (family, record, other) = if v4 { ("IPv4", "A", "IPv6") } else { ("IPv6", "AAAA", "IPv4") };
            let finding = served(host, bad, Strength::Proven)
                .because(
                    format!("By {family} {host} leads to {}, which presents {}; by {other} it leads to {}, which presents a certificate that covers it.", place(case, bad), bad.label(), place(case, good)),
                    format!("Mend or remove the {record} record of {host}, or install its certificate on the {family} listener as well."),
                )
                .verified_by(format!("curl -4 -v https://{host}/; curl -6 -v https://{host}/"), "the same certificate by both");
            return served_right(finding, host, good).found();
        }
    }
    if of(&right, true) && of(&right, false) && wrong.is_empty() {
        let cites = view::cites(right.iter().flat_map(|it| [it.leaf.id, it.connection.id]));
        return Verdict::Clear {
            because: format!("IPv4 and IPv6 both present a certificate that covers {host}"),
            cites,
        };
    }
    if of(&wrong, true) && of(&wrong, false) {
        let cites = view::cites(wrong.iter().flat_map(|it| [it.leaf.id, it.connection.id]));
        return Verdict::Clear {
            because: format!("IPv4 and IPv6 both present a certificate that does not cover {host}"),
            cites,
        };
    }
    let both = [true, false]
        .iter()
        .all(|v4| case.resolutions.iter().any(|it| it.addresses.iter().any(|(address, _)| address.is_ipv4() == *v4)));
    match wrong.iter().find(|it| both && is_v4(it).is_some() && !view::is_aws_default(it.leaf)) {
        Some(it) => {
            let (tested, other) = if is_v4(it) == Some(true) { ("IPv4", "-6") } else { ("IPv6", "-4") };
            Verdict::Unknown {
                missing: format!("what the other family serves; only {tested} was tested"),
                ask: format!(
                    "openssl s_client {other} -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -ext subjectAltName"
                ),
            }
        }
        None => Verdict::NotApplicable,
    }
}

/// The server of a connection, or the address that it must have been.
fn place(case: &Case<'_>, it: &Shown<'_, '_>) -> String {
    match (it.connection.handshake.server, reach::address_of(case, it.connection)) {
        (None, Some(address)) => address.to_string(),
        _ => reach::server(it.connection),
    }
}
