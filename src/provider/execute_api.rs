//! Amazon API Gateway's own host names under `execute-api` ([`Host`]) and the certificate that it
//! presents for names it does not know ([`default_certificate`]).
//!
//! Sources: API Gateway developer guide ("Custom domain names", "Invoke URLs", "Private APIs");
//! partitions and suffixes as botocore lists them. Observed ids are ten characters long; published
//! examples use other lengths, so length never decides the class.

use smol_str::SmolStr;

use crate::name::Name;

/// A host name under `execute-api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// What the name is for.
    pub role: Role,
    /// The first label, or the part of it that is the id: `abc123`, `d-abcde12345`, `vpce-0123`.
    pub id: SmolStr,
    /// The region, such as `us-east-1`.
    pub region: SmolStr,
    /// What follows the region, such as `amazonaws.com`.
    pub suffix: SmolStr,
    /// The id has the length that AWS gives.
    pub usual_length: bool,
}

/// What a host name under `execute-api` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The invoke URL of one API's stages: never carries a customer's certificate.
    Stage,
    /// The API Gateway domain name of a regional custom domain: where a CNAME should point.
    DomainName,
    /// The alias of a private API at one VPC endpoint.
    PrivateAlias,
    /// The DNS name of an interface VPC endpoint for execute-api.
    VpcEndpoint,
}

impl Host {
    /// The certificate that API Gateway presents in that region for names it does not know.
    pub fn default_certificate(&self) -> String {
        format!("*.execute-api.{}.{}", self.region, self.suffix)
    }
}

/// Reads a host name; `None` for any other name.
pub fn host(name: &Name) -> Option<Host> {
    let (label, rest) = name.as_str().split_once('.')?;
    let rest = rest.strip_prefix("execute-api.").filter(|_| !label.is_empty())?;
    let (region, suffix) = rest.split_once('.')?;
    if !is_region(region) {
        return None;
    }
    if let Some(suffix) = suffix.strip_prefix("vpce.") {
        let fits = label.starts_with("vpce-") && is_suffix(suffix);
        return fits.then(|| made(Role::VpcEndpoint, label, region, suffix, true));
    }
    if !is_suffix(suffix) {
        return None;
    }
    if let Some((api, endpoint)) = label.split_once("-vpce-") {
        let fits = is_id(api) && !endpoint.is_empty() && endpoint.bytes().all(|b| b.is_ascii_hexdigit());
        return fits.then(|| made(Role::PrivateAlias, label, region, suffix, api.len() == ID_LENGTH));
    }
    if let Some(id) = label.strip_prefix("d-") {
        return is_id(id).then(|| made(Role::DomainName, label, region, suffix, id.len() == ID_LENGTH));
    }
    is_id(label).then(|| made(Role::Stage, label, region, suffix, label.len() == ID_LENGTH))
}

/// The region and suffix of a presented identifier that is API Gateway's default certificate,
/// such as `*.execute-api.us-east-1.amazonaws.com`.
pub fn default_certificate(presented: &str) -> Option<(String, String)> {
    let lower = presented.to_ascii_lowercase();
    let (region, suffix) = lower.strip_prefix("*.execute-api.")?.split_once('.')?;
    (is_region(region) && is_suffix(suffix)).then(|| (region.to_owned(), suffix.to_owned()))
}

/// Whether a presented identifier stands beside API Gateway's default at a VPC endpoint, such as
/// `*.execute-api.us-east-1.vpce.amazonaws.com`.
pub fn is_endpoint_certificate(presented: &str) -> bool {
    let lower = presented.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("*.") else { return false };
    let rest = rest.strip_prefix("execute-api.").unwrap_or(rest);
    rest.split_once(".vpce.").is_some_and(|(region, suffix)| is_region(region) && is_suffix(suffix))
}

fn made(role: Role, id: &str, region: &str, suffix: &str, usual_length: bool) -> Host {
    Host { role, id: id.into(), region: region.into(), suffix: suffix.into(), usual_length }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Whether a text has the shape of an AWS region, such as `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let counts = !number.is_empty() && number.len() <= 2 && number.bytes().all(|b| b.is_ascii_digit());
    counts
        && words.contains('-')
        && words.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

fn is_suffix(text: &str) -> bool {
    SUFFIXES.contains(&text)
}

/// The length of real API ids and domain name ids.
const ID_LENGTH: usize = 10;

/// The DNS suffixes of the AWS partitions.
const SUFFIXES: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_shape() {
        for (name, expected) in [
            ("8gdcomkvu4.execute-api.us-east-1.amazonaws.com", Some((Role::Stage, true))),
            ("abc123.execute-api.us-east-1.amazonaws.com.", Some((Role::Stage, false))),
            ("v944po9kjb.execute-api.cn-northwest-1.amazonaws.com.cn", Some((Role::Stage, true))),
            ("66j88og9x3.execute-api.us-gov-west-1.amazonaws.com", Some((Role::Stage, true))),
            ("q6t71pmdq7.execute-api.eusc-de-east-1.amazonaws.eu", Some((Role::Stage, true))),
            ("d-numh1z56v6.execute-api.us-west-2.amazonaws.com", Some((Role::DomainName, true))),
            ("d-example.execute-api.us-east-1.amazonaws.com", Some((Role::DomainName, false))),
            ("d-.execute-api.us-east-1.amazonaws.com", None),
            ("x.d-numh1z56v6.execute-api.us-west-2.amazonaws.com", None),
            ("01234567ab-vpce-01234567abcdef012.execute-api.us-west-2.amazonaws.com", Some((Role::PrivateAlias, true))),
            (
                "vpce-0ee878fea3ffd19c4-6bsoxvze.execute-api.us-east-1.vpce.amazonaws.com",
                Some((Role::VpcEndpoint, true)),
            ),
            ("execute-api.us-east-1.amazonaws.com", None),
            ("abc.def.execute-api.us-east-1.amazonaws.com", None),
            ("abc123.execute-api.us-east-1.amazonaws.com.evil.example", None),
            ("abc123execute-api.us-east-1.amazonaws.com", None),
            ("abc123.execute-api.amazonaws.com", None),
        ] {
            let found = host(&Name::parse(name).unwrap()).map(|host| (host.role, host.usual_length));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn only_the_whole_wildcard_is_the_default_certificate() {
        for (presented, expected) in [
            ("*.execute-api.us-east-1.amazonaws.com", true),
            ("*.execute-api.cn-northwest-1.amazonaws.com.cn", true),
            ("*.execute-api.amazonaws.com", false),
            ("execute-api.us-east-1.amazonaws.com", false),
            ("*.appsync-api.us-east-1.amazonaws.com", false),
        ] {
            assert_eq!(default_certificate(presented).is_some(), expected, "{presented}");
        }
        for (presented, expected) in [
            ("*.execute-api.us-east-1.vpce.amazonaws.com", true),
            ("*.us-gov-west-1.vpce.amazonaws.com", true),
            ("*.execute-api.us-east-1.amazonaws.com", false),
            ("*.us-east-1.vpce.example.com", false),
        ] {
            assert_eq!(is_endpoint_certificate(presented), expected, "{presented}");
        }
    }
}
