//! A host name in its one comparable form ([`Name`]), and matching it against what a certificate
//! presents ([`check`]) with the reason why each presented identifier fails.
//!
//! Matching follows RFC 9525 section 6.3: a wildcard is the whole left-most label, stands for
//! exactly one label, and a common name is never matched. Names are compared in lower case without
//! the final dot; IP addresses match only iPAddress entries. Underscores are legal.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, StrExt};

use crate::limits::NAME_BYTES_MAX;

/// A host name or IP literal: lower-case, without the final dot, escaped as in RFC 1035. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Name(SmolStr);

impl Name {
    /// The comparable form of a name as a person or a tool writes it; `None` when nothing is left,
    /// it is too long for a name, or white space stands in it. Square brackets around an IPv6 literal are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if bare == "." {
            return Some(Self(ROOT));
        }
        let bare = match bare.strip_suffix('.') {
            Some(start) if !start.ends_with('\\') => start,
            _ => bare,
        };
        if !(1..=NAME_BYTES_MAX).contains(&bare.len()) {
            return None;
        }
        if bare.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()) {
            return Some(Self(SmolStr::new(bare)));
        }
        let fits = bare.chars().all(|c| !c.is_whitespace() && !c.is_control());
        fits.then(|| Self(bare.to_lowercase_smolstr()))
    }

    /// The name of this text, which is lower-case and escaped, as a DNS message gives it; the root if it is empty.
    pub(crate) fn of_wire(text: &str) -> Self {
        Self(if text.is_empty() { ROOT } else { SmolStr::new(text) })
    }

    /// The owner that an output does not state, as the first record of `dig +short` without its
    /// command.
    pub fn unstated() -> Self {
        Self(SmolStr::new_static("?"))
    }

    /// Whether the output does not state it.
    pub fn is_unstated(&self) -> bool {
        self.0 == "?"
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, where the name is an IP literal.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether the name lies below `parent`.
    pub fn is_below(&self, parent: &Self) -> bool {
        self.0.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a presented identifier does not cover a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Another name altogether.
    #[error("other domain")]
    OtherDomain,
    /// The wildcard would have to stand for several labels.
    #[error("one label too many: a wildcard stands for exactly one label")]
    TooManyLabels,
    /// The wildcard does not stand for no label at all.
    #[error("one label too few: a wildcard does not cover its base domain")]
    TooFewLabels,
    /// A `*` that is not the whole left-most label.
    #[error("unsupported wildcard: only a whole left-most label may be *")]
    UnsupportedWildcard,
    /// The host is an address, which only an iPAddress entry covers.
    #[error("an IP address is covered only by an iPAddress entry")]
    NeedsIpEntry,
    /// The entry is an address, the host is a name.
    #[error("an iPAddress entry covers only that address")]
    IsIpEntry,
    /// The entry is no host name.
    #[error("not a host name")]
    NotAName,
    /// The entry ends in a dot; dNSName entries have none (RFC 5280 section 4.2.1.6).
    #[error("ends in a dot, which identifiers of certificates never do")]
    TrailingDot,
    /// The entry is the Unicode form of the host.
    #[error("Unicode form of the name: certificates carry A-labels (xn--…)")]
    UnicodeForm,
    /// A common name, shown where there is no subjectAltName.
    #[error("a common name is not compared (RFC 9525)")]
    CommonName,
}

/// One presented identifier and why it does not cover the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// As it stands in the certificate.
    pub presented: String,
    /// `None` when it covers the host.
    pub rejection: Option<Rejection>,
}

/// The check of all presented identifiers against one host, in the certificate's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was tried.
    pub tried: Vec<Tried>,
}

impl Check {
    /// Whether one of the identifiers covers the host.
    pub fn matches(&self) -> bool {
        self.tried.iter().any(|tried| tried.rejection.is_none())
    }
}

/// The name of the root (RFC 1034 section 3.1).
const ROOT: SmolStr = SmolStr::new_static(".");

/// Checks dNSName and iPAddress entries against a host.
pub fn check<'a>(host: &Name, dns: impl IntoIterator<Item = &'a str>, ip: impl IntoIterator<Item = &'a str>) -> Check {
    let names = dns
        .into_iter()
        .map(|presented| Tried { presented: presented.to_owned(), rejection: match_dns(host, presented).err() });
    let addresses = ip
        .into_iter()
        .map(|presented| Tried { presented: presented.to_owned(), rejection: match_ip(host, presented).err() });
    Check { tried: names.chain(addresses).collect() }
}

