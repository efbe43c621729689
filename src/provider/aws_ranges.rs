//! Amazon's published address ranges ([`AwsRanges`]), read from `ip-ranges.json` in its own format.
//!
//! None are embedded: they change every few days and AWS states no licence for them. The tag
//! API_GATEWAY means outbound addresses; front ends of API Gateway are tagged EC2 or CLOUDFRONT. An
//! address outside the ranges is a hint only, the weaker the older the file.

use std::net::IpAddr;

use serde::Deserialize;

use super::network::Network;

/// The ranges of one file.
#[derive(Clone, Debug)]
pub struct AwsRanges {
    /// `createDate`, as the file writes it.
    pub as_of: String,
    prefixes: Vec<Prefix>,
}

/// One range.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Prefix {
    /// The addresses.
    #[serde(alias = "ip_prefix", alias = "ipv6_prefix")]
    pub network: Network,
    /// `us-east-1`, `GLOBAL`, …
    pub region: String,
    /// `EC2`, `CLOUDFRONT`, `AMAZON`, …
    pub service: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "createDate")]
    create_date: String,
    prefixes: Vec<Prefix>,
    #[serde(default)]
    ipv6_prefixes: Vec<Prefix>,
}

impl AwsRanges {
    /// Reads the file.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut prefixes = file.prefixes;
        prefixes.extend(file.ipv6_prefixes);
        Ok(Self { as_of: day(&file.create_date), prefixes })
    }

    /// The range of an address that says most: the longest, a service before `AMAZON`.
    pub fn of(&self, address: IpAddr) -> Option<&Prefix> {
        let holding = self.prefixes.iter().filter(|prefix| prefix.network.holds(address));
        holding.max_by_key(|prefix| (prefix.service != "AMAZON", prefix.network.length()))
    }

    /// Whose an address is, in words that name the file's date; `None` for one outside the ranges, which
    /// says nothing: the file may be old.
    pub fn told(&self, address: IpAddr) -> Option<String> {
        let prefix = self.of(address)?;
        let of = if prefix.region == "GLOBAL" { String::new() } else { format!(" in {}", prefix.region) };
        Some(format!("{address} is of AWS's range for {}{of} (aws-ip-ranges {})", prefix.service, self.as_of))
    }

    /// How many ranges there are.
    pub fn entries(&self) -> usize {
        self.prefixes.len()
    }
}

/// `2026-08-22` of `2026-08-22-15-17-05`.
fn day(date: &str) -> String {
    date.get(..10).unwrap_or(date).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_that_says_most_is_given() {
        let file = br#"{"syncToken":"1","createDate":"2026-08-22-15-17-05","prefixes":[
            {"ip_prefix":"198.51.100.0/24","region":"us-east-1","service":"AMAZON","network_border_group":"us-east-1"},
            {"ip_prefix":"198.51.100.0/25","region":"us-east-1","service":"AMAZON","network_border_group":"us-east-1"},
            {"ip_prefix":"198.51.100.0/24","region":"us-east-1","service":"EC2","network_border_group":"us-east-1"}],
            "ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32","region":"GLOBAL","service":"CLOUDFRONT",
            "network_border_group":"GLOBAL"}]}"#;
        let ranges = AwsRanges::read(file).unwrap();
        let told = ranges.told("198.51.100.7".parse().unwrap());
        let words = "198.51.100.7 is of AWS's range for EC2 in us-east-1 (aws-ip-ranges 2026-08-22)";
        assert_eq!(told.as_deref(), Some(words));
        assert_eq!(ranges.told("192.0.2.1".parse().unwrap()), None);
        assert_eq!((ranges.as_of.as_str(), ranges.entries()), ("2026-08-22", 4));
        for (address, expected) in
            [("198.51.100.7", Some("EC2")), ("2001:db8::1", Some("CLOUDFRONT")), ("203.0.113.1", None)]
        {
            let found = ranges.of(address.parse().unwrap()).map(|prefix| prefix.service.as_str());
            assert_eq!(found, expected, "{address}");
        }
        assert!(AwsRanges::read(b"{}").is_err());
    }
}
