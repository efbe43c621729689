//! Resolvers that are asked over encryption: [`transport`] tells a connection to one by its port, by
//! the protocol it offers, or by a name that public resolvers are known under.
//!
//! Without keys such a connection is all that a capture shows of the names that were resolved.

use super::Transport;

/// How a connection carries DNS, as far as its hello shows.
pub fn transport(port: u16, server_name: Option<&str>, protocols: &[String], is_quic: bool) -> Option<Transport> {
    let offers = |start: &str| protocols.iter().any(|protocol| protocol.starts_with(start));
    if is_quic && (port == DOT_PORT || offers("doq")) {
        return Some(Transport::Doq);
    }
    if port == DOT_PORT || offers("dot") {
        return Some(Transport::Dot);
    }
    server_name.is_some_and(is_resolver).then_some(Transport::Doh)
}

/// Whether public resolvers are known under this name, or a name below it.
fn is_resolver(name: &str) -> bool {
    RESOLVERS.iter().any(|known| name.strip_suffix(known).is_some_and(|label| label.is_empty() || label.ends_with('.')))
}

/// RFC 7858 and RFC 9250.
const DOT_PORT: u16 = 853;
/// Names of public resolvers over HTTPS, as their operators and the makers of browsers publish them
/// (November 2026). What lies below one is the operator's too.
const RESOLVERS: &[&str] = &[
    "1dot1dot1dot1.cloudflare-dns.com",
    "anycast.dns.nextdns.io",
    "cloudflare-dns.com",
    "dns.adguard-dns.com",
    "dns.adguard.com",
    "dns.alidns.com",
    "dns.google",
    "dns.mullvad.net",
    "dns.nextdns.io",
    "dns.quad9.net",
    "dns.sb",
    "dns.switch.ch",
    "dns0.eu",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "dns9.quad9.net",
    "doh.cleanbrowsing.org",
    "doh.dns.apple.com",
    "doh.familyshield.opendns.com",
    "doh.opendns.com",
    "doh.pub",
    "doh.xfinity.com",
    "freedns.controld.com",
    "one.one.one.one",
    "ordns.he.net",
    "unfiltered.adguard-dns.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_told_by_port_protocol_and_name() {
        for (port, name, protocol, is_quic, expected) in [
            (853, None, "", false, Some(Transport::Dot)),
            (853, None, "", true, Some(Transport::Doq)),
            (784, None, "doq-i02", true, Some(Transport::Doq)),
            (8443, Some("resolver.example"), "dot", false, Some(Transport::Dot)),
            (443, Some("dns.google"), "h2", false, Some(Transport::Doh)),
            (443, Some("mozilla.cloudflare-dns.com"), "h2", false, Some(Transport::Doh)),
            (443, Some("ab12cd.dns.nextdns.io"), "h3", true, Some(Transport::Doh)),
            (443, Some("notdns.google"), "h2", false, None),
            (443, Some("www.example.com"), "h2", false, None),
        ] {
            let found = transport(port, name, &[protocol.to_owned()], is_quic);
            assert_eq!(found, expected, "{port} {name:?} {protocol}");
        }
    }
}
