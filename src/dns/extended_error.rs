//! What a server adds to its answer to explain it: [`ExtendedError`] (RFC 8914), such as a filter's own
//! "Blocked" or a resolver's "No Reachable Authority".

use serde::{Deserialize, Serialize};

/// One Extended DNS Error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExtendedError {
    /// The INFO-CODE.
    pub code: u16,
    /// Its purpose in IANA's registry; `None` for a code that has none here.
    pub name: Option<String>,
    /// The EXTRA-TEXT.
    pub text: Option<String>,
}

impl ExtendedError {
    /// An error with its name in the registry.
    pub fn new(code: u16, text: Option<String>) -> Self {
        let name = NAMES.get(usize::from(code)).map(|name| (*name).to_owned());
        Self { code, name, text: text.filter(|text| !text.is_empty()) }
    }

    /// Reads the body of the option.
    pub fn read(option: &[u8]) -> Option<Self> {
        let (code, text) = option.split_first_chunk()?;
        let text = String::from_utf8_lossy(text).trim_end_matches('\0').to_owned();
        Some(Self::new(u16::from_be_bytes(*code), Some(text)))
    }

    /// Reads the errors in the data of an OPT record (RFC 6891 section 6.1.2); one that is cut ends it.
    pub fn list(options: &[u8]) -> Vec<Self> {
        let mut errors = Vec::new();
        let mut rest = options;
        while let Some(([k0, k1, l0, l1], behind)) = rest.split_first_chunk() {
            let Some((body, behind)) = behind.split_at_checked(usize::from(u16::from_be_bytes([*l0, *l1]))) else {
                break;
            };
            if u16::from_be_bytes([*k0, *k1]) == OPTION {
                errors.extend(Self::read(body));
            }
            rest = behind;
        }
        errors
    }
}

/// The code of the option.
const OPTION: u16 = 15;
/// IANA's registry of Extended DNS Error codes, from 0.
const NAMES: &[&str] = &[
    "Other",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDomain Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_give_their_errors_and_end_where_they_are_cut() {
        for (bytes, expected) in [
            (&[0, 15, 0, 2, 0, 18][..], vec![ExtendedError::new(18, None)]),
            (&[0, 10, 0, 1, 9, 0, 15, 0, 4, 0, 22, b'h', b'i'], vec![ExtendedError::new(22, Some("hi".to_owned()))]),
            (&[0, 15, 0, 2, 0, 18, 0, 15, 0, 9, 0], vec![ExtendedError::new(18, None)]),
            (&[0, 15, 0, 1, 0], vec![]),
            (&[0, 15], vec![]),
            (&[], vec![]),
        ] {
            assert_eq!(ExtendedError::list(bytes), expected, "{bytes:?}");
        }
        assert_eq!(ExtendedError::new(18, None).name.as_deref(), Some("Prohibited"));
        assert_eq!(ExtendedError::new(49152, None).name, None);
    }
}
