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
        let (host, port) = rest.split_once(']').unwrap_or((rest, ""));
        let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
        // `[myHost]` is what somebody has put in the place of a name.
        let is_literal = host.split('%').next().is_some_and(|address| address.parse::<IpAddr>().is_ok());
        let whole = text.split_inclusive(']').next().unwrap_or(text);
        return (if is_literal { host } else { whole }, port);
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        _ => (text, None),
    }
}

/// The host that a text names, as it goes over the wire: a name in Unicode is sent as A-labels. `$host` of a script
/// names nothing, and neither does a name that somebody has blanked.
pub fn host(text: &str) -> Option<Name> {
    if text.contains('$') || is_blanked(text) { None } else { alias(text) }
}

/// The owner of a record, or of a question: not stated where somebody has blanked it.
pub fn owner(text: &str) -> Option<Name> {
    if is_blanked(text) { Some(Name::unstated()) } else { alias(text) }
}

/// What an alias points at, as it goes over the wire; of a blanked name what is left of it.
pub fn alias(text: &str) -> Option<Name> {
    if text.is_ascii() {
        return Name::parse(text);
    }
    idna::domain_to_ascii(text).ok().and_then(|ascii| Name::parse(&ascii)).or_else(|| Name::parse(text))
}

/// Whether somebody has taken a name out of the text: `[REDACTED]`, `<domain>`, `xxxx.example.com`, `***`. A label
/// alone that is blanked within a provider's name leaves what the name says.
pub fn is_blanked(text: &str) -> bool {
    let bare = text.trim_end_matches('.');
    let is_literal = bare.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if bare.is_empty() || is_literal {
        return false;
    }
    if bare.contains(BLANKS) {
        return true;
    }
    let is_provided = PROVIDED.iter().any(|suffix| bare.to_ascii_lowercase().ends_with(suffix));
    !is_provided && bare.split('.').any(is_blanked_label)
}

fn is_blanked_label(label: &str) -> bool {
    let is_only = |letter: char| label.chars().all(|c| c.eq_ignore_ascii_case(&letter));
    (label.len() >= CROSSES_MIN && is_only('x'))
        || label.contains("**")
        || label.len() > 1 && (is_only('#') || is_only('?'))
        || BLANKED_WORDS.iter().any(|word| label.eq_ignore_ascii_case(word))
}

/// What no host name holds and people put in its place.
const BLANKS: [char; 13] =
    ['<', '>', '[', ']', '{', '}', '\u{2588}', '\u{2587}', '\u{2593}', '\u{25a0}', '\u{2022}', '\u{2026}', '\u{25cf}'];
/// Three make a name that somebody may own.
const CROSSES_MIN: usize = 4;
const BLANKED_WORDS: &[&str] = &["redacted", "scrubbed", "censored"];
/// Names below which a label is an id.
const PROVIDED: &[&str] =
    &[".amazonaws.com", ".cloudfront.net", ".azurewebsites.net", ".windows.net", ".azure-api.net"];
const DNS_PORT: u16 = 53;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanked_names_are_none() {
        for (text, expected) in [
            ("[REDACTED]", true),
            ("[REDACTED].", true),
            ("www.<domain>.com", true),
            ("Xxxxxx.xxx.com", true),
            ("xxxx.example.com.", true),
            ("***", true),
            ("api.ab***yz.com", true),
            ("\u{2588}\u{2588}\u{2588}", true),
            ("www.redacted.com", true),
            ("*.example.com", false),
            ("xxx.example.com", false),
            ("xxxxxx.execute-api.us-east-1.amazonaws.com", false),
            ("[2001:db8::1]", false),
            ("foo_bar.example.com", false),
            ("b\u{fc}cher.example", false),
            (".", false),
        ] {
            assert_eq!(is_blanked(text), expected, "{text}");
        }
        assert_eq!(host("b\u{fc}cher.example").map(|it| it.to_string()).as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(owner("[REDACTED]."), Some(Name::unstated()));
    }

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
