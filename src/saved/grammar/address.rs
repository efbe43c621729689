//! Addresses as tools write them: `192.0.2.53#53`, `192.0.2.53@853`, `192.0.2.53:53`, `[2001:db8::1]:53`.

use std::net::{IpAddr, SocketAddr};

use crate::name::Name;

/// The address of a name server at the start of a text; port 53 where none is written.
pub fn server(text: &str) -> Option<SocketAddr> {
    let word = text.split([' ', '(', ')']).next()?.trim_end_matches([',', ';']);
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, DNS_PORT));
    }
    if let Ok(both) = word.parse::<SocketAddr>() {
        return Some(both);
    }
    let (address, port) = word.split_once('#').or_else(|| word.split_once('@'))?;
    let address = address.split('%').next().unwrap_or(address);
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

/// Host and port of a target such as `www.example.com:443` or `[2001:db8::1]:443`.
pub fn target(text: &str) -> (&str, Option<u16>) {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').unwrap_or((rest, ""));
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        _ => (text, None),
    }
}

/// The host that a command names, as it goes over the wire: a name in Unicode is sent as A-labels, and
/// `$host` of a script names nothing.
pub fn host(text: &str) -> Option<Name> {
    if text.contains('$') {
        return None;
    }
    if text.is_ascii() {
        return Name::parse(text);
    }
    idna::domain_to_ascii(text).ok().and_then(|ascii| Name::parse(&ascii)).or_else(|| Name::parse(text))
}

const DNS_PORT: u16 = 53;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_separator_is_read() {
        for (text, expected) in [
            ("192.0.2.53#53(192.0.2.53) (UDP)", Some("192.0.2.53:53")),
            ("192.0.2.54@853(TCP) in 60.2 ms", Some("192.0.2.54:853")),
            ("192.0.2.53:53", Some("192.0.2.53:53")),
            ("2001:db8::53#53(2001:db8::53)", Some("[2001:db8::53]:53")),
            ("fe80::1%eth0#53", Some("[fe80::1]:53")),
            ("192.0.2.53", Some("192.0.2.53:53")),
            ("dns.google", None),
        ] {
            assert_eq!(server(text).map(|it| it.to_string()).as_deref(), expected, "{text}");
        }
        assert_eq!(target("[2001:db8::1]:8443"), ("2001:db8::1", Some(8443)));
        assert_eq!(target("www.example.com:443"), ("www.example.com", Some(443)));
        assert_eq!(target("2001:db8::1"), ("2001:db8::1", None));
    }
}
