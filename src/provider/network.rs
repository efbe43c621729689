//! A range of addresses in CIDR notation: [`Network`] (RFC 4632, RFC 4291).

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    base: IpAddr,
    length: u8,
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("expected a network such as 192.0.2.0/24, found {text:?}"))
    }
}

impl Network {
    /// Reads `192.0.2.0/24`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, length) = match text.split_once('/') {
            Some((base, length)) => (base.parse().ok()?, Some(length.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let width = width(base);
        let length = length.unwrap_or(width);
        (length <= width).then_some(Self { base, length })
    }

    /// Whether an address lies in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        if width(self.base) != width(address) {
            return false;
        }
        let cut = width(self.base).saturating_sub(self.length);
        let shift = |bits: u128| bits.checked_shr(u32::from(cut)).unwrap_or(0);
        shift(bits(self.base)) == shift(bits(address))
    }

    /// How many bits are fixed: of two networks that hold an address, the longer says more.
    pub fn length(&self) -> u8 {
        self.length
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.length)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_their_networks() {
        for (network, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("::/0", "192.0.2.1", false),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.holds(address.parse().unwrap()), expected, "{address} in {network}");
        }
        for text in ["192.0.2.0/33", "192.0.2.0/", "x/8", ""] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