/// Whether one of the dNSName and iPAddress entries covers a host: [`check`] without its reasons.
pub fn is_covered<'a>(
    host: &Name,
    dns: impl IntoIterator<Item = &'a str>,
    ip: impl IntoIterator<Item = &'a str>,
) -> bool {
    dns.into_iter().any(|presented| match_dns(host, presented).is_ok())
        || ip.into_iter().any(|presented| match_ip(host, presented).is_ok())
}

/// Whether a dNSName entry covers the host (RFC 9525 section 6.3).
pub fn match_dns(host: &Name, presented: &str) -> Result<(), Rejection> {
    if host.ip().is_some() {
        return Err(Rejection::NeedsIpEntry);
    }
    if presented.len() > 1 && presented.ends_with('.') {
        let fits = presented.strip_suffix('.').is_some_and(|bare| match_dns(host, bare).is_ok());
        return Err(if fits { Rejection::TrailingDot } else { Rejection::OtherDomain });
    }
    if !presented.is_ascii() {
        let same = idna::domain_to_ascii(presented).is_ok_and(|ascii| ascii == host.as_str());
        return Err(if same { Rejection::UnicodeForm } else { Rejection::OtherDomain });
    }
    let presented = Name::parse(presented).ok_or(Rejection::NotAName)?;
    if presented == *host {
        return if presented.as_str().contains('*') { Err(Rejection::UnsupportedWildcard) } else { Ok(()) };
    }
    let Some(base) = presented.as_str().strip_prefix("*.") else {
        let odd = presented.as_str().contains('*');
        return Err(if odd { Rejection::UnsupportedWildcard } else { Rejection::OtherDomain });
    };
    if base.contains('*') || !base.contains('.') {
        return Err(Rejection::UnsupportedWildcard);
    }
    if host.as_str() == base {
        return Err(Rejection::TooFewLabels);
    }
    match host.as_str().strip_suffix(base).and_then(|rest| rest.strip_suffix('.')) {
        None | Some("") => Err(Rejection::OtherDomain),
        Some(label) if label.contains('.') => Err(Rejection::TooManyLabels),
        Some(_) => Ok(()),
    }
}

fn match_ip(host: &Name, presented: &str) -> Result<(), Rejection> {
    let address = host.ip().ok_or(Rejection::IsIpEntry)?;
    match presented.parse::<IpAddr>() {
        Ok(entry) if entry == address => Ok(()),
        Ok(_) => Err(Rejection::OtherDomain),
        Err(_) => Err(Rejection::NotAName),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rejection_has_its_reason() {
        use Rejection::{NeedsIpEntry, NotAName, OtherDomain, TooFewLabels, TooManyLabels, UnsupportedWildcard};
        use Rejection::{TrailingDot, UnicodeForm};
        for (host, presented, expected) in [
            ("www.example.com", "www.example.com", Ok(())),
            ("WWW.example.com.", "www.EXAMPLE.com", Ok(())),
            ("www.example.com", "www.example.com.", Err(TrailingDot)),
            ("www.example.com", "*.example.com.", Err(TrailingDot)),
            ("www.example.com", "www.example.org.", Err(OtherDomain)),
            ("xn--bcher-kva.example", "b\u{fc}cher.example", Err(UnicodeForm)),
            ("www.example", "b\u{fc}cher.example", Err(OtherDomain)),
            ("www.example.com", "*.example.com", Ok(())),
            ("_x.example.com", "*.example.com", Ok(())),
            ("example.com", "*.example.com", Err(TooFewLabels)),
            ("a.b.example.com", "*.example.com", Err(TooManyLabels)),
            ("aexample.com", "*.example.com", Err(OtherDomain)),
            ("www.example.com", "w*.example.com", Err(UnsupportedWildcard)),
            ("www.example.com", "*.*.com", Err(UnsupportedWildcard)),
            ("example.com", "*.com", Err(UnsupportedWildcard)),
            ("www.example.com", "*", Err(UnsupportedWildcard)),
            ("www.example.com", "", Err(NotAName)),
            ("192.0.2.1", "192.0.2.1", Err(NeedsIpEntry)),
            ("www.example.com", "*.execute-api.us-east-1.amazonaws.com", Err(OtherDomain)),
        ] {
            let host = Name::parse(host).unwrap();
            assert_eq!(match_dns(&host, presented), expected, "{host} against {presented}");
        }
    }

    #[test]
    fn an_address_matches_only_an_address_entry() {
        let host = Name::parse("[2001:db8::1]").unwrap();
        assert!(check(&host, [], ["2001:db8:0:0::1"]).matches());
        assert!(!check(&host, ["2001:db8::1"], []).matches());
    }
}
